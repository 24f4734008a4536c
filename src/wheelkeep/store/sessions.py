"""Publishing sessions as rows (PEP 694): what is staged, and the one transaction that publishes all of it or nothing.

Every act looks at the states and changes them in one transaction, so it matters not which worker does what.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select, update

from wheelkeep.core.model import File, Status
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.owners import stranger
from wheelkeep.core.sessions import (
    MOST_FILES,
    RETAINED,
    FileState,
    NewFile,
    SessionState,
    file_after,
    replaceable,
    session_after,
)
from wheelkeep.core.upload_rules import closed, same_file
from wheelkeep.store.changes import Changes
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.facts import KnownMetadata
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.owners import read_owners
from wheelkeep.store.packed import pack_file, squeeze, unpack_file, unsqueeze
from wheelkeep.store.session_room import need_bytes, need_room
from wheelkeep.store.standing import Standing, hold, read_standing, registered, write_standing
from wheelkeep.store.tables import upload_session_files as files
from wheelkeep.store.tables import upload_sessions as sessions
from wheelkeep.store.uploads import Owned, Taken, find_taken, write_file

_LEFT = dict.fromkeys(("bytes", "attestations", "described", "provenance"))
_CANCELED = {"state": "canceled", "file": None, "sha256": None, "attested": None}


class Staged(Struct, frozen=True, kw_only=True):
    """One file of a session."""

    id: str
    filename: str
    size: int
    hashes: dict[str, str]
    state: FileState
    notice: str | None = None
    bytes: str | None = None
    """Under which name its bytes lie among the staged; None: none came."""
    sha256: str | None = None
    file: File | None = None
    """What it will be, once completed."""
    attested: str | None = None
    """Who signed its attestations, for the ledger."""


class Session(Struct, frozen=True, kw_only=True):
    """A publishing session, with all the files that it ever had."""

    id: str
    token: str
    index: IndexName
    source: SourceName
    project: ProjectName
    version: str
    creator: str
    state: SessionState
    notice: str | None = None
    created: datetime
    expires: datetime
    files: tuple[Staged, ...] = ()

    @property
    def live(self) -> tuple[Staged, ...]:
        """The files that are part of it."""
        return tuple(file for file in self.files if file.state != "canceled")

    def file(self, key: str) -> Staged | None:
        return next((file for file in self.files if file.id == key), None)


class Beside(Struct, frozen=True):
    """What is kept beside a completed file."""

    metadata: bytes | None = None
    provenance: bytes | None = None


class Ended(Struct, frozen=True):
    """The session takes no changes any more, or there is none."""

    state: SessionState | None


class Occupied(Struct, frozen=True):
    """The session has a file of that name, which stands in the way."""

    filename: str
    state: FileState | None
    """None: not that; it has had as many files as a session ever has."""


class Shifted(Struct, frozen=True):
    """What was looked at before has changed meanwhile."""


class Sessions:
    def __init__(self, database: Database, ledger: Ledger, changes: Changes) -> None:
        self._database = database
        self._ledger = ledger
        self._changes = changes

    async def create(self, session: Session) -> Session | None:
        """Opens a session; gives the one that is open for the release already, if there is one. Raises NoRoom."""
        row = msgspec.structs.asdict(session)
        del row["files"]
        row |= {"created": session.created.timestamp(), "expires": session.expires.timestamp()}
        key = (sessions.c.source == session.source, sessions.c.project == session.project)
        query = select(sessions).where(
            *key, sessions.c.version == session.version, sessions.c.state == "open"
        )
        async with self._database.write() as connection:
            if (found := (await connection.execute(query)).first()) is not None:
                return await _whole(connection, found)
            await need_room(connection, session.source, session.creator)
            await connection.execute(insert(sessions).values(**row))
        return None

    async def find(self, key: str) -> Session | None:
        """A session by its id."""
        async with self._database.read() as connection:
            return await _session(connection, sessions.c.id == key)

    async def by_token(self, token: str) -> Session | None:
        """A session by the secret of its preview."""
        async with self._database.read() as connection:
            return await _session(connection, sessions.c.token == token)

    async def extend(self, key: str, expires: datetime) -> None:
        """Moves an open session's end."""
        async with self._database.write() as connection:
            await connection.execute(
                update(sessions)
                .where(sessions.c.id == key, sessions.c.state == "open")
                .values(expires=expires.timestamp())
            )

    async def cancel(self, key: str, now: datetime, notice: str | None = None) -> Ended | None:
        """Ends a session unpublished; Ended: it had ended otherwise."""
        async with self._database.write() as connection:
            state = await _state(connection, key)
            if state is None or (after := session_after(state, "cancel")) is None:
                return Ended(state)
            if after != state:
                await _end(connection, key, after, now, notice)
        return None

    async def add_file(self, session: Session, key: str, new: NewFile) -> Ended | Occupied | tuple[str, ...]:
        """Adds a file that is to come; gives the names of bytes that it takes the place of. Raises NoRoom."""
        async with self._database.write() as connection:
            if (state := await _state(connection, session.id)) != "open":
                return Ended(state)
            now = await _files(connection, session.id)
            if len(now) >= MOST_FILES:
                return Occupied(new.filename, None)
            wanted = same_file(new.filename, session.project)
            same = [
                file
                for file in now
                if file.state != "canceled" and same_file(file.filename, session.project) == wanted
            ]
            if (first := next((file for file in same if not replaceable(file.state)), None)) is not None:
                return Occupied(first.filename, first.state)
            for file in same:
                await _drop(connection, file.id)
            await need_bytes(connection, session.source, session.creator, new.size)
            row = {"id": key, "session": session.id, "filename": new.filename, "size": new.size}
            hashes = msgspec.json.encode(new.hashes).decode()
            await connection.execute(insert(files).values(**row, hashes=hashes, state="pending"))
        return tuple(file.bytes for file in same if file.bytes is not None)

    async def send(self, session: str, key: str, values: dict[str, Any]) -> Ended | Shifted | str | None:
        """Notes what came of a pending file; gives the name of the bytes that were there before, if any."""
        async with self._database.write() as connection:
            file = await _changeable(connection, session, key)
            if not isinstance(file, Staged):
                return file
            if file_after(file.state, "send") is None:
                return Shifted()
            await connection.execute(update(files).where(files.c.id == key).values(**values))
        return file.bytes

    async def attestations(self, key: str) -> str | None:
        """A file's attestations as they were given."""
        async with self._database.read() as connection:
            found: str | None = (
                await connection.execute(select(files.c.attestations).where(files.c.id == key))
            ).scalar_one_or_none()
            return found

    async def complete(
        self, session: str, before: Staged, file: File, beside: Beside, attested: str | None
    ) -> Ended | Shifted | None:
        """Makes a file part of what will be published; ``before`` is what was looked at."""
        values = {
            "file": pack_file(file),
            "described": squeeze(beside.metadata) if beside.metadata is not None else None,
            "provenance": squeeze(beside.provenance) if beside.provenance is not None else None,
            "attested": attested,
        }
        return await self._settle(session, before, "complete", values)

    async def fail(self, session: str, before: Staged, notice: str) -> Ended | Shifted | None:
        """Notes that a file cannot be completed."""
        return await self._settle(session, before, "fail", {"notice": notice})

    async def _settle(
        self, session: str, before: Staged, event: Any, values: dict[str, Any]
    ) -> Ended | Shifted | None:
        async with self._database.write() as connection:
            now = await _changeable(connection, session, before.id)
            if not isinstance(now, Staged):
                return now
            if now.bytes != before.bytes or (after := file_after(now.state, event)) is None:
                return Shifted()
            await connection.execute(
                update(files).where(files.c.id == before.id).values(state=after, **values)
            )
        return None

    async def delete_file(self, session: str, key: str) -> Ended | Shifted | None:
        """Takes a file out of an open session."""
        async with self._database.write() as connection:
            file = await _changeable(connection, session, key)
            if not isinstance(file, Staged):
                return file
            await _drop(connection, key)
        return None

    async def beside(self, key: str) -> Beside:
        """What is kept beside a completed file."""
        async with self._database.read() as connection:
            return await _beside(connection, key)

    async def publish(
        self,
        session: Session,
        publishing: Sequence[File],
        entries: Sequence[Entry],
        now: datetime,
        *,
        by: str | None = None,
    ) -> Ended | Shifted | Status | Owned | tuple[Taken, ...]:
        """Makes all of a session's files its source's, or none; empty: done.

        ``publishing``: what its completed files become. Ended: the session had ended; Shifted: its files are others by
        now; a Status: the project's one, which takes no files; Owned: it has owners, and ``by`` is none of them (None:
        whoever); Taken: names that are not free. Without a file the
        project's name alone becomes the source's.
        """
        async with self._database.write() as connection:
            state = await _state(connection, session.id)
            if state is None or (after := session_after(state, "publish")) is None:
                return Ended(state)
            live = [file for file in await _files(connection, session.id) if file.state != "canceled"]
            if live != list(session.live):
                return Shifted()
            source, project = session.source, session.project
            standing = await read_standing(connection, source, project)
            if standing.status is not None and closed(project, standing.status) is not None:
                return standing.status
            owners = await read_owners(connection, source, project)
            if by is not None and stranger(project, owners, by) is not None:
                return Owned(owners)
            found = [await find_taken(connection, source, project, file.filename) for file in publishing]
            if taken := tuple(one for one in found if one is not None):
                return taken
            await hold(connection, source, project)
            for staged, file in zip(live, publishing, strict=True):
                beside = await _beside(connection, staged.id)
                known = None
                if beside.metadata is not None and isinstance(file.metadata, str):
                    known = KnownMetadata(file.metadata, beside.metadata, own=True)
                await write_file(connection, file, metadata=known, provenance=beside.provenance)
            if not live and not await registered(connection, source, project):
                await write_standing(connection, source, project, Standing())
            await self._ledger.write(connection, list(entries))
            await _end(connection, session.id, after, now, None)
        self._changes.mark()
        return ()

    async def lapsed(self, now: datetime) -> list[str]:
        """The open sessions whose time is over."""
        query = select(sessions.c.id).where(sessions.c.state == "open", sessions.c.expires <= now.timestamp())
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def forget(self, now: datetime) -> None:
        """Removes what has told its end for long enough."""
        old = select(sessions.c.id).where(sessions.c.ended <= (now - RETAINED).timestamp())
        async with self._database.read() as connection:
            gone = list((await connection.execute(old)).scalars())
        if gone:
            async with self._database.write() as connection:
                await connection.execute(delete(files).where(files.c.session.in_(gone)))
                await connection.execute(delete(sessions).where(sessions.c.id.in_(gone)))

    async def bytes_of(self, key: str) -> set[str] | None:
        """The names of the bytes that an open session needs; None: it is not open."""
        async with self._database.read() as connection:
            if await _state(connection, key) != "open":
                return None
            return {file.bytes for file in await _files(connection, key) if file.bytes is not None}


async def _state(connection: Connection, key: str) -> SessionState | None:
    query = select(sessions.c.state).where(sessions.c.id == key)
    found: SessionState | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def _changeable(connection: Connection, session: str, key: str) -> Staged | Ended | Shifted:
    if (state := await _state(connection, session)) != "open":
        return Ended(state)
    found = [file for file in await _files(connection, session) if file.id == key]
    return found[0] if found else Shifted()


async def _end(
    connection: Connection, key: str, state: SessionState, now: datetime, notice: str | None
) -> None:
    await connection.execute(
        update(sessions).where(sessions.c.id == key).values(state=state, ended=now.timestamp(), notice=notice)
    )
    # What was staged leaves no trace in the database either; what was published lies elsewhere by now.
    left = {**_LEFT, **_CANCELED} if state == "canceled" else _LEFT
    await connection.execute(update(files).where(files.c.session == key).values(**left))


async def _drop(connection: Connection, key: str) -> None:
    await connection.execute(update(files).where(files.c.id == key).values(**_LEFT, **_CANCELED))


async def _session(connection: Connection, where: Any) -> Session | None:
    row = (await connection.execute(select(sessions).where(where))).first()
    return await _whole(connection, row) if row is not None else None


async def _whole(connection: Connection, row: Any) -> Session:
    return Session(
        id=row.id,
        token=row.token,
        index=row._mapping["index"],
        source=row.source,
        project=row.project,
        version=row.version,
        creator=row.creator,
        state=row.state,
        notice=row.notice,
        created=datetime.fromtimestamp(row.created, UTC),
        expires=datetime.fromtimestamp(row.expires, UTC),
        files=tuple(await _files(connection, row.id)),
    )


async def _files(connection: Connection, session: str) -> list[Staged]:
    told = [column for column in files.c if column.name not in ("attestations", "described", "provenance")]
    query = select(*told).where(files.c.session == session).order_by(files.c.filename, files.c.id)
    return [
        Staged(
            id=row.id,
            filename=row.filename,
            size=row.size,
            hashes=msgspec.json.decode(row.hashes, type=dict[str, str]),
            state=row.state,
            notice=row.notice,
            bytes=row.bytes,
            sha256=row.sha256,
            file=unpack_file(row.file) if row.file is not None else None,
            attested=row.attested,
        )
        for row in await connection.execute(query)
    ]


async def _beside(connection: Connection, key: str) -> Beside:
    query = select(files.c.described, files.c.provenance).where(files.c.id == key)
    row = (await connection.execute(query)).first()
    if row is None:
        return Beside()
    return Beside(*(unsqueeze(body) if body is not None else None for body in row))
