"""A connection to the database and the thread that it lives in, and what a statement answered.

SQLAlchemy's own asyncio layer brings its ORM and a C library of coroutines along, and changes threads for every
step of a statement. Here a statement is one step: it runs and its rows are read before the event loop hears of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import CursorResult, Engine, Executable
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

T = TypeVar("T")
Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Rows:
    """All that a statement answered; may be read as often as wanted."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, result: "CursorResult[*tuple[Any, ...]]") -> None:
        self._rows: Sequence[Any] = result.all() if result.returns_rows else ()
        self.rowcount: int = result.rowcount
        """How many rows were changed or deleted."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> Sequence[Any]:
        return self._rows

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        """Raises MultipleResultsFound."""
        if len(self._rows) > 1:
            raise MultipleResultsFound("one row was expected, and several were found")
        return self.first()

    def one(self) -> Any:
        """Raises NoResultFound, MultipleResultsFound."""
        if (row := self.one_or_none()) is None:
            raise NoResultFound("one row was expected, and none was found")
        return row

    def scalars(self) -> Iterator[Any]:
        """The first column of every row."""
        return (row[0] for row in self._rows)

    def scalar(self) -> Any:
        """The first column of the first row; None where there is no row."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        return None if (row := self.one_or_none()) is None else row[0]


class Connection:
    """One connection, used by one transaction at a time; what is asked of it runs in its own thread, in turn."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread: ThreadPoolExecutor | None = None
        self._open: SyncConnection | None = None

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> Rows:
        """Runs a statement and reads all its rows."""
        return await self._run(lambda: Rows(self._using().execute(statement, parameters)))

    async def exec_driver_sql(self, statement: str) -> Rows:
        """The same with a statement as it is written."""
        return await self._run(lambda: Rows(self._using().exec_driver_sql(statement)))

    async def stream(self, statement: Executable, at_once: int) -> AsyncIterator[Any]:
        """The rows of a statement, so many at once in memory."""
        result = await self._run(lambda: self._using().execute(statement))
        while rows := await self._run(lambda: result.fetchmany(at_once)):
            for row in rows:
                yield row

    async def begin(self) -> None:
        """Begins the transaction at once, and not with the first statement."""
        await self._run(lambda: self._using().begin())

    async def end(self, *, keep: bool) -> None:
        """Ends the transaction. A caller that is cancelled meanwhile hears of it once the transaction has ended."""

        def ending() -> None:
            connection, self._open = self._open, None
            if connection is None:
                return
            try:
                connection.commit() if keep else connection.rollback()
            finally:
                connection.close()

        await self._run(ending)

    async def close(self) -> None:
        """Ends the thread; a new one begins with the next transaction."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False)

    def _using(self) -> SyncConnection:
        if self._open is None:
            self._open = self._engine.connect()
        return self._open

    async def _run(self, work: Callable[[], T]) -> T:
        """In the thread, to its end: whoever is cancelled waits for it too, for nothing may run beside it."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        running = asyncio.get_running_loop().run_in_executor(self._thread, work)
        cancelled: asyncio.CancelledError | None = None
        while not running.done():
            try:
                await asyncio.wait((running,))
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            running.exception()
            raise cancelled
        return running.result()
