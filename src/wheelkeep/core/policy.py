"""A policy: a set of gates that all must pass, and waivers that give back by name, for a reason, until a day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from msgspec.structs import replace

from wheelkeep.core.advisories import AdvisoriesGate
from wheelkeep.core.answers import Answers
from wheelkeep.core.cooldown import CooldownGate
from wheelkeep.core.formats import FormatsGate
from wheelkeep.core.gates import AllowGate, Context, DenyGate, Gate, HashesGate, admitted
from wheelkeep.core.licences import LicencesGate
from wheelkeep.core.lock_set import NO_LOCKS, LockSet
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.policy_file import PolicyFile
from wheelkeep.core.provenance import ProvenanceGate
from wheelkeep.core.rules import Ranges, Rule, RuleSet, read_rule
from wheelkeep.core.verdict import Decision, Refusal, Verdict, Waiver

_KEPT = 8192


class Policy:
    """Gates in a flat list, in no particular order, and by project waivers and what was refused."""

    def __init__(
        self, gates: Sequence[Gate], waivers: Sequence[Waiver] = (), refusals: Sequence[Refusal] = ()
    ) -> None:
        self.gates = tuple(gates)
        self.waivers = tuple(waivers)
        self._refusals: dict[str, list[tuple[Rule, Refusal]]] = {}
        for refusal in refusals:
            rule = read_rule(refusal.package)
            self._refusals.setdefault(rule.name, []).append((rule, refusal))
        told: dict[str, list[tuple[Rule, Waiver]]] = {}
        for waiver in waivers:
            rule = read_rule(waiver.package)
            told.setdefault(rule.name, []).append((rule, waiver))
        self._waivers = {name: tuple(waiver for _, waiver in some) for name, some in told.items()}
        self._waived = {name: Ranges(rule for rule, _ in some) for name, some in told.items()}
        self._lifting: dict[tuple[ProjectName, str, str], list[Waiver]] = {}
        self.advised: frozenset[SourceName] = frozenset().union(*map(_advised, gates))
        """The sources of which a gate wants to know the advisories."""
        watched = (gate.watched for gate in gates if isinstance(gate, AdvisoriesGate))
        self.watched: frozenset[SourceName] = frozenset().union(*watched) - self.advised
        """Those of which a gate wants to know what is known of malware, without asking anybody."""
        self._elsewhere = {
            gate.name: admitted(gate.name, f"{gate.name}-elsewhere", "it does not govern this source")
            for gate in self.gates
        }

    @property
    def licences(self) -> LicencesGate | None:
        """The gate that needs to know of licences, where the policy has it."""
        return next((gate for gate in self.gates if isinstance(gate, LicencesGate)), None)

    @property
    def provenance(self) -> ProvenanceGate | None:
        """The gate that needs to know of attestations, where the policy has it."""
        return next((gate for gate in self.gates if isinstance(gate, ProvenanceGate)), None)

    def answered(self, answers: Answers) -> "Policy":
        """A file's policy with what people said to what was wanted."""
        return Policy(self.gates, (*self.waivers, *answers.approvals), answers.refusals)

    def without_allow(self) -> "Policy":
        """The same policy as if no list said what may come in."""
        gates = [gate for gate in self.gates if not isinstance(gate, AllowGate)]
        return Policy(
            gates, self.waivers, [refusal for some in self._refusals.values() for _, refusal in some]
        )

    @property
    def has_list(self) -> bool:
        """Whether a list says what may come in."""
        return any(isinstance(gate, AllowGate) for gate in self.gates)

    def lists(self, file: File, context: Context) -> bool | None:
        """Whether the allow list names a file; None where none governs its source."""
        said = [
            gate.verdict(file, context).admits
            for gate in self.gates
            if isinstance(gate, AllowGate) and file.source in gate.sources
        ]
        return all(said) if said else None

    @property
    def listed(self) -> tuple[frozenset[ProjectName], tuple[str, ...]]:
        """The names of which an allow list, or a waiver of one, admits anything; and the globs that it has besides."""
        told = [gate.listed for gate in self.gates if isinstance(gate, AllowGate)]
        waived = {ProjectName(name) for name, some in self._waivers.items() if _lifts_list(some)}
        names = waived.union(*(exact for exact, _ in told)) if told else waived
        return frozenset(names), tuple(glob for _, globs in told for glob in globs)

    def verdicts(self, file: File, context: Context) -> tuple[Verdict, ...]:
        """One verdict a gate, also from those that do not govern the file's source."""
        source = file.source
        return tuple(
            [
                gate.verdict(file, context) if source in gate.sources else self._elsewhere[gate.name]
                for gate in self.gates
            ]
        )

    def oversized(self, file: File, size: int | None, now: datetime) -> Verdict | None:
        """What stands against a file that has another size, in bytes, than its page tells; None: nothing."""
        if size is None or size == file.size:
            return None
        for gate in self.gates:
            if not isinstance(gate, FormatsGate) or file.source not in gate.sources:
                continue
            verdict = gate.verdict(replace(file, size=size), Context(now=now))
            if not verdict.admits and self.waiver(file.project, file.version, gate.name, now) is None:
                return verdict
        return None

    def waiver(self, project: ProjectName, version: str, gate: str, now: datetime) -> Waiver | None:
        """The waiver in force that lifts the gate for a version; of several, the one that lasts longest.

        ``version``: empty for the name, which a waiver for any of its versions lifts.
        """
        if (waivers := self._waivers.get(project)) is None:
            return None
        key = (project, version, gate)
        if (lifting := self._lifting.get(key)) is None:  # a version has many files
            if len(self._lifting) >= _KEPT:
                self._lifting.clear()
            named = [waivers[at] for at in self._waived[project].every(version)] if version else waivers
            lifting = self._lifting[key] = [
                waiver
                for waiver in named
                if gate in waiver.gates and not self._taken_back(waiver, project, version)
            ]
        return max((one for one in lifting if now < ends(one)), key=lambda one: one.until, default=None)

    def refusal(self, project: ProjectName, version: str) -> Refusal | None:
        """The newest refusal that means a version, or for the empty text the whole name."""
        meant = [refusal for rule, refusal in self._refusals.get(project, ()) if _means(rule, version)]
        return max(meant, key=lambda refusal: refusal.given, default=None)

    def _taken_back(self, waiver: Waiver, project: ProjectName, version: str) -> bool:
        """Whether an approval was followed by a refusal of the same: the later word stands."""
        if waiver.given is None:
            return False
        refusal = self.refusal(project, version)
        return refusal is not None and refusal.given >= waiver.given

    def told(self, verdict: Verdict, project: ProjectName, version: str) -> Verdict:
        """A verdict against a version, or against the whole name, with the refusal that somebody added."""
        refusal = self.refusal(project, version)
        return replace(verdict, sentence=f"{verdict.sentence}; {refusal.told}") if refusal else verdict

    def unlisted(self, project: ProjectName, source: SourceName, now: datetime) -> Verdict | None:
        """Why a source need not be asked about a name: an allow list governs it and nothing there speaks of it."""
        gate = self._not_knowing(project, source, now)
        return self.told(gate.unlisted(project), project, "") if gate is not None else None

    def may_come(self, project: ProjectName, source: SourceName, now: datetime) -> bool:
        """Whether ``unlisted`` says nothing against a name; cheap, as it is asked of every name that there is."""
        return self._not_knowing(project, source, now) is None

    def _not_knowing(self, project: ProjectName, source: SourceName, now: datetime) -> AllowGate | None:
        for gate in self.gates:
            if not isinstance(gate, AllowGate) or source not in gate.sources or gate.knows(project):
                continue
            if self.waiver(project, "", gate.name, now) is None:
                return gate
        return None


def _lifts_list(waivers: Sequence[Waiver]) -> bool:
    return any(AllowGate.name in waiver.gates for waiver in waivers)


def _means(rule: Rule, version: str) -> bool:
    return rule.allows(version) if version else not rule.specifier


def _advised(gate: Gate) -> frozenset[SourceName]:
    if isinstance(gate, AdvisoriesGate):
        return gate.asks
    return gate.sources if isinstance(gate, CooldownGate) and gate.fixes else frozenset()


def ends(waiver: Waiver) -> datetime:
    """The moment at which a waiver is over: the end of its last day in UTC."""
    if waiver.until == date.max:  # the calendar has no day after it
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(waiver.until, time(), tzinfo=UTC) + timedelta(days=1)


def decide(
    policy: Policy, file: File, context: Context, last: Decision | None = None, *, alike: bool = False
) -> Decision:
    """All gates' verdicts on one file, waivers applied. Total: every file gets a decision.

    ``last``: the decision on the file before it, which is given again where no gate says anything else: most files
    of a page are admitted for the same reasons. Where a gate blocks, waivers may yet tell two versions apart, so
    ``alike`` says that both are of one version of one project.
    """
    verdicts = policy.verdicts(file, context)
    if last is not None and (alike or not (last.against or last.waived)) and verdicts == last.verdicts:
        return last
    against = [verdict for verdict in verdicts if not verdict.admits]
    if not against:
        return Decision(verdicts=verdicts)
    waived: list[tuple[Verdict, Waiver]] = []
    standing: list[Verdict] = []
    moments = [verdict.until for verdict in against if verdict.until is not None]
    for verdict in against:
        waiver = policy.waiver(file.project, file.version, verdict.gate, context.now)
        if waiver is None:
            standing.append(verdict)
        else:
            waived.append((verdict, waiver))
            moments.append(ends(waiver))
    return Decision(
        verdicts=verdicts,
        waived=tuple(waived),
        against=policy.told(standing[0], file.project, file.version) if standing else None,
        until=min(moments, default=None),
    )


def build(file: PolicyFile | None, *, remote: frozenset[SourceName], locks: LockSet = NO_LOCKS) -> Policy:
    """The policy that a file states; None: none is configured, so only what always holds.

    That is: first-seen hashes, and no known malware. ``locks``: those that its ``[allow]`` names, read.
    """
    gates: list[Gate] = []
    if file is not None and file.deny is not None:
        deny = file.deny
        gates.append(DenyGate(RuleSet(deny.packages), deny.hashes, deny.reason, frozenset(deny.sources)))
    if file is not None and file.allow is not None:
        gates.append(AllowGate(RuleSet(file.allow.packages), frozenset(file.allow.sources), locks))
    if file is not None and file.cooldown is not None:
        cooldown = file.cooldown
        governed = frozenset(cooldown.sources)
        gates.append(CooldownGate(cooldown.age, RuleSet(cooldown.except_), governed, fixes=cooldown.fixes))
    asked = file.advisories if file is not None else None
    severity, governed = (asked.severity, frozenset(asked.sources)) if asked else ("critical", frozenset())
    gates.append(AdvisoriesGate(severity, governed, watched=remote))
    if file is not None and file.formats is not None:
        formats = file.formats
        gates.append(
            FormatsGate(
                wheels_only=formats.wheels_only, max_size=formats.max_size, sources=frozenset(formats.sources)
            )
        )
    if file is not None and (licences := file.licences) is not None:
        names, unknown = frozenset(licences.allow), licences.unknown == "admit"
        gates.append(LicencesGate(names, admit_unknown=unknown, sources=frozenset(licences.sources)))
    if file is not None and file.provenance is not None:
        told = file.provenance
        required, governed = RuleSet(told.required), frozenset(told.sources)
        gates.append(ProvenanceGate(required, ratchet=told.ratchet, sources=governed))
    if file is None:
        gates.append(HashesGate(required=False, sources=remote))
    else:
        gates.append(HashesGate(required=file.hashes.required, sources=frozenset(file.hashes.sources)))
    return Policy(gates, file.waivers if file is not None else ())
