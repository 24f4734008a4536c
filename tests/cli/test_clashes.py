"""``clashes``: private names that a lower source has too, found without telling anyone a private name."""

from pathlib import Path
from typing import Any

from fakes.command import quickly
from fakes.dists import wheel
from fakes.faults import status
from fakes.outside import Outside


def put(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        filename, content = wheel(name, "1.0")
        (folder / filename).write_bytes(content)


def clashes(folder: Path, config: str) -> dict[str, Any]:
    (folder / "wheelkeep.toml").write_text(config)
    ran = quickly("clashes", "--json", cwd=folder)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = ran.json
    return found


def config(url: str, *, names: str = "[]") -> str:
    return f"""
[sources.wheels]
kind = "directory"
path = "wheels"
names = {names}
[sources.up]
kind = "remote"
url = "{url}"
[indexes.main]
sources = ["wheels", "up"]
"""


def test_taken_and_free_names_are_told_apart(tmp_path: Path) -> None:
    put(tmp_path / "wheels", "taken", "free")
    with Outside() as outside:
        outside.add(*wheel("taken", "99.0"))
        outside.add(*wheel("other", "1.0"))
        found = clashes(tmp_path, config(outside.url))
        asked = {entry.path for entry in outside.log}
    assert [clash["name"] for clash in found["clashes"]] == ["taken"]
    clash = found["clashes"][0]
    assert (clash["source"], clash["lower"], clash["held"], clash["reserved"]) == (
        "wheels",
        "up",
        True,
        False,
    )
    assert 'names = ["taken"]' in clash["advice"]
    assert [name["name"] for name in found["takeable"]] == ["free"]
    assert asked == {"/simple/"}


def test_what_matches_a_reserved_glob_below_is_a_clash(tmp_path: Path) -> None:
    put(tmp_path / "wheels", "acme-core")
    with Outside() as outside:
        outside.add(*wheel("acme-evil", "1.0"))
        found = clashes(tmp_path, config(outside.url, names='["acme-*"]'))
    assert [(c["name"], c["held"], c["reserved"]) for c in found["clashes"]] == [("acme-evil", False, True)]
    assert [name["name"] for name in found["takeable"]] == ["acme-core"]


def test_a_list_that_cannot_be_had_makes_no_name_free(tmp_path: Path) -> None:
    put(tmp_path / "wheels", "mine")
    with Outside() as outside:
        outside.faults["/simple/"] = status(403)
        found = clashes(tmp_path, config(outside.url))
    assert found == {"clashes": [], "takeable": [], "unknown": ["up"]}
