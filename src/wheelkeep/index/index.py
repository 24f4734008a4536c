"""One index: the page flow. Memo, gather, merge, judge; a file request is a page request and one step more."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from copy import copy
from datetime import UTC, datetime
from typing import Protocol, TypedDict, TypeVar

from msgspec.structs import replace

from wheelkeep.core import merge
from wheelkeep.core.advisories import Knowledge, Trouble
from wheelkeep.core.gates import Context
from wheelkeep.core.judge import Judged, judge
from wheelkeep.core.merge import Merged, Nowhere
from wheelkeep.core.model import Page, Status, Unasked, Unreachable
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.offer import Reservations
from wheelkeep.core.policy import Policy
from wheelkeep.core.settings import IndexSettings
from wheelkeep.core.verdict import PUT_OFF, Outcome, Verdict
from wheelkeep.index.advisor import Advisor
from wheelkeep.index.attestor import PATIENCE_KNOWN, Attestor
from wheelkeep.index.gather import Gathered, Place, Rule, Then, gather
from wheelkeep.index.licenser import Licenser
from wheelkeep.index.policies import PolicyHolder
from wheelkeep.index.view import Memo, View, expiry
from wheelkeep.sources.source import PATIENCE_PAGE, Source
from wheelkeep.store.facts import Facts

T = TypeVar("T")
_MEMO_BYTES = 16 * 1024 * 1024
_NONE: dict[SourceName, Knowledge] = {}
_LOOK_BYTES = 4 * 1024 * 1024
_BREATH = 1_000
"""Names of a root list, after which whoever else waits has a turn."""
WHERE_TO_ASK = "ask the keepers of this index's policy to allow it"


class _More(TypedDict):
    """How what a policy has to know is looked for."""

    patience: float
    first: str | None
    lies_in: SourceName | None


class Look(Protocol):
    """Pages of an index at another time than now."""

    as_of: datetime | None
    """The moment that gates count from, where it is not now."""

    async def gather(self, project: ProjectName, *, patience: float, policy: Policy) -> Gathered:
        """The merge of what the sources said of a name then."""
        ...

    async def names(self) -> Collection[str] | None:
        """All the names that there were; None where that is not known, and those of now must do."""
        ...


class Index:
    """What a client points at: groups of sources in order of priority, and one policy."""

    def __init__(
        self,
        settings: IndexSettings,
        groups: Sequence[Sequence[Place]],
        *,
        reservations: Reservations,
        policy: PolicyHolder,
        facts: Facts,
        attestor: Attestor,
        licenser: Licenser,
        advisor: Advisor | None = None,
        path: str | None = None,
    ) -> None:
        """``path``: what stands before its addresses where that is not its name."""
        self.settings = settings
        self.name: IndexName = settings.name
        self.path = path or settings.name
        self.closed = settings.read == "token"
        """Whether reading it needs a token."""
        self.policy = policy
        self.groups = tuple(tuple(group) for group in groups)
        self._rule = Rule(settings.merge, settings.pins)
        self._reservations = reservations
        self._facts = facts
        self._attestor = attestor
        self._advisor = advisor
        self._licenser = licenser
        self._memo = Memo(_MEMO_BYTES)
        self._building: dict[tuple[ProjectName, bool], asyncio.Task[View | Nowhere | Unreachable]] = {}
        self._changes = 0
        self._look: Look | None = None

    def with_source(self, other: Source, path: str, staged: Collection[str]) -> "Index":
        """The same index at another address, with another source in the place of the one of that name, and with no
        memory of pages. ``staged``: the sha256 of bytes of which nothing at all is to be remembered.
        """
        return Index(
            self.settings,
            [
                [
                    replace(place, source=other) if place.source.name == other.name else place
                    for place in group
                ]
                for group in self.groups
            ],
            reservations=self._reservations,
            policy=self.policy,
            facts=self._facts,
            attestor=self._attestor.over(other, staged),
            licenser=self._licenser.over(other),
            advisor=self._advisor,
            path=path,
        )

    def seen(self, look: Look, path: str) -> "Index":
        """The same index at another time and address, under the policy of now. It is told of no changes."""
        other = copy(self)
        other.path, other._look = path, look
        other._memo, other._building = Memo(_LOOK_BYTES), {}
        return other

    def without_allow(self) -> "Index":
        """The same index as if no list said what may come in: all other gates hold. It is told of no changes."""
        other = copy(self)
        other.policy = self.policy.without_allow()
        other._memo, other._building = Memo(_MEMO_BYTES), {}
        return other

    @property
    def reservations(self) -> Reservations:
        """Which names belong to which source before anybody is asked."""
        return self._reservations

    def recall(self, project: ProjectName, now: float) -> View | None:
        """The view that is in memory and still good: no I/O, no waiting."""
        return self._memo.get(project, now)

    def grew(self, view: View, by: int) -> None:
        self._memo.grew(view, by)

    def forget(self, project: ProjectName | None) -> None:
        """Something that the project's page shows changed (None: that any page may show)."""
        self._changes += 1
        self._memo.drop(project)

    async def page(
        self, project: ProjectName, *, patience: float = PATIENCE_PAGE
    ) -> View | Nowhere | Unreachable:
        """What the index says of the name now. ``patience``: seconds that an old page may wait for a newer one."""
        if (view := self._memo.get(project, time.time())) is not None:
            return view
        key = (project, patience > 0)
        task = self._building.get(key)
        if task is None:
            task = asyncio.create_task(self._build(project, patience), name=f"page {self.name}/{project}")
            self._building[key] = task
            task.add_done_callback(lambda _: self._building.pop(key, None))
        # Shielded: a client that goes away does not take the page from the others that wait for it.
        return await asyncio.shield(task)

    async def _build(self, project: ProjectName, patience: float) -> View | Nowhere | Unreachable:
        changes = self._changes
        policy = self.policy.current
        gathered = await self.gather(project, patience=patience)
        outcome = gathered.outcome
        if isinstance(outcome, Nowhere | Unreachable):
            return outcome
        if isinstance(outcome, Unasked):
            view = _unlisted(project, outcome)
        else:
            wait = PATIENCE_KNOWN if patience > 0 else 0.0
            context = await self.context(policy, outcome.page, patience=wait)
            view = await self._view(outcome, judge(outcome.page, policy, context), context.good_until)
        if changes == self._changes and policy is self.policy.current:
            self._memo.put(view)
        return view

    async def decided(self, project: ProjectName, filename: str) -> View | Nowhere | Unreachable:
        """The page without waiting for a newer one, and on it that file's own decision, not one that is put off.

        Bytes that are here never wait for an upstream: an old page is good enough to find them.
        """
        view = self.recall(project, time.time()) or await self.page(project, patience=0)
        entry = view.by_name.get(filename) if isinstance(view, View) else None
        against = entry[1].against if entry is not None else None
        if against is None or not against.code.endswith(PUT_OFF):
            return view
        assert isinstance(view, View)
        policy = self.policy.current
        await self.context(policy, view.judged.page, patience=0, first=filename)
        self.forget(project)
        return await self.page(project, patience=0)

    async def context(
        self,
        policy: Policy,
        page: Page,
        *,
        patience: float,
        first: str | None = None,
        lies_in: SourceName | None = None,
        ask: bool = True,
    ) -> Context:
        """What the policy's gates have to know beside a page's files; nothing is asked for that no gate wants.

        ``patience``: seconds that learning more may take; see ``Attestor.known`` for the rest. Without ``ask``
        nobody is asked of advisories: what is kept is the answer.
        """
        there = {file.source for file in page.files}
        ask = ask and not any(file.silent for file in page.files)
        attested, licensed, advisor = policy.provenance, policy.licences, self._advisor
        more: _More = {"patience": patience, "first": first, "lies_in": lies_in}
        provenance, licences, warned, (advisories, good_until) = await asyncio.gather(
            self._attestor.known(attested, page, **more) if attested is not None else _nothing(None),
            self._licenser.known(licensed, page, **more) if licensed is not None else _nothing(None),
            advisor.malware(page, self._sources_of(policy.watched & there))
            if advisor is not None
            else _nothing(_NONE),
            advisor.known(page, self._sources_of(policy.advised & there), patience=patience if ask else None)
            if advisor is not None
            else _nothing((_NONE, None)),
        )
        return Context(
            now=datetime.now(UTC),
            as_of=self._look.as_of if self._look is not None else None,
            provenance=provenance,
            licences=licences,
            advisories={**advisories, **warned},
            good_until=good_until,
        )

    def _sources_of(self, names: frozenset[SourceName]) -> list[Source]:
        return [place.source for group in self.groups for place in group if place.source.name in names]

    async def against(self, view: View, version: str) -> list[Trouble]:
        """What is known against one version on a page, whether or not a gate wants to know."""
        known = await self.knowledge(view, version)
        return known.against(version) if known is not None else []

    async def knowledge(
        self, view: View, version: str, *, patience: float = PATIENCE_PAGE
    ) -> Knowledge | None:
        """The advisories of one version on a page, whether or not a gate wants to know; None: nobody tells any."""
        files = tuple(file for file in view.judged.page.files if file.version == version)
        if self._advisor is None or not files:
            return None
        owner = files[0].source
        page = Page(project=view.project, files=files)
        waits = None if files[0].silent else patience
        known, _ = await self._advisor.known(page, self._sources_of(frozenset({owner})), patience=waits)
        return known.get(owner)

    async def gather(
        self, project: ProjectName, *, patience: float = PATIENCE_PAGE, policy: Policy | None = None
    ) -> Gathered:
        """The merge of what the sources say, with their answers. ``policy``: another one than that in force."""
        if self._look is not None:
            return await self._look.gather(project, patience=patience, policy=policy or self.policy.current)
        return await self.gathered(project, patience=patience, policy=policy or self.policy.current)

    async def gathered(
        self, project: ProjectName, *, patience: float, policy: Policy, then: Then | None = None
    ) -> Gathered:
        """The same, of now; ``then`` makes of each source's answer what it was at another time."""
        return await gather(
            project,
            self.groups,
            self._rule,
            self._reservations,
            policy,
            now=datetime.now(UTC),
            patience=patience,
            then=then,
        )

    async def known(self, project: ProjectName) -> Page | None:
        """The merge of what is known of the name, whatever the policy, without telling it to anybody."""
        merged = await self.remembered(project)
        return merged.page if merged is not None else None

    async def remembered(self, project: ProjectName) -> Merged | None:
        """The same with whose it is."""
        now, nothing = datetime.now(UTC), Policy([])
        gathered = await gather(
            project, self.groups, self._rule, self._reservations, nothing, now=now, patience=0, told=False
        )
        return gathered.outcome if isinstance(gathered.outcome, Merged) else None

    async def _view(self, merged: Merged, judged: Judged, good_until: datetime | None) -> View:
        learned: dict[str, str] = {}
        for source in {file.source for file in merged.page.files}:
            hashes = await self._facts.metadata_hashes(source, merged.page.project)
            if len(merged.owners) == 1:
                learned = hashes
            else:
                holders = {file.filename for file in merged.page.files if file.source == source}
                learned.update({name: sha256 for name, sha256 in hashes.items() if name in holders})
        now = time.time()
        return View(
            judged,
            owners=merged.owners,
            stale=merged.stale,
            made=now,
            expires=expiry(merged.good_until, judged.good_until, good_until, now=now),
            learned=learned,
        )

    async def names(self) -> AsyncIterator[str]:
        """The names for the root list, in order and once each, less what this index would not show."""
        if self._look is not None and (then := await self._look.names()) is not None:
            for name in sorted(then):
                yield name
            return
        policy, now = self.policy.current, datetime.now(UTC)
        found: set[str] = set()
        for group in self.groups:
            for place in group:
                for at, text in enumerate(await place.source.names() or ()):
                    if at % _BREATH == _BREATH - 1:  # a public index has most of a million
                        await asyncio.sleep(0)
                    project = ProjectName(text)
                    owners = self._reservations.owners(project)
                    if owners and place.source.name not in owners:
                        continue
                    if not place.selection.may_have(project):
                        continue
                    if place.source.remote and not policy.may_come(project, place.source.name, now):
                        continue
                    found.add(project)
        for name in sorted(found):
            yield name

    async def ready(self) -> bool:
        """Whether every source's pages are complete."""
        return all([await place.source.ready() for group in self.groups for place in group])


async def _nothing(value: T) -> T:
    return value


def _unlisted(project: ProjectName, outcome: Unasked) -> View:
    """The page of a name that the allow list does not know: nothing was asked, so nothing is listed (PEP 792)."""
    verdict = Verdict(
        gate=outcome.gate,
        outcome=Outcome.BLOCKED,
        code="allow-unlisted",
        sentence=outcome.sentence,
        remedy=WHERE_TO_ASK,
    )
    status = Status("quarantined", f"{verdict.label}; {WHERE_TO_ASK}")
    judged = Judged(page=Page(project=project, status=status), decisions=(), good_until=None)
    now = time.time()
    return View(judged, owners=(), stale=None, made=now, expires=now + 60, learned={}, unlisted=verdict)


newest = merge.newest
