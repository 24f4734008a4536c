"""Rules about packages: a name or a glob with a range of versions, and sets of them that answer at once.

A range says what it says: pre-releases match it like every other version (PEP 440, ``prereleases=True``).
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import lru_cache

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName

# Within brackets only letters, digits and ranges: normalising '.' or '_' there would change what they mean.
_GLOB = re.compile(r"(?:[A-Za-z0-9._*?-]|\[!?[A-Za-z0-9-]+\])+", re.ASCII)
_NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)[ \t]*(.*)", re.ASCII)
_GLOB_AND_REST = re.compile(rf"({_GLOB.pattern})[ \t]*(.*)", re.ASCII)
_PIN = re.compile(r"==\s*([^\s*,]+)")
_BRACKETED = re.compile(r"\((.*)\)")
_SHOWN = 80
_KEPT = 8192


class Rule(Struct, frozen=True):
    """One requirement: which project or projects, and which versions."""

    name: str
    """A project's name, or a glob, in normal form."""
    specifier: str
    """PEP 440 version specifiers; empty for every version."""
    text: str
    """As it was written."""
    glob: bool = False

    def speaks_of(self, project: ProjectName) -> bool:
        """Whether the project is meant, whatever the version."""
        return names.matches(self.name, project) if self.glob else project == self.name

    def allows(self, version: str) -> bool:
        """Whether the version is within the rule's range; raises InvalidVersion for one outside PEP 440."""
        return not self.specifier or _within(self.specifier, version)

    def matches(self, project: ProjectName, version: str) -> bool:
        """Whether the rule speaks of this version of this project."""
        return self.speaks_of(project) and self.allows(version)


class Ranges:
    """Rules of one project, found by version: those that pin one at once, the others one by one.

    A list of what was once resolved has thousands of pins, and a page as many versions.
    """

    __slots__ = ("_others", "_pins", "rules")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._pins: dict[Version, list[int]] = {}
        self._others: list[int] = []
        for at, rule in enumerate(self.rules):
            if (pin := _pinned(rule.specifier)) is not None:
                self._pins.setdefault(pin, []).append(at)
            else:
                self._others.append(at)

    def first(self, version: str) -> Rule | None:
        """The first rule that allows the version; raises InvalidVersion outside PEP 440."""
        pinning = self._pinning(version)
        end = pinning[0] if pinning else len(self.rules)
        for at in self._others:
            if at > end:
                break
            if self.rules[at].allows(version):
                return self.rules[at]
        return self.rules[end] if pinning else None

    def every(self, version: str) -> list[int]:
        """The places of all rules that allow the version; raises InvalidVersion outside PEP 440."""
        return [*self._pinning(version), *(at for at in self._others if self.rules[at].allows(version))]

    def _pinning(self, version: str) -> list[int]:
        if not self._pins:
            return []
        read = names.version(version)
        return self._pins.get(Version(read.public) if read.local else read, [])


def _pinned(specifier: str) -> Version | None:
    """The version of ``==1.0``, which a local version of it meets too (PEP 440); None for all else."""
    found = _PIN.fullmatch(specifier)
    if found is None:
        return None
    try:
        pin = Version(found[1])
    except InvalidVersion:
        return None
    return None if pin.local else pin


class RuleSet:
    """Rules in their written order, found by project: exact names at once, globs one by one and then kept."""

    __slots__ = ("_any", "_exact", "_found", "_globs", "_matched", "rules")

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules: tuple[Rule, ...] = tuple(rules)
        self._exact: dict[str, list[tuple[int, Rule]]] = {}
        self._globs: list[tuple[int, Rule, re.Pattern[str]]] = []
        self._found: dict[ProjectName, Ranges] = {}
        self._matched: dict[tuple[ProjectName, str], Rule | None] = {}
        for at, rule in enumerate(self.rules):
            if rule.glob:
                self._globs.append((at, rule, re.compile(translate(rule.name))))
            else:
                self._exact.setdefault(rule.name, []).append((at, rule))
        every = dict.fromkeys(pattern.pattern for _, _, pattern in self._globs)
        self._any = re.compile("|".join(every)) if every else None

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def for_project(self, project: ProjectName) -> tuple[Rule, ...]:
        """The rules that speak of a project, in their written order."""
        return self._ranges(project).rules

    def _ranges(self, project: ProjectName) -> Ranges:
        if (found := self._found.get(project)) is not None:
            return found
        exact = self._exact.get(project, [])
        globs = [(at, rule) for at, rule, pattern in self._globs if pattern.match(project)]
        ordered = Ranges(rule for _, rule in sorted([*exact, *globs], key=lambda found: found[0]))
        if len(self._found) >= _KEPT:  # clients choose the names, so what is kept has a bound
            self._found.clear()
        self._found[project] = ordered
        return ordered

    def knows(self, project: ProjectName) -> bool:
        """Whether any rule speaks of the project, whatever the version. Nothing is kept: some ask of all names."""
        return project in self._exact or (self._any is not None and self._any.match(project) is not None)

    def match(self, project: ProjectName, version: str) -> Rule | None:
        """The first rule, as written, that speaks of this version; raises InvalidVersion outside PEP 440."""
        key = (project, version)
        try:
            return self._matched[key]  # a version has many files, and each is asked about
        except KeyError:
            matched = self._ranges(project).first(version)
        if len(self._matched) >= _KEPT:
            self._matched.clear()
        self._matched[key] = matched
        return matched


def read_rule(text: str, *, globs: bool = False) -> Rule:
    """Reads a PEP 508 requirement, less extras, markers and URLs; with ``globs`` the name may be ``acme-*``.

    Raises ValueError with a sentence that says what to write.
    """
    stripped = text.strip()
    found = _NAME.fullmatch(stripped)
    if globs and (found is None or _continues(found[2])):
        return _glob_rule(stripped)
    if found is None:
        raise ValueError(
            f'"{text[:_SHOWN]}" is not a requirement: write a name and a range, such as "django>=5,<6"'
        )
    if _continues(found[2]) and is_glob(found[2]):
        raise ValueError(
            f'"{text[:_SHOWN]}" is not a name: a glob stands for many, and one project is meant here'
        )
    try:
        name = names.project(found[1])
    except InvalidName as error:
        raise ValueError(str(error)) from None
    return Rule(name=name, specifier=_specifier(stripped, found[1], found[2]), text=stripped)


def read_versions(text: str, project: ProjectName) -> Rule:
    """Reads which versions of a project are meant: one (``1.2``), a range (``>=1,<2``) or ``*`` for every one.

    Raises ValueError with a sentence that says what to write.
    """
    stripped = text.strip()
    if stripped == "*":
        return Rule(name=project, specifier="", text=project)
    try:
        return read_rule(f"{project}=={names.version(stripped)}")
    except InvalidVersion:
        pass
    if not stripped.startswith(("<", ">", "=", "!", "~")):
        raise ValueError(f'"{text[:_SHOWN]}" is no version: write "1.2", ">=1,<2", or "*" for every one')
    return read_rule(f"{project}{stripped}")


def read_name(text: str) -> ProjectName:
    """Reads a project's name alone, in any spelling, into its normal form; raises ValueError."""
    try:
        return names.project(text)
    except InvalidName as error:
        raise ValueError(str(error)) from None


def read_glob(text: str) -> str:
    """Reads a glob on project names (``acme-*``, or a plain name) into its normal form; raises ValueError."""
    if not _GLOB.fullmatch(text):
        raise ValueError(
            f'"{text[:_SHOWN]}" is not a name or glob: write letters, digits, ".", "_", "-", "*", "?"'
        )
    return names.normal_glob(text) if is_glob(text) else read_name(text)


def is_glob(text: str) -> bool:
    """Whether a name that ``read_glob`` accepts stands for many."""
    return any(letter in text for letter in "*?[")


def _continues(rest: str) -> bool:
    """Whether what follows a plain name still belongs to the name, which makes it a glob.

    ``lib[ab]`` alone reads as an extra, as elsewhere in Python; ``lib[ab]*`` and ``lib[ab]-x`` are globs.
    """
    if rest[:1] == "[":
        after = rest.partition("]")[2]
        return after[:1].isalnum() or after[:1] in tuple("*?[-_.")
    return rest[:1] in tuple("*?-_.")


def _glob_rule(text: str) -> Rule:
    found = _GLOB_AND_REST.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text[:_SHOWN]}" is not a requirement or glob: write "django>=5,<6" or "acme-*"')
    name = read_glob(found[1])
    return Rule(name=name, specifier=_specifier(text, found[1], found[2]), text=text, glob=True)


def _specifier(text: str, name: str, rest: str) -> str:
    """What follows the name, checked; raises ValueError for everything that is not a range of versions."""
    if not rest:
        return ""
    if rest[0] == "[":
        raise ValueError(
            f'"{text[:_SHOWN]}" has an extra, by which no file is judged: leave out the brackets'
        )
    if rest[0] == "@":
        raise ValueError(
            f'"{name} @ …" has a URL: write "{name}", or a range of versions, or a hash where one is taken'
        )
    if ";" in rest:
        raise ValueError(
            f'"{text[:_SHOWN]}" has a marker, by which no file is judged: leave out all from ";" on'
        )
    if bracketed := _BRACKETED.fullmatch(rest):
        rest = bracketed[1]
    try:
        if len(SpecifierSet(rest)):
            return rest.strip()
    except InvalidSpecifier:
        pass
    hint = f'"{name}=={rest[1:].strip()}"' if re.match(r"=[^=]", rest) else f'"{name}>=5,<6" or "{name}==2.*"'
    raise ValueError(f'"{text[:_SHOWN]}" has no range of versions after the name: write {hint}')


@lru_cache(maxsize=16384)
def _set(specifier: str) -> SpecifierSet:
    return SpecifierSet(specifier)


@lru_cache(maxsize=65536)
def _within(specifier: str, version: str) -> bool:
    return _set(specifier).contains(names.version(version), prereleases=True)
