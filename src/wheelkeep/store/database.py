"""The database: engines and transactions. SQLite in WAL mode (sqlite.org/wal.html)."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from wheelkeep.core.errors import Unwritable
from wheelkeep.store.connection import Connection

_PATIENCE = 60.0
"""Seconds that a transaction may wait for those before it."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # FULL: a commit that was told of survives the loss of power, not only of the process.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=15000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-4096",
)


_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN)


class Database:
    """One SQLite file. Readers run side by side; writers of all processes take turns (``BEGIN IMMEDIATE``)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers = _Pool(path, begin="BEGIN", size=4)
        self._writer = _Pool(path, begin="BEGIN IMMEDIATE", size=1)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection that sees one consistent state."""
        async with self._readers.one() as connection:
            try:
                yield connection
            finally:
                await connection.end(keep=False)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        """The one connection that may write: committed when the block ends, rolled back when it raises.

        Raises Unwritable where the disk does not take it, or another program keeps others from writing for long.
        """
        async with self._writer.one() as connection:
            keep = False
            try:
                try:
                    await connection.begin()
                    yield connection
                    keep = True
                finally:
                    await connection.end(keep=keep)
            except OperationalError as error:
                # The first byte of the code tells the kind, the others which of it (sqlite.org/rescode.html).
                kind = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
                if kind in _UNWRITABLE:
                    raise Unwritable(f"the keep's disk cannot take it: {error.orig}") from error
                if kind == sqlite3.SQLITE_BUSY:
                    raise Unwritable(f"another program holds {self.path.name}: {error.orig}") from error
                raise

    async def close(self) -> None:
        await self._readers.close()
        await self._writer.close()


class _Pool:
    """Connections to one file, opened when they are needed; whoever comes when all are in use waits in turn."""

    def __init__(self, path: Path, *, begin: str, size: int) -> None:
        self._engine = _engine(path, begin=begin, size=size)
        self._free = asyncio.Semaphore(size)
        self._idle = [Connection(self._engine) for _ in range(size)]

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        async with asyncio.timeout(_PATIENCE):
            await self._free.acquire()
        # The one that was used last: as long as it is enough, no other thread begins and no other cache fills.
        connection = self._idle.pop()
        try:
            yield connection
        finally:
            self._idle.append(connection)
            self._free.release()

    async def close(self) -> None:
        for connection in self._idle:
            await connection.close()
        self._engine.dispose()


def _engine(path: Path, *, begin: str, size: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        # Each is used by one thread at a time.
        connect_args={"check_same_thread": False},
    )

    def connected(connection: Any, _record: Any) -> None:
        # The driver's own transaction control begins too late to take the write lock; ours says when.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
