"""``owner``: named, added, removed, on the data folder itself; and mistakes that change nothing."""

import json
from pathlib import Path

import pytest

from fakes.command import Ran, quickly

CONFIG = """
[sources.acme]
kind = "hosted"

[sources.stage]
kind = "hosted"

[indexes.main]
sources = ["acme", "stage"]
"""
ACME = ("--source", "acme")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG)
    return tmp_path


def run(folder: Path, *words: str) -> Ran:
    return quickly("owner", *words, cwd=folder)


def test_owners_come_and_go(folder: Path) -> None:
    none = run(folder, "list", "demo", *ACME)
    assert (none.code, none.out, none.err) == (0, "", "wheelkeep: demo has no owners in acme\n")
    added = run(folder, "add", "Demo", "zoe", "release job", *ACME)
    assert (added.code, added.out) == (0, "demo in acme: release job, zoe\n")
    assert run(folder, "list", "demo", *ACME).out == "release job\nzoe\n"
    assert run(folder, "list", "demo", "--source", "stage").out == ""
    left = run(folder, "remove", "demo", "zoe", "nobody", *ACME, "--json")
    told = {"project": "demo", "source": "acme", "owners": ["release job"], "problems": []}
    assert json.loads(left.out) == told
    assert json.loads(run(folder, "list", "demo", *ACME, "--json").out) == told
    last = run(folder, "remove", "demo", "release job", *ACME)
    assert last.out == "demo in acme: no owners, whoever has the scope may publish it\n"


def test_too_many_are_none(folder: Path) -> None:
    stopped = run(folder, "add", "demo", *map(str, range(101)), *ACME, "--json")
    assert (stopped.code, stopped.err) == (1, "wheelkeep: a project has at most 100 owners\n")
    assert json.loads(stopped.out)["problems"] == ["a project has at most 100 owners"]
    assert run(folder, "list", "demo", *ACME).out == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add", "demo", "ada"], "say --source: acme, stage"),
        (["add", "demo", "ada", "--source", "amce"], 'did you mean "acme"?'),
        (["add", "-demo-", "ada", *ACME], "No such option"),
        (["add", "demo==1", "ada", *ACME], "is not a project name"),
        (["add", "demo", "a\tb", *ACME], "a name is one line"),
        (["add", "demo", *ACME], "Missing argument"),
    ],
)
def test_a_mistake_is_named_and_does_nothing(folder: Path, words: list[str], says: str) -> None:
    done = run(folder, *words)
    assert (done.code, done.out) == (2, "")
    assert says in " ".join(done.err.replace("│", " ").split())
    assert not (folder / "wheelkeep-data").exists()
