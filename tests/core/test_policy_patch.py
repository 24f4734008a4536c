import subprocess
from pathlib import Path

import pytest

from core.test_answers import answer
from fakes.made import NOW, later
from wheelkeep.core.answers import REFUSED, Answer
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy_patch import Written, patch, write_approvals
from wheelkeep.core.read_policy import read_policy

BEFORE = """# ours
[allow]
packages = [
    "listed",  # since ever
]
[cooldown]
age = "7d" # a week"""


def written(before: str, *answers: Answer) -> Written:
    file = read_policy(before, file="", sources={SourceName("pypi"): True})
    done = write_approvals(before, file, answers, today=NOW.date())
    read_policy(done.text, file="", sources={SourceName("pypi"): True})
    return done


def test_approvals_are_written_and_what_stands_there_is_not() -> None:
    done = written(
        BEFORE,
        answer("listed"),
        answer("demo<2"),
        answer("other", REFUSED),
        answer("held==1.0", "cooldown", until="2026-12-31"),
        answer("held==1.0", "allow", until="2026-12-31"),
        answer("over", "cooldown", until="2026-11-21"),
    )
    assert done.left_out == ()
    comment = "# approved by ada on 2026-11-22: we need it"
    assert f'    "listed",  # since ever\n    "demo<2",  {comment}\n]\n' in done.text
    assert done.text.endswith(
        'age = "7d" # a week\n\n[[waiver]]\npackage = "held==1.0"\ngates = ["cooldown", "allow"]\n'
        'reason = "we need it"\nby = "ada"\nuntil = 2026-12-31\n'
    )
    assert (
        written(done.text, answer("demo<2"), answer("held==1.0", "cooldown", until="2026-11-01")).text
        == done.text
    )


def test_what_a_file_cannot_say_is_left_out() -> None:
    done = written(BEFORE, answer("demo"), answer("demo==1.0", REFUSED, given=later(seconds=1)))
    assert (done.text, done.left_out) == (BEFORE, ("demo: some or all of it was refused later",))
    done = written("", answer("demo"))
    assert (done.text, done.left_out) == ("", ("demo: the policy has no [allow] to which it could be added",))


@pytest.mark.parametrize(
    "before", [BEFORE, BEFORE + "\n", BEFORE.replace("\n", "\r\n"), "[allow]", "[allow]\n"]
)
def test_the_patch_is_one(before: str, tmp_path: Path) -> None:
    after = written(before, answer("demo"), answer("held", "allow", until="2026-12-31")).text
    (tmp_path / "policy.toml").write_bytes(before.encode())
    told = patch(before, after, name="policy.toml")
    assert told.startswith("--- a/policy.toml\n+++ b/policy.toml\n@@")
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(command, cwd=tmp_path, input=told.encode(), check=True)
    assert (tmp_path / "policy.toml").read_bytes().decode() == after
    assert patch(after, after, name="policy.toml") == ""
