"""Uploaded files as rows: one transaction makes a file its source's, with its metadata and its line in the ledger.

A file name that was used once has a row for ever, also when the file is gone (``file`` is NULL then).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy import or_, select
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.core.model import File, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.owners import stranger
from wheelkeep.core.upload_rules import closed, same_file
from wheelkeep.store.changes import Changes
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.facts import KnownMetadata, write_metadata
from wheelkeep.store.leaves import add_seen
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.owners import read_owners
from wheelkeep.store.packed import pack_file, squeeze, unpack_file
from wheelkeep.store.standing import hold, read_standing
from wheelkeep.store.tables import hosted_files, origin_documents

PROVENANCE = "provenance"
"""The kind under which a file's attestations lie among the documents, by its file name."""


class Taken(Struct, frozen=True):
    """A file name that is not free, or stands for the same file as one that is not."""

    filename: str
    """As it was used first."""
    sha256: str | None
    """None: the file was removed."""


class Owned(Struct, frozen=True):
    """The project has owners, and whoever asked is none of them."""

    owners: tuple[str, ...]


class Uploads:
    def __init__(self, database: Database, ledger: Ledger, changes: Changes) -> None:
        self._database = database
        self._ledger = ledger
        self._changes = changes

    async def find(self, source: SourceName, project: ProjectName, filename: str) -> Taken | None:
        """Who has the file name in the source, in whatever spelling; None: it was never used."""
        async with self._database.read() as connection:
            return await find_taken(connection, source, project, filename)

    async def status(self, source: SourceName, project: ProjectName) -> Status | None:
        """The project's status (PEP 792); None: active, without a word."""
        async with self._database.read() as connection:
            return (await read_standing(connection, source, project)).status

    async def owners(self, source: SourceName, project: ProjectName) -> tuple[str, ...]:
        """Who owns the project; empty: nobody was named."""
        async with self._database.read() as connection:
            return await read_owners(connection, source, project)

    async def add(
        self,
        file: File,
        *,
        metadata: KnownMetadata | None = None,
        provenance: bytes | None = None,
        entries: Sequence[Entry] = (),
        by: str | None = None,
    ) -> Taken | Status | Owned | None:
        """Makes a file its source's: all of this is kept, durably, or nothing, where its name is taken already, the
        project's status (given then) takes no uploads, or it has owners and ``by`` is none of them (None: whoever).

        ``provenance`` is the document of its attestations (PEP 740). Of two who come at once one is first, whatever
        process each is in: the look and the write are one transaction (``BEGIN IMMEDIATE``).
        """
        async with self._database.write() as connection:
            taken = await find_taken(connection, file.source, file.project, file.filename)
            if taken is not None:
                return taken
            standing = await read_standing(connection, file.source, file.project)
            if closed(file.project, standing.status) is not None:
                return standing.status
            owners = await read_owners(connection, file.source, file.project)
            if by is not None and stranger(file.project, owners, by) is not None:
                return Owned(owners)
            await hold(connection, file.source, file.project)
            await write_file(connection, file, metadata=metadata, provenance=provenance)
            if entries:
                await self._ledger.write(connection, list(entries))
        self._changes.mark()
        return None


async def find_taken(
    connection: Connection, source: SourceName, project: ProjectName, filename: str
) -> Taken | None:
    """Who has the file name, in a transaction of somebody else's."""
    # An old sdist's name may be read as one of two projects', so the name itself counts as well.
    query = select(hosted_files.c.filename, hosted_files.c.project, hosted_files.c.file).where(
        hosted_files.c.source == source,
        or_(hosted_files.c.project == project, hosted_files.c.filename == filename),
    )
    wanted = same_file(filename, project)
    for row in await connection.execute(query):
        if row.filename == filename or (
            row.project == project and same_file(row.filename, project) == wanted
        ):
            return Taken(row.filename, unpack_file(row.file).sha256 if row.file is not None else None)
    return None


async def write_file(
    connection: Connection, file: File, *, metadata: KnownMetadata | None, provenance: bytes | None
) -> None:
    """The row of a file whose name is free, with what is known of it, in a transaction of somebody else's."""
    row = {"source": file.source, "filename": file.filename, "project": file.project}
    await connection.execute(hosted_files.insert().values(**row, file=pack_file(file)))
    await add_seen(connection, [file], file.first_seen or datetime.now(UTC))
    if metadata is not None:
        await write_metadata(connection, file, metadata)
    if provenance is not None:
        document = {"source": file.source, "kind": PROVENANCE, "key": file.filename}
        checked = file.first_seen.timestamp() if file.first_seen is not None else 0.0
        await connection.execute(
            insert(origin_documents).values(**document, body=squeeze(provenance), checked=checked)
        )
