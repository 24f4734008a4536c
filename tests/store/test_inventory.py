"""What belongs to a copy of a data folder, and copies of databases that others write to."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.store.inventory import belongings, copy_database


def database(path: Path, rows: int = 0) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE pairs (one INTEGER, other INTEGER)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO pairs VALUES (?, ?)", ((at, at) for at in range(rows)))
        connection.execute("COMMIT")


def test_all_belongs_to_it_but_what_stands_for_running_processes(tmp_path: Path) -> None:
    database(tmp_path / "wheelkeep.sqlite")
    for name in (
        "blobs/sha256/ab/abc",
        "tmp/x.part",
        "tally/1-2",
        "damaged/abc",
        "staged/s/f",
        "log/tile/0",
        "log/blobs",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "log" / "other.db").write_bytes((tmp_path / "wheelkeep.sqlite").read_bytes())
    for name in ("changes", "lock", "fetches.lock", "wheelkeep.sqlite-wal", "wheelkeep.sqlite-shm", "key"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    found = belongings(tmp_path)
    assert found.databases == ("wheelkeep.sqlite", "log/other.db")
    assert found.files == ("key", "log/blobs", "log/tile/0", "staged/s/f")


def test_a_copy_is_one_moment_of_a_database_that_is_written_to(tmp_path: Path) -> None:
    source, target = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    database(source, rows=50_000)
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(source, isolation_level=None, timeout=30)) as connection:
            at = 0
            while not stop.is_set():
                at += 1
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO pairs VALUES (?, NULL)", (-at,))
                connection.execute("UPDATE pairs SET other = one WHERE one = ?", (-at,))
                connection.execute("COMMIT")
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(30)
        assert copy_database(source, target) == ""
    finally:
        stop.set()
        writer.join()
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT count(*) FROM pairs WHERE other IS NOT one").fetchone() == (0,)
        (count,) = copy.execute("SELECT count(*) FROM pairs").fetchone()
        assert count > 50_000
        assert copy.execute("SELECT min(one) FROM pairs").fetchone() == (50_000 - count,)
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_damaged_database_is_copied_and_told(tmp_path: Path) -> None:
    source = tmp_path / "a.sqlite"
    database(source, rows=50_000)
    content = bytearray(source.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    source.write_bytes(content)
    assert copy_database(source, tmp_path / "b.sqlite")


def test_what_is_no_database_cannot_be_copied(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"x" * 5000)
    with pytest.raises(WheelkeepError, match="cannot be copied"):
        copy_database(tmp_path / "a.sqlite", tmp_path / "b.sqlite")
