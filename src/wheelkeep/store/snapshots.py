"""Snapshots: the states of an index that were given a name, page by page. A state never changes once it is there."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_new

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.snapshot import Kind, Pinned, Ref
from wheelkeep.store.changes import Changes
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.packed import squeeze, unsqueeze
from wheelkeep.store.tables import snapshot_bodies, snapshot_pages, snapshots

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Pinned)


class Snapshot(Struct, frozen=True, kw_only=True):
    """One state under a name."""

    name: str
    number: int
    """From 1 on; the largest is the one that the name alone means."""
    index: IndexName
    kind: Kind
    at: datetime
    """When it was made; aware, UTC."""
    by: str
    projects: int
    files: int
    here: int
    """Files whose bytes lay here when it was made."""


class Overtaken(WheelkeepError):
    """Another state was made meanwhile, or the one that was looked at is gone: what was agreed to is out of date."""


class Snapshots:
    def __init__(self, database: Database, ledger: Ledger, changes: Changes) -> None:
        self._database = database
        self._ledger = ledger
        self._changes = changes

    async def find(self, ref: Ref) -> Snapshot | None:
        """The state that is meant; None where there is none, or no longer."""
        query = select(snapshots).where(snapshots.c.name == ref.name, snapshots.c.deleted.is_(None))
        if ref.number is not None:
            query = query.where(snapshots.c.number == ref.number)
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(snapshots.c.number.desc()).limit(1))).first()
        return _read(row) if row is not None else None

    async def all(self) -> list[Snapshot]:
        """Every state that is there, by name and number."""
        query = select(snapshots).where(snapshots.c.deleted.is_(None))
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(snapshots.c.name, snapshots.c.number))
            return [_read(row) for row in rows]

    async def add(
        self, made: Snapshot, pages: Mapping[ProjectName, Pinned], before: Snapshot | None
    ) -> Snapshot:
        """Keeps a new state, all of it in one transaction; gives it with its number.

        ``before``: the newest that its maker knows of. Raises Overtaken where it is not, and keeps nothing.
        """
        packed = {project: _packed(pinned) for project, pinned in pages.items()}
        async with self._database.write() as connection:
            last = select(func.max(snapshots.c.number)).where(snapshots.c.name == made.name)
            newest = (await connection.execute(last.where(snapshots.c.deleted.is_(None)))).scalar()
            if newest != (before.number if before is not None else None):
                raise Overtaken(f"another was quicker with {made.name}, and nothing was done: try again")
            number = ((await connection.execute(last)).scalar() or 0) + 1
            made = replace(made, number=number)
            told = {
                "name": made.name,
                "number": number,
                "index_name": made.index,
                "kind": made.kind,
                "at": made.at.timestamp(),
                "by": made.by,
                "projects": made.projects,
                "files": made.files,
                "here": made.here,
            }
            await connection.execute(insert(snapshots).values(**told))
            await _put(connection, made, packed)
            digest = hashlib.sha256(b"".join(sha256 for _, (sha256, _) in sorted(packed.items()))).hexdigest()
            detail = {**told, "pages": digest}
            await self._ledger.write(connection, [Entry(kind="snapshot", at=made.at, detail=detail)])
        self._changes.mark()
        return made

    async def pin(self, of: Snapshot, project: ProjectName, pinned: Pinned) -> Pinned:
        """Keeps a page that was not known when the state was made; gives the one that is kept, if another was first."""
        async with self._database.write() as connection:
            there = await _page(connection, of, project)
            if there is None:
                await _put(connection, of, {project: _packed(pinned)})
        return there or pinned

    async def page(self, of: Snapshot, project: ProjectName) -> Pinned | None:
        """What a state has of a project."""
        async with self._database.read() as connection:
            return await _page(connection, of, project)

    async def projects(self, of: Snapshot) -> list[ProjectName]:
        """The projects of a state, by name."""
        query = select(snapshot_pages.c.project).where(
            snapshot_pages.c.name == of.name, snapshot_pages.c.number == of.number
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(snapshot_pages.c.project))
            return [ProjectName(name) for name in rows.scalars()]

    async def pages(self, of: Snapshot) -> AsyncIterator[Pinned]:
        """Every page of a state, by name."""
        for project in await self.projects(of):
            if (pinned := await self.page(of, project)) is not None:
                yield pinned

    async def needed(self) -> set[str]:
        """The sha256 of every file that some snapshot lists: what is not to be removed from the store."""
        found: set[str] = set()
        async with self._database.read() as connection:
            keys = list((await connection.execute(select(snapshot_bodies.c.sha256))).scalars())
        for key in keys:
            query = select(snapshot_bodies.c.body).where(snapshot_bodies.c.sha256 == key)
            async with self._database.read() as connection:
                body = (await connection.execute(query)).scalar()
            if body is not None:
                files = _decoder.decode(unsqueeze(body)).page.files
                found.update(file.sha256 for file in files if file.sha256 is not None)
        return found

    async def delete(self, name: str, by: str, now: datetime) -> int:
        """Removes every state of a name, and gives how many; their numbers are not given again."""
        there = (snapshots.c.name == name, snapshots.c.deleted.is_(None))
        async with self._database.write() as connection:
            statement = update(snapshots).where(*there).values(deleted=now.timestamp())
            count = (await connection.execute(statement)).rowcount
            if not count:
                return 0
            await connection.execute(delete(snapshot_pages).where(snapshot_pages.c.name == name))
            used = select(snapshot_pages.c.body)
            await connection.execute(delete(snapshot_bodies).where(snapshot_bodies.c.sha256.not_in(used)))
            detail = {"name": name, "states": count, "by": by}
            await self._ledger.write(connection, [Entry(kind="snapshot deleted", at=now, detail=detail)])
        self._changes.mark()
        return count


async def _page(connection: Connection, of: Snapshot, project: ProjectName) -> Pinned | None:
    query = (
        select(snapshot_bodies.c.body)
        .join(snapshot_pages, snapshot_pages.c.body == snapshot_bodies.c.sha256)
        .where(
            snapshot_pages.c.name == of.name,
            snapshot_pages.c.number == of.number,
            snapshot_pages.c.project == project,
        )
    )
    body = (await connection.execute(query)).scalar()
    return _decoder.decode(unsqueeze(body)) if body is not None else None


async def _put(
    connection: Connection, of: Snapshot, packed: Mapping[ProjectName, tuple[bytes, bytes]]
) -> None:
    if not packed:
        return
    bodies = [{"sha256": sha256, "body": body} for sha256, body in packed.values()]
    await connection.execute(insert_new(snapshot_bodies).on_conflict_do_nothing(), bodies)
    rows: Iterable[dict[str, Any]] = (
        {"name": of.name, "number": of.number, "project": project, "body": sha256}
        for project, (sha256, _) in packed.items()
    )
    await connection.execute(insert(snapshot_pages), list(rows))


def _packed(pinned: Pinned) -> tuple[bytes, bytes]:
    raw = _encoder.encode(pinned)
    return hashlib.sha256(raw).digest(), squeeze(raw)


def _read(row: Any) -> Snapshot:
    return Snapshot(
        name=row.name,
        number=row.number,
        index=row.index_name,
        kind=row.kind,
        at=datetime.fromtimestamp(row.at, UTC),
        by=row.by,
        projects=row.projects,
        files=row.files,
        here=row.here,
    )
