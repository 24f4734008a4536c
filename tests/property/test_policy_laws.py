"""Laws of the policy that hold whatever the gates and waivers are."""

from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fakes.made import DEMO, NOW, allow, deny, file, hashes, page, sha, versions, waiver
from wheelkeep.core.gates import Context, Gate
from wheelkeep.core.judge import judge
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy import Policy, decide, ends
from wheelkeep.core.verdict import Waiver

REQUIREMENTS = ["demo", "demo>=1,<2", "demo==1.0", "demo!=2.0", "demo===1.0", "other", "demo>99"]
SOURCES = ["acme", "pypi"]

governs = st.lists(st.sampled_from(SOURCES), max_size=2, unique=True).map(tuple)
texts = st.lists(st.sampled_from(REQUIREMENTS), max_size=3)
digests = st.sampled_from([sha("a"), sha("b")])
gates: st.SearchStrategy[Gate] = st.one_of(
    st.builds(lambda told, sources: allow(*told, sources=sources), texts, governs),
    st.builds(
        lambda told, bad, sources: deny(*told, hashes=tuple(bad), sources=sources),
        texts,
        st.lists(digests, max_size=1),
        governs,
    ),
    st.builds(lambda required, sources: hashes(required=required, sources=sources), st.booleans(), governs),
)
some_gates = st.lists(gates, max_size=4, unique_by=lambda gate: gate.name)
days = st.integers(-2, 400).map(lambda days: NOW.date() + timedelta(days=days)) | st.just(date.max)
waivers = st.builds(
    lambda package, lifted, until: waiver(package, *lifted, until=until),
    st.sampled_from(REQUIREMENTS),
    st.lists(st.sampled_from(["allow", "deny", "hashes", "cooldown"]), min_size=1, max_size=3, unique=True),
    days,
)
some_waivers = st.lists(waivers, max_size=3)
candidates: st.SearchStrategy[File] = st.builds(
    lambda version, source, sha256: file(f"demo-{version}.tar.gz", source=source, sha256=sha256),
    st.sampled_from(["0.9", "1.0", "1.5rc1", "2.0", "100"]),
    st.sampled_from(SOURCES),
    st.none() | digests,
)
moments = st.integers(-3 * 86400, 500 * 86400).map(lambda seconds: NOW + timedelta(seconds=seconds))


def admitted(policy: Policy, one: File, now: datetime = NOW) -> bool:
    return decide(policy, one, Context(now=now)).admitted


@given(some_gates, gates, some_waivers, candidates, moments)
def test_a_gate_more_never_admits_more(
    told: list[Gate], more: Gate, lifted: list[Waiver], one: File, now: datetime
) -> None:
    if admitted(Policy([*told, more], lifted), one, now):
        assert admitted(Policy(told, lifted), one, now)


@given(some_gates, some_waivers, waivers, candidates, moments)
def test_a_waiver_never_admits_more_than_it_names(
    told: list[Gate], lifted: list[Waiver], more: Waiver, one: File, now: datetime
) -> None:
    without = decide(Policy(told, lifted), one, Context(now=now))
    with_it = decide(Policy(told, [*lifted, more]), one, Context(now=now))
    assert with_it.verdicts == without.verdicts
    before = {verdict.gate for verdict, _ in without.waived}
    after = {verdict.gate for verdict, _ in with_it.waived}
    assert before <= after <= before | set(more.gates)
    if after != before:
        name = more.package.partition("=")[0].partition(">")[0].partition("!")[0]
        assert name == one.project
        assert now < ends(more)


@given(some_gates, some_waivers, candidates, moments)
def test_a_file_is_admitted_when_every_verdict_against_it_is_waived(
    told: list[Gate], lifted: list[Waiver], one: File, now: datetime
) -> None:
    policy = Policy(told, lifted)
    decision = decide(policy, one, Context(now=now))
    assert [verdict.gate for verdict in decision.verdicts] == [gate.name for gate in told]
    against = [verdict for verdict in decision.verdicts if not verdict.admits]
    waived = [verdict for verdict, _ in decision.waived]
    assert decision.admitted is (against == waived)
    if not decision.admitted:
        assert decision.against in against
        assert decision.against not in waived
    for verdict in decision.verdicts:
        assert verdict.sentence
        assert bool(verdict.remedy) is not verdict.admits


@given(some_gates, candidates)
def test_gates_say_the_same_in_any_order(told: list[Gate], one: File) -> None:
    verdicts = {verdict.gate: verdict for verdict in Policy(told).verdicts(one, Context(now=NOW))}
    back = {verdict.gate: verdict for verdict in Policy(told[::-1]).verdicts(one, Context(now=NOW))}
    assert verdicts == back
    assert admitted(Policy(told), one) is admitted(Policy(told[::-1]), one)


@given(some_gates, some_waivers, candidates, moments, st.integers(0, 500 * 86400))
def test_time_alone_never_blocks_what_was_admitted_but_for_a_waiver_s_end(
    told: list[Gate], lifted: list[Waiver], one: File, now: datetime, seconds: int
) -> None:
    policy = Policy(told, lifted)
    before = decide(policy, one, Context(now=now))
    then = now + timedelta(seconds=seconds)
    if before.admitted and not admitted(policy, one, then):
        assert any(ends(lifting) <= then for _, lifting in before.waived)


@given(some_gates, some_waivers, candidates, moments, st.integers(0, 500 * 86400))
def test_a_decision_holds_until_it_says(
    told: list[Gate], lifted: list[Waiver], one: File, now: datetime, seconds: int
) -> None:
    policy = Policy(told, lifted)
    before = decide(policy, one, Context(now=now))
    then = now + timedelta(seconds=seconds)
    if before.until is None or then < before.until:
        assert admitted(policy, one, then) is before.admitted


@given(some_gates, some_waivers, st.sampled_from(SOURCES), moments)
def test_what_is_not_asked_for_would_not_have_been_admitted(
    told: list[Gate], lifted: list[Waiver], source: str, now: datetime
) -> None:
    policy = Policy(told, lifted)
    if policy.unlisted(DEMO, SourceName(source), now) is not None:
        for one in versions("0.9", "1.0", "1.5rc1", "2.0", "100", source=source):
            assert not admitted(policy, one, now)


@given(
    some_gates, some_waivers, st.lists(candidates, max_size=4, unique_by=lambda one: one.filename), moments
)
def test_a_page_is_judged_as_its_files_are(
    told: list[Gate], lifted: list[Waiver], files: list[File], now: datetime
) -> None:
    policy, context = Policy(told, lifted), Context(now=now)
    judged = judge(page(*files), policy, context)
    assert judged.decisions == tuple(decide(policy, one, context) for one in files)
    ends_at = [decision.until for decision in judged.decisions if decision.until is not None]
    assert judged.good_until == min(ends_at, default=None)
