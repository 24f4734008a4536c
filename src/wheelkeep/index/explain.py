"""Explaining: every candidate file of a requirement, with each gate's verdict and what would change it."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core import merge
from wheelkeep.core.judge import judge
from wheelkeep.core.merge import Merged, Nowhere
from wheelkeep.core.model import Absent, Answer, File, Found, Unasked, Unreachable
from wheelkeep.core.names import ProjectName, version
from wheelkeep.core.rules import Rule
from wheelkeep.core.verdict import Decision, Verdict, Waiver
from wheelkeep.index.gather import Gathered, Place
from wheelkeep.index.index import WHERE_TO_ASK, Index
from wheelkeep.store.ledger import Ledger

_PATIENCE = 10.0
"""Seconds that a person waits for what is newest."""


class GateSaid(Struct, frozen=True, kw_only=True):
    """One gate's verdict on one file."""

    gate: str
    outcome: str
    """``admitted``, ``held``, ``blocked``, or ``waived``."""
    code: str
    sentence: str
    remedy: str = ""
    waiver: str = ""
    approval: str = ""
    """Like ``waiver``, where it is the answer to what was wanted."""


class FileSaid(Struct, frozen=True, kw_only=True):
    """One candidate file."""

    filename: str
    version: str
    source: str
    verdict: str
    """``admitted``, ``held`` or ``blocked``."""
    gates: tuple[GateSaid, ...]
    sha256: str | None = None
    yanked: str | None = None
    kept: bool = False
    """Its bytes are in the store."""
    gone: bool = False
    left: str | None = None
    """How it left its origin: ``file``, ``project`` or ``quarantined``."""
    changed: str | None = None
    """A sha256 that the source told later, and that is not believed."""


class SourceSaid(Struct, frozen=True, kw_only=True):
    """What one source of the index answered."""

    source: str
    answer: str
    """``has it``, ``does not have it``, ``unreachable``, ``not asked``."""
    why: str = ""
    shadowed: int = 0
    """Files that it has, or is known to have, and that are not shown because of a better source."""
    newest_shadowed: str | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """The whole answer, as ``--json`` prints it."""

    requirement: str
    index: str
    project: str
    admitted: bool
    says: str
    owners: tuple[str, ...] = ()
    sources: tuple[SourceSaid, ...] = ()
    files: tuple[FileSaid, ...] = ()
    pin: str = ""
    """Which stanza chose the version, in an index that is pinned."""
    incidents: tuple[dict[str, str], ...] = ()


async def explain(
    index: Index, rule: Rule, *, ledger: Ledger, has_bytes: Callable[[File], bool]
) -> Explanation:
    """Why the files that a requirement means are served or not, by asking as a client's request would."""
    project = ProjectName(rule.name)
    gathered = await index.gather(project, patience=_PATIENCE)
    outcome = gathered.outcome
    files: tuple[FileSaid, ...] = ()
    owners: tuple[str, ...] = ()
    if isinstance(outcome, Merged):
        owners = outcome.owners
        policy = index.policy.current
        context = await index.context(policy, outcome.page, patience=_PATIENCE)
        judged = judge(outcome.page, policy, context)
        pairs = [
            (file, decision)
            for file, decision in zip(judged.page.files, judged.decisions, strict=True)
            if rule.allows(file.version)
        ]
        pairs.sort(key=lambda pair: (version(pair[0].version), pair[0].filename), reverse=True)
        files = tuple(_file(file, decision, has_bytes(file)) for file, decision in pairs)
    own = {place.source.name for group in index.groups for place in group}
    # Another index's sources are none of this one's readers' business.
    incidents = [
        entry for entry in await ledger.last("incident", project=project, limit=20) if entry.source in own
    ]
    return Explanation(
        requirement=rule.text,
        index=index.name,
        project=project,
        admitted=any(file.verdict == "admitted" for file in files),
        says=_says(rule, outcome, files),
        owners=owners,
        sources=await _sources(index, gathered),
        files=files,
        pin=_pin(outcome),
        incidents=tuple(
            {"at": f"{entry.at:%Y-%m-%dT%H:%M:%SZ}", "file": entry.filename or "", **entry.detail}
            for entry in incidents
        ),
    )


def _says(rule: Rule, outcome: Merged | Nowhere | Unreachable | Unasked, files: tuple[FileSaid, ...]) -> str:
    if isinstance(outcome, Nowhere):
        return f"no source of this index has {rule.name}"
    if isinstance(outcome, Unreachable):
        return f"the source {outcome.source} might have {rule.name}, but {outcome.reason}"
    if isinstance(outcome, Unasked):
        return f"{outcome.gate}: {outcome.sentence}, so {outcome.source} was not asked; {WHERE_TO_ASK}"
    if not files:
        return f"{rule.name} belongs to {', '.join(outcome.owners)}, which has no file for {rule.text}"
    admitted = sum(file.verdict == "admitted" for file in files)
    return f"{admitted} of {len(files)} files admitted; {rule.name} belongs to {', '.join(outcome.owners)}"


def _file(file: File, decision: Decision, kept: bool) -> FileSaid:
    waived = {verdict.gate: waiver for verdict, waiver in decision.waived}
    standing = decision.against
    return FileSaid(
        filename=file.filename,
        version=file.version,
        source=file.source,
        verdict="admitted" if decision.against is None else decision.against.outcome.value,
        gates=tuple(
            # The verdict that stands has more to say: who refused to lift it.
            _gate(
                standing if standing and standing.gate == verdict.gate else verdict, waived.get(verdict.gate)
            )
            for verdict in decision.verdicts
        ),
        sha256=file.sha256,
        yanked=file.yanked,
        kept=kept,
        gone=file.gone,
        left=file.left,
        changed=file.changed,
    )


def _gate(verdict: Verdict, waiver: Waiver | None) -> GateSaid:
    return GateSaid(
        gate=verdict.gate,
        outcome=verdict.outcome.value if waiver is None else "waived",
        code=verdict.code,
        sentence=verdict.sentence,
        remedy=verdict.remedy,
        waiver=waiver.told if waiver is not None and waiver.given is None else "",
        approval=waiver.told if waiver is not None and waiver.given is not None else "",
    )


def _pin(outcome: merge.Outcome) -> str:
    if not isinstance(outcome, Merged) or outcome.choice is None:
        return ""
    candidate = outcome.choice.candidate
    if candidate is None:
        return "no version has a number above 0"
    numbers = ", ".join(f"{source} {number}" for source, number in outcome.choice.numbers.items())
    if candidate.pin is None:
        return f"{candidate.version} has {candidate.number}, its sources' own number ({numbers})"
    pin = candidate.pin
    said = [("package", " ".join(pin.packages)), ("source", pin.source), ("version", pin.version)]
    stanza = ", ".join(f"{key} = {value}" for key, value in said if value is not None)
    return f"{candidate.version} has {candidate.number} by the stanza with {stanza}"


async def _sources(index: Index, gathered: Gathered) -> tuple[SourceSaid, ...]:
    answers = {answer.source: answer for group in gathered.answers for answer in group}
    reached = len(gathered.answers)
    shown = gathered.outcome.page.files if isinstance(gathered.outcome, Merged) else ()
    by_source: dict[str, set[str]] = {}
    for file in shown:
        by_source.setdefault(file.source, set()).add(file.filename)
    said: list[SourceSaid] = []
    for at, group in enumerate(index.groups):
        for place in group:
            name = place.source.name
            if (answer := answers.get(name)) is not None:
                said.append(_with_shadow(_answered(answer), answer, by_source.get(name, set())))
            elif gathered.owners and name not in gathered.owners:
                owners = ", ".join(sorted(gathered.owners))
                why = f"the name is reserved for {owners}"
                said.append(SourceSaid(source=name, answer="not asked", why=why))
            elif at >= reached:
                said.append(await _below(place, gathered.project))
            else:
                why = "its include or exclude keeps the name out"
                said.append(SourceSaid(source=name, answer="not asked", why=why))
    return tuple(said)


def _with_shadow(said: SourceSaid, answer: Answer, shown: set[str]) -> SourceSaid:
    if not isinstance(answer, Found):
        return said
    hidden = [file for file in answer.page.files if file.filename not in shown]
    return replace(said, shadowed=len(hidden), newest_shadowed=merge.newest(hidden))


async def _below(place: Place, project: ProjectName) -> SourceSaid:
    """A source that a better one stands before: what is known of it without telling it the name."""
    page = await place.source.known(project) if place.selection.may_have(project) else None
    files = place.selection.apply(page).files if page is not None else ()
    return SourceSaid(
        source=place.source.name,
        answer="not asked",
        why="a better source decides",
        shadowed=len(files),
        newest_shadowed=merge.newest(files),
    )


def _answered(answer: Answer) -> SourceSaid:
    match answer:
        case Found() if not merge.has(answer):
            if answer.stale is not None:
                return SourceSaid(source=answer.source, answer="unreachable", why=answer.stale)
            why = "nothing that it may offer is left on its page"
            return SourceSaid(source=answer.source, answer="does not have it", why=why)
        case Found():
            why = answer.stale or (
                f"{len(answer.page.files)} files" if answer.page.files else "reserved, no file yet"
            )
            return SourceSaid(source=answer.source, answer="has it", why=why)
        case Absent():
            return SourceSaid(source=answer.source, answer="does not have it")
        case Unreachable():
            return SourceSaid(source=answer.source, answer="unreachable", why=answer.reason)
        case Unasked():
            return SourceSaid(
                source=answer.source, answer="not asked", why=f"{answer.gate}: {answer.sentence}"
            )
