"""The database: engines and transactions. SQLite in WAL mode (sqlite.org/wal.html)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

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
