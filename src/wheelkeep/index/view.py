"""What an index says of one project at this moment, and the memo that keeps it."""

from collections import OrderedDict
from datetime import datetime
from typing import Any

from wheelkeep.core.judge import Judged
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName, SourceName, version
from wheelkeep.core.verdict import Decision, Verdict


class View:
    """A judged page with what web needs beside it. Good until a known moment, or until somebody tells of a change."""

    __slots__ = (
        "__weakref__",
        "against",
        "alive",
        "by_name",
        "expires",
        "judged",
        "learned",
        "made",
        "owners",
        "renderings",
        "stale",
        "unlisted",
        "weight",
    )

    def __init__(
        self,
        judged: Judged,
        *,
        owners: tuple[SourceName, ...],
        stale: str | None,
        made: float,
        expires: float,
        learned: dict[str, str],
        unlisted: Verdict | None = None,
    ) -> None:
        self.judged = judged
        self.owners = owners
        self.stale = stale
        """Why this is older than it should be, where it is."""
        self.made = made
        """Seconds since the epoch when it was made: an earlier clock than that was set back, and tells no age."""
        self.expires = expires
        """Seconds since the epoch from which it may no longer be used."""
        self.learned = learned
        """File name to sha256 of its core metadata, as far as it was read; empty text: it has none."""
        self.unlisted = unlisted
        """Why no source was asked, where an allow list does not know the name."""
        self.against = unlisted if unlisted is not None else _against(judged)
        """Why nothing at all is admitted: the verdict on the name, or on its newest version."""
        self.by_name: dict[str, tuple[File, Decision]] = {
            file.filename: (file, decision)
            for file, decision in zip(judged.page.files, judged.decisions, strict=True)
        }
        self.alive = True
        self.renderings: dict[Any, Any] = {}
        """What web made of it, by its own keys: kept as long as the view is."""
        self.weight = 2_000 + 1_200 * len(self.by_name)
        """About how many bytes it holds, renderings included once they are made."""

    @property
    def project(self) -> ProjectName:
        return self.judged.page.project

    def good(self, now: float) -> bool:
        return self.alive and self.made <= now < self.expires


def _against(judged: Judged) -> Verdict | None:
    if not judged.nothing_admitted:
        return None
    pairs = zip(judged.page.files, judged.decisions, strict=True)
    return max(pairs, key=lambda pair: version(pair[0].version))[1].against


class Memo:
    """The views that were asked for last, up to a weight. Holding one costs no I/O and no SQL."""

    def __init__(self, limit: int) -> None:
        self._views: OrderedDict[ProjectName, View] = OrderedDict()
        self._limit = limit
        self._weight = 0

    def get(self, project: ProjectName, now: float) -> View | None:
        view = self._views.get(project)
        if view is None:
            return None
        if not view.good(now):
            self.drop(project)
            return None
        self._views.move_to_end(project)
        return view

    def put(self, view: View) -> None:
        self.drop(view.project)
        self._views[view.project] = view
        self._weight += view.weight
        while self._weight > self._limit and len(self._views) > 1:
            self.drop(next(iter(self._views)))

    def grew(self, view: View, by: int) -> None:
        """A rendering was added to a view."""
        view.weight += by
        if self._views.get(view.project) is view:
            self._weight += by
            while self._weight > self._limit and len(self._views) > 1:
                self.drop(next(iter(self._views)))

    def drop(self, project: ProjectName | None) -> None:
        """Forgets one project, or all of them; whoever still holds a view sees that it is no longer alive."""
        gone = [project] if project is not None else list(self._views)
        for name in gone:
            view = self._views.pop(name, None)
            if view is not None:
                view.alive = False
                self._weight -= view.weight


def expiry(*moments: datetime | None, now: float) -> float:
    """The earliest of the moments as seconds since the epoch; at most a day from ``now``."""
    return min([now + 86_400.0, *(moment.timestamp() for moment in moments if moment is not None)])
