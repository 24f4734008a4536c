"""Removing blobs so that none is lost that turns out to be needed: first out of service, then a look, then for good.

What was taken has a second name in DATA/removed, and a mark on it by which nobody finds it any longer. It stays in its
place for who found it before, and is about to open it. It goes back into service when it became needed meanwhile, when
the removal is broken off, and, where the process that took it died, at the next start of any process on the data.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from wheelkeep.store.lying import OUT_OF_SERVICE
from wheelkeep.store.trust import Stamp, stamp_of

_LOCK = "gc.lock"
_OUT = ".out"
"""Ends the name of a blob on its way out, below DATA/removed."""
_MODE = 0o444
"""Of every blob in service."""


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
            _second(path, target)
        except FileNotFoundError:
            return False
        except FileExistsError:
            # Of a removal that died, and of which no start knows yet.
            self.put_back(sha256)
            return False
        came = stamp_of(target)
        if came is None or came[1] != stamp[1]:
            self.put_back(sha256)
            return False
        target.chmod(_MODE | OUT_OF_SERVICE)
        return True

    def put_back(self, sha256: str) -> None:
        """Puts a blob back into service; where another came into its place meanwhile, that one stays."""
        self._back(self._taken / sha256, self._place(sha256))

    def remove(self, sha256: str) -> None:
        """Removes a blob that was taken, for good."""
        path, taken, out = self._place(sha256), self._taken / sha256, self._taken / (sha256 + _OUT)
        if _same(path, taken):
            with contextlib.suppress(FileNotFoundError):
                path.rename(out)
            if out.exists() and not _same(out, taken):
                self._back(out, path)  # another came between the look and the rename
            out.unlink(missing_ok=True)
        taken.unlink(missing_ok=True)

    def put_back_all(self) -> None:
        """Puts back whatever is taken at the moment."""
        for name in os.listdir(self._taken):  # noqa: PTH208 - names are all that is wanted
            self._back(self._taken / name, self._place(name.removesuffix(_OUT)))

    def _back(self, taken: Path, path: Path) -> None:
        for name in (taken, path):  # one file, but for copies of a data folder
            with contextlib.suppress(FileNotFoundError):
                if name.stat().st_mode & OUT_OF_SERVICE:
                    name.chmod(_MODE)
        try:
            os.link(taken, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without second names
            if not path.exists():
                taken.rename(path)
        taken.unlink(missing_ok=True)

    def _place(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256


def put_back_left(data: Path) -> None:
    """Puts back what a removal that died had taken. To be called at a start; nothing is done while one runs."""
    with contextlib.suppress(OSError):
        if os.listdir(data / "removed"):  # noqa: PTH208 - names are all that is wanted
            with removing(data) as alone:
                if alone:
                    Removal(data).put_back_all()


def _second(path: Path, other: Path) -> None:
    """Gives a blob a second name; the only one, where the file system has no second ones. Raises OSError."""
    try:
        os.link(path, other)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:
        path.rename(other)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except FileNotFoundError:
        return False
