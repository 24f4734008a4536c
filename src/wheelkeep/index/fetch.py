"""The file flow's last step: bytes from the store, or one download that all who ask are given while it runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import File
from wheelkeep.core.pins import Incident
from wheelkeep.index.fill import Fill, NotKept, Pump, Reader
from wheelkeep.index.soundness import Soundness
from wheelkeep.logs import get_logger
from wheelkeep.sources.source import PATIENCE_FILE, Bytes, Source
from wheelkeep.store.blobs import READ_AT_ONCE, Blobs, Claim, Mismatch
from wheelkeep.store.passing import Passing

log = get_logger(__name__)

_LARGEST = 64 * 1024**3
_SLACK = 16 * 1024**2
"""Bytes beyond twice the size that a page tells: some tell a wrong one, but a lie is not to fill the disk."""


class Arrived(Protocol):
    async def __call__(self, source: Source, file: File, sha256: str, size: int, *, kept: bool) -> None: ...


class Stored(Struct, frozen=True):
    """The bytes lie in the store."""

    path: Path
    size: int


class Fetcher:
    """Gives files; keeps every file that it ever gave."""

    def __init__(
        self,
        blobs: Blobs,
        soundness: Soundness,
        *,
        arrived: Arrived,
        incident: Callable[[File, Incident], None],
    ) -> None:
        """``arrived`` is told of every file that came, with its sha256 and size and whether it is in the store now,
        before the last bytes are given away; it raises Mismatch where other bytes of that name were first."""
        self._blobs = blobs
        self._soundness = soundness
        self._arrived = arrived
        self._incident = incident
        self._fills: dict[tuple[str, str, str | None], Fill] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="fill")

    def stored(self, file: File) -> Stored | None:
        """The file's bytes in the store, if they are there."""
        if file.sha256 is None:
            return None
        size = self._blobs.size(file.sha256)
        return Stored(self._blobs.path(file.sha256), size) if size is not None else None

    async def sound(self, file: File, *, patience: float | None = None) -> Stored | None:
        """The file's bytes in the store, held against their hash when they are first read after a start and
        whenever size, inode or times say that somebody touched them. Damage is set aside: the file is fetched anew.

        ``patience``: seconds that reading them may take, without which the asker waits. Raises Unanswered.
        """
        if file.sha256 is None or (stored := self.stored(file)) is None:
            return None
        if self._blobs.trusted(file.sha256):
            return stored
        try:
            async with asyncio.timeout(patience):
                if await self._soundness.sound(file.sha256, file):
                    return self.stored(file)
        except TimeoutError:
            raise Unanswered(f"{file.filename} is still being held against its hash", retry_after=5) from None
        except OSError as error:
            raise Unanswered(f"{file.filename} cannot be read now: {error.strerror}", retry_after=5) from None
        return None

    async def get(self, source: Source, file: File) -> Stored | Reader:
        """The bytes of a file that was admitted. Raises FileMissing or Unanswered when they cannot be had."""
        if (stored := await self.sound(file)) is not None:
            return stored
        reader = Reader(self._fill(source, file))
        try:
            async with _patience(file):
                await reader.begun()
        except BaseException:
            await reader.close()
            raise
        return reader

    async def soon(self, source: Source, file: File) -> Stored:
        """Waits until the file is in the store, but only as long as clients do. Raises FileMissing or Unanswered."""
        async with _patience(file):
            return await self.whole(source, file)

    async def whole(self, source: Source, file: File) -> Stored:
        """Waits until the file is in the store. Raises FileMissing or Unanswered."""
        if (stored := await self.sound(file)) is not None:
            return stored
        fill = self._fill(source, file)
        while not fill.done:
            await fill.progress()
        if fill.error is not None:
            raise fill.error
        if fill.not_kept is not None:
            raise NotKept(fill.not_kept)
        assert fill.sha256 is not None
        stored = self.stored(replace(file, sha256=fill.sha256))
        if stored is None:
            raise Unanswered(f"{file.filename} left the store as soon as it was there")
        return stored

    def coming(self, file: File) -> int:
        """How many bytes came of a file that is on its way to this process."""
        fill = self._fills.get((file.source, file.filename, file.sha256))
        return fill.so_far if fill is not None else 0

    def _fill(self, source: Source, file: File) -> Fill:
        key = (file.source, file.filename, file.sha256)
        fill = self._fills.get(key)
        if fill is None or not fill.whole:
            # What went past a full disk is gone for whoever comes later.
            fill = self._fills[key] = Fill()
            task = asyncio.create_task(self._run(source, file, fill), name=f"fill {file.filename}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return fill

    async def close(self, seconds: float) -> None:
        """Lets downloads finish for so long, then ends them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False)

    async def _run(self, source: Source, file: File, fill: Fill) -> None:
        error: Exception | None = None
        try:
            await self._claimed(source, file, fill)
        except (Unanswered, FileMissing) as broken:
            error = broken
        except Mismatch as mismatch:
            error = Unanswered(f"{file.filename}: {mismatch}")
            incident = Incident(
                kind="bytes-differ", filename=file.filename, first=mismatch.stated, told=mismatch.came
            )
            self._incident(file, incident)
        except OSError as broken:
            log.error("store_cannot_take_file", file=file.filename, why=str(broken))
            error = Unanswered(f"the keep's disk cannot take it: {broken.strerror}", retry_after=30)
        except asyncio.CancelledError:
            error = Unanswered("the keep is being stopped", retry_after=5)
            raise
        except Exception as broken:
            log.exception("fetch_failed", file=file.filename)
            error = Unanswered(f"it could not be fetched: {type(broken).__name__}")
        finally:
            key = (file.source, file.filename, file.sha256)
            if self._fills.get(key) is fill:
                del self._fills[key]
            await fill.finish(error)
            if error is not None:
                log.warning("file_not_had", source=file.source, file=file.filename, why=str(error))

    async def _claimed(self, source: Source, file: File, fill: Fill) -> None:
        """One download among all processes on this data: the others wait and take it from the store."""
        claim = await self._turn(f"{file.source}/{file.filename}/{file.sha256}")
        try:
            if (stored := await self.sound(file)) is not None:
                await self._copy(stored, fill)
                return
            async with source.open(file) as stream:
                await self._download(stream, source, file, fill, claim)
        finally:
            if claim is not None:
                claim.release()

    async def _turn(self, key: str) -> Claim | None:
        """The right to fetch it; None where the disk does not even take a note of who has it."""
        try:
            while (claim := self._blobs.claim(key)) is None:
                await asyncio.sleep(0.05)
        except OSError as error:
            log.warning("no_claim", why=str(error))
            return None
        return claim

    async def _copy(self, stored: Stored, fill: Fill) -> None:
        """Another process brought it while this one waited."""
        filling = Passing(self._blobs)
        fill.opened(filling, stored.size)
        with stored.path.open("rb") as kept:
            while piece := kept.read(READ_AT_ONCE):
                fill.came(piece)
                await asyncio.to_thread(filling.write_all, [piece])
                await fill.room()
        fill.sha256 = stored.path.name

    async def _download(
        self, stream: Bytes, source: Source, file: File, fill: Fill, claim: Claim | None
    ) -> None:
        filling = Passing(self._blobs)
        fill.opened(filling, stream.length)
        # Also beside a sha256: that may have been told later, and of other bytes.
        filling.also(set(file.digests))
        most = _most(file, stream.length)
        if stream.length is not None and stream.length > most:
            raise Unanswered(f"{file.filename} is longer than its page says")
        pump = Pump(filling, self._threads)
        came = 0
        try:
            async for piece in stream.chunks():
                came += len(piece)
                if came > most:
                    raise Unanswered(f"{file.filename} is longer than its page says")
                fill.came(piece)
                await pump.push(piece)
                if filling.why is not None:
                    # It will not be in the store when this is done: nobody need wait for that.
                    if claim is not None:
                        claim.release()
                    await fill.room()
        finally:
            # The thread must be done with the file before anybody closes it.
            await pump.drain()
        sha256 = filling.sha256
        if file.sha256 is not None and sha256 != file.sha256:
            raise Mismatch(file.sha256, sha256)
        digests = filling.digests()
        for name, value in file.digests.items():
            if digests[name] != value:
                raise Mismatch(f"{name}:{value}", f"{name}:{digests[name]}")
        fill.sha256 = await filling.keep()
        if fill.sha256 is not None:
            self._blobs.trust(sha256)
        else:
            log.error("file_not_kept", file=file.filename, why=str(filling.why), now="given as it came")
            fill.not_kept = filling.why
        await self._arrived(source, file, sha256, filling.size, kept=fill.sha256 is not None)


def _most(file: File, length: int | None) -> int:
    """How many bytes of a file are taken in before it counts as another."""
    if file.size is None:
        return _LARGEST
    told = max(file.size, file.resized or 0)
    return min(told if length is None else 2 * told + _SLACK, _LARGEST)


@contextlib.asynccontextmanager
async def _patience(file: File) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE_FILE):
            yield
    except TimeoutError:
        raise Unanswered(f"{file.filename} is still on its way here", retry_after=5) from None
