"""What a data folder holds that a copy of it must have, and consistent copies of its databases.

The stored files are not listed here: see Blobs. Everything else in the folder belongs to a copy, whatever it is
called, less what stands for processes that run now.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.manifest import NOT_A_BACKUPS, plain

_MAGIC = b"SQLite format 3\0"
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; a consistent copy has it in it."""
_PAGES = 2048
"""Of a database that are copied in one go."""


class Belongings(Struct, frozen=True, kw_only=True):
    """Paths relative to the data folder, with slashes, in the order in which they are to be copied."""

    databases: tuple[str, ...]
    files: tuple[str, ...]


def belongings(data: Path) -> Belongings:
    """Looks at a data folder. Raises OSError."""
    databases, files = [], []
    for path in sorted(_walk(data)):
        name = path.relative_to(data).as_posix()
        if not plain(name):
            continue
        if _is_database(path):
            databases.append(name)
        elif not name.endswith((*_BESIDE, ".lock")):
            files.append(name)
    # The main one tells of lines that the book of fetches had by then: a copy of the book must not be older.
    databases.sort(key=lambda name: (name != "wheelkeep.sqlite", name))
    return Belongings(databases=tuple(databases), files=tuple(files))


def _walk(data: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(data):
        if Path(folder) == data:
            below[:] = [name for name in below if name not in NOT_A_BACKUPS]
            names = [name for name in names if name not in NOT_A_BACKUPS]  # noqa: PLW2901
        for name in names:
            path = Path(folder, name)
            try:
                regular = stat.S_ISREG(path.stat().st_mode)
            except OSError:
                continue  # gone meanwhile, or a link to nothing
            if regular:
                yield path


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def copy_database(source: Path, target: Path) -> str:
    """Copies a database as it is at one moment, while others write to it; for a thread.

    Pages stay where they are in the file, so that two copies of a database that grew differ in few places. Gives
    what is wrong with the copy, empty where nothing is. Raises WheelkeepError, OSError.
    """
    # Made here, for its owner's eyes only from its first moment.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with (
            closing(sqlite3.connect(source, isolation_level=None, timeout=30)) as read,
            closing(sqlite3.connect(target, isolation_level=None)) as write,
        ):
            # One transaction sees one state, whoever writes: without it the copy would begin anew with each commit.
            read.execute("BEGIN")
            read.execute("SELECT count(*) FROM sqlite_master").fetchone()
            write.execute("PRAGMA synchronous=OFF")
            read.backup(write, pages=_PAGES, sleep=0)
        return _trouble(target)
    except sqlite3.Error as error:
        raise WheelkeepError(f"{source} cannot be copied: {error}") from None


def _trouble(path: Path) -> str:
    """What SQLite itself finds wrong with a copy."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # What comes first, where more than one thing is wrong.
            says = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        says = str(error)
    for beside in _BESIDE:
        path.with_name(path.name + beside).unlink(missing_ok=True)
    return "" if says == "ok" else says
