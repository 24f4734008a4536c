"""The tables of the book of fetches, which has a database file of its own; and how that file is made.

A line is small because what repeats lies elsewhere: which file it was, and who asked from where with what. Those rows
too are only ever added, so a line says for ever what it said when it was written.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, create_engine
from sqlalchemy.pool import NullPool

from wheelkeep.core.errors import WheelkeepError

_SHAPE = 1
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
    Index("fetches_by_file", "file", "id"),
    Index("fetches_by_asker", "by", "id"),
    Index("fetches_by_time", "at"),
    sqlite_autoincrement=True,
)


def prepare_fetches(path: Path) -> None:
    """Makes the file where it is not there; raises WheelkeepError for one of a newer wheelkeep, and sqlite3.Error or
    OSError where it cannot be used. One process at a time.
    """
    if path.exists():
        connection = sqlite3.connect(path)
        try:
            shape = connection.execute("PRAGMA user_version").fetchone()[0]
        finally:
            connection.close()
        if shape > _SHAPE:
            raise WheelkeepError(f"{path} was written by a newer wheelkeep: upgrade this one")
        if shape == _SHAPE:
            return
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    try:
        with engine.connect() as made:
            made.exec_driver_sql("PRAGMA journal_mode=WAL")
            fetch_metadata.create_all(made)
            made.exec_driver_sql(f"PRAGMA user_version={_SHAPE}")
            made.commit()
    finally:
        engine.dispose()
    path.chmod(0o600)
