"""``snapshot``: made, made anew after a yes, listed, compared, deleted."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from fakes.command import quickly
from fakes.dists import sdist, wheel
from fakes.outside import Outside

CONFIG = """
public_url = "https://packages.acme.example"
[sources.outer]
kind = "remote"
url = "{url}"
[indexes.main]
sources = ["outer"]
"""
FOLDER = '[sources.wheels]\nkind = "directory"\npath = "wheels"\n'


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with Outside() as outside:
        for version in ("1.0", "2.0"):
            outside.add(*wheel("demo", version))
        yield outside


def lock(folder: Path, version: str) -> None:
    sha256 = hashlib.sha256(wheel("demo", version)[1]).hexdigest()
    (folder / "requirements.txt").write_text(f"demo=={version} --hash=sha256:{sha256}\n")


def test_from_a_lock_to_the_next(outside: Outside, tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
    lock(tmp_path, "1.0")
    words = ("snapshot", "create", "release", "--lock", "requirements.txt")
    made = quickly(*words, "--json", cwd=tmp_path)
    assert made.code == 0, made.err
    assert (made.json["new"], made.json["snapshot"]["number"], made.json["snapshot"]["here"]) == (True, 1, 1)
    assert made.json["address"] == "https://packages.acme.example/main@release/simple/"
    assert quickly(*words, cwd=tmp_path).out.startswith(
        "release~1: 1 files of 1 projects, 1 of them here, as it was"
    )
    lock(tmp_path, "2.0")
    unsaid = quickly(*words, cwd=tmp_path)
    assert unsaid.code == 2
    assert "upgraded    demo 1.0 -> 2.0" in unsaid.err
    assert quickly(*words, "--yes", cwd=tmp_path).out.startswith("release~2: 1 files")
    assert [one["number"] for one in quickly("snapshot", "list", "--json", cwd=tmp_path).json] == [1, 2]
    told = quickly("snapshot", "diff", "release~1", "release", cwd=tmp_path)
    assert (told.code, told.out.splitlines()) == (0, ["upgraded    demo 1.0 -> 2.0", "1 files more, 1 less"])
    assert quickly("snapshot", "diff", "release", "--json", cwd=tmp_path).json["changed"][0]["removed"] == []
    assert quickly("snapshot", "diff", "other", cwd=tmp_path).code == 1
    assert quickly("snapshot", "delete", "release", cwd=tmp_path).code == 2
    assert (
        quickly("snapshot", "delete", "release", "--yes", cwd=tmp_path).out == "release: 2 states deleted\n"
    )
    assert quickly("snapshot", "delete", "release", "--yes", cwd=tmp_path).code == 1
    assert quickly("snapshot", "list", "--json", cwd=tmp_path).json == []


def test_other_files_of_the_same_version_are_named(outside: Outside, tmp_path: Path) -> None:
    outside.add(*wheel("twice", "1.0"))
    outside.add(*sdist("twice", "1.0"))
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
    for made in (wheel("twice", "1.0"), sdist("twice", "1.0")):
        (tmp_path / "requirements.txt").write_text(
            f"twice==1.0 --hash=sha256:{hashlib.sha256(made[1]).hexdigest()}\n"
        )
        words = ("snapshot", "create", "twice", "--lock", "requirements.txt", "--yes")
        assert quickly(*words, cwd=tmp_path).code == 0
    told = quickly("snapshot", "diff", "twice~1", "twice~2", cwd=tmp_path)
    assert told.out.splitlines()[0] == "files       twice 1.0 (the same versions, 1 files more, 1 less)"


def test_no_snapshot_of_an_index_with_a_folder_that_cannot_be_read(outside: Outside, tmp_path: Path) -> None:
    """What lies there would be missing from it, and a lower source's files of the same names would take its place."""
    config = CONFIG.format(url=outside.url).replace("[indexes.main]", f"{FOLDER}[indexes.main]")
    (tmp_path / "wheelkeep.toml").write_text(config.replace('["outer"]', '["wheels", "outer"]'))
    words = ("snapshot", "create", "monday")
    ran = quickly(*words, cwd=tmp_path)
    assert (ran.code, "the source wheels might have files, but its folder cannot be read" in ran.err) == (
        1,
        True,
    ), ran.err
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / wheel("inner", "1.0")[0]).write_bytes(wheel("inner", "1.0")[1])
    made = quickly(*words, cwd=tmp_path)
    assert made.out.startswith("monday~1: 1 files of 1 projects")
    assert quickly("snapshot", "diff", "monday", cwd=tmp_path).out == "nothing changed\n"
    rmtree(tmp_path / "wheels")
    assert quickly("snapshot", "diff", "monday", cwd=tmp_path).code == 1


def test_what_cannot_be_had_is_named(outside: Outside, tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
    (tmp_path / "requirements.txt").write_text("demo==1.0 --hash=sha256:" + "a" * 64 + "\n")
    ran = quickly("snapshot", "create", "release", "--lock", "requirements.txt", cwd=tmp_path)
    assert ran.code == 1
    assert "no file of demo in the index main has the sha256" in ran.err
    assert quickly("snapshot", "list", cwd=tmp_path).out == ""
    assert quickly("snapshot", "create", "2026-11-01", cwd=tmp_path).code == 2
    assert quickly("snapshot", "create", "release", "--index", "other", cwd=tmp_path).code == 2
