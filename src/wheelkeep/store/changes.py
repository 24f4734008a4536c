"""Telling other processes that something changed: one number in shared memory, read without a system call.

Every worker keeps pages ready in memory. When one of them, or a command, publishes a file, the others must not go on
showing their old page; asking the database on every request would cost more than the request.
"""

import mmap
import os
from pathlib import Path

_BYTES = 8


class Changes:
    """The number; ``stamp`` is another one after each ``mark``, in every process on the same data folder."""

    def __init__(self, data: Path) -> None:
        descriptor = os.open(data / "changes", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            # Not a hole: writing to one that the disk has no room for would end the process (SIGBUS).
            os.posix_fallocate(descriptor, 0, _BYTES)
            self._number = memoryview(mmap.mmap(descriptor, _BYTES)).cast("Q")
        finally:
            os.close(descriptor)

    @property
    def stamp(self) -> int:
        return self._number[0]

    def mark(self) -> None:
        """To be called once the change can be read from the database."""
        # Drawn, not counted: two processes that count at once would come to the same number.
        self._number[0] = int.from_bytes(os.urandom(_BYTES), "little")
