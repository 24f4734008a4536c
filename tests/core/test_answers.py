from datetime import date
from typing import Any

import pytest

from fakes.made import DEMO, NOW, allow, deny, file, later
from wheelkeep.core.answers import REFUSED, Answer, in_force, meaning, said
from wheelkeep.core.gates import Context
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.policy import Policy, decide
from wheelkeep.core.rules import read_rule

PYPI = SourceName("pypi")


def answer(requirement: str, gate: str = "allow", **more: Any) -> Answer:
    told = {"reason": "we need it", "by": "ada", "given": NOW} | more
    return Answer(index=IndexName("main"), requirement=requirement, gate=gate, **told)


def policy(*answers: Answer) -> Policy:
    gates = [allow("listed", sources=("pypi",)), deny("bad", sources=("pypi",))]
    return Policy(gates).answered(in_force(answers))


def admitted(policy: Policy, filename: str = "demo-1.0-py3-none-any.whl") -> bool:
    return decide(policy, file(filename), Context(now=NOW)).admitted


@pytest.mark.parametrize(
    ("text", "normal"),
    [("Demo", "demo"), ("a.B_c >= 1 , <2", "a-b-c<2,>=1"), ("demo (==1.0)", "demo==1.0")],
)
def test_one_spelling(text: str, normal: str) -> None:
    assert meaning(read_rule(text)) == normal
    assert meaning(read_rule(normal)) == normal


def test_an_approval_is_as_if_it_stood_in_the_allow_list() -> None:
    assert policy().unlisted(DEMO, PYPI, NOW) is not None
    for_all = policy(answer("demo"))
    assert for_all.unlisted(DEMO, PYPI, later(days=10_000)) is None
    decision = decide(for_all, file(), Context(now=NOW))
    assert decision.admitted
    assert decision.waived[0][1].told == "approved by ada on 2026-11-22: we need it"
    only = policy(answer("demo==2.0"))
    assert only.unlisted(DEMO, PYPI, NOW) is None
    assert (admitted(only), admitted(only, "demo-2.0.tar.gz")) == (False, True)


def test_an_approval_lifts_only_the_gates_that_it_names() -> None:
    assert not admitted(policy(answer("bad")), "bad-1.0.tar.gz")
    both = policy(answer("bad"), answer("bad", "deny", until="2026-11-22"))
    assert admitted(both, "bad-1.0.tar.gz")
    decision = decide(both, file("bad-1.0.tar.gz"), Context(now=later(days=1)))
    assert decision.against is not None and decision.against.gate == "deny"
    assert both.waivers[1].until == date(2026, 11, 22)


def test_a_refusal_is_told_where_it_is_blocked() -> None:
    refused = policy(answer("demo", REFUSED, reason="use other"), answer("listed", REFUSED))
    words = "demo is not on the allow list; refused by ada on 2026-11-22: use other"
    verdict = refused.unlisted(DEMO, PYPI, NOW)
    assert verdict is not None and verdict.sentence == words
    against = decide(refused, file(), Context(now=NOW)).against
    assert against is not None and (against.sentence, against.code) == (words, "allow-unlisted")
    assert admitted(refused, "listed-1.0.tar.gz"), "a refusal blocks nothing by itself"


def test_the_later_word_stands() -> None:
    for requirement in ("demo", "demo==1.0"):
        assert not admitted(policy(answer("demo"), answer(requirement, REFUSED, given=later(seconds=1))))
        assert not admitted(policy(answer("demo"), answer(requirement, REFUSED)))
        assert admitted(policy(answer("demo", given=later(seconds=1)), answer(requirement, REFUSED)))
    only = policy(answer("demo"), answer("demo==1.0", REFUSED, given=later(seconds=1)))
    assert admitted(only, "demo-2.0.tar.gz")
    assert only.unlisted(DEMO, PYPI, NOW) is None
    assert policy(answer("demo"), answer("demo", REFUSED)).unlisted(DEMO, PYPI, NOW) is not None


@pytest.mark.parametrize(
    "broken", [answer("a b"), answer("demo", "no-gate"), answer("demo", until="2026-02-31")]
)
def test_what_cannot_be_read_lifts_nothing_at_all(broken: Answer) -> None:
    with pytest.raises(ValueError, match=r"."):
        in_force([answer("demo"), broken])


def test_how_it_is_shown() -> None:
    told = said(answer("demo", "cooldown", until="2026-12-31"))
    assert (told.answer, told.gate, told.until) == ("approved", "cooldown", "2026-12-31")
    told = said(answer("demo", REFUSED))
    assert (told.answer, told.gate, told.until) == ("refused", None, None)
