from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.made import NOW, allow, deny, later, waiver
from wheelkeep.core.answers import NO_ANSWERS, Answers
from wheelkeep.core.names import IndexName
from wheelkeep.core.policy import Policy
from wheelkeep.core.verdict import Outcome, Refusal, Verdict
from wheelkeep.core.wanted import Ask, Counts, Tally, Wanted, asked, asker, is_open

MAIN = IndexName("main")


def ask(project: str, who: str = "address ::1", index: str = "main") -> Ask:
    return Ask(IndexName(index), project, "", "allow", who)


def tally(count: int = 1, seconds: float = 0, **more: Any) -> Tally:
    return Tally(count=count, first=later(seconds=seconds), last=later(seconds=seconds), **more)


def wanted(project: str = "demo", version: str | None = None, gate: str = "allow", **more: Any) -> Wanted:
    told = {"code": "", "sentence": "", "filename": None, "count": 1, "askers": 1, "first": NOW, "last": NOW}
    return Wanted(index=MAIN, project=project, version=version, gate=gate, **told | more)


def test_the_same_ask_is_counted_and_the_last_words_stay() -> None:
    counts = Counts()
    assert not counts
    for seconds, sentence in ((5, "later"), (0, "early")):
        counts.add(ask("demo"), tally(seconds=seconds, sentence=sentence, agent="pip"))
    taken = counts.take()
    assert taken == {ask("demo"): Tally(2, NOW, later(seconds=5), None, "", "later", "", "pip")}
    assert not counts and counts.take() == {}
    counts.give_back(taken)
    counts.add(ask("demo"), tally(3))
    assert counts.take()[ask("demo")].count == 5


ASKS = st.builds(
    ask,
    st.sampled_from("abcdefgh"),
    st.sampled_from(["address 1", "address 2", ""]),
    st.sampled_from(["main", "b"]),
)


@given(st.lists(st.tuples(ASKS, st.integers(1, 9))), st.integers(1, 6), st.integers(1, 6))
def test_a_flood_is_bounded_and_nothing_is_lost(
    asks: list[tuple[Ask, int]], most: int, most_each: int
) -> None:
    counts = Counts(most=most, most_each=most_each)
    for one, count in asks:
        counts.add(one, tally(count, sentence="words"))
    taken = counts.take()
    assert sum(each.count for each in taken.values()) == sum(count for _, count in asks)
    assert len(taken) <= most + 2, "the bound, and one line an index for all beyond"
    for who in ("address 1", "address 2"):
        for index in ("main", "b"):
            assert sum((each.index, each.who) == (index, who) for each in taken) <= most_each + 1
    assert all(each.sentence == "" for one, each in taken.items() if not one.project)


def test_an_ask_has_the_words_of_its_verdict() -> None:
    verdict = Verdict(
        gate="cooldown", outcome=Outcome.HELD, code="c", sentence="s" * 999, until=later(days=1)
    )
    told = asked(verdict, NOW, filename="f", agent="uv")
    assert (told.count, told.code, len(told.sentence), told.free) == (1, "c", 500, later(days=1))
    assert (told.filename, told.agent) == ("f", "uv")


@pytest.mark.parametrize(
    ("who", "kind", "name"),
    [("token my ci", "token", "my ci"), ("address ::1", "address", "::1"), ("", "others", "")],
)
def test_who_asked(who: str, kind: str, name: str) -> None:
    told = asker(who, tally(2, agent="pip"))
    assert (told.kind, told.name, told.agent, told.count) == (kind, name, "pip", 2)


def test_what_is_open() -> None:
    policy = Policy([allow("listed", "ranged<2", sources=("pypi",)), deny("bad", sources=("pypi",))])

    def still(one: Wanted, answers: Answers = NO_ANSWERS) -> bool:
        return is_open(policy.answered(answers), one, NOW)

    assert still(wanted()) and still(wanted(version="1.0")) and still(wanted("ranged", "2.0"))
    assert not still(wanted("listed")), "the file has come to allow it"
    assert not still(wanted("ranged", "1.0"))
    assert not still(wanted(gate="cooldown")), "the gate is gone"
    assert still(wanted("bad", gate="deny"))
    assert still(wanted("bad", gate="deny", free=later(days=1)))
    assert not still(wanted("bad", gate="deny", free=NOW)), "it has become free by itself"
    for requirement, name, version in (
        ("demo", False, False),
        ("demo==1.0", True, False),
        ("demo>1", True, True),
    ):
        refused = Answers(refusals=(Refusal(package=requirement, reason="r", by="b", given=NOW),))
        assert still(wanted(), refused) is name
        assert still(wanted(version="1.0"), refused) is version
        approved = Answers(approvals=(waiver(requirement, "allow"),))
        assert not still(wanted(), approved), "the page is shown from then on"
        assert still(wanted(version="1.0"), approved) is version
        assert still(wanted("demo", gate="deny"), approved)
