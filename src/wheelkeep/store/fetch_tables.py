"""The tables of the book of fetches, which has a database file of its own; and how that file is made.

A line is small because what repeats lies elsewhere: which file it was, and who asked from where with what. Those rows
too are only ever added, so a line says for ever what it said when it was written.
"""

import errno
import os
import sqlite3
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    create_engine,
    event,
    select,
    update,
)
from sqlalchemy.pool import NullPool

from wheelkeep.core.chain import BEGIN, link
from wheelkeep.core.errors import WheelkeepError

_SHAPE = 2
"""Kept in the file (``PRAGMA user_version``); a change of the tables counts it up."""

fetch_metadata = MetaData()

fetched_files = Table(
    "fetched_files",
    fetch_metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("filename", String, nullable=False),
    Column("sha256", String, nullable=False),  # empty: no page told it, and the bytes were on their way
    Column("project", String, nullable=False),
    Column("version", String, nullable=False),
    Index("fetched_files_one", "source", "filename", "sha256", unique=True),
    Index("fetched_files_by_project", "project"),
    sqlite_autoincrement=True,
)

fetched_by = Table(
    "fetched_by",
    fetch_metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("who", String, nullable=False),  # the token's name; empty: none was asked for
    Column("address", String, nullable=False),
    Column("tool", String, nullable=False),
    Index("fetched_by_one", "who", "address", "tool", unique=True),
    Index("fetched_by_address", "address"),
    sqlite_autoincrement=True,
)

fetches = Table(
    "fetches",
    fetch_metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column(
        "at", Integer, nullable=False
    ),  # microseconds since the epoch: whole numbers are the same everywhere
    Column("index", String, nullable=False),
    Column("file", Integer, nullable=False),
    Column("by", Integer, nullable=False),
    Column("partial", Integer, nullable=False),
    Column("waived", Text),  # JSON: a list of fetches.Waived; NULL: no waiver was needed
    Column("link", LargeBinary),  # to the line before it: core/chain
    Index("fetches_by_file", "file", "id"),
    Index("fetches_by_asker", "by", "id"),
    Index("fetches_by_time", "at"),
    sqlite_autoincrement=True,
)


LINES = (
    select(
        fetches.c.id,
        fetches.c.link,
        fetches.c.at,
        fetches.c.index,
        fetched_files.c.source,
        fetched_files.c.filename,
        fetched_files.c.sha256,
        fetched_files.c.project,
        fetched_files.c.version,
        fetched_by.c.who,
        fetched_by.c.address,
        fetched_by.c.tool,
        fetches.c.partial,
        fetches.c.waived,
    )
    .outerjoin(fetched_files, fetched_files.c.id == fetches.c.file)
    .outerjoin(fetched_by, fetched_by.c.id == fetches.c.by)
    .order_by(fetches.c.id)
    .limit(1_000)
)
"""Lines with all that gives them meaning: number, link, and the rest of what the link is made of, in this order."""


HEAD = "SELECT id, link FROM fetches ORDER BY id DESC LIMIT 1"
"""The newest line's number and link."""


def prepare_fetches(path: Path) -> None:
    """Makes the file where it is not there, and chains the lines of one that has no chain yet; raises WheelkeepError
    for one of a newer wheelkeep, and sqlite3.Error or OSError where it cannot be used. One process at a time.
    """
    shape = _shape(path)
    if shape > _SHAPE:
        raise WheelkeepError(f"{path} was written by a newer wheelkeep: upgrade this one")
    if shape == _SHAPE:
        return
    if not path.exists():
        # Whoever looks for the file meanwhile finds none, or one with all its tables.
        passing = path.with_suffix(".new")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{passing}{suffix}").unlink(missing_ok=True)
        _make(passing, shape)
        if Path(f"{passing}-wal").exists():
            # On a full disk SQLite ends without a word before all is in the file; alone that would be a damaged one.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        passing.rename(path)
    else:
        _make(path, shape)


def _make(path: Path, shape: int) -> None:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    # All or nothing: by itself the driver would commit the new column alone.
    event.listen(engine, "connect", _by_hand)
    try:
        with engine.connect() as made:
            made.exec_driver_sql("PRAGMA journal_mode=WAL")
            made.exec_driver_sql("BEGIN IMMEDIATE")
            if shape == 1:
                made.exec_driver_sql("ALTER TABLE fetches ADD COLUMN link BLOB")
                _chain(made)
            fetch_metadata.create_all(made)
            made.exec_driver_sql(f"PRAGMA user_version={_SHAPE}")
            made.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()
    path.chmod(0o600)


def _shape(path: Path) -> int:
    if not path.exists():
        return 0
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def _by_hand(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _chain(connection: Connection) -> None:
    number, before = 0, BEGIN
    while rows := connection.execute(LINES.where(fetches.c.id > number)).all():
        links = []
        for row in rows:
            before = link(before, (row.id, *tuple(row)[2:]))
            links.append({"line": row.id, "link": before})
        statement = update(fetches).where(fetches.c.id == bindparam("line"))
        connection.execute(statement.values(link=bindparam("link")), links)
        number = rows[-1].id
