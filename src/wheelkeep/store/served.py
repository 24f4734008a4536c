"""What the book of fetches says was served, whoever it was served to. Reads only."""

from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from sqlalchemy import select

from wheelkeep.store.database import Database
from wheelkeep.store.fetch_tables import fetched_files, fetches

_AT_ONCE = 1_000
"""Rows in memory while many are read."""


class ServedFile(Struct, frozen=True):
    """A file of which somebody was given bytes, or was about to be."""

    source: str
    project: str
    filename: str
    sha256: str


class Served:
    """The book on one data folder; to be closed."""

    def __init__(self, data: Path) -> None:
        self._path = data / "fetches.sqlite"
        self._reader = Database(self._path)

    async def files(self) -> AsyncGenerator[ServedFile, None]:
        """Every file in the book whose hash was known then."""
        if not self._path.exists():
            return
        columns = (fetched_files.c.source, fetched_files.c.project, fetched_files.c.filename)
        query = select(*columns, fetched_files.c.sha256).where(fetched_files.c.sha256 != "")
        async with self._reader.read() as connection:
            async for row in connection.stream(query, _AT_ONCE):
                yield ServedFile(*row)

    async def hashes(self, since: datetime | None) -> AsyncGenerator[str, None]:
        """The sha256 of every file in the book; ``since``: of those that were served at that moment or later."""
        if not self._path.exists():
            return
        query = select(fetched_files.c.sha256).where(fetched_files.c.sha256 != "")
        if since is not None:
            lately = select(fetches.c.file).where(fetches.c.at >= int(since.timestamp() * 1_000_000))
            query = query.where(fetched_files.c.id.in_(lately))
        async with self._reader.read() as connection:
            async for row in connection.stream(query, _AT_ONCE):
                yield row.sha256

    async def projects(self) -> set[tuple[str, str]]:
        """Every source and project in the book."""
        if not self._path.exists():
            return set()
        query = select(fetched_files.c.source, fetched_files.c.project).distinct()
        async with self._reader.read() as connection:
            return {(row.source, row.project) for row in await connection.execute(query)}

    async def close(self) -> None:
        await self._reader.close()
