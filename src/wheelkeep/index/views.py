"""Indexes as they were at a moment, or as a snapshot has them: a few in memory, each made anew when asked for again."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from wheelkeep.core.errors import Unwritable
from wheelkeep.core.merge import Merged, Nowhere
from wheelkeep.core.model import Answer, File, Found, Unasked, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.past import Removed, is_moment, page_at, read_moment
from wheelkeep.core.policy import Policy
from wheelkeep.core.snapshot import Pinned, read_ref
from wheelkeep.index.gather import Gathered
from wheelkeep.index.index import Index
from wheelkeep.logs import get_logger
from wheelkeep.store.snapshots import Snapshot, Snapshots

log = get_logger(__name__)
_MOST = 8
"""Views in memory, of all indexes together."""
_AGAIN = timedelta(minutes=1)
"""How long a snapshot's page is good, where the index's own does not tell."""
Departed = Callable[[SourceName, ProjectName], Awaitable[Sequence[Removed]]]
"""What a source had of a project and has no more."""
Has = Callable[[str], bool]
"""Whether bytes of a sha256 are here."""


class AsOf:
    """What an index would have shown at a moment, as far as it is known."""

    def __init__(self, index: Index, when: datetime, departed: Departed, has: Has) -> None:
        self.as_of: datetime | None = when
        self._index = index
        self._when = when
        self._departed = departed
        self._has = has

    async def gather(self, project: ProjectName, *, patience: float, policy: Policy) -> Gathered:
        """Who owns a name is decided by what the sources have now: a private one is not told to others for the past."""

        places = (place.source for group in self._index.groups for place in group)
        remote = {source.name for source in places if source.remote}

        async def then(answer: Answer) -> Answer:
            if not isinstance(answer, Found):
                return answer
            status = answer.page.status
            hidden = status is not None and status.status == "quarantined"
            departed = () if hidden else await self._departed(answer.source, project)
            removed = [one for one in departed if one.file.sha256 is not None and self._has(one.file.sha256)]
            page = page_at(answer.page, self._when, removed, elsewhere=answer.source in remote)
            return replace(answer, page=page, claims=answer.claims or bool(answer.page.files))

        return await self._index.gathered(project, patience=patience, policy=policy, then=then)

    async def names(self) -> Collection[str] | None:
        return None


class AtSnapshot:
    """What a snapshot has; one of a whole index keeps a page that it did not know then once it is asked for."""

    def __init__(
        self, index: Index, snapshots: Snapshots, snapshot: Snapshot, then: AsOf | None, has: Has
    ) -> None:
        """``then``: the moment of a snapshot of a whole index."""
        self.as_of = then.as_of if then is not None else None
        self._index = index
        self._snapshots = snapshots
        self._snapshot = snapshot
        self._then = then
        self._has = has

    async def gather(self, project: ProjectName, *, patience: float, policy: Policy) -> Gathered:
        pinned = await self._snapshots.page(self._snapshot, project)
        if pinned is None and self._then is None:
            return Gathered(project, Nowhere(), (), frozenset())
        if pinned is None and self._then is not None:
            gathered = await self._then.gather(project, patience=patience, policy=policy)
            outcome = gathered.outcome
            if not isinstance(outcome, Merged) or outcome.stale is not None:
                return gathered
            pinned = await self._pin(project, Pinned(outcome.page, outcome.owners))
        assert pinned is not None
        live = await self._index.gathered(project, patience=0, policy=policy)
        return Gathered(project, self._today(pinned, live), (), live.owners)

    async def _pin(self, project: ProjectName, pinned: Pinned) -> Pinned:
        try:
            return await self._snapshots.pin(self._snapshot, project, pinned)
        except Unwritable as error:
            # A disk that is full or cannot be written stops writes, not reads.
            log.error("page_not_pinned", snapshot=self._snapshot.name, project=project, why=str(error))
            return pinned
        except Exception:
            log.exception("page_not_pinned", snapshot=self._snapshot.name, project=project)
            return pinned

    def _today(self, pinned: Pinned, live: Gathered) -> Merged | Unreachable:
        """The pinned page less what today forbids whatever was pinned: a source that the index has no more gives no
        file; what is in quarantine now is shown as the index shows it now (PEP 792); and a remote source that is not
        asked for the name today, as a better one has it or might, is not asked for its files either.
        """
        outcome = live.outcome
        asked = {answer.source for answers in live.answers for answer in answers}
        told = asked - {one.source for answers in live.answers for one in answers if isinstance(one, Unasked)}
        sources = {place.source.name: place.source for group in self._index.groups for place in group}
        kept = [file for file in pinned.page.files if file.source in sources]
        files = [
            replace(file, silent=True, provenance=None)
            if sources[file.source].remote and file.source not in told
            else file
            for file in kept
            if not sources[file.source].remote or file.source in asked or self._is_here(file)
        ]
        if len(files) < len(kept) and isinstance(outcome, Unreachable):
            return outcome
        status, good_until = None, datetime.now(UTC) + _AGAIN
        if isinstance(outcome, Merged):
            status, good_until = outcome.page.status, outcome.good_until or good_until
            there = {(file.source, file.filename): file for file in outcome.page.files}
            status = status if status is not None and status.status == "quarantined" else None
            files = [
                replace(file, yanked=now.yanked) if now is not None and now.left == "quarantined" else file
                for file in files
                if (now := there.get((file.source, file.filename))) is not None or status is None
            ]
        page = replace(pinned.page, files=tuple(files), status=status or pinned.page.status)
        owners = tuple(owner for owner in pinned.owners if owner in sources and owner in asked)
        return Merged(page=page, owners=owners, good_until=good_until)

    def _is_here(self, file: File) -> bool:
        return file.sha256 is not None and self._has(file.sha256)

    async def names(self) -> Collection[str] | None:
        return await self._snapshots.projects(self._snapshot) if self._then is None else None


class Views:
    """All views that are in memory."""

    def __init__(self, departed: Departed, snapshots: Snapshots, has: Has) -> None:
        self._departed = departed
        self._has = has
        self.snapshots = snapshots
        self._views: OrderedDict[str, Index] = OrderedDict()

    async def find(self, index: Index, when: str) -> Index:
        """The index as it was. ``when``: what stands behind the ``@``. Raises ValueError with a sentence."""
        if not is_moment(when):
            return await self._snapshot(index, when)
        now = datetime.now(UTC)
        moment = read_moment(when, now)
        path = f"{index.name}@{when}"
        view = self._views.get(path)
        if view is None:
            view = index.seen(AsOf(index, moment, self._departed, self._has), path)
            if (moment - now).total_seconds() < -1:  # today stands for another moment each time
                self._keep(path, view)
        else:
            self._views.move_to_end(path)
        return view

    async def _snapshot(self, index: Index, text: str) -> Index:
        ref = read_ref(text)
        snapshot = await self.snapshots.find(ref)
        if snapshot is None or snapshot.index != index.name:
            raise ValueError(
                f"the index {index.name} has no snapshot {text[:70]}, and that is no date either"
            )
        path = f"{index.name}@{text}"
        key = f"{path}~{snapshot.number}"
        view = self._views.get(key)
        if view is None:
            then = AsOf(index, snapshot.at, self._departed, self._has) if snapshot.kind == "index" else None
            view = index.seen(AtSnapshot(index, self.snapshots, snapshot, then, self._has), path)
            self._keep(key, view)
        self._views.move_to_end(key)
        return view

    def _keep(self, path: str, view: Index) -> None:
        self._views[path] = view
        while len(self._views) > _MOST:
            self._views.popitem(last=False)

    def forget(self, project: ProjectName | None) -> None:
        """Something that pages show changed."""
        for view in self._views.values():
            view.forget(project)
