"""Who would break by a denial: who was given an affected version, what is kept of it, which locks name it."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from wheelkeep.core import names
from wheelkeep.core.lock import Lock
from wheelkeep.core.names import ProjectName
from wheelkeep.core.policy import decide
from wheelkeep.core.rules import Rule, RuleSet
from wheelkeep.index.audit import given
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.store.fetches import Which

Locks = Sequence[tuple[str, Lock]]


class Broken(Struct, frozen=True, kw_only=True):
    """One version that is admitted today and would be denied."""

    name: str
    version: str
    kept: tuple[str, ...] = ()
    """Its files whose bytes are here."""
    locks: tuple[str, ...] = ()
    """The given locks that name it."""
    whom: tuple[str, ...] = ()
    """Who was ever given a file of it by this index."""


async def breaking(keep: Keep, index: Index, rules: RuleSet, locks: Locks) -> tuple[Broken, ...]:
    """Every version in use that the rules mean, oldest first. Nobody is asked for anything."""
    kept: dict[tuple[ProjectName, str], dict[str, None]] = {}
    named: dict[tuple[ProjectName, str], dict[str, None]] = {}
    whom: dict[tuple[ProjectName, str], dict[str, None]] = {}
    hashes = _hashes(locks)
    for project in await _projects(keep, index, rules, locks):
        page = await index.known(project)
        if page is None:
            continue
        had = await given(keep.fetches, Which(rule=Rule(project, "", project), index=index.name))
        policy = index.policy.current
        context = await index.context(policy, page, patience=0, ask=False)
        for file in page.files:
            if not rules.match(project, file.version) or decide(policy, file, context).against is not None:
                continue
            if not keep.source_of(file).remote or keep.fetcher.stored(file) is not None:
                kept.setdefault((project, file.version), {})[file.filename] = None
            for holder in had.get((file.source, file.filename), ()):
                whom.setdefault((project, file.version), {})[holder.words] = None
            for lock in hashes.get((project, file.sha256 or ""), ()):
                named.setdefault((project, file.version), {})[lock] = None
    for lock, project, version in _versions(locks):
        if rules.match(project, version):
            named.setdefault((project, version), {})[lock] = None
    found = sorted({*kept, *named, *whom}, key=lambda key: (key[0], names.version(key[1])))
    return tuple(
        Broken(
            name=project,
            version=version,
            kept=tuple(sorted(kept.get((project, version), ()))),
            locks=tuple(named.get((project, version), ())),
            whom=tuple(whom.get((project, version), ())),
        )
        for project, version in found
    )


async def _projects(keep: Keep, index: Index, rules: RuleSet, locks: Locks) -> list[ProjectName]:
    """The projects that the rules speak of: those named outright, and what globs mean of all that is known."""
    found = {ProjectName(rule.name) for rule in rules if not rule.glob}
    if any(rule.glob for rule in rules):
        known = {entry.project for _, lock in locks for entry in lock.entries if entry.project is not None}
        async for page in keep.pages.all():
            known.add(page.project)
        for place in (place for group in index.groups for place in group):
            if not place.source.remote:
                known |= {ProjectName(name) for name in await place.source.names() or ()}
        found |= {project for project in known if rules.knows(project)}
    return sorted(found)


def _hashes(locks: Locks) -> dict[tuple[ProjectName, str], list[str]]:
    found: dict[tuple[ProjectName, str], list[str]] = {}
    for name, lock in locks:
        for entry in lock.entries:
            if entry.project is None or entry.unservable:
                continue
            for file in entry.files:
                if file.sha256 is not None:
                    found.setdefault((entry.project, file.sha256), []).append(name)
    return found


def _versions(locks: Locks) -> Iterable[tuple[str, ProjectName, str]]:
    for name, lock in locks:
        for entry in lock.entries:
            if entry.project is not None and entry.version is not None and not entry.unservable:
                yield name, entry.project, entry.version
