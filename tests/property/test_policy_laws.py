"""Laws of the policy that hold whatever the gates and waivers are."""

from datetime import date, datetime, timedelta
from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from fakes.made import (
    DEMO,
    NOW,
    allow,
    deny,
    file,
    governed,
    hashes,
    locks,
    page,
    rules,
    sha,
    versions,
    waiver,
)
from fakes.osv import LOW, record
from wheelkeep.core.advisories import AdvisoriesGate, Knowledge
from wheelkeep.core.advisory import Advisory
from wheelkeep.core.cooldown import CooldownGate
from wheelkeep.core.formats import FormatsGate
from wheelkeep.core.gates import Context, Gate
from wheelkeep.core.judge import judge
from wheelkeep.core.licences import LicencesGate
from wheelkeep.core.lock_set import NO_LOCKS
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy import Policy, decide, ends
from wheelkeep.core.provenance import ProvenanceGate
from wheelkeep.core.read_advisories import read_osv
from wheelkeep.core.verdict import Waiver

REQUIREMENTS = ["demo", "demo>=1,<2", "demo==1.0", "demo!=2.0", "demo===1.0", "other", "demo>99"]
SOURCES = ["acme", "pypi"]

HASHES = [sha("a"), sha("b")]
# A lock with a file of one version, and one of another project that has the same hash as some file.
LOCKS = locks(file("demo-1.0.tar.gz", sha256=HASHES[0]), file("other-1.0.tar.gz", sha256=HASHES[1]))

# Made once: an example only picks, so that there can be many.
GOVERNED = [tuple(some) for size in range(3) for some in combinations(SOURCES, size)]
TEXTS = [some for size in range(3) for some in combinations(REQUIREMENTS, size)]
GATES: list[Gate] = []
for sources in GOVERNED:
    GATES += [allow(*told, sources=sources) for told in TEXTS]
    GATES += [allow(*told, sources=sources, locked=LOCKS) for told in TEXTS]
    GATES += [deny(*told, hashes=bad, sources=sources) for told in TEXTS for bad in ((), (HASHES[0],))]
    GATES += [hashes(required=required, sources=sources) for required in (True, False)]
    GATES += [
        CooldownGate(timedelta(days=days), rules(*excepted), governed(*sources))
        for days, excepted in product((1, 7, 36_525), ((), ("demo<1",)))
    ]
    GATES += [AdvisoriesGate(severity, governed(*sources)) for severity in ("any", "medium", "critical")]
    GATES += [AdvisoriesGate("critical", governed(), watched=governed(*sources))]
    GATES += [CooldownGate(timedelta(days=7), rules(), governed(*sources), fixes=True)]
    GATES += [
        FormatsGate(wheels_only=only, max_size=most, sources=governed(*sources))
        for only, most in product((True, False), (None, 5))
    ]
    GATES += [
        ProvenanceGate(rules(*required), ratchet=ratchet, sources=governed(*sources))
        for required, ratchet in product(((), ("demo<2",)), (True, False))
    ]
    GATES.append(LicencesGate(frozenset({"MIT"}), admit_unknown=True, sources=governed(*sources)))
WAIVERS = [
    waiver(package, *lifted, until=until)
    for package, lifted, until in product(
        REQUIREMENTS,
        [
            some
            for size in (1, 2)
            for some in combinations(["allow", "deny", "hashes", "cooldown", "formats", "advisories"], size)
        ],
        [*(NOW.date() + timedelta(days=days) for days in (-2, -1, 0, 1, 30, 400)), date.max],
    )
]
TIMES = [
    None,
    "0001-01-01T00:00:00Z",
    "2026-11-20T00:00:00.5Z",
    "2027-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
]
CANDIDATES = [
    file(
        f"demo-{version}.tar.gz",
        source=source,
        sha256=sha256,
        size=size,
        upload_time=upload_time,
        first_seen=first_seen,
        late=late,
    )
    for version, source, sha256, size, upload_time, first_seen, late in product(
        ["0.9", "1.0", "1.5rc1", "2.0", "100"],
        SOURCES,
        [None, *HASHES],
        [None, 5, 6],
        TIMES,
        [None, NOW - timedelta(days=3), NOW],
        [False, True],
    )
]

RECORDS = [
    record(f"GHSA-{at}", vector=vector, aliases=aliases, events=[{"introduced": since}, {end: upto}])
    for at, (vector, aliases, since, end, upto) in enumerate(
        product((None, LOW), ((), ("CVE-1",)), ("0", "1.0"), ("fixed", "last_affected"), ("1.0", "2.0"))
    )
]
ADVISORIES = [advisory for one in RECORDS for advisory in read_osv(one).advisories]

gates = st.sampled_from(GATES)
some_gates = st.lists(gates, max_size=4, unique_by=lambda gate: gate.name)
waivers = st.sampled_from(WAIVERS)
some_waivers = st.lists(waivers, max_size=3)
candidates = st.sampled_from(CANDIDATES)
moments = st.integers(-3 * 86400, 500 * 86400).map(lambda seconds: NOW + timedelta(seconds=seconds))


advisories = st.sampled_from(ADVISORIES)
some_advisories = st.lists(advisories, max_size=4, unique_by=lambda one: one.id)


def admitted(policy: Policy, one: File, now: datetime = NOW, context: Context | None = None) -> bool:
    return decide(policy, one, context or Context(now=now)).admitted


def knowing(told: list[Advisory]) -> Context:
    versions = sorted({one.version for one in CANDIDATES})
    known = Knowledge(versions, told=None, dumped=told, complete=True)
    return Context(now=NOW, advisories={SourceName(source): known for source in SOURCES})


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


@given(st.lists(candidates, max_size=6), st.lists(candidates, max_size=8))
def test_a_lock_admits_exactly_its_files(locked: list[File], asked: list[File]) -> None:
    gate = allow(sources=tuple(SOURCES), locked=locks(*locked))
    named = {(one.project, one.sha256) for one in locked if one.sha256 is not None}
    for one in [*locked, *asked]:
        assert admitted(Policy([gate]), one) is ((one.project, one.sha256) in named)


@given(st.sampled_from(TEXTS), st.lists(candidates, max_size=4), candidates)
def test_a_lock_beside_requirements_only_adds_its_files(
    texts: tuple[str, ...], locked: list[File], one: File
) -> None:
    alone, both = (
        allow(*texts, sources=tuple(SOURCES), locked=which) for which in (NO_LOCKS, locks(*locked))
    )
    by_lock = admitted(Policy([allow(sources=tuple(SOURCES), locked=locks(*locked))]), one)
    assert admitted(Policy([both]), one) is (admitted(Policy([alone]), one) or by_lock)


@given(st.lists(gates, max_size=4), some_advisories, advisories, candidates)
def test_an_advisory_more_never_admits_more(
    told: list[Gate], known: list[Advisory], more: Advisory, one: File
) -> None:
    """But for a severity that it tells of one that had none, and for what passes the cooldown as its cure."""
    lesser = [other for other in known if other.severity is None and set(other.aliases) & set(more.aliases)]
    if more.severity is not None and lesser:
        return
    policy = Policy([gate for gate in told if not (isinstance(gate, CooldownGate) and gate.fixes)])
    if admitted(policy, one, context=knowing([*known, more])):
        assert admitted(policy, one, context=knowing(known))


@given(some_advisories, candidates, st.integers(0, 500 * 86400))
def test_what_mends_has_nothing_against_it(known: list[Advisory], one: File, seconds: int) -> None:
    context = knowing(known)
    gate = CooldownGate(timedelta(days=36_525), rules(), governed(*SOURCES), fixes=True)
    verdict = gate.verdict(one, context)
    if verdict.code == "cooldown-fixes":
        assert AdvisoriesGate("any", governed(*SOURCES)).verdict(one, context).admits
        later = Context(now=NOW + timedelta(seconds=seconds), advisories=context.advisories)
        assert gate.verdict(one, later).admits
