"""``explain``: for each file where it comes from, what every gate says, and what would change that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.dists import wheel
from fakes.outside import Outside

CONFIG = """
[sources.house]
kind = "directory"
path = "house"
names = ["acme-*"]

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["house", "outer"]
policy = "policy.toml"

[indexes.free]
sources = ["outer"]
"""
POLICY = """
[allow]
packages = ["demo", "waived"]
[deny]
packages = ["demo>=2", "waived"]
reason = "INC-42"
[[waiver]]
package = "waived"
gates = ["deny"]
reason = "needed for INC-42"
by = "security@acme.example"
until = 2999-01-01
"""


@pytest.fixture(scope="module")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("keep")
    (folder / "house").mkdir()
    name, content = wheel("ours", "1.0")
    (folder / "house" / name).write_bytes(content)
    with Outside() as outside:
        for version in ("1.0", "1.5", "2.0"):
            outside.add(*wheel("demo", version), yanked="bad day" if version == "1.5" else None)
        for name in ("waived", "unlisted", "ours", "acme-tool"):
            outside.add(*wheel(name, "9.0"))
        outside.faults["/simple/broken/"] = "error"
        (folder / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
        (folder / "policy.toml").write_text(
            POLICY.replace('"waived"]\n[deny]', '"waived", "broken"]\n[deny]')
        )
        yield folder
        heard = [entry.path for entry in outside.log]
        assert not [path for path in heard if "ours" in path or "acme" in path]


def test_each_file_with_every_gates_word(keep: Path) -> None:
    ran = quickly("explain", "demo", "--json", cwd=keep)
    assert ran.code == 0
    told = ran.json
    assert (told["project"], told["index"], told["admitted"], told["owners"]) == (
        "demo",
        "main",
        True,
        ["outer"],
    )
    assert [(file["version"], file["verdict"]) for file in told["files"]] == [
        ("2.0", "blocked"),
        ("1.5", "admitted"),
        ("1.0", "admitted"),
    ]
    gates = {gate["gate"]: gate for gate in told["files"][0]["gates"]}
    assert gates["deny"]["outcome"] == "blocked"
    assert gates["deny"]["code"] == "deny-package"
    assert "INC-42" in gates["deny"]["sentence"]
    assert gates["deny"]["remedy"]
    assert gates["allow"]["outcome"] == gates["hashes"]["outcome"] == "admitted"
    assert told["files"][1]["yanked"] == "bad day"
    assert [(source["source"], source["answer"]) for source in told["sources"]] == [
        ("house", "does not have it"),
        ("outer", "has it"),
    ]
    words = quickly("explain", "demo", cwd=keep)
    assert words.code == 0
    for word in ("2 of 3 files admitted", "demo-2.0-py3-none-any.whl", "INC-42", "waived", "yanked: bad day"):
        assert word in words.out, word


@pytest.mark.parametrize(
    ("requirement", "options", "code", "word"),
    [
        ("demo>=2", (), 1, "0 of 1 files admitted"),
        ("demo>=3", (), 1, "has no file for demo>=3"),
        ("unlisted", (), 1, "unlisted is not on the allow list, so outer was not asked"),
        ("unlisted", ("--index", "free"), 0, "1 of 1 files admitted"),
        ("waived", (), 0, "needed for INC-42"),
        ("Ours", (), 0, "source outer: not asked (a better source decides)"),
        ("acme-tool", (), 1, "source outer: not asked (the name is reserved for house)"),
        ("nothing", ("--index", "free"), 1, "no source of this index has nothing"),
        ("broken", (), 1, "the source outer might have broken, but"),
    ],
)
def test_what_it_says_and_its_exit_code(
    keep: Path, requirement: str, options: tuple[str, ...], code: int, word: str
) -> None:
    ran = quickly("explain", requirement, *options, cwd=keep)
    assert ran.code == code, ran.out + ran.err
    assert word in ran.out


def test_what_is_no_requirement_or_no_index(keep: Path) -> None:
    for words in (("demo!",), ("",), ("demo", "--index", "mian")):
        ran = quickly("explain", *words, cwd=keep)
        assert (ran.code, ran.out) == (2, "")
