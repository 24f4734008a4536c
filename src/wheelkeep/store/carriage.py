"""What leaves a keep in bundles and comes into one, as rows. Each project comes in one transaction with
its lines in the ledger."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.core.bundle import Line
from wheelkeep.core.chain import BEGIN
from wheelkeep.core.model import File, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.changes import Changes
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.facts import KnownMetadata, write_metadata
from wheelkeep.store.leaves import add_seen
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.packed import pack_file, squeeze, unpack_file
from wheelkeep.store.pages import Pages, StoredPage
from wheelkeep.store.standing import Standing, hold, read_standing, write_standing
from wheelkeep.store.tables import hosted_files, kept_blobs, ledger, origin_documents
from wheelkeep.store.uploads import PROVENANCE, Taken, find_taken

KINDS = (
    "incident",
    "left",
    "published",
    "promoted",
    "yanked",
    "unyanked",
    "deleted",
    "status",
    "carried",
)
"""The kinds of lines of the ledger that go with their files; who fetched what stays at home."""
_AT_ONCE = 500


class Arrival(Struct, frozen=True, kw_only=True):
    """A hosted file that a bundle brings, with what is known of it."""

    file: File
    metadata: KnownMetadata | None
    provenance: bytes | None


class Unfit(Struct, frozen=True):
    """A file name that is taken here."""

    filename: str
    taken: Taken | None
    """None: by the very file that was removed there."""


class Carriage:
    def __init__(self, database: Database, book: Ledger, pages: Pages, changes: Changes) -> None:
        self._database = database
        self._ledger = book
        self._pages = pages
        self._changes = changes

    async def lines(self, source: SourceName, project: ProjectName, filenames: Collection[str]) -> list[Line]:
        """The ledger's lines about a project in a source and about these of its files, the oldest first."""
        query = (
            select(ledger)
            .where(ledger.c.source == source, ledger.c.project == project, ledger.c.kind.in_(KINDS))
            .order_by(ledger.c.id)
        )
        async with self._database.read() as connection:
            rows = [
                row
                for row in await connection.execute(query)
                if row.link is not None and (row.filename is None or row.filename in filenames)
            ]
            links: dict[int, bytes] = {}
            numbers = [row.id - 1 for row in rows]
            for at in range(0, len(numbers), _AT_ONCE):
                some = select(ledger.c.id, ledger.c.link).where(ledger.c.id.in_(numbers[at : at + _AT_ONCE]))
                links |= {row.id: row.link or BEGIN for row in await connection.execute(some)}
        return [
            Line(
                number=row.id,
                at=row.at,
                kind=row.kind,
                source=row.source,
                project=row.project,
                filename=row.filename,
                detail=row.detail,
                before=links.get(row.id - 1, BEGIN).hex(),
                link=row.link.hex(),
            )
            for row in rows
        ]

    async def status(self, source: SourceName, project: ProjectName) -> Status | None:
        """The status of a hosted project; None: active, without a word."""
        async with self._database.read() as connection:
            return (await read_standing(connection, source, project)).status

    async def used(self, source: SourceName, project: ProjectName) -> tuple[str, ...]:
        """The file names of a hosted project whose files are gone, and that are never used again."""
        query = select(hosted_files.c.filename).where(
            hosted_files.c.source == source, hosted_files.c.project == project, hosted_files.c.file.is_(None)
        )
        async with self._database.read() as connection:
            return tuple((await connection.execute(query.order_by(hosted_files.c.filename))).scalars())

    async def used_projects(self, sources: Collection[SourceName]) -> set[ProjectName]:
        """The projects of hosted sources of which a file was removed."""
        query = select(hosted_files.c.project).distinct()
        async with self._database.read() as connection:
            rows = await connection.execute(
                query.where(hosted_files.c.source.in_(sources), hosted_files.c.file.is_(None))
            )
            return {ProjectName(name) for name in rows.scalars()}

    async def came(self, hashes: Collection[str]) -> dict[str, datetime]:
        """When blobs came, as far as that was noted."""
        every, found = list(hashes), {}
        async with self._database.read() as connection:
            for at in range(0, len(every), _AT_ONCE):
                query = select(kept_blobs).where(kept_blobs.c.sha256.in_(every[at : at + _AT_ONCE]))
                for row in await connection.execute(query):
                    found[row.sha256] = datetime.fromtimestamp(row.at).astimezone()
        return found

    async def grow(
        self,
        source: SourceName,
        project: ProjectName,
        change: Callable[[StoredPage | None], StoredPage | None],
        entries: Callable[[], Sequence[Entry]],
    ) -> None:
        """Changes a stored page and adds to the ledger in one transaction; see ``Pages.change``. Raises Unwritable."""

        async def also(connection: Connection) -> None:
            if told := list(entries()):
                await self._ledger.write(connection, told)

        await self._pages.grow(source, project, change, also)
        self._changes.mark()

    async def host(
        self,
        source: SourceName,
        project: ProjectName,
        arrivals: Sequence[Arrival],
        used: Sequence[str],
        status: Status | None,
        become: Callable[[File, File], File],
        entries: Callable[[Sequence[File], Sequence[tuple[File, File]], bool], Sequence[Entry]],
        now: datetime,
    ) -> list[Unfit]:
        """Makes a bundle's files a hosted source's, all that can be in one transaction; gives those that cannot.

        ``become``: of a file that is there with the same bytes and of the bundle's, the file from now on.
        ``entries``: the ledger's lines about new files, changed ones (before, after), and whether the status
        changed. A name that was ``used`` is never used again; a file that has it here stays. Raises Unwritable.
        """
        unfit: list[Unfit] = []
        new: list[File] = []
        changed: list[tuple[File, File]] = []
        async with self._database.write() as connection:
            for arrival in arrivals:
                file = arrival.file
                taken = await find_taken(connection, source, project, file.filename)
                if taken is None:
                    await hold(connection, source, project)
                    await _add(connection, arrival, now)
                    new.append(file)
                elif taken.sha256 != file.sha256:
                    unfit.append(Unfit(file.filename, taken))
                elif (here := await _file(connection, source, taken.filename)) is not None:
                    after = become(here, file)
                    if after != here:
                        await _replace(connection, after)
                        changed.append((here, after))
            for filename in used:
                taken = await find_taken(connection, source, project, filename)
                if taken is not None and taken.sha256 is not None:
                    unfit.append(Unfit(filename, None))
                elif taken is None:
                    row = {"source": source, "filename": filename, "project": project, "file": None}
                    await connection.execute(insert(hosted_files).values(row).on_conflict_do_nothing())
            stands = await _stand(connection, source, project, status)
            if told := list(entries(new, changed, stands)):
                await self._ledger.write(connection, told)
        self._changes.mark()
        return unfit


async def _add(connection: Connection, arrival: Arrival, now: datetime) -> None:
    file = arrival.file
    row = {"source": file.source, "filename": file.filename, "project": file.project}
    await connection.execute(hosted_files.insert().values(**row, file=pack_file(file)))
    # This keep's log tells when this keep saw it.
    await add_seen(connection, [file], now)
    if arrival.metadata is not None:
        await write_metadata(connection, file, arrival.metadata)
    if arrival.provenance is not None:
        document = {"source": file.source, "kind": PROVENANCE, "key": file.filename}
        values = {"body": squeeze(arrival.provenance), "checked": now.timestamp()}
        await connection.execute(
            insert(origin_documents).values(**document, **values).on_conflict_do_nothing()
        )


async def _file(connection: Connection, source: SourceName, filename: str) -> File | None:
    query = select(hosted_files.c.file).where(
        hosted_files.c.source == source, hosted_files.c.filename == filename
    )
    body = (await connection.execute(query)).scalar()
    return unpack_file(body) if body is not None else None


async def _replace(connection: Connection, file: File) -> None:
    where = (hosted_files.c.source == file.source, hosted_files.c.filename == file.filename)
    await connection.execute(update(hosted_files).where(*where).values(file=pack_file(file)))


async def _stand(
    connection: Connection, source: SourceName, project: ProjectName, status: Status | None
) -> bool:
    """The status becomes the bundle's, where that has one and it is not in quarantine here; whether it changed."""
    standing = await read_standing(connection, source, project)
    if (
        status is None
        or standing.status == status
        or (standing.status is not None and standing.status.status == "quarantined")
    ):
        return False
    await write_standing(connection, source, project, Standing(status=status, freed=standing.freed))
    return True
