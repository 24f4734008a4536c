"""Noting which blobs came whole, in groups and a moment later, so that nobody waits for it."""

import asyncio

from wheelkeep.logs import get_logger
from wheelkeep.store.kept import KeptBlobs

log = get_logger(__name__)
_PAUSE = 0.1
_MOST = 500


class Arrivals:
    """One process's notes. One that is lost in a crash is made up for when the blob is next read as a whole."""

    def __init__(self, kept: KeptBlobs) -> None:
        self._kept = kept
        self._new: set[str] = set()
        self._writing: asyncio.Task[None] | None = None

    def note(self, sha256: str) -> None:
        """A blob is in the store, whole."""
        self._new.add(sha256)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._new:
            await asyncio.sleep(_PAUSE)
            hashes = [self._new.pop() for _ in range(min(len(self._new), _MOST))]
            if not await self._kept.add(hashes):
                # A disk that is full or cannot be written stops writes, not reads.
                log.warning("arrivals_not_noted", blobs=len(hashes))

    async def close(self) -> None:
        if self._writing is not None:
            await asyncio.wait([self._writing])
