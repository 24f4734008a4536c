"""What a policy has to know of licences: learnt a version at a time when a page asks, and given to the gate.

A version's licence is what the metadata of one of its wheels tells, or where it has none, the source's own JSON. The
newest versions come first; a page waits a moment and is then judged by what is known, as with attestations.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from wheelkeep.core import freshness, names
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.licence import Licences, Told, read_info, read_metadata
from wheelkeep.core.licences import LicencesGate
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.index.metadata import MetadataKeeper
from wheelkeep.logs import get_logger
from wheelkeep.sources.source import Source

log = get_logger(__name__)

_PATIENCE_VERSION = 10.0
_PATIENCE_AGAIN = 1.0
"""Seconds that a page may wait for a project that others wait for already."""
_AT_ONCE = 16
_SOON = timedelta(seconds=2)
_PAUSE = timedelta(seconds=30)
_DOUBTED = timedelta(minutes=10)
_MOST = 100_000
_ENDLESS = datetime.max.replace(tzinfo=UTC)

Release = tuple[SourceName, ProjectName, str]


class Licenser:
    """One for all indexes; what it learns is in memory, and behind it in the store's metadata."""

    def __init__(
        self,
        sources: Mapping[SourceName, Source],
        *,
        changed: Callable[[ProjectName], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``changed`` is told of a project of which more is known."""
        self.metadata: MetadataKeeper | None = None
        """Set before anything is asked; it knows the keep, which knows the indexes."""
        self._sources = sources
        self._changed = changed
        self._now = now
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._told: OrderedDict[Release, tuple[datetime, Told]] = OrderedDict()
        self._troubles: OrderedDict[Release, tuple[datetime, str]] = OrderedDict()
        self._asking: dict[Release, asyncio.Task[None]] = {}
        self._jobs: dict[ProjectName, asyncio.Task[None]] = {}

    async def close(self) -> None:
        tasks = [*self._jobs.values(), *self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def over(self, source: Source) -> "Licenser":
        """The same with another source in the place of one, and nothing learnt yet."""
        made = Licenser({**self._sources, source.name: source}, changed=lambda _: None, now=self._now)
        made.metadata = self.metadata
        return made

    async def known(
        self,
        gate: LicencesGate,
        page: Page,
        *,
        patience: float,
        first: str | None = None,
        lies_in: SourceName | None = None,
    ) -> Licences:
        """What there is to know about a page's releases; the arguments are those of ``Attestor.known``."""
        releases: dict[Release, list[File]] = {}
        for file in page.files:
            if gate.asks(file):
                releases.setdefault((file.source, page.project, file.version), []).append(file)
        now = self._now()
        unknown = {
            release: files
            for release, files in releases.items()
            if self._known(release, now) is None
            and not freshness.pauses(self._troubles.get(release, (now, ""))[0], now)
        }
        if first is not None:
            unknown = {
                release: files
                for release, files in unknown.items()
                if any(file.filename == first for file in files)
            }
            await asyncio.gather(*(self._once(*one, lies_in) for one in unknown.items()))
        elif unknown:
            await self._wait(page.project, unknown, lies_in, patience)
        return self._given(releases)

    def _known(self, release: Release, now: datetime) -> Told | None:
        """What is known of a release; that it tells nothing is looked at again after a while."""
        at, told = self._told.get(release, (now, None))
        return told if told is not None and (told.words or freshness.young(at, now, _DOUBTED)) else None

    def _given(self, releases: Mapping[Release, Sequence[File]]) -> Licences:
        now = self._now()
        told: dict[tuple[SourceName, str], Told] = {}
        troubles: dict[tuple[SourceName, str], str] = {}
        again = _ENDLESS
        for release in releases:
            source, _, version = release
            if (one := self._known(release, now)) is not None:
                told[source, version] = one
            elif (trouble := self._troubles.get(release)) is not None and freshness.pauses(trouble[0], now):
                troubles[source, version] = trouble[1]
                again = min(again, trouble[0])
            else:
                again = min(again, now + _SOON)
        return Licences(told=told, troubles=troubles, again=again if again is not _ENDLESS else None)

    async def _wait(
        self,
        project: ProjectName,
        unknown: Mapping[Release, Sequence[File]],
        lies_in: SourceName | None,
        patience: float,
    ) -> None:
        """Lets the project be looked at for so long; it goes on afterwards."""
        job = self._jobs.get(project)
        if job is None:
            job = asyncio.create_task(self._job(project, unknown, lies_in), name=f"licences {project}")
            self._jobs[project] = job
            job.add_done_callback(lambda _: self._jobs.pop(project, None))
        else:
            patience = min(patience, _PATIENCE_AGAIN)
        await asyncio.wait({job}, timeout=patience)

    async def _job(
        self, project: ProjectName, unknown: Mapping[Release, Sequence[File]], lies_in: SourceName | None
    ) -> None:
        newest = sorted(unknown.items(), key=lambda one: names.version(one[0][2]), reverse=True)
        await asyncio.gather(*(self._once(*one, lies_in) for one in newest))
        self._changed(project)

    async def _once(self, release: Release, files: Sequence[File], lies_in: SourceName | None) -> None:
        """One look at a release however many want it."""
        task = self._asking.get(release)
        if task is None:
            task = self._asking[release] = asyncio.create_task(self._look(release, files, lies_in))
            task.add_done_callback(lambda _: self._asking.pop(release, None))
        await asyncio.shield(task)

    async def _look(self, release: Release, files: Sequence[File], lies_in: SourceName | None) -> None:
        source = self._sources[lies_in or release[0]]
        try:
            async with self._slots, asyncio.timeout(_PATIENCE_VERSION):
                told = await self._learn(source, release, files)
        except (Unanswered, FileMissing) as error:
            self._trouble(release, str(error))
        except TimeoutError:
            self._trouble(release, "its metadata did not come in time")
        except Exception:
            log.exception("licence_not_looked_up", source=release[0], project=release[1], version=release[2])
            self._trouble(release, "its metadata could not be looked at")
        else:
            self._troubles.pop(release, None)
            self._told[release] = (self._now(), told)
            while len(self._told) > _MOST:
                self._told.popitem(last=False)

    async def _learn(self, source: Source, release: Release, files: Sequence[File]) -> Told:
        """Raises Unanswered and FileMissing. Empty where the source cleanly tells nothing."""
        assert self.metadata is not None
        wheels = sorted((file for file in files if file.kind == "wheel"), key=_likely)
        trouble: Exception | None = None
        if wheels:
            try:
                body = await self.metadata.get(source, wheels[0], may_fetch=False)
            except (Unanswered, FileMissing) as error:
                trouble = error
            else:
                return read_metadata(body) if body is not None else Told()
        for file in files:
            body = await self.metadata.of_sdist(source, file) if file.kind != "wheel" else None
            # Where there is JSON, it may have been told more than the build tool wrote.
            if body is not None and ((told := read_metadata(body)).words or not source.remote):
                return told
        if any(file.silent for file in files):
            raise Unanswered("the name belongs to another source now")
        _, project, version = release
        document = await source.document("json", f"{project}/{version}")
        if document is None:
            if trouble is not None:
                raise trouble
            return Told()
        try:
            info = msgspec.json.decode(document)["info"]
        except (msgspec.MsgspecError, RecursionError, LookupError, TypeError):
            raise Unanswered("its JSON cannot be read") from None
        if not isinstance(info, dict):
            raise Unanswered("its JSON cannot be read")
        return read_info(info)

    def _trouble(self, release: Release, why: str) -> None:
        self._troubles[release] = (self._now() + _PAUSE, why)
        while len(self._troubles) > _MOST:
            self._troubles.popitem(last=False)


def _likely(file: File) -> tuple[bool, str]:
    """Wheels with metadata beside them first: nothing of the wheel itself is fetched then."""
    return not file.metadata, file.filename
