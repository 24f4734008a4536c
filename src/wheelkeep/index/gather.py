"""Gathering: asks the sources of an index about a name, the best first, until the merge is settled."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core import merge
from wheelkeep.core.model import Absent, Answer, Found, Unasked
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.policy import Policy
from wheelkeep.core.settings import MergeMode, Pin
from wheelkeep.sources.source import PATIENCE_FIRST, Source

Then = Callable[[Answer], Awaitable[Answer]]
"""What a source's answer was at another time."""


class Place(Struct, frozen=True):
    """One source in an index, with what it may offer there."""

    source: Source
    selection: Selection


class Rule(Struct, frozen=True):
    """How an index merges."""

    mode: MergeMode
    pins: tuple[Pin, ...] = ()


class Gathered(Struct, frozen=True):
    """The outcome, and the answers that led to it (``explain`` shows them); a source that was not asked has none."""

    project: ProjectName
    outcome: merge.Outcome
    answers: tuple[tuple[Answer, ...], ...]
    owners: frozenset[SourceName]
    """The sources for which the name is reserved."""


async def gather(
    project: ProjectName,
    groups: Sequence[Sequence[Place]],
    rule: Rule,
    reservations: Reservations,
    policy: Policy,
    *,
    now: datetime,
    patience: float,
    told: bool = True,
    then: Then | None = None,
) -> Gathered:
    """In ``strict`` asks group after group, a lower one only when no better one has, or might have, the name.

    So the name of a private package is never told to a source below it (dependency confusion). The other modes ask
    all. A reserved name is told to nobody but its owner, in any mode and whichever index is asked.
    Without ``told`` no remote source is asked: what is stored of it is its answer, however old. ``then`` makes of each
    answer what it was at another time.
    """
    owners = reservations.owners(project)

    async def ask(group: Sequence[Place]) -> tuple[Answer, ...]:
        asked = [place for place in group if _may_ask(place, project, owners)]
        return tuple(
            await asyncio.gather(
                *(
                    _ask(place, project, owners, policy, now, patience, then)
                    if told or not place.source.remote
                    else _recall(place, project, owners)
                    for place in asked
                )
            )
        )

    answers: list[tuple[Answer, ...]] = []
    if rule.mode == "strict":
        for group in groups:
            answers.append(await ask(group))
            if (outcome := merge.strict(project, answers)) is not None:
                return Gathered(project, outcome, tuple(answers), owners)
    else:
        answers.extend(await asyncio.gather(*(ask(group) for group in groups)))
    return Gathered(project, merge.merge(rule.mode, project, answers, rule.pins), tuple(answers), owners)


def _may_ask(place: Place, project: ProjectName, owners: frozenset[SourceName]) -> bool:
    if owners and place.source.name not in owners:
        return False
    return place.selection.may_have(project)


async def _ask(
    place: Place,
    project: ProjectName,
    owners: frozenset[SourceName],
    policy: Policy,
    now: datetime,
    patience: float,
    then: Then | None,
) -> Answer:
    source = place.source

    async def page(patience: float) -> Answer:
        answer = await source.page(project, patience=patience)
        return _offered(place, answer if then is None else await then(answer))

    if source.remote and (verdict := policy.unlisted(project, source.name, now)) is not None:
        return Unasked(source=source.name, gate=verdict.gate, sentence=verdict.sentence)
    answer = await page(patience)
    if source.name in owners:
        return _claimed(answer, project)
    if isinstance(answer, Found) and answer.stale is not None and not merge.has(answer):
        # An old page of which nothing is left cannot stand in: the new one is worth the time of a name not known yet.
        return await page(PATIENCE_FIRST)
    return answer


async def _recall(place: Place, project: ProjectName, owners: frozenset[SourceName]) -> Answer:
    name = place.source.name
    page = await place.source.known(project)
    answer: Answer = Absent(source=name) if page is None else _offered(place, Found(source=name, page=page))
    return _claimed(answer, project) if name in owners else answer


def _offered(place: Place, answer: Answer) -> Answer:
    return replace(answer, page=place.selection.apply(answer.page)) if isinstance(answer, Found) else answer


def _claimed(answer: Answer, project: ProjectName) -> Answer:
    """A reserved name is its owner's also before the first file exists."""
    if isinstance(answer, Absent):
        return Found(
            source=answer.source, page=merge.union(project, ()), claims=True, good_until=answer.good_until
        )
    if isinstance(answer, Found):
        return replace(answer, claims=True)
    return answer
