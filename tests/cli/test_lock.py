"""``lock``: what is written where, and what is refused before anything is asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import world
from fakes.command import quickly
from fakes.dists import wheel
from fakes.outside import Outside
from wheelkeep.core.lockfiles import read_lock

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
"""


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with Outside() as outside:
        world.fill(outside)
        yield outside


@pytest.fixture
def folder(outside: Outside, tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
    return tmp_path


def test_without_a_file_the_lock_is_the_result(folder: Path) -> None:
    ran = quickly("lock", "app", "--python", "3.12", cwd=folder)
    assert ran.code == 0, ran.err
    lock = read_lock("requirements.txt", lambda _: ran.out.encode())
    assert {str(one.project): one.version for one in lock.entries} == world.APP
    assert "only-source 1.0: what it needs is not certain" in ran.err
    told = quickly("lock", "app", "--json", "--format", "pylock.toml", cwd=folder).json
    assert {one["name"]: one["version"] for one in told["locked"]} == world.APP
    assert told["format"] == "pylock.toml" and told["text"].startswith('lock-version = "1.0"')
    assert told["uncertain"] and told["file"] is None


def test_a_file_that_asks_for_nothing_has_a_lock_without_anything(folder: Path) -> None:
    (folder / "none.txt").write_text("# nothing yet\n")
    ran = quickly("lock", "-r", "none.txt", "-o", "pylock.toml", cwd=folder)
    assert ran.code == 0, ran.err
    lock = read_lock("pylock.toml", lambda _: (folder / "pylock.toml").read_bytes())
    assert lock.entries == ()


def test_as_the_index_was(folder: Path, outside: Outside) -> None:
    for version, day in (("1.0", "2020-01-01"), ("1.1", "2020-03-01"), ("2.0", "2020-06-01")):
        outside.add(*wheel("dated", version), upload_time=f"{day}T10:00:00Z")
    ran = quickly("lock", "dated", "--at", "2020-04-01", cwd=folder)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("# for Python 3.10 and newer, as of 2020-04-01, by wheelkeep lock\ndated==1.1 ")
    assert quickly("lock", "dated", "--at", "2020-04-01", cwd=folder).out == ran.out
    assert quickly("lock", "dated", "--at", "2019-04-01", cwd=folder).code == 1


def test_a_file_is_replaced_whole(folder: Path) -> None:
    (folder / "pylock.dev.toml").write_text("old")
    ran = quickly("lock", "lib<1.1", "-o", "pylock.dev.toml", cwd=folder)
    assert ran.code == 0, ran.err
    assert not ran.out
    assert [
        one.version
        for one in read_lock("pylock.toml", lambda _: (folder / "pylock.dev.toml").read_bytes()).entries
    ] == ["1.0"]
    before = (folder / "pylock.dev.toml").read_bytes()
    assert quickly("lock", "lib>9", "-o", "pylock.dev.toml", cwd=folder).code == 1
    assert (folder / "pylock.dev.toml").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [
        "pylock.dev.toml",
        "wheelkeep-data",
        "wheelkeep.toml",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "say what is to be locked"),
        (["-c", "none.txt", "app"], "none.txt cannot be read"),
        (["-r", "none.txt"], "none.txt cannot be read"),
        (["app @ https://x.example/app.whl"], "an index serves its own files alone"),
        (["app", "--format", "poetry.lock"], "neither requirements.txt nor pylock.toml"),
        (["app", "--python", "2.7"], "3.11,3.13"),
        (["app", "--index", "none"], "there is no index"),
        (["app", "--at", "yesterday"], "is no date"),
        (["app", "--at", "2999-01-01"], "still to come"),
    ],
)
def test_wrong_usage(folder: Path, outside: Outside, words: list[str], says: str) -> None:
    before = len(outside.asked())
    ran = quickly("lock", *words, cwd=folder)
    assert ran.code == 2, ran.err
    assert says in ran.err
    assert len(outside.asked()) == before


def test_no_address_is_made_of_a_port_that_is_any(folder: Path) -> None:
    config = folder / "any.toml"
    config.write_text('listen = "127.0.0.1:0"\n' + (folder / "wheelkeep.toml").read_text())
    ran = quickly("-c", config, "lock", "app", "--format", "pylock.toml", cwd=folder)
    assert ran.code == 2 and "set public_url" in " ".join(ran.err.split())
    ran = quickly("-c", config, "lock", "app", "--format", "requirements.txt", cwd=folder)
    assert ran.code == 0, ran.err
