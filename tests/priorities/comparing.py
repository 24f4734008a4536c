"""Holds what a client gets from an index against what a tool decided. The reasons why the two may differ are here."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from priorities.scenarios import FOREIGN, Scenario
from priorities.worlds import Shown
from wheelkeep.core.merge import Merged
from wheelkeep.core.model import File

MACHINE = frozenset(sys_tags())
EQUAL = "equal"
REFUSED = "refused"
"""The tool brings something in, and here nothing is found: the safe side."""
CONTRADICTED = "contradicted"
"""Something else than the tool's, or something where it refused."""

# Why an outcome differs, each with the rule in the tool's words.
CLAIMED = "a build for other machines counts here: the server does not see the client's (C2, D7, A8)"
BEST = (
    "dnf's best refuses where its newest pick is for other machines; its nobest takes what is taken here (D7)"
)
FORBIDDEN = (
    "apt fetches from the source written first, even a forbidden one; here that one's copy is hidden (A7)"
)
COPY = "one file name in two sources is the better source's here; the tool knows them by content (A1, C1, C4)"

# Why a request is not held against the page.
EXPLICIT = "names a source: no client of a Simple index can"
DEPENDS = "its name's builds have dependencies: the client resolves, so only what is brought in is looked for"
SHOWN = "on the page"
HIDDEN = "not on the page"

_REQUEST = re.compile(r"(dep )?([a-z-]+)((?:[<>=]=?).+)?")


class Compared(NamedTuple):
    """A tool in a mode, and ours. ``equal``: all that it decides is decided so here; else it may be refused."""

    tool: str
    theirs: str
    ours: str
    equal: bool

    def __str__(self) -> str:
        return f"{self.tool}-{self.theirs}-as-{self.ours}"


class Request(NamedTuple):
    name: str
    specifier: SpecifierSet
    dependency: bool
    exact: bool


def read_request(text: str) -> Request | None:
    """``foo``, ``foo<=1.0`` or ``dep foo==1.0``; None for ``channel::foo`` and ``foo/suite``."""
    found = _REQUEST.fullmatch(text)
    if found is None:
        return None
    range_ = found[3] or ""
    return Request(found[2], SpecifierSet(range_), found[1] is not None, range_.startswith("=="))


def loadable(shown: Shown, scenario: Scenario, mode: str, name: str) -> list[File]:
    """The files of a page that fit this machine."""
    outcome = shown.get((scenario.id, mode, name))
    return fitting(outcome.page.files) if isinstance(outcome, Merged) else []


def fitting(files: Iterable[File]) -> list[File]:
    """The wheels that fit this machine."""
    return [file for file in files if parse_wheel_filename(file.filename)[3] & MACHINE]


def taken(files: Iterable[File], specifier: SpecifierSet) -> list[File]:
    """The files of the highest version that the request allows: a client takes the first. None: it finds nothing."""
    allowed = [file for file in files if specifier.contains(file.version, prereleases=True)]
    newest = max((Version(file.version) for file in allowed), default=None)
    return [file for file in allowed if Version(file.version) == newest]


def installed(
    shown: Shown, scenario: Scenario, mode: str, request: Request
) -> tuple[tuple[str, str] | None, bool]:
    """What a client takes, and whether its machine's own wheel of that version is another source's: a real installer
    may take that one, whatever the order."""
    files = taken(loadable(shown, scenario, mode, request.name), request.specifier)
    if not files:
        return None, False
    first, *others = files
    closer = first.filename.endswith("-any.whl") and any(
        file.source != first.source and not file.filename.endswith("-any.whl") for file in others
    )
    return (_source(scenario, file=first), first.version), closer


def _source(scenario: Scenario, file: File) -> str:
    return file.source.removeprefix(f"{scenario.label}-")


class Comparison:
    """One tool in one mode against one of ours, over all scenarios."""

    def __init__(self, compared: Compared, shown: Shown, native: Shown) -> None:
        """``native``: the pages as they were without the builds for other machines."""
        self.compared = compared
        self.tally: Counter[str] = Counter()
        self.exact: Counter[str] = Counter()
        """apt's ``install foo=1.0``, which takes any version on offer (A6)."""
        self.brought: Counter[str] = Counter()
        """What the tool brings in where there are dependencies: is it on the page?"""
        self.closer = 0
        self.wrong: list[str] = []
        self._shown, self._native = shown, native

    def take(self, scenario: Scenario) -> None:
        """Adds every request of a scenario to the tally."""
        for text, decision in scenario.decisions[self.compared.theirs].items():
            request = read_request(text)
            if request is None:
                self.tally[EXPLICIT] += 1
            elif any(build.depends for _, build in scenario.builds(request.name)):
                self.tally[DEPENDS] += 1
                if self.compared.equal and not self._apt_exact(request):
                    self._brought_in(scenario, text, decision)
            else:
                self._decided(scenario, text, request, decision)

    def _apt_exact(self, request: Request) -> bool:
        return self.compared.tool == "apt" and request.exact and not request.dependency

    def _decided(
        self, scenario: Scenario, text: str, request: Request, decision: dict[str, list[str]] | None
    ) -> None:
        exact = self._apt_exact(request)
        ours, closer = installed(self._shown, scenario, self.compared.ours, request)
        self.closer += closer
        theirs = _pair(decision, request.name)
        outcome = EQUAL if ours == theirs else REFUSED if ours is None else CONTRADICTED
        if outcome != EQUAL and not (outcome == REFUSED and (exact or not self.compared.equal)):
            outcome = self._reason(scenario, text, request, ours, theirs) or outcome
            if outcome in {REFUSED, CONTRADICTED}:
                self.wrong.append(f"{scenario.id}: {text}: {theirs}, and here {ours}")
        (self.exact if exact else self.tally)[outcome] += 1

    def _reason(
        self,
        scenario: Scenario,
        text: str,
        request: Request,
        ours: tuple[str, str] | None,
        theirs: tuple[str, str] | None,
    ) -> str | None:
        """Why the outcome differs; None: for no reason that is known."""
        if (
            any(build.arch == FOREIGN for _, build in scenario.builds(request.name))
            and installed(self._native, scenario, self.compared.ours, request)[0] == theirs
        ):
            return CLAIMED
        if self.compared.theirs == "best" and theirs is None:
            return BEST if _pair(scenario.decisions["nobest"][text], request.name) == ours else None
        if ours is not None and theirs is not None and ours[1] == theirs[1]:
            forbidden = {source.name for source in scenario.sources if (source.said["priority"] or 0) < 0}
            return FORBIDDEN if theirs[0] in forbidden else None
        return None

    def _brought_in(self, scenario: Scenario, text: str, decision: dict[str, list[str]] | None) -> None:
        mode = self.compared.ours
        for name, (source, version) in (decision or {}).items():
            if _has(self._shown, scenario, mode, name, source, version):
                self.brought[SHOWN] += 1
            elif _has(self._native, scenario, mode, name, source, version):
                self.brought[CLAIMED] += 1
            elif self._copied(scenario, name, source, version):
                self.brought[COPY] += 1
            else:
                self.brought[HIDDEN] += 1
                self.wrong.append(f"{scenario.id}: {text}: {name} {version} of {source} is not on the page")

    def _copied(self, scenario: Scenario, name: str, source: str, version: str) -> bool:
        """Whether the page has the very file names of that build from another source."""
        wanted = {
            build.filename
            for kept, build in scenario.builds(name)
            if (kept.name, build.version) == (source, version) and build.arch != FOREIGN
        }
        there = {file.filename for file in loadable(self._shown, scenario, self.compared.ours, name)}
        return bool(wanted) and wanted <= there

    def lines(self) -> Iterator[str]:
        """The tally as a table, for people."""
        yield f'{self.compared.tool} {self.compared.theirs}, as merge = "{self.compared.ours}"'
        for what, count in sorted(self.tally.items()):
            yield f"  {count:5}  {what}"
        for what, count in sorted(self.exact.items()):
            yield f"  {count:5}  install name=version: {what}"
        for what, count in sorted(self.brought.items()):
            yield f"  {count:5}  brought in with dependencies: {what}"
        yield f"  {self.closer:5}  of these the machine's own wheel of that version is a worse source's"


def _pair(decision: dict[str, list[str]] | None, name: str) -> tuple[str, str] | None:
    if not decision:
        return None
    source, version = decision[name]
    return source, version


def _has(shown: Shown, scenario: Scenario, mode: str, name: str, source: str, version: str) -> bool:
    files = loadable(shown, scenario, mode, name)
    return any((_source(scenario, file), file.version) == (source, version) for file in files)
