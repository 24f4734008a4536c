"""``allow`` and ``deny``: what is written, what is shown before, and when nothing is."""

import asyncio
import hashlib
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from fakes.command import quickly
from fakes.dists import metadata, sdist, wheel
from fakes.outside import Outside
from fakes.stores import Store
from wheelkeep.cli import draft
from wheelkeep.index.uv import resolve

CONFIG = """
[sources.house]
kind = "hosted"
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
POLICY = """\
# ours
[allow]            # what may come in
packages = [
    "speed",       # long since
    "ring2<2",
]

[deny]
packages = ["denied>=2"]
reason = "INC-42"
"""


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with Outside() as outside:

        def add(name: str, version: str, *needs: str, told: str = "", **more: Any) -> None:
            filename, content = wheel(name, version, requires=needs, told=told, **more)
            body = metadata(name, version, needs, more.get("requires_python")) + told
            outside.add(
                filename, content, metadata=body.encode(), requires_python=more.get("requires_python")
            )

        add("app", "1.0")
        add("app", "2.0", "lib[fast]>=1", "Plain.Name; sys_platform == 'win32'", "only-source")
        add("lib", "2.0", "ring", "speed; extra == 'fast'", told="License-Expression: MIT\n")
        add("lib", "3.0", "never", requires_python=">=3.12")
        add("ring", "1.0", "ring2")
        add("ring2", "1.0", "ring")
        add("ring2", "2.0", "ring")
        for name in ("speed", "plain-name", "old", "never"):
            add(name, "1.0")
        add("acme-tool", "9.0")
        add("denied", "2.0")
        add("wants-denied", "1.0", "denied==2.0")
        add("gated", "1.0", told="License-Expression: MIT\n")
        for version in ("2.0", "3.0", "4.0"):
            add("gated", version, told="License-Expression: GPL-3.0-only\n")
        add("modern", "1.0", requires_python=">=3.12")
        outside.add(*sdist("only-source", "1.0", requires=["old"], form="2.2"))
        outside.add(*sdist("built", "1.0"))
        outside.faults["/simple/away/"] = "error"
        yield outside


@pytest.fixture
def keep(outside: Outside, tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
    (tmp_path / "policy.toml").write_text(POLICY)
    return tmp_path


def policy(keep: Path) -> dict[str, Any]:
    return tomllib.loads((keep / "policy.toml").read_text())


def test_requirements_are_added_once(keep: Path) -> None:
    ran = quickly("allow", "django>=5,<6", "speed", "Speed>=1", "acme-*", cwd=keep)
    assert (ran.code, ran.out.splitlines()) == (
        0,
        ["[allow] django>=5,<6", "[allow] acme-*", f"2 added to {keep / 'policy.toml'}"],
    )
    assert (keep / "policy.toml").read_text() == POLICY.replace(
        '    "ring2<2",\n', '    "ring2<2",\n    "django>=5,<6",\n    "acme-*",\n'
    )
    told = quickly("allow", "django>=5,<6", "--json", cwd=keep)
    assert told.json == {
        "index": "main",
        "policy": str(keep / "policy.toml"),
        "written": False,
        "added": [],
        "closure": None,
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("app[fast]",), "has an extra"),
        (("app; os_name == 'nt'",), "has a marker"),
        (("app @ file:///x",), "has a URL"),
        (("app", "!"), "is not a requirement"),
        (("app", "--index", "free"), 'the index free has no policy: write policy = "policy.toml" below'),
        (("app", "--index", "mian"), "there is no index"),
        (("app", "--loose"), "belong to --closure"),
        (("app @ file:///x", "--closure"), "has a URL"),
        (("acme-*", "--closure"), "is not a requirement"),
        (("app", "--closure", "--python", "3.x"), "write versions such as 3.11"),
    ],
)
def test_what_is_no_use_is_exit_2(keep: Path, words: tuple[str, ...], says: str) -> None:
    ran = quickly("allow", *words, cwd=keep)
    assert (ran.code, ran.out) == (2, "")
    assert says in " ".join(ran.err.replace("│", " ").split())
    assert (keep / "policy.toml").read_text() == POLICY


def test_a_list_that_is_begun_is_told_of(keep: Path) -> None:
    (keep / "policy.toml").write_text("# nothing yet\n")
    ran = quickly("allow", "app", cwd=keep)
    assert (ran.code, "what it does not name stays out" in ran.err) == (0, True)
    assert (keep / "policy.toml").read_text() == '# nothing yet\n\n[allow]\npackages = ["app"]\n'


def test_a_closure_is_shown_and_nothing_is_written_unasked(keep: Path, outside: Outside) -> None:
    ran = quickly("allow", "app", "--closure", cwd=keep)
    assert ran.code == 2
    assert "say --yes" in " ".join(ran.err.split())
    assert (keep / "policy.toml").read_text() == POLICY
    lines = ran.out.splitlines()
    assert lines[0].split() == [
        "name",
        "version",
        "age",
        "size",
        "licence",
        "advisories",
        "provenance",
        "needed",
        "by",
    ]
    lib = next(line for line in lines if line.startswith("lib "))
    assert lib.split()[1] == "2.0"
    assert " MIT " in lib
    assert lib.endswith("  app")
    assert lines[-1] == "9 new, 1 allowed already, for Python 3.10 and newer"
    assert not list((keep / "wheelkeep-data" / "blobs").rglob("*.*"))
    assert not outside.asked("/simple/acme-tool/")


def test_a_closure_becomes_a_list(keep: Path) -> None:
    told = quickly(
        "allow", "app", "acme-tool; python_version < '3'", "--closure", "--yes", "--json", cwd=keep
    ).json
    assert told["written"] is True
    closure = told["closure"]
    assert (closure["python"], closure["listed"], closure["blocked"], closure["unread"]) == (
        "3.10",
        1,
        [],
        [],
    )
    new = {(one["name"], one["version"]): one for one in closure["new"]}
    assert sorted(new) == [
        ("app", "2.0"),
        ("lib", "2.0"),
        ("lib", "3.0"),
        ("never", "1.0"),
        ("old", "1.0"),
        ("only-source", "1.0"),
        ("plain-name", "1.0"),
        ("ring", "1.0"),
        ("ring2", "2.0"),
    ]
    lib = new["lib", "2.0"]
    assert (lib["source"], lib["licence"], lib["via"], lib["provenance"]) == ("outer", "MIT", ["app"], False)
    assert lib["size"] == len(
        wheel("lib", "2.0", requires=["ring", "speed; extra == 'fast'"], told="License-Expression: MIT\n")[1]
    )
    assert lib["uploaded"].startswith("2020-02-02T")
    assert new["plain-name", "1.0"]["marker"] == "sys_platform == 'win32'"
    assert (
        policy(keep)["allow"]["packages"][2:]
        == told["added"]
        == [f"{name}=={version}" for name, version in sorted(new)]
    )
    text = (keep / "policy.toml").read_text()
    assert '    "app==2.0",  # asked for\n' in text
    assert '    "lib==2.0",  # needed by app\n' in text
    for line in POLICY.splitlines():
        assert line in text
    again = quickly("allow", "app", "--closure", cwd=keep)
    assert (again.code, again.out.splitlines()[0]) == (
        0,
        "0 new, 10 allowed already, for Python 3.10 and newer",
    )


def test_what_our_own_package_needs(keep: Path) -> None:
    """A name of a source that no list governs needs no allowance, and nobody else hears of it."""
    filename, content = wheel("acme-app", "1.0", requires=["plain-name>=1"])
    (keep / filename).write_bytes(content)
    assert quickly("import", filename, cwd=keep).code == 0
    told = quickly("allow", "acme-app", "--closure", "--yes", "--json", cwd=keep).json
    assert (told["added"], told["closure"]["listed"]) == (["plain-name==1.0"], 1)
    assert told["closure"]["new"][0]["via"] == ["acme-app"]


def test_loosely_and_for_newer_pythons_alone(keep: Path) -> None:
    told = quickly(
        "allow", "app[x]>1", "--closure", "--loose", "--python", "3.13, 3.12", "--yes", "--json", cwd=keep
    )
    assert told.json["added"] == ["app>1", "lib", "never", "old", "only-source", "plain-name"]
    assert told.json["closure"]["python"] == "3.12"


def test_the_oldest_python_is_one_that_the_wanted_runs_on(keep: Path) -> None:
    told = quickly("allow", "modern", "--closure", "--yes", "--json", cwd=keep).json
    assert (told["closure"]["python"], told["added"]) == ("3.12", ["modern==1.0"])


@pytest.mark.parametrize(("patience", "rounds"), [(6.0, 1), (0.0, 2)])
def test_the_other_gates_hold(keep: Path, patience: float, rounds: int) -> None:
    """Also those that decide only on what is asked for: what turns out to be blocked is resolved around."""
    (keep / "policy.toml").write_text('[allow]\n[licences]\nallow = ["MIT"]\n')
    with (
        mock.patch("wheelkeep.index.index.PATIENCE_KNOWN", patience),
        mock.patch("wheelkeep.cli.resolving.resolve", side_effect=resolve) as resolved,
    ):
        ran = quickly("allow", "gated", "--closure", "--yes", "--json", cwd=keep)
    assert ran.json["added"] == ["gated==1.0"]
    assert resolved.call_count == rounds


def test_who_refused_it_is_told(keep: Path) -> None:
    said = quickly("wanted", "refuse", "modern", "--reason", "too new", "--by", "ada", cwd=keep)
    assert said.code == 0, said.err
    ran = quickly("allow", "modern", "--closure", "--yes", cwd=keep)
    assert ran.code == 0
    assert "wheelkeep: modern 1.0: refused by ada" in ran.err


def test_what_is_not_certain_is_told(keep: Path) -> None:
    ran = quickly("allow", "built", "--closure", "--yes", cwd=keep)
    assert ran.code == 0
    assert "built 1.0: what it needs is not certain: built-1.0.tar.gz tells" in ran.err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("app<1", "No solution found"),
        ("nothing", "nothing was not found"),
        ("away", "away: outer might have it, but"),
        ("denied", 'wheelkeep: deny: INC-42 (denied as "denied>=2")'),
        ("wants-denied", "INC-42"),
        ("denied==2.0", 'denied 2.0 is needed, but blocked: deny: INC-42 (denied as "denied>=2")'),
    ],
)
def test_what_cannot_be_resolved_is_exit_1(keep: Path, name: str, says: str) -> None:
    with mock.patch("wheelkeep.index.candidates._TRIES", 1):
        ran = quickly("allow", name, "--closure", "--yes", cwd=keep)
    assert ran.code == 1
    assert says in " ".join(ran.err.split())
    assert "127.0.0.1" not in ran.err
    assert (keep / "policy.toml").read_text() == POLICY


def test_without_uv(keep: Path, tmp_path: Path) -> None:
    with mock.patch("sysconfig.get_path", return_value=str(tmp_path)):
        ran = quickly("allow", "app", "--closure", cwd=keep, PATH="")
    assert ran.code == 2
    assert "pip install uv" in ran.err


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_it_asks_on_a_terminal(keep: Path, answer: bool, code: int) -> None:
    with mock.patch("sys.stdin.isatty", return_value=True, create=True):
        with mock.patch.object(draft.typer, "confirm", return_value=answer) as asked:
            ran = quickly("allow", "modern", "--closure", cwd=keep)
    assert ran.code == code
    assert asked.call_args.args == (f"Allow 1 more in {keep / 'policy.toml'}?",)
    assert ("modern==1.0" in (keep / "policy.toml").read_text()) is answer


def test_a_denial_says_what_breaks(keep: Path) -> None:
    assert quickly("explain", "speed", cwd=keep).code == 0  # so that the page is known

    async def fetched() -> None:
        async with Store(keep / "wheelkeep-data") as store:
            await store.keep(wheel("speed", "1.0")[1])

    asyncio.run(fetched())
    sha256 = hashlib.sha256(wheel("speed", "1.0")[1]).hexdigest()
    (keep / "requirements.txt").write_text(f"speed==1.0 --hash=sha256:{sha256}\nspeedy==3\nother==1\n")
    words = ("deny", "spe*", "--lock", "requirements.txt")
    ran = quickly(*words, cwd=keep)
    assert ran.code == 2
    assert ran.out.splitlines() == [
        "breaks  speed 1.0: 1 kept file, in requirements.txt",
        "breaks  speedy 3: in requirements.txt",
    ]
    assert (keep / "policy.toml").read_text() == POLICY
    told = quickly(*words, "--yes", "--json", cwd=keep).json
    assert told["written"] is True
    assert told["breaks"] == [
        {
            "name": "speed",
            "version": "1.0",
            "kept": ["speed-1.0-py3-none-any.whl"],
            "locks": ["requirements.txt"],
            "whom": [],
        },
        {"name": "speedy", "version": "3", "kept": [], "locks": ["requirements.txt"], "whom": []},
    ]
    assert policy(keep)["deny"]["packages"] == ["denied>=2", "spe*"]


def test_a_denial_that_breaks_nothing_needs_no_answer(keep: Path) -> None:
    ran = quickly("deny", "ctx<2", cwd=keep)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "[deny] ctx<2")
    assert policy(keep)["deny"] == {"packages": ["denied>=2", "ctx<2"], "reason": "INC-42"}


def test_the_reason_of_a_denial(keep: Path) -> None:
    ran = quickly("deny", "ctx", "--reason", "INC-43", cwd=keep)
    assert (ran.code, "another reason" in ran.err) == (2, True)
    assert (keep / "policy.toml").read_text() == POLICY
    (keep / "policy.toml").write_text("")
    assert quickly("deny", "ctx", "--reason", "INC-43", cwd=keep).code == 0
    assert policy(keep) == {"deny": {"packages": ["ctx"], "reason": "INC-43"}}
    assert quickly("deny", "ctx", "--reason", "a\nb", cwd=keep).code == 2


def test_an_edit_of_somebody_else_meanwhile(keep: Path) -> None:
    real = os.fsync

    def meanwhile(handle: int) -> None:
        real(handle)
        (keep / "policy.toml").write_text(POLICY + "# theirs\n")

    with mock.patch("os.fsync", meanwhile):
        ran = quickly("allow", "app", cwd=keep)
    assert (ran.code, "changed by somebody else meanwhile" in ran.err) == (2, True)
    assert (keep / "policy.toml").read_text() == POLICY + "# theirs\n"
