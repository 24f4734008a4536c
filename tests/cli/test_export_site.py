"""``export site``: what it tells, what it refuses, and that a lock comes whole or not at all."""

import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.dists import wheel
from fakes.site import listed, things

CONFIG = '[sources.wheels]\nkind = "directory"\npath = "wheels"\n[indexes.main]\nsources = ["wheels"]\n'
ONE, TWO = wheel("one", "1.0"), wheel("two", "1.0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG)
    (tmp_path / "wheels").mkdir()
    for filename, content in (ONE, TWO):
        (tmp_path / "wheels" / filename).write_bytes(content)
    return tmp_path


def lock(folder: Path, *hashes: str) -> str:
    path = folder / "lock.txt"
    path.write_text("".join(f"one==1.0 --hash=sha256:{one}\n" for one in hashes))
    return str(path)


def test_it_tells_what_it_did_and_what_it_would_do(folder: Path) -> None:
    dry = quickly("export", "site", "out", "--dry-run", cwd=folder)
    assert dry.code == 0 and not (folder / "out").exists()
    assert dry.out.startswith("2 projects with 2 files") and "would be written" in dry.out
    ran = quickly("export", "site", "out", "--json", cwd=folder)
    assert ran.code == 0, ran.err
    assert listed(folder / "out") == {"one": {ONE[0]}, "two": {TWO[0]}}
    # Two wheels with their metadata, and four pages with the list's two forms.
    assert (ran.json["projects"], ran.json["written"], ran.json["unanswered"]) == (2, 10, [])
    assert "0 things written" in quickly("export", "site", "out", cwd=folder).out

    (folder / "wheels" / TWO[0]).unlink()
    ran = quickly("export", "site", "out", "--prune", cwd=folder)
    assert ran.code == 0 and "4 things lie there that no page lists" in ran.err
    assert "4 removed" in quickly("export", "site", "out", "--prune", "--grace", "0s", cwd=folder).out
    assert listed(folder / "out") == {"one": {ONE[0]}}


def test_a_lock_comes_whole_or_not_at_all(folder: Path) -> None:
    sha256 = hashlib.sha256(ONE[1]).hexdigest()
    ran = quickly("export", "site", "out", "-r", lock(folder, sha256), cwd=folder)
    assert ran.code == 0, ran.err
    before = things(folder / "out")
    assert listed(folder / "out") == {"one": {ONE[0]}}
    ran = quickly("export", "site", "out", "-r", lock(folder, sha256, "0" * 64), "--json", cwd=folder)
    assert ran.code == 1
    assert [one["what"] for one in ran.json["lacking"]] == ["one 1.0"]
    assert things(folder / "out") == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("file",), "is a file"),
        (("wheelkeep-data",), "lie in each other"),
        (("wheelkeep-data/blobs/site",), "lie in each other"),
        (("../",), "lie in each other"),
        (("s3://",), "s3://"),
        (("out", "--at", "2026-13-01"), "is no date"),
        (("out", "--at", "never-made"), "has no snapshot never-made"),
        (("out", "--at", "No Name"), "is no name for a snapshot"),
        (("out", "--prune", "--grace", "soon"), "is not a time"),
        (("out", "--python", "3.12", "--platform", "win_amd64"), "-r FILE"),
        (("out", "--index", "other"), "there is no index"),
        (("out", "-r", "absent.txt"), "absent.txt"),
    ],
)
def test_wrong_usage_is_told(folder: Path, words: tuple[str, ...], says: str) -> None:
    (folder / "file").write_bytes(b"")
    ran = quickly("export", "site", *words, cwd=folder)
    assert ran.code == 2, ran.out
    assert says in " ".join(ran.err.split())
    assert not (folder / "out").exists()


def test_two_do_not_write_one_site(folder: Path) -> None:
    (folder / "out").mkdir()
    descriptor = os.open(folder / "out", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        ran = quickly("export", "site", "out", cwd=folder)
    finally:
        os.close(descriptor)
    assert ran.code == 1 and "another process writes" in ran.err
    assert list((folder / "out").iterdir()) == []
