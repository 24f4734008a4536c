"""The book of fetches: who was given which file. Lines are only ever added, many in one commit, each chained to the
one before it.

It has a file of its own beside the database: in one file its commits, of which there may be hundreds a second, would
leave hardly a turn to whoever keeps a page (see the decisions).
"""

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import (
    Integer,
    LargeBinary,
    Row,
    Select,
    Table,
    bindparam,
    column,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from wheelkeep.core.chain import BEGIN, link
from wheelkeep.core.errors import Unwritable, WheelkeepError
from wheelkeep.core.rules import Rule
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.fetch_chain import FetchChain
from wheelkeep.store.fetch_tables import HEAD, fetched_by, fetched_files, fetches, prepare_fetches

_KEPT = 20_000
"""Numbers of files and of callers that a process keeps in mind."""
_AT_ONCE = 1_000
"""Rows in memory while many are read."""
_PRAGMAS = (
    # FULL: a line that was told of survives the loss of power, as the bytes that followed it do.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA cache_size=-2048",
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_COLUMNS = ("at", "index", "file", "by", "partial", "waived")
_LINK = 32
"""Bytes of a link."""
_LINES = func.json_each(bindparam("lines")).table_valued(column("key", Integer), "value")
# All rows in one statement, as JSON: of one a row the interpreter's lock would change hands with each, and a busy
# loop gives it back after milliseconds only. The links, which are no text, come beside it, one after the other.
_ADD = insert(fetches).from_select(
    ("id", *_COLUMNS, "link"),
    select(
        bindparam("first", type_=Integer) + _LINES.c.key,
        *(func.json_extract(_LINES.c.value, f"$[{at}]") for at in range(len(_COLUMNS))),
        func.substr(bindparam("links", type_=LargeBinary), 1 + _LINK * _LINES.c.key, _LINK),
    ),
)
_TOLD = tuple(column for column in fetches.c if column.name != "link")


class Waived(Struct, frozen=True, kw_only=True):
    """A verdict against a file that a waiver lifted."""

    gate: str
    code: str
    package: str
    reason: str
    by: str
    until: str
    """Its last day, as ISO 8601 writes it."""


class Fetch(Struct, frozen=True, kw_only=True):
    """One line: a file that was admitted, and whose bytes were sent."""

    at: datetime
    index: str
    source: str
    project: str
    version: str
    filename: str
    sha256: str | None
    """None: no page told it, and the bytes went out while they came."""
    who: str | None
    address: str
    tool: str
    waived: tuple[Waived, ...] = ()
    partial: bool = False
    """A range of the file was asked for."""


class Which(Struct, frozen=True, kw_only=True):
    """Which lines are meant: those to which all that is said applies."""

    rule: Rule | None = None
    """A project, and which of its versions; no glob."""
    source: str | None = None
    filename: str | None = None
    who: str | None = None
    address: str | None = None
    index: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Held(Struct, frozen=True, kw_only=True):
    """That one caller was given one file."""

    source: str
    project: str
    version: str
    filename: str
    sha256: str | None
    who: str | None
    address: str
    tool: str
    count: int
    first: datetime
    last: datetime


class Fetches:
    """The book on one data folder. Opened when it is first needed."""

    def __init__(self, data: Path) -> None:
        self._path = data / "fetches.sqlite"
        self._lock = data / "fetches.lock"
        self._made = False
        self._reader = Database(self._path)
        self.chained = FetchChain(self._path, self._reader)
        self._writer = create_engine(
            f"sqlite:///{self._path}", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        event.listen(self._writer, "connect", _connected)
        # What a number stands for lies beside it: that is chained with every line.
        self._files: dict[tuple[str, str, str], tuple[Any, ...]] = {}
        self._callers: dict[tuple[str, str, str], tuple[Any, ...]] = {}

    def append(self, lines: Sequence[Fetch]) -> None:
        """Adds lines in one commit, durably; for a thread, one at a time. Raises Unwritable: none was added."""
        try:
            with self._turn():
                self._prepare()
                with self._writer.connect() as connection:
                    self._add(connection, lines)
        except (SQLAlchemyError, sqlite3.Error, OSError, WheelkeepError) as error:
            # What was numbered in a transaction that failed has no number.
            self._files.clear()
            self._callers.clear()
            self._made = False
            self._writer.dispose()
            raise Unwritable(str(getattr(error, "orig", error))) from error

    def _add(self, connection: SyncConnection, lines: Sequence[Fetch]) -> None:
        for known in (self._files, self._callers):
            if len(known) > _KEPT:
                known.clear()
        files = [line for line in lines if _file(line) not in self._files]
        callers = [line for line in lines if _caller(line) not in self._callers]
        if files or callers:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            for line in files:
                self._files[_file(line)] = _file_number(connection, line)
            for line in callers:
                self._callers[_caller(line)] = _caller_number(connection, line)
            connection.execute(_ADD, self._written(connection, lines))
            connection.exec_driver_sql("COMMIT")
        else:
            connection.execute(_ADD, self._written(connection, lines))

    def _written(self, connection: SyncConnection, lines: Sequence[Fetch]) -> dict[str, Any]:
        """The rows, for ``_ADD``: chained to the newest one, which stays that while this process has its turn."""
        last: Any = connection.exec_driver_sql(HEAD).first()
        number, before = (last[0], last[1] or BEGIN) if last is not None else (0, BEGIN)
        rows, links = [], []
        for place, line in enumerate(lines, number + 1):
            file, caller = self._files[_file(line)], self._callers[_caller(line)]
            waived = msgspec.json.encode(line.waived).decode() if line.waived else None
            at, partial = _micro(line.at), int(line.partial)
            rows.append((at, line.index, file[0], caller[0], partial, waived))
            before = link(before, (place, at, line.index, *file[1:], *caller[1:], partial, waived))
            links.append(before)
        return {"first": number + 1, "lines": msgspec.json.encode(rows).decode(), "links": b"".join(links)}

    async def ready(self) -> None:
        """Chains the lines of an older version, where that was not done yet. Raises Unwritable."""
        await asyncio.to_thread(self._prepared)

    def _prepared(self) -> None:
        try:
            with self._turn():
                if self._path.exists():
                    self._prepare()
        except (SQLAlchemyError, sqlite3.Error, OSError, WheelkeepError) as error:
            raise Unwritable(str(getattr(error, "orig", error))) from error

    async def lines(
        self, which: Which, *, before: int | None = None
    ) -> AsyncGenerator[tuple[int, Fetch], None]:
        """Lines with their numbers, the newest first; ``before``: those with a smaller number."""
        if not self._path.exists():
            return
        query = _joined(select(*_TOLD, fetched_files, fetched_by), which).order_by(fetches.c.id.desc())
        if before is not None:
            query = query.where(fetches.c.id < before)
        async with self._reader.read() as connection:
            query = await _of_versions(connection, query, which)
            async for row in connection.stream(query, _AT_ONCE):
                yield row[0], _line(row)

    async def held(self, which: Which) -> list[Held]:
        """Who was given what, one entry a file and caller; by file, then by name and address."""
        if not self._path.exists():
            return []
        counted = _joined(
            select(
                fetches.c.file,
                fetches.c.by,
                func.count().label("count"),
                func.min(fetches.c.at).label("first"),
                func.max(fetches.c.at).label("last"),
            ),
            which,
        ).group_by(fetches.c.file, fetches.c.by)
        async with self._reader.read() as connection:
            found = (await _of_versions(connection, counted, which)).subquery()
            query = (
                select(found, fetched_files, fetched_by)
                .join(fetched_files, fetched_files.c.id == found.c.file)
                .join(fetched_by, fetched_by.c.id == found.c.by)
                .order_by(
                    fetched_files.c.project,
                    fetched_files.c.version,
                    fetched_files.c.filename,
                    fetched_files.c.source,
                    fetched_by.c.who,
                    fetched_by.c.address,
                    fetched_by.c.tool,
                )
            )
            return [_held(row) for row in await connection.execute(query)]

    async def close(self) -> None:
        self._writer.dispose()
        await self._reader.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One process writes at a time. SQLite's own waiting looks again every so many milliseconds; this wakes up."""
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _prepare(self) -> None:
        if not self._made:
            prepare_fetches(self._path)
            self._made = True


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    # A statement by itself is a transaction: the driver's own control would make three of each.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _file(line: Fetch) -> tuple[str, str, str]:
    return (line.source, line.filename, line.sha256 or "")


def _caller(line: Fetch) -> tuple[str, str, str]:
    return (line.who or "", line.address, line.tool)


def _file_number(connection: SyncConnection, line: Fetch) -> tuple[Any, ...]:
    source, filename, sha256 = _file(line)
    key = {"source": source, "filename": filename, "sha256": sha256}
    return _numbered(connection, fetched_files, key, {"project": line.project, "version": line.version})


def _caller_number(connection: SyncConnection, line: Fetch) -> tuple[Any, ...]:
    who, address, tool = _caller(line)
    return _numbered(connection, fetched_by, {"who": who, "address": address, "tool": tool}, {})


def _numbered(
    connection: SyncConnection, table: Table, key: dict[str, str], more: dict[str, str]
) -> tuple[Any, ...]:
    """A row that is there, or is made now: its number, and the rest of it."""
    query = select(table).where(*(table.c[name] == value for name, value in key.items()))
    found = connection.execute(query).first()
    if found is None:
        found = connection.execute(insert(table).values(key | more).returning(*table.c)).one()
    return tuple(found)


def _micro(moment: datetime) -> int:
    """Microseconds since the epoch; by whole numbers, so that none is rounded."""
    return (moment - _EPOCH) // _MICRO


def _moment(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICRO


def _joined(query: Select[Any], which: Which) -> Select[Any]:
    query = (
        query.select_from(fetches)
        .join(fetched_files, fetched_files.c.id == fetches.c.file)
        .join(fetched_by, fetched_by.c.id == fetches.c.by)
    )
    wanted = {
        fetched_files.c.project: which.rule.name if which.rule is not None else None,
        fetched_files.c.source: which.source,
        fetched_files.c.filename: which.filename,
        fetched_by.c.who: which.who,
        fetched_by.c.address: which.address,
        fetches.c.index: which.index,
    }
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    if which.since is not None:
        query = query.where(fetches.c.at >= _micro(which.since))
    if which.until is not None:
        query = query.where(fetches.c.at < _micro(which.until))
    return query


async def _of_versions(connection: Connection, query: Select[Any], which: Which) -> Select[Any]:
    """The query, of those files alone whose version the rule allows."""
    rule = which.rule
    if rule is None or not rule.specifier:
        return query
    files = select(fetched_files.c.id, fetched_files.c.version).where(fetched_files.c.project == rule.name)
    rows = await connection.execute(files)
    return query.where(fetches.c.file.in_([row.id for row in rows if rule.allows(row.version)]))


def _line(row: Row[Any]) -> Fetch:
    told = row._mapping
    return Fetch(
        at=_moment(row.at),
        index=told["index"],
        source=row.source,
        project=row.project,
        version=row.version,
        filename=row.filename,
        sha256=row.sha256 or None,
        who=row.who or None,
        address=row.address,
        tool=row.tool,
        waived=msgspec.json.decode(row.waived, type=tuple[Waived, ...]) if row.waived else (),
        partial=bool(row.partial),
    )


def _held(row: Row[Any]) -> Held:
    told = row._mapping
    return Held(
        source=row.source,
        project=row.project,
        version=row.version,
        filename=row.filename,
        sha256=row.sha256 or None,
        who=row.who or None,
        address=row.address,
        tool=row.tool,
        count=told["count"],
        first=_moment(row.first),
        last=_moment(row.last),
    )
