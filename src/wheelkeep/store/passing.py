"""Bytes of a download: into the store for as long as the disk takes them, and past it when it does not."""

from wheelkeep.store.blobs import Blobs, Filling
from wheelkeep.store.digests import Digests


class Passing:
    """Like a ``Filling``, but a disk that is full or cannot be written ends the keeping, not the download."""

    def __init__(self, blobs: Blobs) -> None:
        self._digests = Digests()
        self._filling: Filling | None = None
        self.why: OSError | None = None
        """Why the bytes are not kept; None while they are."""
        self.size = 0
        """Bytes that came."""
        self.on_disk = 0
        """How many of them, from the first on, can be read again."""
        try:
            self._filling = blobs.filling(self._digests)
        except OSError as error:
            self.why = error

    def also(self, algorithms: set[str]) -> None:
        """Computes further digests, as ``Filling.also``."""
        self._digests.also(algorithms)

    def write_all(self, pieces: list[bytes]) -> int:
        """Takes several pieces; gives how many bytes they were. For a thread."""
        for piece in pieces:
            self._write(piece)
        return sum(map(len, pieces))

    def _write(self, piece: bytes) -> None:
        if self.why is None and self._filling is not None:
            try:
                self._filling.write(piece)
                self.on_disk += len(piece)
            except OSError as error:
                self.why = error
        if self.why is not None:
            self._digests.update(piece)
        self.size += len(piece)

    def sync_some(self) -> None:
        if self.why is None and self._filling is not None:
            self._filling.sync_some()

    def read(self, start: int, end: int) -> bytes:
        """Bytes that are on disk."""
        assert self._filling is not None
        return self._filling.read(start, end)

    @property
    def sha256(self) -> str:
        return self._digests.sha256

    def digests(self) -> dict[str, str]:
        return self._digests.others()

    async def keep(self) -> str | None:
        """Puts the bytes into the store, as ``Filling.keep``; None where the disk did not take them all."""
        if self.why is None and self._filling is not None:
            try:
                return await self._filling.keep()
            except OSError as error:
                self.why = error
        return None

    async def close(self) -> None:
        if self._filling is not None:
            await self._filling.close()
