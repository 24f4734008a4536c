"""``import``: a report that says of each file what came of it, and an exit code that says whether all is there."""

from pathlib import Path

import pytest

from fakes.ask import JSON
from fakes.command import quickly
from fakes.dists import sdist, wheel
from fakes.server import Server

CONFIG = """
[sources.acme]
kind = "hosted"

[indexes.main]
sources = ["acme"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration, and a folder ``old`` with two good files and a README."""
    (tmp_path / "wheelkeep.toml").write_text(CONFIG)
    (tmp_path / "old" / "deep").mkdir(parents=True)
    for below, (name, content) in (("", wheel("demo", "1.0")), ("deep", sdist("demo", "1.0"))):
        (tmp_path / "old" / below / name).write_bytes(content)
    (tmp_path / "old" / "README").write_text("Our packages")
    return tmp_path


def test_a_folder_is_taken_and_the_second_time_all_is_there(folder: Path) -> None:
    first = quickly("import", "old", cwd=folder)
    assert (first.code, first.err) == (0, "")
    assert first.out == ("2 taken into acme, 0 there already, 0 refused\nother files passed over: 1\n")
    again = quickly("import", "old", "--into", "acme", "--json", cwd=folder)
    assert again.code == 0
    assert again.json == {
        "source": "acme",
        "files": 2,
        "taken": [],
        "there": ["old/deep/demo-1.0.tar.gz", "old/demo-1.0-py3-none-any.whl"],
        "refused": [],
        "others": 1,
    }


def test_what_is_refused_is_named_with_the_reason(folder: Path) -> None:
    (folder / "old" / "demo-0.9.zip").write_bytes(b"PK")
    (folder / "old" / "demo-2.0-py3-none-any.whl").write_bytes(b"nothing")
    done = quickly("import", "old", cwd=folder)
    assert done.code == 1
    assert "refused: old/demo-0.9.zip\n    demo-0.9.zip is no .tar.gz" in done.out
    assert "    it may be only old: sdists once had other forms" in done.out
    assert "refused: old/demo-2.0-py3-none-any.whl\n" in done.out
    assert "2 taken into acme, 0 there already, 2 refused (1 of them perhaps only old)\n" in done.out
    told = quickly("import", "old", "--json", cwd=folder).json["refused"]
    assert [list(left) for left in told] == [["path", "why", "only_old"]] * 2


def test_a_mistake_is_named(folder: Path) -> None:
    missing = quickly("import", "olt", cwd=folder)
    assert (missing.code, missing.out, missing.err) == (2, "", "wheelkeep: there is no olt\n")
    unknown = quickly("import", "old", "--into", "acne", cwd=folder)
    assert unknown.code == 2
    assert 'did you mean "acme"?' in unknown.err


def test_a_running_server_shows_what_was_imported(folder: Path) -> None:
    with Server(folder, CONFIG, options=("--workers", "2")) as server:
        assert {server.get("/main/simple/demo/").status for _ in range(8)} == {404}
        assert quickly("import", "old", cwd=folder).code == 0
        pages = [server.get("/main/simple/demo/", accept=JSON) for _ in range(8)]
        assert {len(page.json["files"]) for page in pages} == {2}
