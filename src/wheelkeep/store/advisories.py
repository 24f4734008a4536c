"""Advisories from dumps, by project; which dumps came; which alerts were given."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.core.advisory import Advisory
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName
from wheelkeep.core.read_advisories import Record
from wheelkeep.store.database import Database
from wheelkeep.store.tables import advisories, advisory_alerts, advisory_dumps, advisory_records

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Advisory)


class Dumped(Struct, frozen=True):
    """What the dumps say of one project."""

    advisories: tuple[Advisory, ...]
    complete: bool
    """A whole dump was imported: what is not in it is not known."""


class Dump(Struct, frozen=True, kw_only=True):
    """One import that came to its end."""

    at: datetime
    name: str
    whole: bool
    records: int
    """Those about PyPI projects that it held."""


class Taken(Struct, frozen=True):
    """What became of a batch of records."""

    new: int
    """Records that were not known, or not in this state."""
    same: int
    """Records that were known as they are, or in a newer state."""
    projects: frozenset[ProjectName]
    """The projects about which something else is known now."""


class Advisories:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, project: ProjectName) -> Dumped:
        """What is known against a project."""
        query = select(advisories.c.body).where(advisories.c.project == project).order_by(advisories.c.id)
        whole = select(advisory_dumps.c.id).where(advisory_dumps.c.whole == 1).limit(1)
        async with self._database.read() as connection:
            bodies = [row.body for row in await connection.execute(query)]
            complete = (await connection.execute(whole)).first() is not None
        return Dumped(tuple(_decoder.decode(body) for body in bodies), complete)

    async def take(self, records: Sequence[Record]) -> Taken:
        """Keeps records, each whole or not at all; of one that is known, the state with the later ``modified``."""
        newest: dict[str, Record] = {}
        for record in records:
            before = newest.get(record.id)
            if before is None or record.modified >= before.modified:
                newest[record.id] = record
        query = select(advisory_records).where(advisory_records.c.id.in_(newest))
        async with self._database.write() as connection:
            known = {row.id: row for row in await connection.execute(query)}
            changed = [record for record in newest.values() if _is_news(record, known.get(record.id))]
            here = [record.id for record in changed if record.id in known]
            told = [one for record in changed for one in record.advisories]
            touched = {one.project for one in told}
            if here:
                of_them = advisories.c.id.in_(here)
                owners = await connection.execute(select(advisories.c.project).where(of_them))
                touched |= {ProjectName(row.project) for row in owners}
                await connection.execute(delete(advisories).where(of_them))
                await connection.execute(delete(advisory_records).where(advisory_records.c.id.in_(here)))
            if told:
                rows = [{"id": one.id, "project": one.project, "body": _encoder.encode(one)} for one in told]
                await connection.execute(insert(advisories), rows)
            if changed:
                marks = [
                    {"id": one.id, "modified": one.modified.timestamp(), "mark": _mark(one)}
                    for one in changed
                ]
                await connection.execute(insert(advisory_records), marks)
        return Taken(len(changed), len(records) - len(changed), frozenset(touched))

    async def note_dump(self, dump: Dump) -> None:
        """A dump was imported to its end."""
        row = {
            "at": dump.at.timestamp(),
            "name": dump.name,
            "whole": int(dump.whole),
            "records": dump.records,
        }
        async with self._database.write() as connection:
            await connection.execute(insert(advisory_dumps).values(row))

    async def dumps(self, limit: int = 5) -> list[Dump]:
        """The last imports, the newest first."""
        query = select(advisory_dumps).order_by(advisory_dumps.c.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return [
                Dump(
                    at=datetime.fromtimestamp(row.at, UTC),
                    name=row.name,
                    whole=bool(row.whole),
                    records=row.records,
                )
                for row in await connection.execute(query)
            ]

    async def complete(self) -> bool:
        """Whether a whole dump was ever imported."""
        query = select(advisory_dumps.c.id).where(advisory_dumps.c.whole == 1).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def counts(self) -> tuple[int, int]:
        """How many advisories are known from dumps, and about how many projects."""
        query = select(func.count(advisories.c.id.distinct()), func.count(advisories.c.project.distinct()))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one()
        return row[0], row[1]

    async def projects(self) -> set[str]:
        """The projects about which a dump says something."""
        async with self._database.read() as connection:
            return {row[0] for row in await connection.execute(select(advisories.c.project).distinct())}

    async def alert_once(self, files: Sequence[tuple[File, str]], now: datetime) -> list[tuple[File, str]]:
        """Of files with an advisory's id each, those of which no alert was given yet; they count as given now."""
        fresh: list[tuple[File, str]] = []
        async with self._database.write() as connection:
            for file, advisory in files:
                statement = insert(advisory_alerts).values(
                    source=file.source, filename=file.filename, advisory=advisory, at=now.timestamp()
                )
                done = await connection.execute(statement.on_conflict_do_nothing())
                if done.rowcount:
                    fresh.append((file, advisory))
        return fresh


def _is_news(record: Record, known: Row[Any] | None) -> bool:
    """Whether a record says something else than what is known of it, and not only because it is older."""
    return known is None or (known.modified <= record.modified.timestamp() and known.mark != _mark(record))


def _mark(record: Record) -> str:
    """A record's content in short; ``modified`` is not part of it."""
    body = _encoder.encode((record.withdrawn, record.advisories))
    return hashlib.sha256(body).hexdigest()[:32]
