"""``lock rewrite``: in place or beside, and what it does not take."""

from pathlib import Path

import pytest

from fakes.command import quickly

LOCK = "app==1.0 --hash=sha256:" + "a" * 64 + "\n"


def test_in_place_and_beside(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text('public_url = "https://packages.acme.example"\n')
    (tmp_path / "requirements.txt").write_text(LOCK)
    told = "--index-url https://packages.acme.example/main@2026-11-01/simple/\n"
    words = ("lock", "rewrite", "requirements.txt", "--to", "main@2026-11-01")
    done = quickly(*words, "-o", "new.txt", "--json", cwd=tmp_path)
    assert (done.code, done.json["changed"], done.json["file"]) == (0, 1, "new.txt")
    assert (tmp_path / "new.txt").read_text() == told + LOCK
    assert (tmp_path / "requirements.txt").read_text() == LOCK
    assert quickly(*words, cwd=tmp_path).code == 0
    assert (tmp_path / "requirements.txt").read_text() == told + LOCK
    again = quickly(*words, cwd=tmp_path)
    assert (again.code, again.out.split(":")[1].split()[0]) == (0, "0")


@pytest.mark.parametrize("to", ["other", "main@a b", "ftp://packages.acme.example/main"])
def test_what_is_no_index_is_refused(tmp_path: Path, to: str) -> None:
    (tmp_path / "requirements.txt").write_text(LOCK)
    assert quickly("lock", "rewrite", "requirements.txt", "--to", to, cwd=tmp_path).code == 2
    assert (tmp_path / "requirements.txt").read_text() == LOCK
