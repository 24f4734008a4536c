"""The transparency log's entries as rows, in the order of the log: what was seen first, and the heads of the books.

Rows are only ever added, and each in the transaction of what it tells of, so the order in which the database commits
is that of the log.
"""

import os
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import (
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    bindparam,
    column,
    exists,
    func,
    insert,
    literal,
    select,
)

from wheelkeep.core.log_entries import (
    SALT,
    Head,
    Heads,
    LogEntry,
    SeenFile,
    micro,
    write_entry,
    written_moment,
)
from wheelkeep.core.model import File
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.tables import leaves

_HASH = 32
_AT_ONCE = 2_000
_NAMES = func.json_each(bindparam("names")).table_valued(column("key", Integer), "value")
_KNOWN = exists().where(leaves.c.filename == _NAMES.c.value, leaves.c.source == bindparam("source"))
# One statement for a whole page; hashes and salts, which are no text, come beside it, one after the other.
_ADD = insert(leaves).from_select(
    ("at", "source", "project", "filename", "sha256", "salt"),
    select(
        bindparam("at", type_=Integer),
        bindparam("source", type_=String),
        bindparam("project", type_=String),
        _NAMES.c.value,
        func.substr(bindparam("hashes", type_=LargeBinary), 1 + _HASH * _NAMES.c.key, _HASH),
        func.substr(bindparam("salts", type_=LargeBinary), 1 + SALT * _NAMES.c.key, SALT),
    )
    .where(~_KNOWN)
    .order_by(_NAMES.c.key),
)


class Leaf(Struct, frozen=True):
    """One entry at its place in the log."""

    index: int
    entry: LogEntry
    body: bytes
    """The entry's bytes, of which the leaf's hash is made."""


class Leaves:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self) -> int:
        """How many entries there are."""
        async with self._database.read() as connection:
            return (await connection.execute(select(func.max(leaves.c.id)))).scalar() or 0

    async def add_heads(self, at: datetime, ledger: Head, fetches: Head) -> None:
        """Adds an entry that tells how far the books are."""
        row = {
            "at": micro(at),
            **dict.fromkeys(("source", "project", "filename"), ""),
            "sha256": b"",
            "salt": os.urandom(SALT),
            "heads": msgspec.json.encode((ledger, fetches)).decode(),
        }
        async with self._database.write() as connection:
            await connection.execute(insert(leaves).values(row))

    async def add_seen(self, files: Sequence[File], at: datetime) -> None:
        """Adds files of one project and source that were seen before there was a log."""
        async with self._database.write() as connection:
            await add_seen(connection, files, at)

    async def last_heads(self) -> Heads | None:
        """The newest entry that tells of heads."""
        query = select(leaves).where(leaves.c.heads.is_not(None)).order_by(leaves.c.id.desc()).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(query.where(leaves.c.filename == ""))).first()
        entry = _entry(row) if row is not None else None
        assert entry is None or isinstance(entry, Heads)
        return entry

    async def span(self, start: int, end: int) -> AsyncGenerator[list[Leaf], None]:
        """The entries from one index to another, many at a time; where one is missing, they end before it."""
        while start < end:
            query = select(leaves).where(leaves.c.id > start, leaves.c.id <= min(end, start + _AT_ONCE))
            async with self._database.read() as connection:
                rows = (await connection.execute(query.order_by(leaves.c.id))).all()
            found = [_leaf(row) for row in rows]
            whole = [leaf for place, leaf in enumerate(found, start) if leaf.index == place]
            if whole:
                yield whole
            if len(whole) < min(end, start + _AT_ONCE) - start:
                return
            start += len(whole)

    async def of_file(self, filename: str) -> list[Leaf]:
        """What the log has of a file name, the oldest first."""
        query = select(leaves).where(leaves.c.filename == filename).order_by(leaves.c.id)
        async with self._database.read() as connection:
            return [_leaf(row) for row in await connection.execute(query)]

    async def of_sha256(self, sha256: str) -> list[Leaf]:
        """What the log has of a file's bytes, under whatever name. Reads all of it."""
        query = select(leaves).where(leaves.c.sha256 == bytes.fromhex(sha256)).order_by(leaves.c.id)
        async with self._database.read() as connection:
            return [_leaf(row) for row in await connection.execute(query)]

    async def of_files(self, source: str, filenames: Sequence[str]) -> dict[str, Leaf]:
        """The first sights of these file names in a source, as far as there are."""
        query = select(leaves).where(leaves.c.source == source, leaves.c.filename.in_(_listed(filenames)))
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(leaves.c.id.desc()))
            return {row.filename: _leaf(row) for row in rows}

    async def seen(self, source: str, filenames: Sequence[str]) -> dict[str, str]:
        """The sha256 with which each file name was first seen in a source, as far as it was."""
        query = select(leaves.c.filename, leaves.c.sha256).where(
            leaves.c.source == source, leaves.c.filename.in_(_listed(filenames))
        )
        async with self._database.read() as connection:
            return {row.filename: row.sha256.hex() for row in await connection.execute(query)}


async def add_seen(connection: Connection, files: Sequence[File], at: datetime) -> None:
    """Notes the first sight of files of one project and source, all with a sha256, in a transaction of somebody else's.
    A name that its source had before stays with what was seen then."""
    if not files:
        return
    told = {
        "at": micro(at),
        "source": files[0].source,
        "project": files[0].project,
        "names": msgspec.json.encode([file.filename for file in files]).decode(),
        "hashes": bytes.fromhex("".join(file.sha256 or "" for file in files)),
        "salts": os.urandom(SALT * len(files)),
    }
    await connection.execute(_ADD, told)


def _listed(filenames: Sequence[str]) -> Select[Any]:
    """File names as rows, however many."""
    given = func.json_each(literal(msgspec.json.encode(filenames).decode()))
    return select(given.table_valued("value").c.value)


def _leaf(row: Row[Any]) -> Leaf:
    entry = _entry(row)
    return Leaf(row.id - 1, entry, write_entry(entry))


def _entry(row: Row[Any]) -> LogEntry:
    at, salt = written_moment(row.at), row.salt.hex()
    if row.heads is not None:
        ledger, fetches = msgspec.json.decode(row.heads, type=tuple[Head, Head])
        return Heads(at=at, ledger=ledger, fetches=fetches, salt=salt)
    return SeenFile(
        at=at,
        source=row.source,
        project=row.project,
        filename=row.filename,
        sha256=row.sha256.hex(),
        salt=salt,
    )
