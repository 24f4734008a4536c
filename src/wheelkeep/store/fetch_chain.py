"""The chain in the book of fetches, read: its head, single links, and every line held against its place in it."""

from collections.abc import AsyncGenerator, Collection
from pathlib import Path
from typing import Any

from sqlalchemy import select

from wheelkeep.core.chain import BEGIN, Chained, chained
from wheelkeep.store.database import Database
from wheelkeep.store.fetch_tables import HEAD, LINES, fetches


class FetchChain:
    """Of a book that is there and chained (``Fetches.ready``); of one that nobody wrote into yet, nothing."""

    def __init__(self, path: Path, reader: Database) -> None:
        self._path = path
        self._reader = reader

    async def head(self) -> tuple[int, bytes]:
        """The number of the newest line, 0 where there is none, and its link."""
        if not self._path.exists():
            return 0, BEGIN
        async with self._reader.read() as connection:
            last: Any = (await connection.exec_driver_sql(HEAD)).first()
        return (last[0], last[1] or BEGIN) if last is not None else (0, BEGIN)

    async def links(self, numbers: Collection[int]) -> dict[int, bytes | None]:
        """The links of lines by their numbers, as far as these are there."""
        if not self._path.exists():
            return {}
        query = select(fetches.c.id, fetches.c.link).where(fetches.c.id.in_(numbers))
        async with self._reader.read() as connection:
            return {row.id: row.link for row in await connection.execute(query)}

    async def chain(self) -> AsyncGenerator[list[Chained], None]:
        """Every line held against its place in the chain, the oldest first, many at a time."""
        number, before = 0, BEGIN
        while self._path.exists():
            async with self._reader.read() as connection:
                rows = (await connection.execute(LINES.where(fetches.c.id > number))).all()
            if not rows:
                return
            yield list(chained(before, [(row.id, row.link, (row.id, *tuple(row)[2:])) for row in rows]))
            number, before = rows[-1].id, rows[-1].link or BEGIN
