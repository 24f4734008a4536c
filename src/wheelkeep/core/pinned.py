"""``merge = "pinned"``: the files of the candidate by APT's rules (apt_preferences(5), and what apt 2.6 really does).

A *version* is a version string with all its files in all sources (A1). Its number is that of the first stanza that
names packages and matches it, else the largest of its sources' own numbers (A2). The candidate is the version with
the largest number above 0, the newest of several (A4). Nothing is installed, so 100 and 1000 mean nothing here.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct
from packaging.specifiers import Specifier

from wheelkeep.core import names
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import ProjectName, SourceName, version
from wheelkeep.core.settings import Pin

DEFAULT = 500
"""The number of a source that no stanza speaks of."""


class Candidate(Struct, frozen=True, kw_only=True):
    """The version that the stanzas choose."""

    version: str
    number: int
    pin: Pin | None
    """The stanza with a package that decided; None: the sources' own numbers did."""


class Choice(Struct, frozen=True, kw_only=True):
    """What is shown, and why."""

    files: tuple[File, ...]
    candidate: Candidate | None
    """None: no version has a number above 0."""
    numbers: dict[SourceName, int]
    """Each source's own number."""


def choose(project: ProjectName, pages: Mapping[SourceName, Page], pins: Sequence[Pin]) -> Choice:
    """The candidate's files, from ``pages`` in order of priority: of two with one name the better source's (D1)."""
    numbers = {source: own_number(source, pins) for source in pages}
    offers: dict[str, list[SourceName]] = {}
    standing: set[str] = set()
    for source, page in pages.items():
        for text in dict.fromkeys(file.version for file in page.files):
            offers.setdefault(text, []).append(source)
        standing.update(file.version for file in page.files if file.yanked is None)
    named = [pin for pin in pins if not _is_general(pin) and _names(pin, project)]
    candidates = [_candidate(text, holders, numbers, named) for text, holders in offers.items()]
    largest = max((candidate.number for candidate in candidates), default=0)
    if largest <= 0:
        return Choice(files=(), candidate=None, numbers=numbers)
    # The newest as an installer would choose: what is yanked (PEP 592), or a pre-release (PEP 440), only where the
    # number is for nothing else. The page shows no other version that a client could prefer.
    best = max(
        (candidate for candidate in candidates if candidate.number == largest),
        key=lambda candidate: (
            candidate.version in standing,
            not version(candidate.version).is_prerelease,
            version(candidate.version),
        ),
    )
    shown: dict[str, File] = {}
    for source, page in pages.items():
        # A negative source is hidden, unless a stanza with a package brought its version up.
        if numbers[source] < 0 and best.pin is None:
            continue
        for file in page.files:
            if file.version == best.version:
                shown.setdefault(file.filename, file)
    return Choice(files=tuple(shown.values()), candidate=best, numbers=numbers)


def own_number(source: SourceName, pins: Sequence[Pin]) -> int:
    """A source's own number: of the first stanza without a package (or for ``*``) that names it (A2)."""
    for pin in pins:
        if _is_general(pin) and pin.source == source:
            return pin.priority
    return DEFAULT


def highest(project: ProjectName, source: SourceName, pins: Sequence[Pin]) -> int:
    """The largest number that a version may have in a source of which nothing else is known."""
    named = [
        pin.priority
        for pin in pins
        if not _is_general(pin) and pin.source in (None, source) and _names(pin, project)
    ]
    return max([own_number(source, pins), *named])


def _candidate(
    text: str, holders: Sequence[SourceName], numbers: Mapping[SourceName, int], named: Sequence[Pin]
) -> Candidate:
    """``named``: the stanzas that name the project, in their order."""
    for pin in named:
        if _matches(pin, text, holders):
            return Candidate(version=text, number=pin.priority, pin=pin)
    return Candidate(version=text, number=max(numbers[source] for source in holders), pin=None)


def _is_general(pin: Pin) -> bool:
    return not pin.packages or pin.packages == ("*",)


def _names(pin: Pin, project: ProjectName) -> bool:
    return any(names.matches(pattern, project) for pattern in pin.packages)


def _matches(pin: Pin, text: str, holders: Sequence[SourceName]) -> bool:
    """By any one of the sources that offer the version, and by the version itself (A2)."""
    if pin.source is not None and pin.source not in holders:
        return False
    return pin.version is None or _wanted(pin.version).contains(version(text), prereleases=True)


@lru_cache(maxsize=4096)
def _wanted(text: str) -> Specifier:
    """A version, or a prefix such as ``1.26.*``: what stands after ``==`` (PEP 440, version matching)."""
    return Specifier(f"=={text}")
