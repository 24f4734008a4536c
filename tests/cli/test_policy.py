"""``policy test`` and ``policy diff`` as a policy's keepers run them, also where nothing else runs."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.stores import Store

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
POLICY = '[allow]\npackages = ["demo<3"]\n[deny]\npackages = ["demo==2.0"]\nreason = "INC-42"\n'
EXPECT = """# what must stay so
expect "demo==1.0" admitted
expect "demo==2.0" blocked by deny
expect "other" blocked
"""


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with Outside() as outside:
        for version in ("1.0", "2.0", "3.0"):
            outside.add(*wheel("demo", version))
        yield outside


@pytest.fixture
def keep(outside: Outside, tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "policy.expect").write_text(EXPECT)
    return tmp_path


def test_expectations_beside_the_policy(keep: Path) -> None:
    ran = quickly("policy", "test", cwd=keep)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == f'holds  {keep / "policy.expect"}:2: expect "demo==1.0" admitted'
    assert lines[-1] == "3 hold, 0 fail"
    told = quickly("policy", "test", "--json", cwd=keep).json
    assert (told["index"], told["holding"], told["failing"]) == ("main", 3, 0)
    assert told["expectations"][1] == {
        "line": 3,
        "expectation": 'expect "demo==2.0" blocked by deny',
        "holds": True,
        "says": "",
    }


def test_one_that_fails_says_why(keep: Path) -> None:
    (keep / "more.expect").write_text('expect "demo==2.0" admitted\n')
    ran = quickly("policy", "test", "more.expect", cwd=keep)
    assert ran.code == 1
    assert ran.out.splitlines() == [
        'fails  more.expect:1: expect "demo==2.0" admitted: demo-2.0-py3-none-any.whl is blocked by deny: '
        'INC-42 (denied as "demo==2.0")',
        "0 hold, 1 fail",
    ]
    (keep / "new.toml").write_text("")
    assert quickly("policy", "test", "more.expect", "--policy", "new.toml", cwd=keep).code == 0


def test_what_cannot_be_tried_is_exit_2(keep: Path) -> None:
    (keep / "policy.expect").write_text('expect "demo" admited\n')
    ran = quickly("policy", "test", cwd=keep)
    assert (ran.code, ran.out) == (2, "")
    assert "policy.expect:1" in ran.err
    (keep / "policy.expect").unlink()
    ran = quickly("policy", "test", cwd=keep)
    assert (ran.code, "cannot be read" in ran.err) == (2, True)
    ran = quickly("policy", "test", "--index", "free", cwd=keep)
    assert (ran.code, "has no policy" in ran.err) == (2, True)
    assert quickly("policy", "diff", "gone.toml", cwd=keep).code == 2
    assert quickly("policy", "diff", "policy.toml", "--lock", "gone.lock", cwd=keep).code == 2


def test_what_a_changed_policy_would_do(keep: Path) -> None:
    assert quickly("explain", "demo", cwd=keep).code == 0  # so that the page is known
    assert quickly("policy", "diff", "policy.toml", cwd=keep).out == (
        "0 files judged: 0 would be blocked, 0 freed\n"
    )

    async def fetched() -> None:
        async with Store(keep / "wheelkeep-data") as store:
            await store.keep(wheel("demo", "1.0")[1])

    asyncio.run(fetched())
    (keep / "new.toml").write_text('[deny]\npackages = ["demo==1.0"]\n')
    ran = quickly("policy", "diff", "new.toml", cwd=keep)
    assert ran.code == 1
    assert ran.out.splitlines() == [
        'blocked  demo-1.0-py3-none-any.whl from outer (kept): deny: denied as "demo==1.0"',
        "1 files judged: 1 would be blocked, 0 freed",
    ]
    (keep / "requirements.txt").write_text(f"demo==3.0 --hash=sha256:{_sha256('3.0')}\n")
    told = quickly("policy", "diff", "new.toml", "--lock", "requirements.txt", "--json", cwd=keep).json
    assert [one["filename"] for one in told["blocked"]] == ["demo-1.0-py3-none-any.whl"]
    assert [(one["filename"], one["code"], one["why"]) for one in told["freed"]] == [
        ("demo-3.0-py3-none-any.whl", "allow-version", ["in requirements.txt"])
    ]
    assert (told["index"], told["judged"], told["unknown"]) == ("main", 2, [])


def test_what_was_approved_counts_on_both_sides(keep: Path) -> None:
    approval = ["--reason", "r", "--gate", "deny", "--until", "2999-12-31"]
    assert quickly("wanted", "approve", "demo==1.0", *approval, cwd=keep).code == 0
    (keep / "new.toml").write_text('[deny]\npackages = ["demo==1.0", "demo==3.0"]\n')
    (keep / "requirements.txt").write_text(f"demo==1.0 --hash=sha256:{_sha256('1.0')}\n")
    ran = quickly("policy", "diff", "new.toml", "--lock", "requirements.txt", cwd=keep)
    assert (ran.code, ran.out) == (0, "1 files judged: 0 would be blocked, 0 freed\n")


def test_a_policy_that_admits_by_lock_is_compared(keep: Path) -> None:
    (keep / "requirements.txt").write_text(f"demo==3.0 --hash=sha256:{_sha256('3.0')}\n")
    (keep / "new.toml").write_text('[allow]\nlocks = ["requirements.txt"]\n')
    ran = quickly("policy", "diff", "new.toml", "--lock", "requirements.txt", cwd=keep)
    assert ran.code == 0
    assert ran.out.startswith("freed    demo-3.0-py3-none-any.whl from outer (in requirements.txt): allow: ")


def test_check_warns_of_what_a_lock_cannot_admit(keep: Path) -> None:
    (keep / "requirements.txt").write_text("demo==1.0\n")
    (keep / "policy.toml").write_text('[allow]\nlocks = ["requirements.txt"]\n')
    ran = quickly("check", cwd=keep)
    assert ran.code == 0
    says = f"{keep / 'requirements.txt'}:1: demo 1.0 has no hash, so no file of it is admitted"
    assert ran.out.startswith(f"warning: {says}")
    assert quickly("check", "--json", cwd=keep).json["warnings"][0].startswith(says)
    (keep / "requirements.txt").unlink()
    ran = quickly("check", cwd=keep)
    assert (ran.code, "the lock cannot be read" in ran.out) == (2, True)


def _sha256(version: str) -> str:
    return hashlib.sha256(wheel("demo", version)[1]).hexdigest()
