"""The append-only book. Entries are only ever added, each chained to the one before it; the index floor is the only one
that writes them."""

from collections.abc import AsyncGenerator, Collection
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Row, func, insert, select

from wheelkeep.core.chain import BEGIN, Chained, chained, link
from wheelkeep.core.names import ProjectName
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.tables import ledger

OF_PAGES = (
    "published",
    "yanked",
    "unyanked",
    "deleted",
    "promoted",
    "status",
    "freed",
    "registered",
    "advisories",
    "carried",
)
"""The kinds of entries after which a project's page shows something else, or any page, where none is named."""

ALERTS = ("alert", "incident")
"""The kinds of entries of which people want to hear at once."""
POLICY = "policy"
"""The kind of an entry that says which policy came into force."""
_AT_ONCE = 500
"""Rows in memory while many are read."""
_PARTS = tuple(column for column in ledger.c if column.name != "link")
"""What an entry's link is made of, in this order."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the book."""

    kind: str
    """``incident``, ``blocked``, ``alert``, ``left``, ``owners``, ``approved``, ``refused``, ``withdrawn``, ``policy``,
    ``snapshot``, ``snapshot deleted``,
    ``bundle exported``, ``bundle trusted``, ``bundle imported``, ``carried line``, ``restored``, ``token created``,
    ``token minted``, ``token revoked``, ``fetches lost``, ``lines lost``, or one of OF_PAGES."""
    at: datetime
    source: str | None = None
    project: str | None = None
    filename: str | None = None
    detail: dict[str, Any] = {}


class Ledger:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, entries: list[Entry]) -> None:
        """Adds entries in one commit."""
        if entries:
            async with self._database.write() as connection:
                await self.write(connection, entries)

    async def write(self, connection: Connection, entries: list[Entry]) -> None:
        """Adds entries in a transaction of somebody else's, so that both are kept or neither."""
        number, before = await _head(connection)
        rows = []
        for entry in entries:
            number += 1
            row = {
                "id": number,
                "at": entry.at.timestamp(),
                "kind": entry.kind,
                "source": entry.source,
                "project": entry.project,
                "filename": entry.filename,
                "detail": msgspec.json.encode(entry.detail).decode(),
            }
            before = link(before, tuple(row.values()))
            rows.append({**row, "link": before})
        await connection.execute(insert(ledger), rows)

    async def head(self) -> tuple[int, bytes]:
        """The number of the newest entry, 0 where there is none, and its link."""
        async with self._database.read() as connection:
            return await _head(connection)

    async def links(self, numbers: Collection[int]) -> dict[int, bytes | None]:
        """The links of entries by their numbers, as far as these are there."""
        query = select(ledger.c.id, ledger.c.link).where(ledger.c.id.in_(numbers))
        async with self._database.read() as connection:
            return {row.id: row.link for row in await connection.execute(query)}

    async def chain(self) -> AsyncGenerator[list[Chained], None]:
        """Every entry held against its place in the chain, the oldest first, many at a time."""
        number, before = 0, BEGIN
        while True:
            query = select(*_PARTS, ledger.c.link).where(ledger.c.id > number).order_by(ledger.c.id)
            async with self._database.read() as connection:
                rows = (await connection.execute(query.limit(_AT_ONCE))).all()
            if not rows:
                return
            yield list(chained(before, [(row.id, row.link, tuple(row)[:-1]) for row in rows]))
            number, before = rows[-1].id, rows[-1].link or BEGIN

    async def note_policy(self, index: str, sha256: str, at: datetime) -> bool:
        """Notes that a policy is in force in an index, unless the book says so already; whether it was noted.

        Of several processes that see the same change one notes it.
        """
        last = (
            select(ledger.c.detail)
            .where(ledger.c.kind == POLICY, func.json_extract(ledger.c.detail, "$.index") == index)
            .order_by(ledger.c.id.desc())
            .limit(1)
        )
        async with self._database.write() as connection:
            before = (await connection.execute(last)).scalar()
            if before is not None and msgspec.json.decode(before)["sha256"] == sha256:
                return False
            await self.write(
                connection, [Entry(kind=POLICY, at=at, detail={"index": index, "sha256": sha256})]
            )
            return True

    async def page(
        self,
        *,
        before: int | None = None,
        limit: int,
        kind: str | None = None,
        source: str | None = None,
        project: str | None = None,
    ) -> list[tuple[int, Entry]]:
        """Entries with their numbers, the newest first: those that are older than a number, of one kind, source or
        project where that is said."""
        query = select(ledger).order_by(ledger.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(ledger.c.id < before)
        for column, wanted in (
            (ledger.c.kind, kind),
            (ledger.c.source, source),
            (ledger.c.project, project),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        async with self._database.read() as connection:
            return [(row.id, _entry(row)) for row in await connection.execute(query)]

    async def lines(
        self,
        *,
        kind: str | None,
        source: str | None,
        project: str | None,
        since: datetime | None,
        until: datetime | None,
        before: int | None,
    ) -> AsyncGenerator[tuple[int, Entry], None]:
        """Entries with their numbers, the newest first, however many; see ``page`` for the rest."""
        query = select(ledger).order_by(ledger.c.id.desc())
        for column, wanted in (
            (ledger.c.kind, kind),
            (ledger.c.source, source),
            (ledger.c.project, project),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(ledger.c.at >= since.timestamp())
        if until is not None:
            query = query.where(ledger.c.at < until.timestamp())
        if before is not None:
            query = query.where(ledger.c.id < before)
        async with self._database.read() as connection:
            async for row in connection.stream(query, _AT_ONCE):
                yield row.id, _entry(row)

    async def brought(self, source: str, project: str) -> dict[str, str]:
        """Who brought each file of a hosted project into its source: file name to name, as far as it was written."""
        query = (
            select(ledger.c.filename, ledger.c.detail)
            .where(
                ledger.c.project == project,
                ledger.c.source == source,
                ledger.c.kind.in_(("published", "promoted")),
            )
            .order_by(ledger.c.id)
        )
        async with self._database.read() as connection:
            return {
                row.filename: str(msgspec.json.decode(row.detail).get("by", ""))
                for row in await connection.execute(query)
            }

    async def last(self, kind: str, *, project: str | None = None, limit: int = 50) -> list[Entry]:
        """The newest entries of a kind, the newest first."""
        query = select(ledger).where(ledger.c.kind == kind).order_by(ledger.c.id.desc()).limit(limit)
        if project is not None:
            query = query.where(ledger.c.project == project)
        async with self._database.read() as connection:
            return [_entry(row) for row in await connection.execute(query)]

    async def since(self, kinds: Collection[str], number: int) -> tuple[set[ProjectName | None], int]:
        """The projects that entries of these kinds after a number are about (None: any), and the newest's number."""
        query = select(ledger.c.id, ledger.c.project).where(ledger.c.kind.in_(kinds), ledger.c.id > number)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        projects = {ProjectName(row.project) if row.project is not None else None for row in rows}
        return projects, max([number, *(row.id for row in rows)])

    async def next(self, kinds: Collection[str], number: int) -> tuple[int, Entry] | None:
        """The first entry of these kinds after a number, with its own."""
        query = select(ledger).where(ledger.c.kind.in_(kinds), ledger.c.id > number)
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(ledger.c.id).limit(1))).first()
        return (row.id, _entry(row)) if row is not None else None

    async def newest(self) -> int:
        """The number of the newest entry; 0 where there is none."""
        async with self._database.read() as connection:
            return (await connection.execute(select(func.max(ledger.c.id)))).scalar() or 0

    async def counts(self) -> dict[str, int]:
        """How many entries there are of each kind."""
        query = select(ledger.c.kind, func.count()).group_by(ledger.c.kind)
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}


async def _head(connection: Connection) -> tuple[int, bytes]:
    newest = select(ledger.c.id, ledger.c.link).order_by(ledger.c.id.desc()).limit(1)
    last = (await connection.execute(newest)).first()
    return (last.id, last.link or BEGIN) if last is not None else (0, BEGIN)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        kind=row.kind,
        at=datetime.fromtimestamp(row.at, UTC),
        source=row.source,
        project=row.project,
        filename=row.filename,
        detail=msgspec.json.decode(row.detail),
    )
