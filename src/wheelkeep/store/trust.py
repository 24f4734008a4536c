"""Which files' bytes were held against their hash in this process, and how each lay then."""

import errno
import os
from pathlib import Path
from typing import NamedTuple, TypeAlias

from wheelkeep.store.hashing import Pace, hash_all

Stamp: TypeAlias = tuple[int, int, int, int]
"""Size, inode, mtime and ctime: while they stand, nobody wrote to the file in the ordinary way."""
_MOST_TRUSTED = 200_000
UNREADABLE = "unreadable"


class Checked(NamedTuple):
    """What came of reading a file whole."""

    good: bool
    found: str | None
    """What its bytes hash to; ``unreadable`` where the disk does not give them; None: it is not there."""
    stamp: Stamp | None
    """How it lay before it was read."""


def stamp_of(path: str | Path) -> Stamp | None:
    """How a file lies now; None: it is not there."""
    try:
        state = os.stat(path)  # noqa: PTH116 - on the hot path, and twice as quick
    except OSError:
        return None
    return (state.st_size, state.st_ino, state.st_mtime_ns, state.st_ctime_ns)


class Trust:
    """Stamps by key. What is not in here is to be read before it is given to anybody."""

    def __init__(self) -> None:
        self._known: dict[str, Stamp] = {}

    def holds(self, key: str, path: str) -> bool:
        """Whether the file was held against its hash, and its inode says no change since."""
        known = self._known.get(key)
        return known is not None and known == stamp_of(path)

    def note(self, key: str, stamp: Stamp | None) -> None:
        """The bytes are right as they lay at the stamp."""
        if len(self._known) >= _MOST_TRUSTED:
            self._known.clear()
        if stamp is not None:
            self._known[key] = stamp

    def check(self, key: str, path: Path, sha256: str, *, pace: Pace | None = None) -> Checked:
        """Reads the whole file and holds it against its hash; for a thread.

        Raises OSError where that cannot be found out: too many open files say nothing about the bytes.
        """
        checked = read(path, sha256, pace=pace)
        if checked.good:
            self.note(key, checked.stamp)
        return checked


def read(path: Path, sha256: str, *, pace: Pace | None = None) -> Checked:
    """Reads a whole file and holds it against its hash. Raises OSError where that cannot be found out."""
    stamp = stamp_of(path)
    try:
        digests, _ = hash_all(path, pace=pace)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return Checked(good=False, found=None, stamp=None)
        if error.errno == errno.EIO:
            return Checked(good=False, found=UNREADABLE, stamp=stamp)
        raise
    return Checked(
        good=stamp is not None and digests["sha256"] == sha256, found=digests["sha256"], stamp=stamp
    )
