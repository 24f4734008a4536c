"""Indexes as they were at a moment. A few are kept in memory, and each is made anew when it is asked for again."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from wheelkeep.core.model import Answer, Found
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.past import Removed, page_at, read_moment
from wheelkeep.core.policy import Policy
from wheelkeep.index.gather import Gathered
from wheelkeep.index.index import Index

_MOST = 8
"""Views in memory, of all indexes together."""
Departed = Callable[[SourceName, ProjectName], Awaitable[Sequence[Removed]]]
"""What a source had of a project and has no more."""


class AsOf:
    """What an index would have shown at a moment, as far as it is known."""

    def __init__(self, index: Index, when: datetime, departed: Departed) -> None:
        self.as_of: datetime | None = when
        self._index = index
        self._when = when
        self._departed = departed

    async def gather(self, project: ProjectName, *, patience: float, policy: Policy) -> Gathered:
        """Who owns a name is decided by what the sources have now: a private one is not told to others for the past."""

        async def then(answer: Answer) -> Answer:
            if not isinstance(answer, Found):
                return answer
            status = answer.page.status
            hidden = status is not None and status.status == "quarantined"
            removed = () if hidden else await self._departed(answer.source, project)
            page = page_at(answer.page, self._when, removed)
            return replace(answer, page=page, claims=answer.claims or bool(answer.page.files))

        return await self._index.gathered(project, patience=patience, policy=policy, then=then)

    async def names(self) -> Collection[str] | None:
        return None


class Views:
    """All views that are in memory."""

    def __init__(self, departed: Departed) -> None:
        self._departed = departed
        self._views: OrderedDict[str, Index] = OrderedDict()

    async def find(self, index: Index, when: str) -> Index:
        """The index as it was. ``when``: what stands behind the ``@``. Raises ValueError with a sentence."""
        now = datetime.now(UTC)
        moment = read_moment(when, now)
        path = f"{index.name}@{when}"
        view = self._views.get(path)
        if view is None:
            view = index.seen(AsOf(index, moment, self._departed), path)
            if (moment - now).total_seconds() < -1:  # today stands for another moment each time
                self._keep(path, view)
        else:
            self._views.move_to_end(path)
        return view

    def _keep(self, path: str, view: Index) -> None:
        self._views[path] = view
        while len(self._views) > _MOST:
            self._views.popitem(last=False)

    def forget(self, project: ProjectName | None) -> None:
        """Something that pages show changed."""
        for view in self._views.values():
            view.forget(project)
