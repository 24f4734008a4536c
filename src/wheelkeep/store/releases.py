"""What becomes of files once they were taken: yanked, removed, moved on; and of a project: its status and its name.

Each act is one transaction with its lines in the ledger, and every process on the same data is told of it. The row of
a file stays when the file goes (``file`` is NULL then), so its name is never given again; its bytes are not touched.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import func, literal, select, union, update
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.core.model import File, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.past import Removed
from wheelkeep.core.pins import turned
from wheelkeep.core.upload_rules import closed
from wheelkeep.store.builds import forget
from wheelkeep.store.changes import Changes
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.leaves import add_seen
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.owners import drop_owners, need_owner
from wheelkeep.store.packed import pack_file, unpack_file
from wheelkeep.store.standing import Standing, hold, read_standing, registered, write_standing
from wheelkeep.store.tables import (
    hosted_files,
    hosted_past,
    hosted_projects,
    origin_documents,
    wheel_metadata,
)
from wheelkeep.store.uploads import PROVENANCE, Taken, find_taken

Wanted = Callable[[File], bool]
"""Whether a file is meant."""
Noted = Callable[[File], Entry]
"""The ledger's line about a file, as it was before."""


class Holding(Struct, frozen=True, kw_only=True):
    """What a hosted source has of a project, at one moment."""

    files: tuple[File, ...]
    """By file name; empty when all are gone."""
    standing: Standing


class Listed(Struct, frozen=True):
    """One project in the list of what a hosted source has."""

    project: ProjectName
    files: int
    standing: Standing


class Changed(Struct, frozen=True):
    """What an act did to the files that were meant."""

    files: tuple[File, ...]
    """As they were before."""
    same: tuple[File, ...]
    """Those that needed no change."""


class Conflict(Struct, frozen=True):
    """Why a file cannot move."""

    filename: str
    taken: Taken | None
    """Who has its name there; None: where it was, it is no longer, or no longer the same."""


class Releases:
    def __init__(self, database: Database, ledger: Ledger, changes: Changes) -> None:
        self._database = database
        self._ledger = ledger
        self._changes = changes

    async def look(self, source: SourceName, project: ProjectName) -> Holding | None:
        """What the source has of the project; None: it never had a file of it, nor its name."""
        async with self._database.read() as connection:
            return await _look(connection, source, project)

    async def removed(self, source: SourceName, project: ProjectName) -> list[Removed]:
        """The files of a project that the source had and has no more."""
        query = select(hosted_past).where(hosted_past.c.source == source, hosted_past.c.project == project)
        async with self._database.read() as connection:
            return [
                Removed(unpack_file(row.file), datetime.fromtimestamp(row.at, UTC))
                for row in await connection.execute(query.order_by(hosted_past.c.id))
            ]

    async def projects(self, source: SourceName, *, after: str, limit: int) -> list[Listed]:
        """The projects of which the source has, or once had, a file or the name alone: by name, those that come after
        a name."""
        there = union(
            *(
                select(table.c.project).where(table.c.source == source, table.c.project > after)
                for table in (hosted_files, hosted_projects)
            )
        ).subquery()
        counted = (
            select(there.c.project, func.count(hosted_files.c.file).label("files"))
            .outerjoin(
                hosted_files,
                (hosted_files.c.source == source) & (hosted_files.c.project == there.c.project),
            )
            .group_by(there.c.project)
            .order_by(there.c.project)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [
                Listed(name, row.files, await read_standing(connection, source, name))
                for row in (await connection.execute(counted)).all()
                if (name := ProjectName(row.project))
            ]

    async def yank(
        self,
        source: SourceName,
        project: ProjectName,
        wanted: Wanted,
        reason: str | None,
        noted: Noted,
        *,
        asker: str | None = None,
    ) -> Changed:
        """Yanks files for a reason (PEP 592), or takes that back where ``reason`` is None. Raises NotOwned where the
        project has owners, and ``asker`` is none of them; None: whoever asks may do everything."""
        now = datetime.now(UTC)

        def become(file: File) -> File:
            return file if file.yanked == reason else replace(file, yanked=reason, before=turned(file, now))

        return await self._change(source, project, wanted, noted, become, asker)

    async def remove(
        self, source: SourceName, project: ProjectName, wanted: Wanted, noted: Noted
    ) -> tuple[File, ...]:
        """Removes files for good and gives what they were."""
        return (await self._change(source, project, wanted, noted, lambda _: None, None)).files

    async def _change(
        self,
        source: SourceName,
        project: ProjectName,
        wanted: Wanted,
        noted: Noted,
        become: Callable[[File], File | None],
        asker: str | None,
    ) -> Changed:
        changed: list[File] = []
        same: list[File] = []
        async with self._database.write() as connection:
            await need_owner(connection, source, project, asker)
            holding = await _look(connection, source, project)
            for file in holding.files if holding is not None else ():
                if not wanted(file):
                    continue
                after = become(file)
                if after == file:
                    same.append(file)
                    continue
                await _put(connection, file, after)
                if after is None and file.sha256 is not None:
                    await forget(connection, file.sha256)
                changed.append(file)
            if changed:
                await self._ledger.write(connection, [noted(file) for file in changed])
        if changed:
            self._changes.mark()
        return Changed(tuple(changed), tuple(same))

    async def set_status(
        self,
        source: SourceName,
        project: ProjectName,
        status: Status,
        entry: Entry,
        *,
        asker: str | None = None,
    ) -> bool | None:
        """Gives a project a status (PEP 792). False: it has it already; None: the source never had the project.
        ``asker``: as for ``yank``."""
        async with self._database.write() as connection:
            await need_owner(connection, source, project, asker)
            holding = await _look(connection, source, project)
            if holding is None:
                return None
            before = holding.standing.status or Status("active")
            if before == status:
                return False
            await write_standing(connection, source, project, replace(holding.standing, status=status))
            await self._ledger.write(connection, [entry])
        self._changes.mark()
        return True

    async def free(self, source: SourceName, project: ProjectName, entry: Entry) -> Holding | None:
        """Gives up a name that has no file left, its status and its owners with it; tells how the project stood before.

        Nothing is changed where it has files, or was given up already. None: the source never had the name.
        """
        async with self._database.write() as connection:
            holding = await _look(connection, source, project)
            if holding is None or holding.files or holding.standing.freed:
                return holding
            await write_standing(connection, source, project, Standing(freed=True))
            await drop_owners(connection, source, project)
            await self._ledger.write(connection, [entry])
        self._changes.mark()
        return holding

    async def move(
        self, files: Sequence[File], to: SourceName, entries: Sequence[Entry], *, asker: str | None = None
    ) -> tuple[Conflict, ...] | Status:
        """Makes files of one project and source another hosted source's, with all that is known of them.

        All of them, or none where one cannot: its name is taken there by other bytes, or it changed meanwhile. Empty:
        done. A Status: the project's one there, which takes no files. One that is there already is only removed here.
        ``asker``: as for ``yank``, at both ends.
        """
        project = files[0].project
        async with self._database.write() as connection:
            for end in (files[0].source, to):
                await need_owner(connection, end, project, asker)
            standing = await read_standing(connection, to, project)
            if standing.status is not None and closed(project, standing.status) is not None:
                return standing.status
            holding = await _look(connection, files[0].source, project)
            there = {file.filename: file for file in holding.files} if holding is not None else {}
            taken = {
                file.filename: await find_taken(connection, to, project, file.filename) for file in files
            }
            conflicts = [
                Conflict(file.filename, taken[file.filename] if there.get(file.filename) == file else None)
                for file in files
                if there.get(file.filename) != file or not _free(taken[file.filename], file)
            ]
            if conflicts:
                return tuple(conflicts)
            await hold(connection, to, project)
            for file in files:
                if taken[file.filename] is None:
                    await _copy(connection, file, to)
                await _put(connection, file, None)
            await self._ledger.write(connection, list(entries))
        self._changes.mark()
        return ()


def _free(taken: Taken | None, file: File) -> bool:
    return taken is None or (taken.sha256 is not None and taken.sha256 == file.sha256)


async def _look(connection: Connection, source: SourceName, project: ProjectName) -> Holding | None:
    query = select(hosted_files.c.file).where(
        hosted_files.c.source == source, hosted_files.c.project == project
    )
    rows = (await connection.execute(query.order_by(hosted_files.c.filename))).all()
    if not rows and not await registered(connection, source, project):
        return None
    files = tuple(unpack_file(row.file) for row in rows if row.file is not None)
    return Holding(files=files, standing=await read_standing(connection, source, project))


async def _put(connection: Connection, file: File, after: File | None) -> None:
    if after is None:
        row = {"source": file.source, "project": file.project, "file": pack_file(file)}
        await connection.execute(insert(hosted_past).values(**row, at=datetime.now(UTC).timestamp()))
    await connection.execute(
        update(hosted_files)
        .where(hosted_files.c.source == file.source, hosted_files.c.filename == file.filename)
        .values(file=pack_file(after) if after is not None else None)
    )


async def _copy(connection: Connection, file: File, to: SourceName) -> None:
    """The file as the other source's, with its metadata and its attestations."""
    row = {"source": to, "filename": file.filename, "project": file.project}
    there = replace(file, source=to, absent=datetime.now(UTC))
    await connection.execute(insert(hosted_files).values(**row, file=pack_file(there)))
    await add_seen(connection, [there], datetime.now(UTC))
    for table, where in (
        (wheel_metadata, [wheel_metadata.c.filename == file.filename]),
        (
            origin_documents,
            [origin_documents.c.kind == PROVENANCE, origin_documents.c.key == file.filename],
        ),
    ):
        others = [column for column in table.c if column.name != "source"]
        known = select(literal(to), *others).where(table.c.source == file.source, *where)
        names = ["source", *(column.name for column in others)]
        await connection.execute(insert(table).from_select(names, known).prefix_with("OR IGNORE"))
