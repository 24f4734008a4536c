"""``mirror``: what is fetched for whom, what is left when it is run again, and what could not be had."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.dists import metadata, sdist, wheel
from fakes.outside import Outside

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"

[indexes.free]
sources = ["outer"]
"""
POLICY = """
[allow]
packages = ["app", "lib<2", "glob-*", "away"]

[deny]
packages = ["app==0.9"]
reason = "INC-3"
"""
LINUX = wheel("lib", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64")
WINDOWS = wheel("lib", "1.0", tag="cp311-cp311-win_amd64")
SOURCE = sdist("lib", "1.0")


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as outside:
        needs = ["lib", 'extra-for-windows; sys_platform == "win32"']
        outside.add(*wheel("app", "1.0", requires=needs), metadata=metadata("app", "1.0", needs).encode())
        outside.add(*wheel("app", "0.9"))
        for made in (LINUX, WINDOWS):
            outside.add(*made, metadata=metadata("lib", "1.0", []).encode())
        outside.add(*SOURCE)
        outside.add(*wheel("lib", "2.0"))
        outside.add(*wheel("extra-for-windows", "1.0"))
        outside.faults["/simple/away/"] = "missing"
        yield outside


@pytest.fixture
def folder(outside: Outside, tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
    (tmp_path / "policy.toml").write_text(POLICY)
    return tmp_path


def kept(folder: Path) -> set[str]:
    return {path.name for path in (folder / "wheelkeep-data" / "blobs" / "sha256").glob("*/*")}


def sha256(made: tuple[str, bytes]) -> str:
    return hashlib.sha256(made[1]).hexdigest()


def test_requirements_with_all_that_they_need_for_some_machines(folder: Path, outside: Outside) -> None:
    words = [
        "mirror",
        "app",
        "lib<2",
        "--index",
        "free",
        "--python",
        "3.11",
        "--platform",
        "manylinux_2_28_x86_64",
    ]
    dry = quickly(*words, "--dry-run", "--json", cwd=folder)
    assert dry.code == 0, dry.err
    assert (dry.json["files"], dry.json["there"], kept(folder)) == (2, 0, set())
    ran = quickly(*words, "--json", cwd=folder)
    assert ran.code == 0, ran.err
    assert (ran.json["fetched"], ran.json["lacking"]) == (2, [])
    assert sha256(LINUX) in kept(folder) and sha256(WINDOWS) not in kept(folder)
    before = len(outside.asked("/files/"))
    again = quickly(*words, cwd=folder)
    assert "0 fetched" in again.out and "2 were kept already" in again.out
    assert len(outside.asked("/files/")) == before


def test_the_very_files_of_a_lock(folder: Path) -> None:
    (folder / "lock.txt").write_text(
        f"lib==1.0 --hash=sha256:{sha256(WINDOWS)} --hash=sha256:{sha256(SOURCE)}\n"
        f"app==0.9 --hash=sha256:{'0' * 64}\nnone==1 --hash=sha256:{'1' * 64}\n"
    )
    ran = quickly("mirror", "-r", "lock.txt", "--index", "free", "--json", cwd=folder)
    assert ran.code == 1
    assert kept(folder) == {sha256(WINDOWS), sha256(SOURCE)}
    why = {one["what"]: one["why"] for one in ran.json["lacking"]}
    assert why["app 0.9"] == f"no file with sha256 {'0' * 64} is there"
    assert why["none 1"] == "no source of the index free has it"


def test_all_that_is_allowed(folder: Path) -> None:
    ran = quickly("mirror", "--all-allowed", "--json", cwd=folder)
    assert ran.code == 1
    assert {sha256(LINUX), sha256(WINDOWS), sha256(SOURCE)} < kept(folder)
    assert ran.json["fetched"] == 4
    assert {one["what"] for one in ran.json["lacking"]} == {"glob-*", "away"}
    free = quickly("mirror", "--all-allowed", "--index", "free", cwd=folder)
    assert free.code == 2
    assert "no [allow]" in free.err


def test_what_its_origin_does_not_give_is_told_and_the_rest_is_fetched(
    folder: Path, outside: Outside
) -> None:
    outside.remove(LINUX[0])
    (folder / "lock.txt").write_text(
        f"lib==1.0 --hash=sha256:{sha256(LINUX)} --hash=sha256:{sha256(WINDOWS)}\n"
    )
    ran = quickly("mirror", "-r", "lock.txt", "--index", "free", cwd=folder)
    assert ran.code == 1
    assert kept(folder) == {sha256(WINDOWS)}
    assert "not to be had: lib 1.0" in ran.out


def test_everything_that_a_snapshot_needs(folder: Path, outside: Outside) -> None:
    """Files of an index that nobody ever asked for, chosen by machines, and then by nothing but the snapshot."""
    words = ("--python", "3.11", "--platform", "manylinux_2_28_x86_64")
    assert quickly("mirror", "lib==1.0", *words, "--index", "main", cwd=folder).code == 0
    assert quickly("snapshot", "create", "monday", cwd=folder).code == 0
    outside.add(*wheel("lib", "1.5"))
    dry = quickly("mirror", "--snapshot", "monday", *words, "--dry-run", "--json", cwd=folder)
    assert dry.code == 0, dry.err
    assert (dry.json["index"], dry.json["files"], dry.json["there"]) == ("main@monday~1", 1, 1)
    ran = quickly("mirror", "--index", "main@monday", "--json", cwd=folder)
    assert ran.code == 0, ran.err
    assert (ran.json["fetched"], ran.json["there"], ran.json["blocked"]) == (2, 1, 1)
    assert kept(folder) == {sha256(one) for one in (LINUX, WINDOWS, SOURCE)}
    (folder / "lock.txt").write_text(f"lib==1.0 --hash=sha256:{sha256(LINUX)}\n")
    part = quickly("mirror", "-r", "lock.txt", "--index", "main@monday", "--json", cwd=folder)
    assert (part.code, part.json["there"], part.json["files"]) == (0, 1, 1)
    (folder / "none.txt").write_text("# nothing yet\n")
    none = quickly("mirror", "-r", "none.txt", "--index", "main@monday", "--json", cwd=folder)
    assert (none.code, none.json["files"]) == (0, 0)


def test_a_file_of_a_snapshot_that_its_origin_has_no_more_is_told(folder: Path, outside: Outside) -> None:
    assert quickly("mirror", "lib==1.0", "--dry-run", cwd=folder).code == 0
    assert quickly("snapshot", "create", "monday", cwd=folder).code == 0
    outside.remove(WINDOWS[0])
    outside.faults["/simple/"] = "down"
    ran = quickly("mirror", "--snapshot", "monday", "--json", cwd=folder)
    assert ran.code == 1
    assert [one["what"] for one in ran.json["lacking"]] == [WINDOWS[0]]
    assert "HTTP 404" in ran.json["lacking"][0]["why"]
    assert kept(folder) == {sha256(LINUX), sha256(SOURCE)}


def test_what_a_gate_puts_off_is_looked_at(
    folder: Path, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page does not wait until every licence on it is known: a file that is needed does."""
    monkeypatch.setattr("wheelkeep.index.index.PATIENCE_KNOWN", 0.0)
    made = [wheel("many", f"{number}.0", told="License-Expression: MIT\n") for number in range(1, 41)]
    for one in made:
        outside.add(*one)
    (folder / "policy.toml").write_text('[licences]\nallow = ["MIT"]\n')
    (folder / "lock.txt").write_text(f"many==1.0 --hash=sha256:{sha256(made[0])}\n")
    ran = quickly("mirror", "-r", "lock.txt", cwd=folder)
    assert ran.code == 0, ran.out
    assert kept(folder) == {sha256(made[0])}


def test_snapshots_that_are_not_there(folder: Path) -> None:
    for words in (["--snapshot", "none"], ["--index", "main@none"], ["--index", "free@none", "lib"]):
        ran = quickly("mirror", *words, cwd=folder)
        assert (ran.code, "no snapshot none" in ran.err) == (1, True), ran.err


def test_sizes_that_nobody_tells_are_told_to_be_unknown(folder: Path, outside: Outside) -> None:
    outside.formats, outside.faults["/files/"] = ("html",), "forbidden"
    (folder / "lock.txt").write_text(f"lib==1.0 --hash=sha256:{sha256(LINUX)}\n")
    dry = quickly("mirror", "-r", "lock.txt", "--index", "free", "--dry-run", cwd=folder)
    assert (
        dry.out
        == "1 files, 0 B and 1 of which nobody told the size; 1 to fetch, 0 B and 1 of which nobody told the size\n"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "say what to fetch"),
        (["--index", "main@2026-11-01"], "say what to fetch"),
        (["--index", "main@2999-01-01", "app"], "2999-01-01"),
        (["--snapshot", "mon day"], "no name for a snapshot"),
        (["--snapshot", "monday", "app"], "--index main@monday"),
        (["--index", "none@monday"], "no index"),
        (["app", "--python", "3.11"], "belong together"),
        (["-r", "not-there.txt"], "cannot be read"),
        (["app", "--at-once", "0"], "at-once"),
    ],
)
def test_wrong_usage(folder: Path, words: list[str], says: str) -> None:
    ran = quickly("mirror", *words, cwd=folder)
    assert ran.code == 2
    assert says in ran.err
