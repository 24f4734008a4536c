"""Folders for a while: held while they are used, removed by the next when their process was killed."""

import os
import tempfile
from pathlib import Path

import pytest

from wheelkeep.store.scratch import scratch


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_there_while_it_is_used(place: Path) -> None:
    with scratch("wheelkeep-x-") as one, scratch("wheelkeep-x-") as two:
        assert one != two
        assert {one, two} == set(place.iterdir())
        assert one.stat().st_mode & 0o777 == 0o700
        (one / "file").write_text("")
    assert not list(place.iterdir())


def test_what_nobody_holds_goes_and_nothing_else(place: Path) -> None:
    left, mine = place / "wheelkeep-x-4194000-ab_cd012", place / "mine"
    mine.mkdir()
    (mine / "file").write_text("")
    left.mkdir()
    anew = place / f"wheelkeep-x-{os.getpid()}-abcdefgh"
    anew.mkdir()
    (left / "sdist.tar.gz").write_text("")
    (left / "link").symlink_to(mine)
    (place / "wheelkeep-x-1-abcdefgh").symlink_to(mine)
    others = {"wheelkeep-x-1-abcdefgh", "mine", "wheelkeep-x-notes", "wheelkeep-y-4194000-abcdefgh"}
    others.add(f"wheelkeep-x-{os.getppid()}-abcdefgh")
    (place / f"wheelkeep-x-{os.getppid()}-abcdefgh").mkdir()
    (place / "wheelkeep-x-notes").mkdir()
    (place / "wheelkeep-y-4194000-abcdefgh").mkdir()
    with scratch("wheelkeep-x-") as one:
        assert {path.name for path in place.iterdir()} == {*others, one.name}
    assert (mine / "file").exists()
