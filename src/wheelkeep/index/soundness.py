"""Whether stored bytes may be given away: held against their hash when first read after a start, and whenever size,
inode or times say that somebody touched them. Damage is taken out of service.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from wheelkeep.core.model import File
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.trust import Checked

_LARGE = 32 * 1024 * 1024
"""Bytes from which on a file is read beside the others, which then need not wait for it."""


class Soundness:
    """One process's checks of blobs: one a blob at a time, however many ask."""

    def __init__(self, blobs: Blobs, damaged: Callable[[str, str, File | None], None]) -> None:
        """``damaged`` is told of each blob that was set aside: its name, what its bytes hash to, and a file that it was
        kept for, where that is known."""
        self._blobs = blobs
        self._checks: dict[str, asyncio.Task[bool]] = {}
        self._small = ThreadPoolExecutor(2, thread_name_prefix="check")
        self._large = ThreadPoolExecutor(2, thread_name_prefix="check-large")
        self._damaged = damaged

    async def sound(self, sha256: str, file: File | None = None) -> bool:
        """Whether the blob is there and is what its name says; waits while it is read, where it must be.

        Raises OSError where that cannot be found out.
        """
        if self._blobs.trusted(sha256):
            return True
        check = self._checks.get(sha256)
        if check is None:
            check = self._checks[sha256] = asyncio.create_task(self._check(sha256, file))
            check.add_done_callback(lambda done: self._done(sha256, done))
        return await asyncio.shield(check)

    def close(self) -> None:
        self._small.shutdown(wait=False)
        self._large.shutdown(wait=False)

    def _done(self, sha256: str, check: asyncio.Task[bool]) -> None:
        self._checks.pop(sha256, None)
        if not check.cancelled():
            check.exception()  # looked at, for all who asked may have left

    async def _check(self, sha256: str, file: File | None) -> bool:
        size = self._blobs.size(sha256)
        if size is None:
            return False
        threads = self._large if size >= _LARGE else self._small
        loop = asyncio.get_running_loop()
        checked = await loop.run_in_executor(threads, self._blobs.check, sha256)
        if not checked.good:
            await self.set_aside(sha256, checked, file)
        return checked.good

    async def set_aside(self, sha256: str, checked: Checked, file: File | None) -> bool:
        """Takes a blob that was found damaged out of service, and tells of it; False: it is another by now, or gone."""
        if checked.stamp is None or checked.found is None:
            return False
        gone = False
        with contextlib.suppress(OSError):
            gone = await asyncio.to_thread(self._blobs.set_aside, sha256, checked.stamp)
        if gone:
            self._damaged(sha256, checked.found, file)
        return gone
