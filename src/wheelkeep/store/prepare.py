"""Making a data folder, and bringing its tables up to date. Imports little: every command that serves begins here."""

import fcntl
import sqlite3
from pathlib import Path

from wheelkeep.core.errors import WheelkeepError

HEAD = "0016"
"""The newest revision in migrations/versions."""

UNFINISHED = "restoring"
"""In a data folder: it is being restored from a backup, and is not to be used before that is done."""


def prepare(data: Path, *, restoring: bool = False) -> Path:
    """Makes the data folder and brings its database up to date; gives the database's path.

    Safe to call from several processes at once: one migrates, the others wait. Raises WheelkeepError when the
    folder cannot be used, was written by a newer wheelkeep, or is not restored yet (but for who is ``restoring`` it).
    """
    if not restoring and (data / UNFINISHED).exists():
        raise WheelkeepError(
            f"{data} is being restored from a backup, or that was interrupted: run wheelkeep restore again; "
            "to give it up, remove the folder"
        )
    try:
        for folder in (data, data / "blobs" / "sha256", data / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        with (data / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            path = data / "wheelkeep.sqlite"
            if _revision(path) != HEAD:
                _migrate(path)
            path.chmod(0o600)
            return path
    except (OSError, sqlite3.Error) as error:
        raise WheelkeepError(f"the data folder {data} cannot be used: {error}") from error


def _revision(path: Path) -> str | None:
    """The revision that the file is at, asked without Alembic, whose import costs more than the question."""
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()
    if row is not None and row[0] > HEAD:
        raise WheelkeepError(f"{path} was written by a newer wheelkeep (revision {row[0]}): upgrade this one")
    return str(row[0]) if row is not None else None


def _migrate(path: Path) -> None:
    from alembic import command  # noqa: PLC0415 - needed once in the life of a data folder
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine, event  # noqa: PLC0415
    from sqlalchemy.exc import DatabaseError  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    # All revisions or none: a start that is killed in between is simply begun again. The driver by itself would
    # commit every table as it is made.
    event.listen(engine, "connect", _by_hand)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DatabaseError as error:
        raise WheelkeepError(f"{path} cannot be brought up to date: {error.orig}") from error
    finally:
        engine.dispose()


def _by_hand(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
