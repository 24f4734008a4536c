"""Folders for a while, and what killed processes left of theirs.

Whoever uses one holds a lock on it, which the system takes away with the process, however that ends. The next who makes
one with the same beginning removes those that nobody holds.
"""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(beginning: str) -> Iterator[Path]:
    """A folder that is its owner's alone, in the temporary folder; it goes when the block ends. Raises OSError."""
    _sweep(Path(tempfile.gettempdir()), beginning)
    with tempfile.TemporaryDirectory(prefix=f"{beginning}{os.getpid()}-") as name:
        handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(handle)


def _sweep(place: Path, beginning: str) -> None:
    ours = re.compile(rf"{re.escape(beginning)}([0-9]{{1,9}})-[a-z0-9_]{{8}}", re.ASCII)
    with contextlib.suppress(OSError), os.scandir(place) as found:
        for entry in found:
            # One that was made this moment is not locked yet: its process is there. Of our own number are ours,
            # which are locked, and those of a container that began to count anew.
            named = ours.fullmatch(entry.name)
            if named is not None and (int(named[1]) == os.getpid() or not _runs(int(named[1]))):
                _remove(Path(entry.path))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(folder: Path) -> None:
    """Removes a folder of this user that nobody holds; no link is followed, and what cannot be removed stays."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        if os.fstat(handle).st_uid == os.geteuid():
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return
    finally:
        os.close(handle)
