"""Pages as sources told them, one row a source and project. A row is never replaced by less: see core/pins."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Delete, Row, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.core import pins
from wheelkeep.core.errors import Unwritable
from wheelkeep.core.model import Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.logs import get_logger
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.leaves import Leaves, add_seen
from wheelkeep.store.packed import pack_page, unpack_page
from wheelkeep.store.tables import pages

MOST_ABSENT = 20_000
"""Names that a source does not have, of which that is remembered: a client can make up ever new ones."""
_FORGET_EVERY = 1_000
log = get_logger(__name__)

MOST_UNKEPT = 500
"""Pages that are remembered while they cannot be written."""


class StoredPage(Struct, frozen=True, kw_only=True):
    """What a source last said of a name."""

    page: Page | None
    """None: cleanly that it does not have the name."""
    etag: str | None = None
    checked: datetime


class Pages:
    """Read one, or change one in a single step."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._absences = 0
        self._unkept: dict[tuple[SourceName, ProjectName], StoredPage] = {}

    async def get(self, source: SourceName, project: ProjectName) -> StoredPage | None:
        """The stored page, or None where the source was never asked."""
        query = select(pages.c.body, pages.c.etag, pages.c.checked).where(
            pages.c.source == source, pages.c.project == project
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return self._newer(source, project, _read(row))

    async def firsts(self, source: SourceName, page: Page) -> dict[str, str]:
        """The sha256 with which each file name of a page was first seen in its source, whatever became of the row."""
        return await Leaves(self._database).seen(source, [file.filename for file in page.files])

    async def change(
        self,
        source: SourceName,
        project: ProjectName,
        change: Callable[[StoredPage | None], StoredPage | None],
    ) -> StoredPage | None:
        """Replaces the row by ``change`` of it, in one transaction: no other process's change comes between. Files that
        have a sha256 for the first time are in the transparency log from then on.

        ``change`` gives None to leave the row as it is. While the disk takes nothing, this process remembers the
        page, so that what was seen first stays so, and writes it with the next change.
        """
        try:
            after = await self._write(source, project, change)
        except Unwritable as error:
            before = await self.get(source, project)
            after = change(before)
            if after is None:
                return before
            if len(self._unkept) >= MOST_UNKEPT:
                del self._unkept[next(iter(self._unkept))]
            self._unkept[source, project] = after
            log.error("page_not_kept", source=source, project=project, why=str(error))
            return after
        self._unkept.pop((source, project), None)
        return after

    async def grow(
        self,
        source: SourceName,
        project: ProjectName,
        change: Callable[[StoredPage | None], StoredPage | None],
        also: Callable[[Connection], Awaitable[None]],
    ) -> StoredPage | None:
        """The same for what comes from elsewhere than the source: with ``also`` in the transaction, also where the row
        stays as it is, and first seen now. Raises Unwritable, and keeps nothing then.
        """
        return await self._write(source, project, change, also)

    async def _write(
        self,
        source: SourceName,
        project: ProjectName,
        change: Callable[[StoredPage | None], StoredPage | None],
        also: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> StoredPage | None:
        query = select(pages.c.body, pages.c.etag, pages.c.checked).where(
            pages.c.source == source, pages.c.project == project
        )
        async with self._database.write() as connection:
            written = _read((await connection.execute(query)).first())
            before = self._newer(source, project, written)
            after = change(before)
            if also is not None:
                await also(connection)
            if after is None:
                return before
            values: dict[str, Any] = {"etag": after.etag, "checked": after.checked.timestamp()}
            if written is None or written.page is not after.page:
                values["body"] = pack_page(after.page) if after.page is not None else None
            # A page that stayed as it was is the rule, and is not written again.
            statement = insert(pages).values(source=source, project=project, **values)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["source", "project"], set_=values)
            )
            if written is None and after.page is None:
                self._absences += 1
                if self._absences % _FORGET_EVERY == 0:
                    await connection.execute(_oldest_absences(source))
            seen = after.checked if also is None else datetime.now(UTC)
            await add_seen(connection, pins.first_sights(written.page if written else None, after.page), seen)
        return after

    def _newer(
        self, source: SourceName, project: ProjectName, written: StoredPage | None
    ) -> StoredPage | None:
        """What this process remembers and could not write, unless another wrote something newer."""
        unkept = self._unkept.get((source, project))
        return written if unkept is None or (written and written.checked > unkept.checked) else unkept

    async def keys(self) -> list[tuple[SourceName, ProjectName]]:
        """The sources and projects of which a page is stored."""
        query = select(pages.c.source, pages.c.project).where(pages.c.body.is_not(None))
        async with self._database.read() as connection:
            return [(row[0], row[1]) for row in await connection.execute(query)]

    async def all(self) -> AsyncIterator[Page]:
        """Every stored page, one at a time."""
        for source, project in await self.keys():
            stored = await self.get(source, project)
            if stored is not None and stored.page is not None:
                yield stored.page

    async def counts(self) -> dict[str, tuple[int, float | None]]:
        """For every source: how many pages are stored, and when the last answer came (epoch seconds)."""
        query = select(pages.c.source, func.count(pages.c.body), func.max(pages.c.checked)).group_by(
            pages.c.source
        )
        async with self._database.read() as connection:
            return {row[0]: (row[1], row[2]) for row in await connection.execute(query)}


def _oldest_absences(source: SourceName) -> Delete:
    """Takes away the rows that say no more than that a name was not there, but for the newest."""
    absent = (pages.c.source == source, pages.c.body.is_(None))
    newest = select(pages.c.checked).where(*absent).order_by(pages.c.checked.desc())
    return delete(pages).where(
        *absent, pages.c.checked <= newest.offset(MOST_ABSENT).limit(1).scalar_subquery()
    )


def _read(row: Row[Any, Any, Any] | None) -> StoredPage | None:
    if row is None:
        return None
    return StoredPage(
        page=unpack_page(row.body) if row.body is not None else None,
        etag=row.etag,
        checked=datetime.fromtimestamp(row.checked, UTC),
    )
