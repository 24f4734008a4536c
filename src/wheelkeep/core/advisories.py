"""``[advisories]``: what is known against a project's versions, from its source and from dumps, and the gate on it."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from wheelkeep.core.advisory import Advisory, Line, is_malware, past
from wheelkeep.core.gates import Context, admitted, blocked
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy_file import Severity
from wheelkeep.core.severity import least, rank_of, worst
from wheelkeep.core.verdict import Verdict

_MOST_NAMED = 5


class Told(Struct, frozen=True, kw_only=True):
    """What the documents of one source say of one project."""

    newest: str | None = None
    """The version that the project's document speaks of."""
    advisories: tuple[Advisory, ...] = ()
    """Those of the project's document."""
    own: Mapping[str, tuple[Advisory, ...]] = {}
    """By version: those of the version's own document."""
    waiting: frozenset[str] = frozenset()
    """Versions whose own document could not be had yet, or is one too many to ask for."""


class Trouble(Struct, frozen=True, kw_only=True):
    """One advisory by all its names: records of several databases that speak of the same thing."""

    ids: tuple[str, ...]
    """The records' own ids, then what else it is called."""
    severity: str | None
    """The worst that a record tells; None: none tells any, which counts as critical."""
    fixed: tuple[str, ...] = ()
    summary: str = ""

    @property
    def rank(self) -> int:
        return rank_of(self.severity)

    @property
    def malware(self) -> bool:
        """Whether the package itself is the attack."""
        return any(map(is_malware, self.ids))

    @property
    def label(self) -> str:
        """Its names and how bad it is, for a sentence."""
        others = f", {', '.join(self.ids[1:4])}" if len(self.ids) > 1 else ""
        return f"{self.ids[0]} ({self.severity or 'severity not told'}{others})"


class Knowledge:
    """What is known of a project in one source, laid out for the versions on its page."""

    def __init__(
        self,
        versions: Sequence[str],
        *,
        told: Told | None,
        dumped: Sequence[Advisory] = (),
        complete: bool = False,
        why: str = "",
    ) -> None:
        """``told``: None where the source's documents are not to be had, and ``why``.

        ``dumped``: the project's advisories in imported dumps; ``complete``: a whole dump was imported, so that what
        is not among them is not known to anybody.
        """
        self.why = why
        self.said: dict[tuple[str, str], Verdict] = {}
        """What a gate of a severity said of a version."""
        self.cut: list[Trouble] = []
        """Those that name more versions than were read."""
        self._known = told is not None or complete or bool(dumped)
        self._waiting = told.waiting if told is not None and not complete else frozenset()
        self._against: dict[str, list[Trouble]] = {}
        self._mended: dict[str, list[Trouble]] = {}
        line = Line(versions)
        for records in _grouped([*dumped, *_all_told(told)]):
            self._lay(line, records, told, set(map(id, dumped)))

    def _lay(self, line: Line, records: list[Advisory], told: Told | None, dumped: set[int]) -> None:
        precise = [one for one in records if id(one) in dumped]
        fixed = dict.fromkeys(text for one in records for text in one.fixed)
        after = (line.after(span) for one in precise for span in one.spans)
        trouble = Trouble(
            ids=_names(records),
            severity=worst(one.severity for one in records),
            fixed=tuple(fixed),
            summary=next((one.summary for one in records if one.summary), ""),
        )
        if any(one.cut for one in precise):
            self.cut.append(trouble)
        affected: set[str] = set()
        for one in precise:
            affected |= line.affected(one)
        if told is not None:
            affected |= _by_word(line, records, told, inferring=not precise)
        for text in affected:
            self._against.setdefault(text, []).append(trouble)
        for text in {*fixed, *(text for text in after if text is not None)} - affected:
            self._mended.setdefault(text, []).append(trouble)

    def unknown(self, version: str) -> bool:
        """Whether nobody has told if the version is affected."""
        return not self._known or version in self._waiting or bool(self.cut)

    def against(self, version: str) -> list[Trouble]:
        """What is known against a version, the worst first."""
        found = self._against.get(version, [])
        return sorted(found, key=lambda trouble: (-trouble.rank, trouble.ids))

    def mends(self, version: str) -> list[Trouble]:
        """What a version is the cure of; nothing where it is affected itself, or that is not known."""
        if self.unknown(version) or version in self._against:
            return []
        return sorted(self._mended.get(version, []), key=lambda trouble: (-trouble.rank, trouble.ids))


def only_malware(told: Told | None) -> Told | None:
    """What is told of malware alone; None where there is none."""
    if told is None or not any(one.malware for one in _all_told(told)):
        return None
    return Told(
        newest=told.newest,
        advisories=tuple(one for one in told.advisories if one.malware),
        own={text: tuple(one for one in own if one.malware) for text, own in told.own.items()},
    )


def _all_told(told: Told | None) -> list[Advisory]:
    if told is None:
        return []
    return [*told.advisories, *(one for own in told.own.values() for one in own)]


def _by_word(line: Line, records: list[Advisory], told: Told, *, inferring: bool) -> set[str]:
    """The versions that a source's documents call affected.

    A version's own document speaks of that version, the project's of the newest one. From the project's document it is
    ``inferring`` that older versions are affected up to the fix: it does not say where the trouble began.
    """
    found: set[str] = set()
    here = set(map(id, records))
    for text, own in told.own.items():
        if any(id(one) in here and not past(text, one.fixed) for one in own):
            found.add(text)
    for one in told.advisories:
        if id(one) not in here:
            continue
        if inferring:
            found.update(line.unmended(one.fixed))
        elif told.newest is not None and line.has(told.newest) and not past(told.newest, one.fixed):
            found.add(told.newest)
    return found


def _grouped(records: Sequence[Advisory]) -> list[list[Advisory]]:
    """Records that share an id or alias, together, in the order of their first."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            parent[name] = parent[above]  # halves the way for whoever comes next
            name = above
        return name

    for record in records:
        own = root(record.id)
        for alias in record.aliases:
            parent[root(alias)] = own
    groups: dict[str, list[Advisory]] = {}
    for record in records:
        groups.setdefault(root(record.id), []).append(record)
    return list(groups.values())


def _names(records: list[Advisory]) -> tuple[str, ...]:
    """Malware first, then as they came; aliases last."""
    own = sorted(dict.fromkeys(one.id for one in records), key=lambda name: not name.startswith("MAL-"))
    return tuple(dict.fromkeys([*own, *(alias for one in records for alias in one.aliases)]))


class AdvisoriesGate:
    """Blocks a version with a known advisory of at least a severity, and one of which nobody knows. Of sources that
    are only watched nobody is asked: malware is blocked as far as it is known, and all else is admitted."""

    name = "advisories"

    def __init__(
        self,
        severity: Severity,
        sources: frozenset[SourceName],
        *,
        watched: frozenset[SourceName] = frozenset(),
    ) -> None:
        self.asks = sources
        """The sources of which it wants to know everything."""
        self.watched = watched - sources
        self.sources = sources | watched
        self._severity = severity
        self._least = least(severity)
        self._quiet = admitted(
            self.name, "advisories-watched", "it is not known as malware; the policy asks for nothing more"
        )
        self._clear = admitted(self.name, "advisories-clear", "no known advisory is about it")

    def verdict(self, file: File, context: Context) -> Verdict:
        known = context.advisories.get(file.source) if context.advisories is not None else None
        if file.source in self.watched:
            return self._watch(file, known) if known is not None else self._quiet
        if known is None:
            return self._unknown("its source was not asked")
        key = (self._severity, file.version)  # a version has many files, and of each the same is known
        if (said := known.said.get(key)) is None:
            said = known.said[key] = self._judge(file, known)
        return said

    def _watch(self, file: File, known: Knowledge) -> Verdict:
        key = ("malware", file.version)
        if (said := known.said.get(key)) is None:
            bad = [trouble for trouble in known.against(file.version) if trouble.malware]
            unsure = any(trouble.malware for trouble in known.cut)
            said = self._affected(file, bad) if bad else self._unknown(_why(known)) if unsure else self._quiet
            known.said[key] = said
        return said

    def _judge(self, file: File, known: Knowledge) -> Verdict:
        troubles = known.against(file.version)
        if not troubles:
            if not known.unknown(file.version):
                return self._clear
            return self._unknown(_why(known))
        bad = [trouble for trouble in troubles if trouble.rank >= self._least]
        if bad:
            return self._affected(file, bad)
        if known.unknown(file.version):
            return self._unknown(_why(known))
        lesser = ", ".join(trouble.label for trouble in troubles[:_MOST_NAMED])
        return admitted(self.name, "advisories-lesser", f"only below {self._severity}: {lesser}")

    def _affected(self, file: File, bad: list[Trouble]) -> Verdict:
        named = ", ".join(trouble.label for trouble in bad[:_MOST_NAMED])
        more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        fixes = list(dict.fromkeys(text for trouble in bad for text in trouble.fixed))
        cure = (
            f"take a version with the fix ({', '.join(fixes[:_MOST_NAMED])})" if fixes else "no fix is known"
        )
        return blocked(
            self.name,
            "advisories-affected",
            f"{named}{more}: known against {file.project} {file.version}",
            f'{cure}, or ask for a waiver with gates = ["advisories"]',
        )

    def _unknown(self, why: str) -> Verdict:
        return blocked(
            self.name,
            "advisories-unknown",
            f"whether advisories are known against it cannot be told: {why}",
            "ask again in a moment, or have the operator import a dump with wheelkeep advisories import",
        )


def _why(known: Knowledge) -> str:
    """Why it is not known whether a version is affected."""
    if known.cut:
        return f"{known.cut[0].ids[0]} names more versions than are read"
    return known.why or "its source was not asked of this version yet"
