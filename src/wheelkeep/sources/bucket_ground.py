"""A place in a bucket as the ground of a directory source: what is there is listed, and read once to be hashed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.sources.ground import Local, Mark
from wheelkeep.sources.source import Bytes
from wheelkeep.store.blobs import Blobs, Filling
from wheelkeep.store.shelf import NotThere, Reading, Shelf, Unavailable


class BucketGround:
    """The place; it is opened when it is first looked at."""

    kind = "bucket"
    pause = 5.0
    """A listing is a request for each thousand files, and buckets bill them."""

    def __init__(self, opened: Callable[[], Shelf], blobs: Blobs) -> None:
        self._opened = opened
        self._blobs = blobs
        self._kept: Shelf | None = None

    @property
    def _shelf(self) -> Shelf:
        # Not before: the library is megabytes, and a command may never ask this source.
        if self._kept is None:
            self._kept = self._opened()
        return self._kept

    async def look(self) -> dict[str, Mark]:
        return {
            item.name: Mark(item.stamp, 0.0)  # a thing in a bucket is there whole, or not at all
            async for item in self._shelf.items()
            if not any(part.startswith(".") for part in item.name.split("/"))
        }

    @asynccontextmanager
    async def local(self, path: str, stamp: str) -> AsyncIterator[Local | None]:
        filling = self._blobs.filling()
        try:
            yield await self._fetched(path, stamp, filling)
        finally:
            await filling.close()

    async def _fetched(self, path: str, stamp: str, filling: Filling) -> Local | None:
        try:
            async with self._shelf.open(path) as reading:
                if reading.item.stamp != stamp:
                    return None
                async for piece in reading.pieces():
                    await asyncio.to_thread(filling.write, piece)
        except NotThere:
            return None
        return Local(filling.path, filling.sha256, filling.size, reading.item.modified.timestamp())

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[Bytes]:
        name = path.rpartition("/")[2]
        try:
            async with self._shelf.open(path) as reading:
                yield _BucketFile(name, reading)
        except NotThere:
            raise FileMissing(f"{name} is no longer in the bucket") from None
        except Unavailable as error:
            raise Unanswered(f"{name} cannot be read: {error}") from None

    async def close(self) -> None:
        if self._kept is not None:
            await self._kept.close()


class _BucketFile:
    def __init__(self, name: str, reading: Reading) -> None:
        self._name = name
        self._reading = reading
        self.length: int | None = reading.item.size

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._reading.pieces():
                yield piece
        except Unavailable as error:
            raise Unanswered(f"{self._name} broke off: {error}") from None
