"""Making a data folder: once, by one process, all of it or nothing."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from wheelkeep.core.chain import BEGIN, link
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.store.prepare import HEAD, prepare
from wheelkeep.store.tables import metadata

_PREPARE = (
    "import sys, pathlib; from wheelkeep.store.prepare import prepare; prepare(pathlib.Path(sys.argv[1]))"
)


def schema(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


def test_a_folder_is_made_with_all_that_it_needs(tmp_path: Path) -> None:
    data = tmp_path / "a" / "b"
    path = prepare(data)
    assert path.parent == data
    assert (data / "blobs" / "sha256").is_dir()
    assert (data / "tmp").is_dir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_second_time_changes_nothing(tmp_path: Path) -> None:
    path = prepare(tmp_path)
    before = schema(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO pages (source, project, checked) VALUES ('pypi', 'demo', 1)")
        connection.commit()
    assert prepare(tmp_path) == path
    assert schema(path) == before
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM pages").fetchone() == (1,)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_folder_of_an_older_wheelkeep_is_brought_up_to_date_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = tmp_path / "old" / "wheelkeep.sqlite"
    config = Config()
    config.set_main_option("script_location", str(files("wheelkeep.store") / "migrations"))
    engine = create_engine(f"sqlite:///{old}", poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO pages (source, project, checked) VALUES ('pypi', 'demo', 1)")
        for kind in ("freed", "status"):
            connection.exec_driver_sql(
                f"INSERT INTO ledger (at, kind, detail) VALUES (1.5, '{kind}', '{{}}')"
            )
    assert prepare(tmp_path / "old") == old
    assert schema(old) == schema(prepare(tmp_path / "new"))
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT project FROM pages").fetchall() == [("demo",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
        first = link(BEGIN, (1, 1.5, "freed", None, None, None, "{}"))
        second = link(first, (2, 1.5, "status", None, None, None, "{}"))
        assert connection.execute("SELECT link FROM ledger").fetchall() == [(first,), (second,)]


def test_several_processes_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PREPARE, str(tmp_path)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    for process in started:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints.decode()
    with closing(sqlite3.connect(tmp_path / "wheelkeep.sqlite")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


def test_the_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{prepare(tmp_path)}", poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_folder_of_a_newer_wheelkeep_is_left_alone(tmp_path: Path) -> None:
    path = prepare(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(WheelkeepError, match="newer wheelkeep"):
        prepare(tmp_path)


def test_a_start_that_broke_off_leaves_nothing_half_made(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "wheelkeep.sqlite")) as connection:
        connection.execute("CREATE TABLE source_health (in_the_way)")
        connection.commit()
        with pytest.raises(WheelkeepError, match="cannot be brought up to date"):
            prepare(tmp_path)
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        assert tables == [("source_health",)]
        connection.execute("DROP TABLE source_health")
        connection.commit()
    prepare(tmp_path)


def test_an_empty_file_is_made_a_database(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.sqlite").touch()
    assert ("pages",) in {row[1:2] for row in schema(prepare(tmp_path))}


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(WheelkeepError, match="cannot be used"):
        prepare(taken)
    (tmp_path / "wheelkeep.sqlite").write_text("no database at all, but long enough to look like one" * 50)
    with pytest.raises(WheelkeepError, match="cannot be used"):
        prepare(tmp_path)
