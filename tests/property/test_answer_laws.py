"""Laws of what people answer: whatever the policy, an approval lets in what it names, and a refusal nothing."""

from datetime import timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from fakes.made import NOW, allow, deny, file, hashes, waiver
from wheelkeep.core.answers import REFUSED, Answer, in_force
from wheelkeep.core.gates import Context
from wheelkeep.core.model import File
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.policy import Policy, decide
from wheelkeep.core.rules import read_rule

REQUIREMENTS = ["demo", "demo<2", "demo==1.0", "other"]
GATES = [
    allow("other", sources=("pypi",)),
    allow("demo<1.5", sources=("pypi", "acme")),
    deny("demo>=2", sources=("pypi",)),
    hashes(sources=("pypi",)),
]
FILES = [
    file(f"demo-{version}.tar.gz", source=source, **more)
    for version, source, more in product(("0.9", "1.0", "2.0"), ("acme", "pypi"), ({}, {"sha256": None}))
]
ANSWERS = st.builds(
    lambda requirement, gate, seconds, until: Answer(
        index=IndexName("main"),
        requirement=requirement,
        gate=gate,
        reason="r",
        by="b",
        given=NOW + timedelta(seconds=seconds),
        until=until,
    ),
    st.sampled_from(REQUIREMENTS),
    st.sampled_from([REFUSED, "allow", "deny", "hashes", "cooldown"]),
    st.integers(-2, 2),
    st.sampled_from([None, "2026-11-21", "2026-11-22", "2026-12-31"]),
)
POLICIES = st.builds(
    Policy,
    st.lists(st.sampled_from(GATES), max_size=3, unique_by=lambda gate: gate.name),
    st.lists(st.sampled_from([waiver("demo==1.0", "allow"), waiver("demo", "hashes")]), max_size=2),
)


def admitted(policy: Policy, answers: list[Answer], one: File) -> bool:
    return decide(policy.answered(in_force(answers)), one, Context(now=NOW)).admitted


def names(answer: Answer, one: File) -> bool:
    return read_rule(answer.requirement).matches(one.project, one.version)


@given(POLICIES, st.lists(ANSWERS, max_size=4), ANSWERS, st.sampled_from(FILES))
def test_an_approval_admits_what_it_names_and_a_refusal_nothing(
    policy: Policy, before: list[Answer], new: Answer, one: File
) -> None:
    was, now = admitted(policy, before, one), admitted(policy, [*before, new], one)
    if new.gate == REFUSED:
        assert was or not now
    else:
        assert now or not was, "an approval takes nothing away"
    if was != now:
        assert names(new, one)
    if now and not was:
        decision = decide(policy.answered(in_force([*before, new])), one, Context(now=NOW))
        assert new.gate in {verdict.gate for verdict, _ in decision.waived}
        assert new.until is None or new.until >= "2026-11-22"


@given(POLICIES, st.lists(ANSWERS, max_size=4), st.sampled_from(FILES))
def test_what_the_file_admits_stays_admitted(policy: Policy, answers: list[Answer], one: File) -> None:
    if admitted(policy, [], one):
        assert admitted(policy, answers, one)


@given(POLICIES, st.lists(ANSWERS, max_size=4))
def test_a_name_is_asked_for_where_a_version_may_come_in(policy: Policy, answers: list[Answer]) -> None:
    answered = policy.answered(in_force(answers))
    for one in FILES:
        if admitted(policy, answers, one):
            assert answered.unlisted(one.project, SourceName(one.source), NOW) is None
