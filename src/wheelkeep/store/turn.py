"""What only one process on a data folder may do at a time: whoever has the file's lock, until it ends."""

import fcntl
import os
from pathlib import Path


class Turn:
    """A lock that the system gives back however its holder ends (flock(2))."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether this process has it now; asks once and does not wait. Raises OSError."""
        if self._descriptor is not None:
            return True
        # Reading is enough for a lock, and possible on a disk that takes no writes any more.
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def give_back(self) -> None:
        """Lets another process have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
