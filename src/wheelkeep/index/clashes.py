"""Clashes: private names that a lower source has too, or that anybody could take there. No private name is told to
anyone: the look-up is in the remote's own list of names, fetched whole.
"""

from collections.abc import Sequence

from msgspec import Struct

from wheelkeep.core import merge, names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.rules import is_glob
from wheelkeep.core.settings import Settings
from wheelkeep.index.gather import Place
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep

_PATIENCE = 300.0
"""Seconds that a remote's whole list may take."""


class Clash(Struct, frozen=True, kw_only=True):
    """One private name that a lower source has too."""

    name: str
    source: str
    """The private source that holds or reserves the name."""
    index: str
    lower: str
    """The source below it, or in its group, that has the name too."""
    held: bool
    """The private source has a file of it; else it only reserves the name."""
    reserved: bool
    """The name is in the ``names`` of its source, so that no other is ever asked."""
    merge: str
    newest: str | None = None
    """The lower source's newest version, where it is known without asking."""
    since: str | None = None
    """When this keep first saw a file of it there, where it ever did."""
    published_by: str | None = None
    """Not told by any list of names; known only from what was fetched before."""
    advice: str


class Takeable(Struct, frozen=True, kw_only=True):
    """One private name that no lower source has yet."""

    name: str
    source: str
    reserved: bool
    advice: str


class Clashes(Struct, frozen=True, kw_only=True):
    """The whole report."""

    clashes: tuple[Clash, ...]
    takeable: tuple[Takeable, ...]
    unknown: tuple[str, ...]
    """Lower sources whose list of names could not be had."""


async def clashes(keep: Keep) -> Clashes:
    """Every name of every private source, held against the lists of the sources below it in each index."""
    lists: dict[SourceName, frozenset[str] | None] = {}
    for label, source in keep.sources.items():
        told = await source.names(patience=_PATIENCE)
        lists[label] = frozenset(told) if told is not None else (None if source.remote else frozenset())
    found: dict[tuple[str, str, str], Clash] = {}
    private: dict[tuple[str, str], bool] = {}
    for index in keep.indexes.values():
        for place, below in _private(index):
            for name in _names_of(keep.settings, place, lists, below):
                reserved = place.source.name in index.reservations.owners(name)
                clashing = [
                    lower
                    for lower in below
                    if name in (lists[lower.source.name] or ()) and lower.selection.may_have(name)
                ]
                key = (name, place.source.name)
                # Where a list could not be had, nobody knows whether the name is free there.
                unsure = any(lists[lower.source.name] is None for lower in below)
                private[key] = private.get(key, False) or bool(clashing) or unsure
                for lower in clashing:
                    held = name in (lists[place.source.name] or ())
                    clash = await _clash(index, place, lower, name, held=held, reserved=reserved)
                    found.setdefault((name, place.source.name, lower.source.name), clash)
    return Clashes(
        clashes=tuple(found[key] for key in sorted(found)),
        takeable=tuple(
            _takeable(keep, ProjectName(name), SourceName(source))
            for (name, source), clashing in sorted(private.items())
            if not clashing
        ),
        unknown=tuple(label for label, told in lists.items() if told is None),
    )


def _private(index: Index) -> list[tuple[Place, list[Place]]]:
    """Each private source of an index, with all that stand below it or beside it in its group."""
    pairs: list[tuple[Place, list[Place]]] = []
    for at, group in enumerate(index.groups):
        lower = [place for later in index.groups[at + 1 :] for place in later]
        pairs += [
            (place, [other for other in group if other is not place] + lower)
            for place in group
            if not place.source.remote
        ]
    return pairs


def _names_of(
    settings: Settings, place: Place, lists: dict[SourceName, frozenset[str] | None], below: Sequence[Place]
) -> list[ProjectName]:
    """The names that a source has or reserves; of a reserved glob, those that a lower source's list has."""
    name = place.source.name
    mine = {ProjectName(text) for text in lists[name] or () if place.selection.may_have(ProjectName(text))}
    for pattern in settings.sources[name].names:
        if not is_glob(pattern):
            try:
                mine.add(names.project(pattern))
            except InvalidName:
                continue
            continue
        for lower in below:
            told = lists[lower.source.name] or ()
            mine.update(ProjectName(text) for text in told if names.matches(pattern, ProjectName(text)))
    return sorted(mine)


async def _clash(
    index: Index, place: Place, lower: Place, name: ProjectName, *, held: bool, reserved: bool
) -> Clash:
    known = await lower.source.known(name)
    files = known.files if known is not None else ()
    first = min((file.first_seen for file in files if file.first_seen is not None), default=None)
    return Clash(
        name=name,
        source=place.source.name,
        index=index.name,
        lower=lower.source.name,
        held=held,
        reserved=reserved,
        merge=index.settings.merge,
        newest=merge.newest(files),
        since=f"{first:%Y-%m-%dT%H:%M:%SZ}" if first is not None else None,
        advice=_advice(index, place, name, reserved=reserved),
    )


def _advice(index: Index, place: Place, name: ProjectName, *, reserved: bool) -> str:
    source = place.source.name
    if reserved:
        return f"it is reserved for {source}, so nobody below is asked; elsewhere people may still meet the other one"
    if index.settings.merge == "strict":
        return f'it is safe in this index while {source} has a file of it: reserve it, names = ["{name}"] in {source}'
    return f'the lower source takes part in this index\'s pages: reserve it, names = ["{name}"] in {source}'


def _takeable(keep: Keep, name: ProjectName, source: SourceName) -> Takeable:
    reserved = any(names.matches(pattern, name) for pattern in keep.settings.sources[source].names)
    if reserved:
        advice = (
            "it is reserved here; register it at the lower source if people also install from there directly"
        )
    else:
        advice = (
            f'anybody can take it below: reserve it, names = ["{name}"] in {source}, or register it there'
        )
    return Takeable(name=name, source=source, reserved=reserved, advice=advice)
