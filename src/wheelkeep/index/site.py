"""A static site: an index as files that any web server or bucket serves, without us.

Files first, then the pages that list them, then the list of pages: whoever looks meanwhile, or after a run that was cut
off, never finds named what is not there. What lies there already is left as it is. Only what the policy admits at this
moment is listed, and of that only what is kept here.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from datetime import timedelta
from typing import Any

from msgspec import Struct

from wheelkeep.core import static_site
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.model import File, Status
from wheelkeep.core.names import ProjectName
from wheelkeep.core.past import is_moment
from wheelkeep.core.snapshot import read_ref
from wheelkeep.index.departure import Departure
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.needed import Lacking
from wheelkeep.index.site_project import Project, Projects, Scope
from wheelkeep.index.site_shelf import New, SiteShelf
from wheelkeep.store.shelf import Shelf

_AT_ONCE = 8
"""Projects that are looked at side by side."""
_TOGETHER = 500
"""Things that are put side by side: what is synced together costs little more than one."""
_TOGETHER_BYTES = 8 * 1024 * 1024
"""Bytes of pages in memory after which they are put."""


class NothingToShow(WheelkeepError):
    """Nothing of the index is to be listed, and the site that lies there lists something."""


class Site(Struct, kw_only=True):
    """How far it is. Sizes are bytes."""

    dry_run: bool
    """What is told as written would be."""
    asked: int
    """Projects that may have something, and of how many it is known by now."""
    done: int = 0
    projects: int = 0
    """On the list."""
    files: int = 0
    """On the pages of these."""
    bytes: int = 0
    written: int = 0
    """Files, metadata and pages; those that lay there as they should are not written."""
    written_bytes: int = 0
    removed: int = 0
    unlisted: int = 0
    """Things that lie there and that no page lists any more."""
    blocked: int = 0
    """Files that the policy does not let in."""
    not_here: int = 0
    """Admitted files whose bytes are not kept here, of the projects that are looked at."""
    unanswered: list[Lacking] = []
    """Projects of which nothing could be known now: they stay in the site as they were."""
    lacking: list[Lacking] = []
    """Files that were chosen and that cannot be had."""

    @property
    def whole(self) -> bool:
        return not (self.unanswered or self.lacking)


async def everything(keep: Keep, index: Index, when: str | None) -> Scope:
    """All of an index of which bytes are kept here; ``when``: as of a moment, or of a snapshot that is there."""
    if when is not None and not is_moment(when):
        snapshot = await keep.views.snapshots.find(read_ref(when))
        assert snapshot is not None
        return Scope(names=tuple(sorted(await keep.views.snapshots.projects(snapshot))), known=False)
    places = [place.source for group in index.groups for place in group]
    remote = {source.name for source in places if source.remote}
    names = {project for source, project in await keep.pages.keys() if source in remote}
    for source in places:
        if not source.remote:
            names.update(map(ProjectName, await source.names() or ()))
    return Scope(names=tuple(sorted(names)))


def exactly(files: Iterable[File], lacking: Iterable[Lacking]) -> Scope:
    """These files, and no others; ``lacking``: what belongs to them and is known not to be had."""
    chosen: dict[ProjectName, set[str]] = {}
    for file in files:
        chosen.setdefault(file.project, set()).add(file.filename)
    return Scope(
        names=tuple(sorted(chosen)),
        chosen={name: frozenset(some) for name, some in chosen.items()},
        lacking=tuple(lacking),
    )


async def export(
    keep: Keep, index: Index, scope: Scope, shelf: Shelf, *, grace: timedelta | None, dry_run: bool = False
) -> AsyncIterator[Site]:
    """Writes what is not there yet; gives how far it is. ``grace``: what no page has listed for so long goes.

    Raises Unavailable and Busy of the shelf, Foreign, and NothingToShow. With ``dry_run`` nothing is written.
    """
    async with contextlib.nullcontext() if dry_run else shelf.lock():
        lying = SiteShelf(shelf)
        await lying.read()
        lying.claim()
        departure = Departure(keep, index, "export site", shelf)
        look = Projects(keep, index, scope, lying, dry_run=dry_run).look
        writing = _Writing(index, scope, lying, look, departure, dry_run=dry_run)
        async for state in writing.run(grace):
            yield state


class _Writing:
    def __init__(
        self,
        index: Index,
        scope: Scope,
        lying: SiteShelf,
        look: Callable[[ProjectName], Coroutine[Any, Any, Project]],
        departure: Departure,
        *,
        dry_run: bool,
    ) -> None:
        self._scope = scope
        self._lying = lying
        self._look = look
        self._departure = departure
        self._path = index.path
        self._dry = dry_run
        self._state = Site(asked=len(scope.names), dry_run=dry_run, lacking=list(scope.lacking))
        self._listed: set[ProjectName] = set()
        self._statuses: dict[ProjectName, Status] = {}

    async def run(self, grace: timedelta | None) -> AsyncIterator[Site]:
        state, ready, weight = self._state, list[Project](), 0
        if state.lacking:
            yield state
            return
        async for project in self._projects():
            self._note(project)
            yield state
            if project.shown:
                ready.append(project)
                weight += len(project.new) + len(static_site.ROOT)
            if self._scope.chosen is None and weight >= _TOGETHER:
                await self._publish(ready)
                ready, weight = [], 0
        if self._scope.chosen is not None and not state.whole:
            return
        await self._publish(ready)
        before = self._lying.pages()
        left = {ProjectName(one.what) for one in state.unanswered}
        if not self._listed and not state.blocked and before - left and not self._dry:
            raise NothingToShow(
                f"of the index {self._path} no file is kept here, and the site lists {len(before)} projects: "
                "nothing was changed; remove the site first if that is meant"
            )
        await self._end(before, left, grace)
        yield state

    async def _projects(self) -> AsyncIterator[Project]:
        """Each as soon as it is known, some at a time."""
        waiting = iter(self._scope.names)
        running = {
            asyncio.create_task(self._look(name)) for _, name in zip(range(_AT_ONCE), waiting, strict=False)
        }
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if (name := next(waiting, None)) is not None:
                        running.add(asyncio.create_task(self._look(name)))
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _note(self, project: Project) -> None:
        state = self._state
        state.done += 1
        state.blocked += project.blocked
        state.not_here += project.not_here
        state.lacking += project.lacking
        if project.unanswered is not None:
            state.unanswered.append(Lacking(what=project.name, why=project.unanswered))
        if project.shown:
            state.projects += 1
            state.files += len(project.shown)
            state.bytes += sum(one.size for one in project.shown)
        elif project.status is not None:
            self._statuses[project.name] = project.status

    async def _publish(self, projects: list[Project]) -> None:
        """The files of some projects, on record before, and then their pages."""
        if not self._dry:
            leaving = [one for project in projects for one in project.leaving]
            for at in range(0, len(leaving), _TOGETHER):
                await asyncio.gather(*(self._departure.note(*one) for one in leaving[at : at + _TOGETHER]))
        await self._put([new for project in projects for new in project.new])
        await self._write(
            page
            for project in projects
            for page in static_site.pages(project.name, project.shown, project.status).items()
        )
        for project in projects:
            self._listed.add(project.name)
            for name in project.names:
                self._lying.mark_listed(name)

    async def _end(self, before: set[ProjectName], left: set[ProjectName], grace: timedelta | None) -> None:
        """What is no longer listed, the list, and the notes."""
        emptied = sorted(before - self._listed - left)
        await self._write(
            page for name in emptied for page in static_site.pages(name, (), self._statuses.get(name)).items()
        )
        await self._write(static_site.roots(sorted(self._listed | (before & left))).items())
        unlisted = self._lying.note_unlisted(int(time.time()), left)
        if grace is not None and not self._dry:
            gone = await self._lying.remove(unlisted, grace)
            self._state.removed = len(gone)
        self._state.unlisted = len(unlisted) - self._state.removed
        if not self._dry:
            await self._lying.close()

    async def _write(self, texts: Iterable[tuple[str, bytes]]) -> None:
        new: list[New] = []
        weight = 0
        for name, content in texts:
            sha256 = hashlib.sha256(content).hexdigest()
            if await self._lying.has(name, sha256, len(content)):
                continue
            new.append(New(name, content, sha256, len(content)))
            weight += len(content)
            if len(new) >= _TOGETHER or weight >= _TOGETHER_BYTES:
                await self._put(new)
                new, weight = [], 0
        await self._put(new)

    async def _put(self, new: list[New]) -> None:
        self._state.written += len(new)
        self._state.written_bytes += sum(one.size for one in new)
        if new and not self._dry:
            await self._lying.begin()
            await self._lying.put(new)
