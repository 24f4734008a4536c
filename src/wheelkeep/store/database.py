"""The database: engines, transactions, and bringing the tables up to date. SQLite in WAL mode (sqlite.org/wal.html)."""

import fcntl
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from wheelkeep.core.errors import WheelkeepError

HEAD = "0001"
"""The newest revision in migrations/versions."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # FULL: a commit that was told of survives the loss of power, not only of the process.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=15000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-4096",
)


class Database:
    """One SQLite file. Readers run side by side; writers of all processes take turns (``BEGIN IMMEDIATE``)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers = _engine(path, begin="BEGIN", size=4)
        self._writer = _engine(path, begin="BEGIN IMMEDIATE", size=1)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state."""
        async with self._readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """The one connection that may write: committed when the block ends, rolled back when it raises."""
        async with self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        await self._readers.dispose()
        await self._writer.dispose()


def _engine(path: Path, *, begin: str, size: int) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=60,
    )

    def connected(connection: Any, _record: Any) -> None:
        # The driver's own transaction control begins too late to take the write lock; ours says when.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def prepare(data: Path) -> Path:
    """Makes the data folder and brings its database up to date; gives the database's path.

    Safe to call from several processes at once: one migrates, the others wait. Raises WheelkeepError when the
    folder cannot be used or was written by a newer wheelkeep.
    """
    try:
        for folder in (data, data / "blobs" / "sha256", data / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        with (data / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            path = data / "wheelkeep.sqlite"
            if _revision(path) != HEAD:
                _migrate(path)
            path.chmod(0o600)
            return path
    except (OSError, sqlite3.Error) as error:
        raise WheelkeepError(f"the data folder {data} cannot be used: {error}") from error


def _revision(path: Path) -> str | None:
    """The revision that the file is at, asked without Alembic, whose import costs more than the question."""
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()
    if row is not None and row[0] > HEAD:
        raise WheelkeepError(f"{path} was written by a newer wheelkeep (revision {row[0]}): upgrade this one")
    return str(row[0]) if row is not None else None


def _migrate(path: Path) -> None:
    from alembic import command  # noqa: PLC0415 - needed once in the life of a data folder
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()
