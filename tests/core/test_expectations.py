"""Expectations of a policy: how they are read, and when they hold."""

from datetime import timedelta

import pytest

from fakes.made import NOW, allow, deny, file, governed, rules, versions, waiver
from wheelkeep.core.cooldown import CooldownGate
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.expectations import Expectation, fails, fails_unlisted, read_expectations, standing
from wheelkeep.core.gates import Context
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName
from wheelkeep.core.policy import Policy, decide
from wheelkeep.core.verdict import Decision


def one(line: str) -> Expectation:
    (read,) = read_expectations(line, file="policy.expect")
    return read


def judged(policy: Policy, expectation: Expectation, *files: File) -> list[tuple[File, Decision]]:
    return [(each, decide(policy, each, Context(now=NOW))) for each in files if expectation.means(each)]


def test_lines() -> None:
    text = '\ufeff# why\n\n  expect  "Demo==1.0"   blocked by deny  # INC-42\nexpect "demo-1.0.tar.gz" held\n'
    first, second = read_expectations(text, file="policy.expect")
    assert (first.line, first.text, first.project) == (3, 'expect "Demo==1.0" blocked by deny', "demo")
    assert (first.outcome, first.gate) == ("blocked", "deny")
    assert (second.line, second.filename, second.outcome, second.gate) == (4, "demo-1.0.tar.gz", "held", None)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('except "demo" admitted', 'is not an expectation: write one such as expect "django==5.2" admitted'),
        ('expect "demo" admited', '"admited" is not a word it knows: did you mean "admitted"?'),
        ('expect "demo" admitted by deny', "all gates together admit: leave out the gate"),
        ('expect "demo" blocked by denny', '"denny" is not a gate: did you mean "deny"?'),
        ('expect "x=1" blocked', '"x=1" has no range of versions after the name: write "x==1"'),
        ('expect "x.whl" blocked', '"x.whl" is not the name of a wheel or sdist'),
    ],
)
def test_mistakes_have_their_line(line: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_expectations(f"# one\n{line}\n!", file="policy.expect")
    assert str(caught.value.mistakes[0]) == f"policy.expect:2: {says}"
    assert len(caught.value.mistakes) == 2


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="is longer than"):
        read_expectations("#" * 1_000_001, file="policy.expect")


POLICY = Policy(
    [
        deny("demo>=2"),
        allow("demo<3", "young"),
        CooldownGate(timedelta(days=7), rules("demo"), governed("pypi")),
    ],
    [waiver("demo==2.5", "deny")],
)
FILES = [*versions("1.0", "2.0", "2.5", "3.0"), file("young-1.0.tar.gz", upload_time="2026-11-22T00:00:00Z")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('"demo" admitted', ""),
        ('"demo==1.0" admitted', ""),
        ('"demo==2.5" admitted', ""),
        ('"demo==2.0" admitted', 'demo-2.0-py3-none-any.whl is blocked by deny: denied as "demo>=2"'),
        ('"demo" blocked', "2 of 4 files are admitted, such as demo-1.0-py3-none-any.whl"),
        ('"demo==2.0" blocked', ""),
        ('"demo==2.0" blocked by deny', ""),
        ('"demo==2.0" blocked by allow', 'demo-2.0-py3-none-any.whl is blocked by deny: denied as "demo>=2"'),
        ('"demo>=3" blocked by allow', ""),
        ('"demo==2.0" held', 'demo-2.0-py3-none-any.whl is blocked by deny: denied as "demo>=2"'),
        ('"demo>9" blocked', "there is no such file"),
        ('"demo-1.0-py3-none-any.whl" admitted', ""),
        ('"demo-1.0.tar.gz" admitted', "there is no such file"),
        ('"young" held', ""),
        ('"young" blocked by cooldown', ""),
        ('"young" held by cooldown', ""),
        (
            '"young" admitted',
            "young-1.0.tar.gz is held by cooldown: younger than 7d, held until 2026-11-29 00:00 UTC",
        ),
    ],
)
def test_what_holds(line: str, says: str) -> None:
    expectation = one(f"expect {line}")
    of_project = [each for each in FILES if each.project == expectation.project]
    assert fails(expectation, judged(POLICY, expectation, *of_project)) == says


def test_a_waived_verdict_does_not_stand() -> None:
    decision = decide(POLICY, versions("2.5")[0], Context(now=NOW))
    assert (decision.admitted, standing(decision)) == (True, ())


def test_a_name_that_is_not_asked_for() -> None:
    verdict = allow("demo").unlisted(ProjectName("other"))
    assert fails_unlisted(one('expect "other" blocked'), verdict) == ""
    assert fails_unlisted(one('expect "other" blocked by allow'), verdict) == ""
    says = "it is blocked by allow: other is not on the allow list"
    for line in ('"other" admitted', '"other" held', '"other" blocked by deny'):
        assert fails_unlisted(one(f"expect {line}"), verdict) == says
