"""What there is to be built, and which names that would take from other sources."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from wheelkeep.core.model import File
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.rules import Rule
from wheelkeep.core.settings import MergeMode
from wheelkeep.core.targets import Targets
from wheelkeep.core.write_lock import Choice
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep

_STANDS_ALONE: Collection[MergeMode] = ("strict", "floor")
"""Where a better source's file keeps files of worse ones away."""


class Plan(Struct, frozen=True, kw_only=True):
    """The sdists to build, one a version, and how many versions need no build."""

    sdists: tuple[File, ...]
    ready: int


class TakesOver(Struct, frozen=True, kw_only=True):
    """A name that an index shows from other sources, until the one that is published to has it."""

    index: IndexName
    project: ProjectName
    merge: MergeMode
    sources: tuple[SourceName, ...]
    """Where it shows it from now, as far as that is known."""


def to_build(choices: Sequence[Choice], there: Collection[tuple[ProjectName, str]] = ()) -> Plan:
    """One sdist of each version that has any among its files, less versions that are ``there``."""
    found: dict[tuple[ProjectName, str], list[File]] = {}
    for one in choices:
        found.setdefault((one.project, one.version), []).extend(one.files)
    sdists = [
        # As in a lock: of two the one that every builder can read.
        min(some, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename))
        for key, files in found.items()
        if key not in there and (some := [file for file in files if file.kind == "sdist"])
    ]
    return Plan(sdists=tuple(sdists), ready=len(found) - len(sdists))


async def published(
    keep: Keep, into: SourceName, choices: Sequence[Choice], targets: Targets
) -> set[tuple[ProjectName, str]]:
    """The versions of which a hosted source has a wheel that the targets install, whether or not an index shows it."""
    found = set()
    for project in {one.project for one in choices}:
        for file in await keep.steward.matching(Rule(project, "", project), into):
            if file.kind == "wheel" and targets.takes(file.filename):
                found.add((project, file.version))
    return found


async def from_elsewhere(keep: Keep, choices: Sequence[Choice]) -> set[tuple[ProjectName, str]]:
    """The versions among whose files is a wheel that was not built here."""
    found = set()
    for project in {one.project for one in choices}:
        ours = await keep.builds.wheels(project)
        found |= {
            (project, file.version)
            for one in choices
            for file in one.files
            if file.project == project and file.kind == "wheel" and file.sha256 not in ours
        }
    return found


async def takeovers(keep: Keep, into: SourceName, projects: Collection[ProjectName]) -> list[TakesOver]:
    """The indexes in which a file in a source takes names from sources below it. Nobody is asked for anything."""
    found = []
    for index in keep.indexes.values():
        place = _place_of(index, into)
        if place is None or index.settings.merge not in _STANDS_ALONE:
            continue
        below = {one.source.name for group in index.groups[place + 1 :] for one in group}
        for project in sorted(projects):
            page = await index.known(project)
            shown = {file.source for file in page.files} if page is not None else set()
            if shown & below and into not in shown:
                named = tuple(sorted(shown & below))
                merge = index.settings.merge
                found.append(TakesOver(index=index.name, project=project, merge=merge, sources=named))
    return found


def _place_of(index: Index, source: SourceName) -> int | None:
    """The number of the group in which an index has a source."""
    return next(
        (at for at, group in enumerate(index.groups) if any(one.source.name == source for one in group)), None
    )
