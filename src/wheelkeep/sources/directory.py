"""A wheelhouse: wheels and sdists in a folder or a bucket. Changes are seen without a restart."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from msgspec.structs import replace

from wheelkeep.core import names, pins
from wheelkeep.core.errors import InvalidName, Unanswered
from wheelkeep.core.model import Absent, Answer, File, Found, Page, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.logs import get_logger
from wheelkeep.sources.ground import Ground, Mark
from wheelkeep.sources.source import PATIENCE_PAGE, UNADVISED, Advised, Bytes, Changed
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.facts import Facts, KnownMetadata
from wheelkeep.store.pages import Pages, StoredPage
from wheelkeep.store.sdists import read_info
from wheelkeep.store.shelf import Unavailable
from wheelkeep.store.wheel_metadata import NoMetadata, read_metadata_of

log = get_logger(__name__)
Seen = dict[str, tuple[str, File]]
"""Relative path to stamp and file."""
_REST = 20
"""Times what a look took pass until the next, where that is longer than the ground's own pause."""
_FIRST_PAUSE = 0.5
"""Seconds between the two looks that make the first pages, where something in the folder is quite new."""
_QUIET = 2.0
"""Seconds after its last change at which a file is taken at once; a younger one when it looks the same twice."""


class _Described(NamedTuple):
    file: File
    metadata: KnownMetadata | None


class Directory:
    """Keeps the pages of a place in memory, and looks again and again."""

    remote = False

    def __init__(
        self,
        name: SourceName,
        ground: Ground,
        *,
        facts: Facts,
        pages: Pages,
        changed: Changed,
        incident: Callable[[SourceName, ProjectName, pins.Incident], None],
    ) -> None:
        self.name = name
        self._ground = ground
        self._facts = facts
        self._pages = pages
        self._changed = changed
        self._incident = incident
        self._seen: Seen = {}
        self._by_project: dict[ProjectName, tuple[File, ...]] = {}
        self.trouble: str | None = "it is being read for the first time"
        """Why the place cannot be read, where it cannot."""
        self._first = asyncio.Event()
        self._complete = False
        """Whether the pages were made of the whole folder; a first look that fails leaves that to a later one."""
        self._settling: dict[str, str] = {}
        """Relative path to stamp of what the last look left alone: somebody may still be writing it."""
        self._passed_over: dict[str, str] = {}
        """Relative path to stamp of what is no distribution."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._seen = await self._facts.directory(self.name)
        self._task = asyncio.create_task(self._watch(), name=f"watch {self.name}")

    async def ready(self) -> bool:
        return self._first.is_set()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._ground.close()

    async def page(self, project: ProjectName, *, patience: float = PATIENCE_PAGE) -> Answer:
        if not self._first.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._first.wait(), 30)
        if self.trouble is not None:
            return Unreachable(source=self.name, reason=self.trouble)
        files = self._by_project.get(project)
        if files is None:
            return Absent(source=self.name)
        return Found(source=self.name, page=Page(project=project, files=files))

    @asynccontextmanager
    async def open(self, file: File) -> AsyncIterator[Bytes]:
        async with self._ground.open(file.url) as stream:
            yield stream

    async def metadata(self, file: File) -> bytes | None:
        """An sdist's PKG-INFO. A wheel's was read when the file was first seen; see _describe."""
        if file.kind == "wheel":
            return None
        stamp, _ = self._seen.get(file.url, ("", None))
        try:
            async with self._ground.local(file.url, stamp) as local:
                if local is not None and local.sha256 == file.sha256:
                    return await asyncio.to_thread(_read_sdist, local.path)
            async with self._ground.open(file.url):
                raise Unanswered(f"{file.filename} has other bytes now than it is listed with")
        except OSError as error:
            raise Unanswered(f"{file.filename} cannot be read: {error.strerror}") from None
        except Unavailable as error:
            raise Unanswered(f"{file.filename} cannot be read: {error}") from None

    async def piece(self, file: File, start: int, end: int) -> tuple[bytes, int] | None:
        return None

    async def document(self, kind: str, key: str, url: str | None = None) -> bytes | None:
        return None

    async def advisories(
        self,
        project: ProjectName,
        versions: Sequence[str],
        *,
        each: bool,
        patience: float | None = PATIENCE_PAGE,
    ) -> Advised:
        return UNADVISED

    async def known(self, project: ProjectName) -> Page | None:
        answer = await self.page(project)
        return answer.page if isinstance(answer, Found) else None

    async def names(self, *, patience: float = PATIENCE_PAGE) -> list[str] | None:
        if not self._first.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._first.wait(), max(patience, 30.0))
        return sorted(self._by_project)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._look()
                self.trouble = None
            except (OSError, Unavailable) as error:
                # A place that cannot be read might have any name: that is an outage.
                if self.trouble is None or not self._first.is_set():
                    log.warning("directory_unreadable", source=self.name, error=str(error))
                    self._changed(None)
                says = error.strerror if isinstance(error, OSError) and error.strerror else error
                self.trouble = f"its {self._ground.kind} cannot be read: {says}"
            except Exception:
                log.exception("directory_look_failed", source=self.name)
                self.trouble = f"its {self._ground.kind} could not be read; the log says why"
                self._changed(None)
            self._first.set()
            await asyncio.sleep(max(self._ground.pause, _REST * (loop.time() - began)))

    async def _look(self) -> None:
        """Sees what is new, changed or lost; reads only that."""
        found = await self._ground.look()
        news = self._news(found)
        if not self._complete and self._settling:
            await asyncio.sleep(_FIRST_PAUSE)
            found = await self._ground.look()
            news = self._news(found)
        described: dict[str, _Described] = {}
        for path in news:
            made = await self._describe(path, found[path].stamp)
            if made is not None:
                described[path] = made
        fresh: Seen = {path: (found[path].stamp, made.file) for path, made in described.items()}
        lost = [path for path in self._seen if path not in found]
        if fresh or lost or not self._complete:
            by_project: dict[ProjectName, list[_Described]] = {}
            for made in described.values():
                by_project.setdefault(made.file.project, []).append(made)
            await self._take(fresh, lost, by_project)

    def _news(self, found: dict[str, Mark]) -> list[str]:
        """The paths that are to be read: new or changed, and no longer changing."""
        now = time.time()
        news: list[str] = []
        settling: dict[str, str] = {}
        for path, mark in found.items():
            known = self._seen.get(path)
            if mark.stamp in (known[0] if known is not None else None, self._passed_over.get(path)):
                continue
            # A hash is kept for ever once it is seen, so that of a half-copied file must never be.
            if now - mark.changed >= _QUIET or self._settling.get(path) == mark.stamp:
                news.append(path)
            else:
                settling[path] = mark.stamp
        self._settling = settling
        self._passed_over = {path: stamp for path, stamp in self._passed_over.items() if path in found}
        return news

    async def _take(
        self, fresh: Seen, lost: list[str], described: dict[ProjectName, list[_Described]]
    ) -> None:
        """Makes the pages of what was seen. What fails in between is seen again by the next look."""
        await self._facts.learn_directory(self.name, fresh, lost)
        gone = set(lost)
        seen = {path: entry for path, entry in self._seen.items() if path not in gone} | fresh
        by_project: dict[ProjectName, dict[str, File]] = {}
        for path in sorted(seen):
            file = seen[path][1]
            by_project.setdefault(file.project, {}).setdefault(file.filename, file)
        touched = {file.project for _, file in fresh.values()}
        touched |= {self._seen[path][1].project for path in lost}
        for project in touched if self._complete else by_project:
            listed = await self._pinned(project, tuple(by_project.get(project, {}).values()))
            if listed:
                self._by_project[project] = listed
            else:
                self._by_project.pop(project, None)
            await self._learn_metadata(listed, described.get(project, []))
            self._changed(project)
        self._seen = seen
        if not self._complete:
            self._complete = True
            self._changed(None)

    async def _learn_metadata(self, listed: tuple[File, ...], described: list[_Described]) -> None:
        """Only of the very bytes that are listed: other bytes under the same name are not given, nor is theirs."""
        given = {(file.filename, file.sha256) for file in listed}
        for file, metadata in described:
            if metadata is not None and (file.filename, file.sha256) in given:
                await self._facts.learn_metadata(file, metadata)

    async def _pinned(self, project: ProjectName, files: tuple[File, ...]) -> tuple[File, ...]:
        """The files with the hashes that were first seen under their names; an operator's removal does remove."""
        incidents: list[pins.Incident] = []
        now = datetime.now(UTC)

        def lay(stored: StoredPage | None) -> StoredPage:
            before = stored.page if stored else None
            page, found = pins.overlay(before, Page(project=project, files=files), now)
            incidents.extend(found)
            return StoredPage(page=before if page == before else page, checked=now)

        after = await self._pages.change(self.name, project, lay)
        for incident in incidents:
            self._incident(self.name, project, incident)
        assert after is not None and after.page is not None
        return tuple(file for file in after.page.files if not file.gone)

    async def _describe(self, relative: str, stamp: str) -> _Described | None:
        """A file of the place as a page would tell it; None for what is no distribution, or changes right now."""
        filename = PurePosixPath(relative).name
        owner = names.owner_of(filename)
        try:
            if owner is None:
                raise InvalidName(f"{filename!r} is not a distribution's file name")
            parsed = names.filename(filename, owner)
        except InvalidName as error:
            self._passed_over[relative] = stamp
            if filename.endswith((".whl", *names.SDIST_SUFFIXES)):
                log.warning("directory_file_ignored", source=self.name, file=relative, why=str(error))
            return None
        async with self._ground.local(relative, stamp) as local:
            if local is None:
                return None
            file = File(
                filename=filename,
                project=owner,
                kind=parsed.kind,
                version=parsed.version,
                source=self.name,
                url=relative,
                sha256=local.sha256,
                size=local.size,
                upload_time=_moment(local.modified),
            )
            return (
                await self._with_metadata(file, local.path)
                if parsed.kind == "wheel"
                else _Described(file, None)
            )

    async def _with_metadata(self, file: File, path: Path) -> _Described:
        try:
            body = await asyncio.to_thread(read_metadata_of, path)
        except (NoMetadata, OSError) as error:
            log.warning("directory_wheel_without_metadata", source=self.name, file=file.url, why=str(error))
            return _Described(replace(file, metadata=False), None)
        known = KnownMetadata(hashlib.sha256(body).hexdigest(), body, own=True)
        headers = BytesHeaderParser().parsebytes(body[:65536])
        python = headers.get("Requires-Python")
        file = replace(
            file, metadata=known.sha256, requires_python=str(python).strip()[:1000] if python else None
        )
        return _Described(file, known)


def _read_sdist(path: Path) -> bytes | None:
    """The PKG-INFO, or None where there is none that can be read. Raises OSError."""
    try:
        with path.open("rb") as sdist:
            return read_info(sdist)
    except BadArchive:
        return None


def _moment(seconds: float) -> str | None:
    """A file's time in the form of PEP 700; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None
