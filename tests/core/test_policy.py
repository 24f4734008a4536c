"""Gates together, and what a waiver lifts: only what it names, only so long."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fakes.made import DEMO, FAR, NOW, allow, deny, file, governed, hashes, sha, waiver
from wheelkeep.core.advisories import AdvisoriesGate
from wheelkeep.core.gates import Context, HashesGate
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.policy import Policy, build, decide, ends
from wheelkeep.core.policy_file import AdvisoriesTable, AllowTable, DenyTable, HashesTable, PolicyFile
from wheelkeep.core.rules import read_rule
from wheelkeep.core.verdict import Decision

PYPI = SourceName("pypi")
LAST = date(2026, 11, 22)


def decided(policy: Policy, now: datetime = NOW, **told: object) -> Decision:
    return decide(policy, file(**told), Context(now=now))  # type: ignore[arg-type]


def codes(decision: Decision) -> list[str]:
    return [verdict.code for verdict in decision.verdicts]


def test_every_gate_gives_a_verdict_and_all_must_pass() -> None:
    decision = decided(Policy([deny("other"), allow("demo"), hashes()]))
    assert codes(decision) == ["deny-clear", "allow-listed", "hashes-stated"]
    assert decision.admitted
    both = decided(Policy([deny("demo"), allow("other"), hashes()]))
    assert codes(both) == ["deny-package", "allow-unlisted", "hashes-stated"]
    assert both.against == both.verdicts[0]


def test_the_order_of_the_gates_does_not_decide() -> None:
    gates = [deny("demo"), allow("demo"), hashes()]
    for order in (gates, gates[::-1]):
        decision = decided(Policy(order))
        assert decision.against is not None
        assert decision.against.code == "deny-package"


def test_a_policy_without_gates_admits() -> None:
    assert decided(Policy([])) == Decision(verdicts=())


def test_a_gate_governs_its_sources_only() -> None:
    policy = Policy([allow("other", sources=("pypi",)), deny("demo", sources=("vendor",))])
    assert codes(decided(policy, source="acme")) == ["allow-elsewhere", "deny-elsewhere"]
    assert codes(decided(policy, source="pypi")) == ["allow-unlisted", "deny-elsewhere"]
    assert codes(decided(policy, source="vendor")) == ["allow-elsewhere", "deny-package"]
    assert decided(policy, source="acme").admitted


def test_a_waiver_lifts_the_gate_that_it_names() -> None:
    lifting = waiver("demo==1.0", "deny")
    decision = decided(Policy([deny("demo")], [lifting]))
    assert decision.admitted
    assert decision.waived == ((decision.verdicts[0], lifting),)
    assert decision.until == ends(lifting)


@pytest.mark.parametrize(
    "other",
    [waiver("demo==2.0", "deny"), waiver("other", "deny"), waiver("demo", "allow"), waiver("demo", "hashes")],
)
def test_a_waiver_lifts_nothing_else(other: object) -> None:
    decision = decided(Policy([deny("demo")], [other]))  # type: ignore[list-item]
    assert (decision.admitted, decision.waived, decision.until) == (False, (), None)


def test_each_blocking_gate_needs_its_own_waiver() -> None:
    gates = [deny("demo"), allow("other"), hashes()]
    unknown = {"sha256": None}
    one = decided(Policy(gates, [waiver("demo", "deny"), waiver("demo", "hashes")]), **unknown)
    assert one.against is not None
    assert one.against.code == "allow-unlisted"
    assert [verdict.gate for verdict, _ in one.waived] == ["deny", "hashes"]
    assert decided(Policy(gates, [waiver("demo", "deny", "allow", "hashes")]), **unknown).admitted
    singly = [waiver("demo", gate) for gate in ("deny", "allow", "hashes")]
    assert decided(Policy(gates, singly), **unknown).admitted


def test_a_waiver_holds_to_the_end_of_its_last_day_in_utc() -> None:
    policy = Policy([deny("demo")], [waiver("demo", "deny", until=LAST)])
    end = datetime(2026, 11, 23, tzinfo=UTC)
    assert ends(policy.waivers[0]) == end
    before = decided(policy, end - timedelta(microseconds=1))
    assert (before.admitted, before.until) == (True, end)
    assert not decided(policy, end).admitted
    assert not decided(policy, end + timedelta(days=400)).admitted


def test_of_several_waivers_the_longest_counts() -> None:
    waivers = [waiver("demo", "deny", until=LAST), waiver("demo==1.0", "deny", until=FAR)]
    decision = decided(Policy([deny("demo")], waivers))
    assert [lifting for _, lifting in decision.waived] == [waivers[1]]
    assert decision.until == ends(waivers[1])


def test_a_waiver_may_be_for_ever() -> None:
    decision = decided(Policy([deny("demo")], [waiver("demo", "deny", until=date.max)]))
    assert decision.admitted
    assert decision.until is not None
    assert decision.until.timestamp() > NOW.timestamp()


def test_a_waiver_is_for_a_requirement_in_any_spelling() -> None:
    policy = Policy([deny("foo-bar")], [waiver("Foo.Bar>=2,<3", "deny")])
    assert decided(policy, filename="foo_bar-2.5rc1.tar.gz").admitted
    assert not decided(policy, filename="foo_bar-3.0.tar.gz").admitted


def test_when_a_source_need_not_be_asked() -> None:
    policy = Policy([allow("demo>=2", sources=("pypi",)), deny("demo")])
    assert policy.unlisted(DEMO, PYPI, NOW) is None
    assert policy.unlisted(ProjectName("other"), SourceName("acme"), NOW) is None
    verdict = policy.unlisted(ProjectName("other"), PYPI, NOW)
    assert verdict is not None
    assert verdict.code == "allow-unlisted"
    assert Policy([deny("other")]).unlisted(ProjectName("other"), PYPI, NOW) is None


def test_a_waiver_of_the_allow_list_lets_a_source_be_asked() -> None:
    other = ProjectName("other")
    for lifting, asked in (
        (waiver("other==1.0", "allow"), True),
        (waiver("other", "deny"), False),
        (waiver("demo", "allow"), False),
        (waiver("other", "allow", until=LAST), True),
    ):
        assert (Policy([allow("demo")], [lifting]).unlisted(other, PYPI, NOW) is None) is asked
    over = Policy([allow("demo")], [waiver("other", "allow", until=LAST)])
    assert over.unlisted(other, PYPI, datetime(2026, 11, 23, tzinfo=UTC)) is not None


def test_the_policy_of_a_file() -> None:
    remote = governed("pypi", "vendor")
    text = PolicyFile(
        allow=AllowTable(packages=(read_rule("demo"),), sources=(PYPI,)),
        deny=DenyTable(hashes=(sha("bad"),), reason="INC-42", sources=(PYPI, SourceName("acme"))),
        hashes=HashesTable(required=True, sources=(PYPI,)),
        waivers=(waiver("demo", "deny"),),
    )
    policy = build(text, remote=remote)
    assert {gate.name: gate.sources for gate in policy.gates} == {
        "deny": governed("pypi", "acme"),
        "allow": governed("pypi"),
        "advisories": remote,
        "hashes": governed("pypi"),
    }
    assert policy.waivers == text.waivers
    assert codes(decided(policy, sha256=None)) == [
        "deny-unknown",
        "allow-listed",
        "advisories-watched",
        "hashes-missing",
    ]


def test_without_a_file_only_what_always_holds() -> None:
    policy = build(None, remote=governed("pypi"))
    malware, gate = policy.gates
    assert isinstance(malware, AdvisoriesGate)
    assert isinstance(gate, HashesGate)
    assert (gate.sources, malware.sources, malware.asks) == (governed("pypi"), governed("pypi"), frozenset())
    assert (policy.advised, policy.watched) == (frozenset(), governed("pypi"))
    assert codes(decided(policy, sha256=None)) == ["advisories-watched", "hashes-unstated"]
    assert decided(policy, sha256=None).admitted


def test_a_source_that_is_asked_of_is_not_watched_beside() -> None:
    table = AdvisoriesTable(severity="high", sources=(PYPI,))
    policy = build(
        PolicyFile(advisories=table, hashes=HashesTable(sources=(PYPI,))), remote=governed("pypi", "vendor")
    )
    assert (policy.advised, policy.watched) == (governed("pypi"), governed("vendor"))
