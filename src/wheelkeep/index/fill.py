"""One download under way: its bytes on their way to the disk, and to everyone who asks meanwhile."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from typing import Protocol

from wheelkeep.core.errors import Unanswered
from wheelkeep.store.blobs import READ_AT_ONCE
from wheelkeep.store.passing import Passing

HELD_BACK = 64 * 1024
"""Bytes at the end that nobody gets before the whole file's hash is right: a wrong file is a cut connection."""
_RECENT = 6
"""Pieces that stay in memory for readers, beside those that the disk has not taken yet."""
_MOST_PENDING = 8 * 1024 * 1024
"""Bytes that may wait for the disk, or for readers where the disk takes none, before the origin is read on."""
PATIENCE_READER = 20.0
"""Seconds that the others wait for their slowest reader where the disk does not hold the bytes for it."""


class NotKept(Unanswered):
    """The disk does not take the file, and nobody reads it as it comes."""

    def __init__(self, why: OSError) -> None:
        super().__init__(f"the keep's disk cannot take it: {why.strerror}", retry_after=30)


class Sink(Protocol):
    """Where a pump's bytes go."""

    def write_all(self, pieces: list[bytes]) -> int: ...

    def sync_some(self) -> None: ...


class Pump:
    """Writes and hashes in a thread what the loop receives, in order, so that neither waits for the other."""

    def __init__(self, filling: Sink, threads: Executor) -> None:
        self._filling = filling
        self._threads = threads
        self._pending: list[bytes] = []
        self._waiting = 0
        self._job: asyncio.Future[int] | None = None

    async def push(self, piece: bytes) -> None:
        """Hands over the next bytes; waits while the disk is far behind. Raises OSError where the sink does."""
        self._pending.append(piece)
        self._waiting += len(piece)
        if self._job is None:
            self._start()
        while self._waiting > _MOST_PENDING:
            await self._step()

    async def drain(self) -> None:
        """Waits until everything is written. Raises OSError."""
        while self._job is not None:
            await self._step()

    def _start(self) -> None:
        batch, self._pending = self._pending, []
        self._job = asyncio.get_running_loop().run_in_executor(self._threads, self._filling.write_all, batch)
        self._job.add_done_callback(self._wrote)

    def _wrote(self, job: asyncio.Future[int]) -> None:
        if job.cancelled() or job.exception() is not None:
            return  # the failed job stays, for the next step to raise
        self._waiting -= job.result()
        self._job = None
        if self._pending:
            self._start()
        self._filling.sync_some()

    async def _step(self) -> None:
        job = self._job
        if job is not None:
            await asyncio.shield(job)
            if job is self._job:
                await asyncio.sleep(0)  # its callback runs in this turn of the loop


class Fill:
    """One download on its way into the store, and to everyone who asks meanwhile."""

    def __init__(self) -> None:
        self.length: int | None = None
        """Bytes in all, where the origin says so."""
        self.sha256: str | None = None
        """Of the whole, once it is in the store."""
        self.not_kept: OSError | None = None
        """Why it is not, though it came whole."""
        self.done = False
        self.error: Exception | None = None
        self._filling: Passing | None = None
        self._recent: deque[tuple[int, bytes]] = deque()
        self._came = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._readers: set[Reader] = set()
        self._moved = asyncio.Event()

    @property
    def released(self) -> int:
        """How many bytes may be given away by now."""
        return self._came if self.done and self.error is None else max(0, self._came - HELD_BACK)

    @property
    def so_far(self) -> int:
        """How many bytes came."""
        return self._came

    @property
    def whole(self) -> bool:
        """Whether all that came can still be read, from the first byte on."""
        return self._filling is None or not self._recent or self._recent[0][0] <= self._filling.on_disk

    def join(self, reader: "Reader") -> None:
        """One more reader, for whom the bytes stay readable until it leaves."""
        self._readers.add(reader)

    async def leave(self, reader: "Reader") -> None:
        self._readers.discard(reader)
        self._moved.set()
        if self.done and not self._readers:
            await self._close()

    def moved(self) -> None:
        """To be called when a reader took what it had read."""
        self._moved.set()

    async def room(self) -> None:
        """Waits, where the disk takes nothing, until readers took what is in memory.

        Who takes nothing for too long loses its place; raises Unanswered where nobody is left.
        """
        while (filling := self._filling) is not None and filling.why is not None:
            if not self._readers:
                raise NotKept(filling.why)
            if self._held <= _MOST_PENDING:
                return
            self._let_go(min(reader.at for reader in self._readers))
            if self._held <= _MOST_PENDING:
                return
            self._moved.clear()
            try:
                async with asyncio.timeout(PATIENCE_READER):
                    await self._moved.wait()
            except TimeoutError:
                self._recent.popleft()

    @property
    def _held(self) -> int:
        """Bytes in memory."""
        return self._came - self._recent[0][0] if self._recent else 0

    def _let_go(self, taken: int) -> None:
        """Forgets pieces that every reader took, but for a few."""
        while len(self._recent) > _RECENT and self._recent[0][0] + len(self._recent[0][1]) <= taken:
            self._recent.popleft()

    async def progress(self) -> None:
        """Waits until there is more, or an end."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def read(self, at: int) -> bytes:
        """Some released bytes from ``at`` on; shared with the other readers while they are recent."""
        released = self.released
        for start, piece in self._recent:
            if start <= at < start + len(piece):
                if at == start and start + len(piece) <= released:
                    return piece
                return piece[at - start : released - start]
        assert self._filling is not None
        if at >= self._filling.on_disk:
            raise Unanswered("it was taken too slowly while the keep's disk is full")
        return self._filling.read(at, min(released, self._filling.on_disk, at + READ_AT_ONCE))

    def opened(self, filling: Passing, length: int | None) -> None:
        self._filling = filling
        self.length = length

    def came(self, piece: bytes) -> None:
        """The next bytes are here; they may still be on their way to the disk."""
        self._recent.append((self._came, piece))
        self._came += len(piece)
        # What the disk has may be read from there; a little more is kept for readers who are nearly up to date.
        assert self._filling is not None
        self._let_go(self._filling.on_disk)
        self._wake()

    async def finish(self, error: Exception | None) -> None:
        self.error = error
        self.done = True
        self._wake()
        if not self._readers:
            await self._close()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def _close(self) -> None:
        self._recent.clear()
        if self._filling is not None:
            await self._filling.close()


class Reader:
    """One asker's view of a download under way. To be closed, whatever happens."""

    def __init__(self, fill: Fill) -> None:
        self._fill = fill
        self._open = True
        self.at = 0
        """How many bytes it took."""
        fill.join(self)

    @property
    def length(self) -> int | None:
        """Bytes in all, where the origin says so."""
        return self._fill.length

    async def begun(self) -> None:
        """Waits until some bytes may be given away; raises what went wrong when it does before."""
        fill = self._fill
        while not fill.released and not fill.done:
            await fill.progress()
        if fill.error is not None:
            raise fill.error

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes from the first to the last; raises in mid-way when the download turns out wrong."""
        fill = self._fill
        while True:
            if fill.error is not None:
                raise fill.error
            if self.at < fill.released:
                piece = fill.read(self.at)
                yield piece
                self.at += len(piece)
                fill.moved()
            elif fill.done:
                return
            else:
                await fill.progress()

    async def close(self) -> None:
        if self._open:
            self._open = False
            await self._fill.leave(self)
