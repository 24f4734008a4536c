"""What a source may offer at all: its ``include`` and ``exclude``, as dnf's includepkgs and excludepkgs (D5)."""

from collections.abc import Sequence

from msgspec.structs import replace

from wheelkeep.core import names
from wheelkeep.core.model import Page
from wheelkeep.core.names import ProjectName
from wheelkeep.core.rules import Rule, RuleSet, read_rule


class Selection:
    """One source's ``include`` and ``exclude``; exclude beats include, ``include = []`` offers nothing."""

    def __init__(self, include: Sequence[str] | None, exclude: Sequence[str]) -> None:
        self._include = None if include is None else _rules(include)
        self._exclude = _rules(exclude)
        self.everything = include is None and not exclude

    def may_have(self, project: ProjectName) -> bool:
        """Whether any file of the name could be left: if not, the source is not asked and not missed."""
        if self._include is not None and not self._include.knows(project):
            return False
        return not any(not rule.specifier for rule in self._exclude.for_project(project))

    def apply(self, page: Page) -> Page:
        """The page with only the files that the source may offer."""
        if self.everything:
            return page
        kept = tuple(file for file in page.files if self._offers(page.project, file.version))
        if len(kept) == len(page.files):
            return page
        left = {file.version for file in kept}
        return replace(page, files=kept, versions=tuple(v for v in page.versions if v in left))

    def _offers(self, project: ProjectName, version: str) -> bool:
        if self._exclude.match(project, version) is not None:
            return False
        return self._include is None or self._include.match(project, version) is not None


class Reservations:
    """Which sources the names belong to before anybody is asked (the ``names`` of every source)."""

    def __init__(self, by_source: Sequence[tuple[names.SourceName, Sequence[str]]]) -> None:
        self._by_source = [(source, tuple(patterns)) for source, patterns in by_source if patterns]

    def owners(self, project: ProjectName) -> frozenset[names.SourceName]:
        """The sources that reserve the name; empty: nobody does."""
        return frozenset(
            source
            for source, patterns in self._by_source
            if any(names.matches(pattern, project) for pattern in patterns)
        )


def _rules(texts: Sequence[str]) -> RuleSet:
    rules: list[Rule] = [read_rule(text, globs=True) for text in texts]
    return RuleSet(rules)
