"""What lies in a data folder and serves nobody: damaged bytes that were set aside long ago, locks of downloads that
ended in a crash.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def old_damage(data: Path, before: float) -> list[tuple[Path, int]]:
    """What was set aside before a moment (seconds since the epoch), with its size. Raises OSError."""
    folder = data / "damaged"
    found = []
    for path in sorted(folder.iterdir()) if folder.exists() else ():
        state = path.lstat()
        if state.st_ctime < before and not path.is_dir():
            found.append((path, state.st_size))
    return found


def old_claims(data: Path, before: float) -> list[Path]:
    """The locks of downloads that nobody holds, of before a moment. Raises OSError."""
    return [path for path in sorted((data / "tmp").glob("*.claim")) if _is_old(path, before)]


def remove_claim(path: Path) -> None:
    """Removes such a lock, unless somebody holds it."""
    with contextlib.suppress(OSError), _held(path):
        path.unlink()


def _is_old(path: Path, before: float) -> bool:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime < before
    return False


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
