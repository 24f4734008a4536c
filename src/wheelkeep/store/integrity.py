"""Whether the database files are whole, as SQLite itself sees it (sqlite.org/pragma.html, integrity_check)."""

import sqlite3
from pathlib import Path

from wheelkeep.core.errors import WheelkeepError

DATABASES = ("wheelkeep.sqlite", "fetches.sqlite")
_NOT_OPENED = (sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_MOST = 20
"""Faults of one file that are told."""


def integrity(data: Path) -> dict[str, list[str]]:
    """What is wrong with each database of a data folder, by its file's name; for a thread. Nothing is written.

    Raises WheelkeepError where a file may not be opened: of what is in it nothing is known then.
    """
    return {name: _faults(data / name) for name in DATABASES if (data / name).exists()}


def _faults(path: Path) -> list[str]:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=15)
        try:
            rows = connection.execute(f"PRAGMA integrity_check({_MOST})").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_OPENED:
            raise WheelkeepError(f"{path} cannot be used: {error}") from None
        return [str(error)]
    return [str(row[0]) for row in rows if row[0] != "ok"]
