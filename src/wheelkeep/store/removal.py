"""Removing blobs so that none is lost that turns out to be needed: first out of service, then a look, then for good.

What was taken lies in DATA/removed under its name. It goes back when it became needed meanwhile, when the removal is
broken off, and, where the process that took it died, at the next start of any process on the data.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from wheelkeep.store.trust import Stamp, stamp_of

_LOCK = "gc.lock"


@contextlib.contextmanager
def _locked(data: Path, how: int) -> Iterator[bool]:
    try:
        descriptor = os.open(data / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        if how == fcntl.LOCK_EX:
            raise
        yield True  # nothing is removed from what cannot be written, or is not there
        return
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def removing(data: Path) -> contextlib.AbstractContextManager[bool]:
    """The right to remove blobs, for as long as the block runs; False: somebody has it, or wants none removed."""
    return _locked(data, fcntl.LOCK_EX)


def staying(data: Path) -> contextlib.AbstractContextManager[bool]:
    """While the block runs no blob is removed on purpose; False: a removal is under way. For whoever reads them all."""
    return _locked(data, fcntl.LOCK_SH)


class Removal:
    """Blobs that are being removed; whoever has one has ``removing``."""

    def __init__(self, data: Path) -> None:
        self._root = data / "blobs" / "sha256"
        self._taken = data / "removed"

    def take(self, sha256: str, stamp: Stamp) -> bool:
        """Takes a blob out of service, if it lies as it lay; False: it is another by now, or gone. Raises OSError."""
        path, target = self._place(sha256), self._taken / sha256
        self._taken.mkdir(mode=0o700, exist_ok=True)
        if stamp_of(path) != stamp:
            return False
        try:
            path.rename(target)
        except FileNotFoundError:
            return False
        came = stamp_of(target)
        if came is None or came[1] != stamp[1]:
            self.put_back(sha256)
            return False
        return True

    def put_back(self, sha256: str) -> None:
        """Puts a blob back into service; where another came into its place meanwhile, that one stays."""
        taken, path = self._taken / sha256, self._place(sha256)
        try:
            os.link(taken, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without second names
            if not path.exists():
                taken.rename(path)
        taken.unlink(missing_ok=True)

    def remove(self, sha256: str) -> None:
        """Removes a blob that was taken, for good."""
        (self._taken / sha256).unlink(missing_ok=True)

    def _place(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256


def put_back_left(data: Path) -> None:
    """Puts back what a removal that died had taken. To be called at a start; nothing is done while one runs."""
    with contextlib.suppress(OSError):
        left = os.listdir(data / "removed")  # noqa: PTH208 - names are all that is wanted
        if left:
            with removing(data) as alone:
                if alone:
                    removal = Removal(data)
                    for sha256 in left:
                        removal.put_back(sha256)
