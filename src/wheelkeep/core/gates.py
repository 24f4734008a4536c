"""The gates: each says of one file whether it passes, and why. Missing knowledge blocks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from wheelkeep.core.attested import Provenance
from wheelkeep.core.licence import Licences
from wheelkeep.core.lock_set import NO_LOCKS, LockSet
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.rules import RuleSet
from wheelkeep.core.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from wheelkeep.core.advisories import Knowledge


class Context(Struct, frozen=True, kw_only=True):
    """What the gates may know beside the file itself."""

    now: datetime
    """Aware, UTC."""
    as_of: datetime | None = None
    """The moment as of which the page is shown, where that is not now; aware, UTC."""
    provenance: Provenance | None = None
    """What is known of the project's attestations; None: nobody looked."""
    advisories: "Mapping[SourceName, Knowledge] | None" = None
    """By source, of the page's project; None: nobody was asked, as no gate wants to know."""
    good_until: datetime | None = None
    """The moment from which what is known here should be asked for again; None: until somebody tells of a change."""
    licences: Licences | None = None
    """What is known of the licences of its releases; None: nobody looked."""


class Gate(Protocol):
    """One table of ``policy.toml``."""

    name: str
    sources: frozenset[SourceName]

    def verdict(self, file: File, context: Context) -> Verdict:
        """What the gate says of a file of a source that it governs; total, never raises."""
        ...


def admitted(gate: str, code: str, sentence: str) -> Verdict:
    return Verdict(gate=gate, outcome=Outcome.ADMITTED, code=code, sentence=sentence)


def blocked(gate: str, code: str, sentence: str, remedy: str) -> Verdict:
    return Verdict(gate=gate, outcome=Outcome.BLOCKED, code=code, sentence=sentence, remedy=remedy)


class AllowGate:
    """``[allow]``: a file passes when a requirement or a lock names it. A name that none knows is not asked for."""

    name = "allow"

    def __init__(self, rules: RuleSet, sources: frozenset[SourceName], locks: LockSet = NO_LOCKS) -> None:
        self.sources = sources
        self._rules = rules
        self._locks = locks
        self._said: dict[tuple[ProjectName, str], Verdict] = {}
        self._locked = [
            admitted(self.name, "allow-locked", f"one of the files of {lock}") for lock in locks.names
        ]
        self._astray: dict[tuple[ProjectName, str, bool], Verdict] = {}

    def knows(self, project: ProjectName) -> bool:
        """Whether a requirement speaks of the name, whatever the version, or a lock has a file of it."""
        return self._rules.knows(project) or self._locks.knows(project)

    @property
    def listed(self) -> tuple[set[ProjectName], tuple[str, ...]]:
        """The names that requirements or locks have, and the globs, which stand for names that nobody can tell."""
        exact = {ProjectName(rule.name) for rule in self._rules if not rule.glob}
        return exact | self._locks.projects, tuple(rule.text for rule in self._rules if rule.glob)

    def names(self, project: ProjectName, version: str) -> bool:
        """Whether a requirement speaks of the version, or for the empty text whether the name is known."""
        return self._rules.match(project, version) is not None if version else self.knows(project)

    def unlisted(self, project: ProjectName) -> Verdict:
        """The verdict about a name that no requirement knows, and of which no lock has a file."""
        unusable = self._locks.unusable(project)
        return blocked(
            self.name,
            "allow-unlisted",
            f"{project} is not on the allow list" + (f"; {unusable}" if unusable else ""),
            f'ask the keepers of the policy to add "{project}" to [allow] packages',
        )

    def verdict(self, file: File, context: Context) -> Verdict:
        key = (file.project, file.version)
        if (said := self._said.get(key)) is None:
            if len(self._said) > 50_000:
                self._said.clear()
            said = self._said[key] = self._judge(file)
        return said if said.admits or not self._locks.knows(file.project) else self._by_lock(file)

    def _by_lock(self, file: File) -> Verdict:
        """A lock names bytes, so each file is looked at by itself."""
        if (lock := self._locks.find(file.project, file.sha256)) is not None:
            return self._locked[lock]
        key = (file.project, file.version, file.sha256 is None)
        if (said := self._astray.get(key)) is None:
            if len(self._astray) > 50_000:
                self._astray.clear()
            said = self._astray[key] = self._not_locked(file)
        return said

    def _not_locked(self, file: File) -> Verdict:
        what, has = f"{file.project} {file.version}", self._locks.described(file.project)
        if file.sha256 is None:
            return blocked(
                self.name,
                "allow-unknown",
                f"the sha256 of this file is not known, so it cannot be held against {has}",
                "the source must state a sha256 for the file",
            )
        if known := self._rules.for_project(file.project):
            has = f"{', '.join(rule.text for rule in known[:5])}, or {has}"
        return blocked(
            self.name,
            "allow-lock",
            f"this file of {what} is not on the allow list, which has {has}",
            f'lock anew so that the lock has its sha256, or ask the keepers of the policy to add "{file.project}=='
            f'{file.version}" to [allow] packages',
        )

    def _judge(self, file: File) -> Verdict:
        rule = self._rules.match(file.project, file.version)
        if rule is not None:
            return admitted(self.name, "allow-listed", f'listed as "{rule.text}"')
        known = self._rules.for_project(file.project)
        if not known:
            return self.unlisted(file.project)
        listed = ", ".join(rule.text for rule in known[:5])
        return blocked(
            self.name,
            "allow-version",
            f"{file.project} {file.version} is not on the allow list, which has {listed}",
            f'ask the keepers of the policy to add "{file.project}=={file.version}" to [allow] packages',
        )


class DenyGate:
    """``[deny]``: requirements and hashes that nobody gets."""

    name = "deny"

    def __init__(
        self, rules: RuleSet, hashes: Sequence[str], reason: str | None, sources: frozenset[SourceName]
    ) -> None:
        self.sources = sources
        self._rules = rules
        self._hashes = frozenset(hashes)
        self._reason = reason
        self._clear = admitted(self.name, "deny-clear", "no denial names it")
        self._said: dict[str, Verdict] = {}

    def verdict(self, file: File, context: Context) -> Verdict:
        rule = self._rules.match(file.project, file.version)
        if rule is not None:
            if (said := self._said.get(rule.text)) is None:  # as many as there are rules
                said = self._said[rule.text] = self._denied("deny-package", f'denied as "{rule.text}"')
            return said
        if self._hashes:
            if file.sha256 is None:
                return blocked(
                    self.name,
                    "deny-unknown",
                    "its sha256 is not known, so it cannot be held against the denied hashes",
                    "the source must state a sha256 for the file",
                )
            if file.sha256 in self._hashes:
                return self._denied("deny-hash", f"denied by its hash sha256:{file.sha256}")
        return self._clear

    def _denied(self, code: str, how: str) -> Verdict:
        sentence = f"{self._reason} ({how})" if self._reason else how
        return blocked(
            self.name,
            code,
            sentence,
            'the denial must be lifted, or waived with gates = ["deny"], by the policy\'s keepers',
        )


class HashesGate:
    """``[hashes]``: the first hash of a file name stands for ever (that is kept in pins); ``required`` asks for one."""

    name = "hashes"

    def __init__(self, *, required: bool, sources: frozenset[SourceName]) -> None:
        self.sources = sources
        self._required = required
        self._stated = admitted(
            self.name, "hashes-stated", "its sha256 is known, and no other bytes are ever served"
        )
        self._unstated = admitted(
            self.name,
            "hashes-unstated",
            "its page tells no sha256: the bytes that come first are the ones that stay",
        )

    def verdict(self, file: File, context: Context) -> Verdict:
        # What an index without this rule fetched has a hash by now, and still nobody vouched for it.
        if file.sha256 is not None and not file.unstated:
            return self._stated
        if not self._required:
            return self._unstated
        return blocked(
            self.name,
            "hashes-missing",
            "its page tells no sha256, and the policy requires one",
            "the source must state a sha256 for the file",
        )
