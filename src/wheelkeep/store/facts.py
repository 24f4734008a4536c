"""Smaller things that are known: files of folders, hosted files, wheels' metadata, origins' documents, health."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec import DecodeError, Struct
from sqlalchemy import Row, Table, delete, select, update
from sqlalchemy.dialects.sqlite import insert
from zstandard import ZstdError

from wheelkeep.core.errors import Unwritable
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.logs import get_logger
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.packed import pack_file, squeeze, unpack_file, unsqueeze
from wheelkeep.store.tables import (
    directory_files,
    hosted_files,
    origin_documents,
    source_health,
    wheel_metadata,
)

_AT_ONCE = 1_000
"""Rows in memory while many are read."""


log = get_logger(__name__)


class KnownMetadata(Struct, frozen=True):
    """Core metadata of one wheel."""

    sha256: str
    body: bytes
    own: bool
    """Read from the wheel's own verified bytes, so beyond doubt."""

    @property
    def right(self) -> bool:
        """Whether it is what its hash says, or is known not to be there."""
        if not self.sha256:
            return not self.body
        return hashlib.sha256(self.body).hexdigest() == self.sha256


class Health(Struct, frozen=True):
    """When a source last answered, and when and why it last did not."""

    answered: datetime | None = None
    failed: datetime | None = None
    reason: str | None = None


def _known(row: Row[Any]) -> KnownMetadata:
    """What a row says; a body that cannot be read is none, and so not right."""
    try:
        body = unsqueeze(row.body)
    except ZstdError:
        body = b""
    return KnownMetadata(row.sha256, body, bool(row.own))


class Facts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def metadata(self, source: SourceName, filename: str) -> KnownMetadata | None:
        """The metadata that is known of a wheel."""
        query = select(wheel_metadata).where(
            wheel_metadata.c.source == source, wheel_metadata.c.filename == filename
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return _known(row) if row is not None else None

    async def metadata_of(self, source: SourceName, project: ProjectName) -> dict[str, KnownMetadata]:
        """The metadata that is known of a project's files, by file name."""
        query = select(wheel_metadata).where(
            wheel_metadata.c.source == source, wheel_metadata.c.project == project
        )
        async with self._database.read() as connection:
            return {row.filename: _known(row) for row in await connection.execute(query)}

    async def metadata_hashes(self, source: SourceName, project: ProjectName) -> dict[str, str]:
        """The sha256 of the metadata of a project's wheels as far as known; empty text: it has none to be read."""
        query = select(wheel_metadata.c.filename, wheel_metadata.c.sha256).where(
            wheel_metadata.c.source == source, wheel_metadata.c.project == project
        )
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def learn_metadata(self, file: File, known: KnownMetadata) -> None:
        """Keeps metadata; what was read from the file's own bytes is only replaced by the like.

        Where the disk does not take it, it will be asked for again.
        """
        with _unless_unwritable("metadata"):
            async with self._database.write() as connection:
                await write_metadata(connection, file, known)

    async def directory(self, source: SourceName) -> dict[str, tuple[str, File]]:
        """What is known of a folder's files: relative path to stamp and file."""
        query = select(directory_files).where(directory_files.c.source == source)
        async with self._database.read() as connection:
            return {row.path: (row.stamp, unpack_file(row.file)) for row in await connection.execute(query)}

    async def learn_directory(
        self, source: SourceName, seen: dict[str, tuple[str, File]], lost: Iterable[str]
    ) -> None:
        """Keeps new and changed files of a folder and forgets the lost ones."""
        async with self._database.write() as connection:
            for path, (stamp, file) in seen.items():
                values = {"stamp": stamp, "file": pack_file(file)}
                statement = insert(directory_files).values(source=source, path=path, **values)
                await connection.execute(
                    statement.on_conflict_do_update(index_elements=["source", "path"], set_=dict(values))
                )
            for path in lost:
                await connection.execute(
                    delete(directory_files).where(
                        directory_files.c.source == source, directory_files.c.path == path
                    )
                )

    async def hosted(self, source: SourceName, project: ProjectName) -> list[File] | None:
        """The files of a hosted project; empty when all are gone; None when the source never had the name."""
        query = select(hosted_files.c.file).where(
            hosted_files.c.source == source, hosted_files.c.project == project
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(hosted_files.c.filename))).all()
        return [unpack_file(row.file) for row in rows if row.file is not None] if rows else None

    async def every_hosted(self) -> AsyncIterator[File | tuple[str, str]]:
        """Every hosted file; of one whose row cannot be read its source and file name alone."""
        query = select(hosted_files).where(hosted_files.c.file.is_not(None)).order_by(hosted_files.c.source)
        async with self._database.read() as connection:
            async for row in connection.stream(query, _AT_ONCE):
                try:
                    yield unpack_file(row.file)
                except DecodeError:
                    yield row.source, row.filename

    async def mend_hosted(self, file: File) -> None:
        """Writes a hosted file's row anew, where it stands for the same bytes."""
        where = (hosted_files.c.source == file.source, hosted_files.c.filename == file.filename)
        async with self._database.write() as connection:
            row = (await connection.execute(select(hosted_files.c.file).where(*where))).first()
            if row is not None and row.file is not None and unpack_file(row.file).sha256 == file.sha256:
                await connection.execute(update(hosted_files).where(*where).values(file=pack_file(file)))

    async def forget_metadata(self, source: SourceName, filename: str) -> None:
        """Forgets the metadata of a file: it is read again when it is asked for."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(wheel_metadata).where(
                    wheel_metadata.c.source == source, wheel_metadata.c.filename == filename
                )
            )

    async def hosted_names(self, source: SourceName) -> list[str]:
        """The projects that a hosted source has."""
        query = (
            select(hosted_files.c.project)
            .distinct()
            .where(hosted_files.c.source == source, hosted_files.c.file.is_not(None))
            .order_by(hosted_files.c.project)
        )
        async with self._database.read() as connection:
            return [row[0] for row in await connection.execute(query)]

    async def hosted_keys(self) -> list[tuple[SourceName, ProjectName]]:
        """The hosted sources and the projects of which they have a file."""
        columns = (hosted_files.c.source, hosted_files.c.project)
        query = select(*columns).distinct().where(hosted_files.c.file.is_not(None)).order_by(*columns)
        async with self._database.read() as connection:
            return [(row[0], row[1]) for row in await connection.execute(query)]

    async def document(self, source: SourceName, kind: str, key: str) -> tuple[bytes, datetime] | None:
        """A document of an origin as it was last told, and when."""
        query = select(origin_documents.c.body, origin_documents.c.checked).where(
            origin_documents.c.source == source,
            origin_documents.c.kind == kind,
            origin_documents.c.key == key,
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return (unsqueeze(row.body), datetime.fromtimestamp(row.checked, UTC)) if row is not None else None

    async def document_etag(self, source: SourceName, kind: str, key: str) -> str | None:
        """What to ask with for a newer state of a document (RFC 9110, 8.8.3)."""
        query = select(origin_documents.c.etag).where(
            origin_documents.c.source == source,
            origin_documents.c.kind == kind,
            origin_documents.c.key == key,
        )
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(query)).scalar()
            return found

    async def learn_document(
        self,
        source: SourceName,
        kind: str,
        key: str,
        body: bytes,
        now: datetime,
        *,
        etag: str | None = None,
    ) -> None:
        values = {"body": squeeze(body), "checked": now.timestamp(), "etag": etag}
        await self._upsert(origin_documents, {"source": source, "kind": kind, "key": key}, values)

    async def health(self) -> dict[str, Health]:
        async with self._database.read() as connection:
            return {
                row.source: Health(_moment(row.answered), _moment(row.failed), row.reason)
                for row in await connection.execute(select(source_health))
            }

    async def learn_health(self, source: SourceName, health: Health) -> None:
        values = {
            "answered": health.answered.timestamp() if health.answered else None,
            "failed": health.failed.timestamp() if health.failed else None,
            "reason": health.reason,
        }
        await self._upsert(source_health, {"source": source}, values)

    async def _upsert(self, table: Table, keys: dict[str, str], values: Mapping[str, object]) -> None:
        """Keeps what can be asked for again, where the disk takes it."""
        statement = insert(table).values(**keys, **values)
        with _unless_unwritable(table.name):
            async with self._database.write() as connection:
                await connection.execute(
                    statement.on_conflict_do_update(index_elements=list(keys), set_=dict(values))
                )


@contextmanager
def _unless_unwritable(what: str) -> Iterator[None]:
    try:
        yield
    except Unwritable as error:
        log.warning("fact_not_kept", what=what, why=str(error))


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


async def write_metadata(connection: Connection, file: File, known: KnownMetadata) -> None:
    """Keeps metadata in a transaction of somebody else's."""
    values = {"sha256": known.sha256, "own": int(known.own), "body": squeeze(known.body)}
    statement = insert(wheel_metadata).values(
        source=file.source, filename=file.filename, project=file.project, **values
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["source", "filename"], set_=values, where=wheel_metadata.c.own <= int(known.own)
        )
    )
