"""``wanted`` as a policy's keepers run it, also where nothing else runs."""

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.test_wanted import tally
from fakes.command import quickly
from fakes.stores import Store
from wheelkeep.core.names import IndexName
from wheelkeep.core.wanted import Ask
from wheelkeep.store.wanted import WantedList

CONFIG = """
[sources.outer]
kind = "remote"
url = "http://127.0.0.1:9/simple/"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"

[indexes.free]
sources = ["outer"]
"""
POLICY = """# Kept by the platform team.
[allow]
packages = [
    "requests",  # since ever
]

[cooldown]
age = "7d"
"""
SOON = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%d")


@pytest.fixture
def keep(tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG)
    (tmp_path / "policy.toml").write_text(POLICY)

    async def asked() -> None:
        async with Store(tmp_path / "wheelkeep-data") as store:
            await WantedList(store.database).add(
                {
                    ask("flask", "", "allow", "token ci"): tally(12, sentence="not listed", agent="pip"),
                    ask("flask", "", "allow", "address 10.0.0.7"): tally(2, agent="uv"),
                    ask("requests", "3.0", "cooldown", "token ci"): tally(1, sentence="too young"),
                    ask("requests", "", "allow", "token ci"): tally(99),
                    ask("", "", "", "address 10.0.0.7"): tally(5),
                }
            )

    asyncio.run(asked())
    return tmp_path


def ask(project: str, version: str, gate: str, who: str) -> Ask:
    return Ask(IndexName("main"), project, version, gate, who)


def test_the_list(keep: Path) -> None:
    ran = quickly("wanted", "list", cwd=keep)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "    14  flask: allow: not listed",
        "        since 2026-11-22, last 2026-11-22T12:00:00Z; by token ci (12, pip), 10.0.0.7 (2, uv)",
        "     1  requests 3.0: cooldown: too young",
        "        since 2026-11-22, last 2026-11-22T12:00:00Z; by token ci (1)",
        "2 wanted in main",
        "5 asks beyond that were only counted: they were for too many different names",
    ]
    told = quickly("wanted", "list", "--json", "--gate", "allow", cwd=keep).json
    assert (told["index"], told["more"], told["beyond"]) == ("main", 0, 5)
    (one,) = told["wanted"]
    assert (one["project"], one["version"], one["count"], one["askers"]) == ("flask", None, 14, 2)
    assert one["who"][1] == {
        "kind": "address",
        "name": "10.0.0.7",
        "agent": "uv",
        "count": 2,
        "first": "2026-11-22T12:00:00Z",
        "last": "2026-11-22T12:00:00Z",
    }
    assert (
        quickly("wanted", "list", "--limit", "1", cwd=keep).out.splitlines()[2]
        == "1 wanted in main, and 1 more"
    )
    assert quickly("wanted", "list", "--index", "free", cwd=keep).out == "0 wanted in free\n"
    assert quickly("wanted", "list", "--gate", "alow", cwd=keep).code == 2


def test_answers_from_the_first_to_the_patch(keep: Path) -> None:
    said = ["--reason", "for the shop", "--by", "ada"]
    ran = quickly("wanted", "approve", "Flask", *said, cwd=keep)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert ran.out == f"flask in main: approved, allow, by ada on {today}: for the shop\n"
    assert quickly("wanted", "approve", "requests==3.0", *said, cwd=keep).code == 2
    ran = quickly("wanted", "approve", "requests==3.0", *said, "--until", SOON, "--json", cwd=keep)
    assert [(one["gate"], one["until"]) for one in ran.json["answers"]] == [("cooldown", SOON)]
    assert quickly("wanted", "refuse", "django", "--reason", "too large", cwd=keep).code == 0
    assert quickly("wanted", "list", cwd=keep).out.startswith("0 wanted in main\n")
    assert len(quickly("wanted", "answers", cwd=keep).out.splitlines()) == 3

    told = quickly("wanted", "patch", cwd=keep)
    assert (told.code, told.err) == (0, "")
    subprocess.run(["git", "apply", "-"], cwd=keep, input=told.out, text=True, check=True)
    after = (keep / "policy.toml").read_text()
    assert after == POLICY.replace(
        "since ever\n", f'since ever\n    "flask",  # approved by ada on {today}: for the shop\n'
    ) + (
        f'\n[[waiver]]\npackage = "requests==3.0"\ngates = ["cooldown"]\nreason = "for the shop"\nby = "ada"\n'
        f"until = {SOON}\n"
    )
    assert quickly("check", cwd=keep).code == 0
    assert quickly("wanted", "patch", cwd=keep).out == ""

    gone = quickly("wanted", "withdraw", "flask", *said, cwd=keep)
    assert gone.out.startswith("withdrawn: flask in main: approved, allow")
    assert quickly("wanted", "withdraw", "flask", *said, cwd=keep).code == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["approve", "a b", "--reason", "r"], "no range of versions"),
        (["approve", "flask", "--reason", " "], "a reason is one line"),
        (["approve", "flask", "--reason", "r", "--gate", "deny"], "no gate deny"),
        (["approve", "flask", "--reason", "r", "--until", "soon"], "not a day"),
        (["approve", "flask", "--reason", "r", "--index", "free"], "which gate is meant"),
        (["approve", "flask"], "--reason"),
        (["refuse", "flask", "--reason", "r", "--by", "\t"], "who answers is one line"),
        (["patch", "--index", "free"], "no policy"),
        (["list", "--index", "nowhere"], "there is no index"),
    ],
)
def test_what_is_no_answer(keep: Path, words: list[str], says: str) -> None:
    ran = quickly("wanted", *words, cwd=keep)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
