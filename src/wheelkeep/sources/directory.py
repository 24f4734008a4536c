"""A wheelhouse: a folder of wheels and sdists. Changes are seen without a restart; hashes are computed once a file."""

import asyncio
import contextlib
import hashlib
import os
import stat
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from wheelkeep.core import names, pins
from wheelkeep.core.errors import FileMissing, InvalidName, Unanswered
from wheelkeep.core.model import Absent, Answer, File, Found, Page, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.logs import get_logger
from wheelkeep.sources.source import PATIENCE_PAGE, UNADVISED, Advised, Bytes, Changed
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.blobs import stream
from wheelkeep.store.facts import Facts, KnownMetadata
from wheelkeep.store.hashing import hash_file
from wheelkeep.store.pages import Pages, StoredPage
from wheelkeep.store.sdists import read_info
from wheelkeep.store.wheel_metadata import NoMetadata, read_metadata_of

log = get_logger(__name__)
Seen = dict[str, tuple[str, File]]
"""Relative path to stamp and file."""
_PAUSE = 1.0
"""Seconds between two looks at the folder, or so many times what a look took, whichever is longer."""
_REST = 20
_FIRST_PAUSE = 0.5
"""Seconds between the two looks that make the first pages, where something in the folder is quite new."""
_QUIET = 2.0
"""Seconds after its last change at which a file is taken at once; a younger one when it looks the same twice."""


class _Mark(NamedTuple):
    stamp: str
    """Size, time and inode: while they stand, so does the hash."""
    changed: float
    """When anything about the file last changed (ctime, which copying tools cannot set)."""


class _Described(NamedTuple):
    file: File
    metadata: KnownMetadata | None


class Directory:
    """Keeps the pages of a folder in memory, and looks again every second."""

    remote = False

    def __init__(
        self,
        name: SourceName,
        path: Path,
        *,
        facts: Facts,
        pages: Pages,
        changed: Changed,
        incident: Callable[[SourceName, ProjectName, pins.Incident], None],
    ) -> None:
        self.name = name
        self._root = path
        self._facts = facts
        self._pages = pages
        self._changed = changed
        self._incident = incident
        self._seen: Seen = {}
        self._by_project: dict[ProjectName, tuple[File, ...]] = {}
        self.trouble: str | None = "it is being read for the first time"
        """Why the folder cannot be read, where it cannot."""
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
        try:
            path, size = await asyncio.to_thread(_inside, self._root, file.url)
        except FileNotFoundError:
            raise FileMissing(f"{file.filename} is no longer in the folder") from None
        except OSError as error:
            raise Unanswered(f"{file.filename} cannot be read: {error.strerror}") from None
        yield _FolderFile(path, size)

    async def metadata(self, file: File) -> bytes | None:
        """An sdist's PKG-INFO. A wheel's was read when the file was first seen; see _describe."""
        if file.kind == "wheel":
            return None
        try:
            return await asyncio.to_thread(_read_sdist, self._root, file)
        except FileNotFoundError:
            raise FileMissing(f"{file.filename} is no longer in the folder") from None
        except OSError as error:
            raise Unanswered(f"{file.filename} cannot be read: {error.strerror}") from None

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
            except OSError as error:
                # A folder that cannot be read might have any name: that is an outage.
                if self.trouble is None or not self._first.is_set():
                    log.warning("directory_unreadable", source=self.name, error=str(error))
                    self._changed(None)
                self.trouble = f"its folder cannot be read: {error.strerror or error}"
            except Exception:
                log.exception("directory_look_failed", source=self.name)
                self.trouble = "its folder could not be read; the log says why"
                self._changed(None)
            self._first.set()
            await asyncio.sleep(max(_PAUSE, _REST * (loop.time() - began)))

    async def _look(self) -> None:
        """Sees what is new, changed or lost; reads only that."""
        found = await asyncio.to_thread(_scan, self._root)
        news = self._news(found)
        if not self._complete and self._settling:
            await asyncio.sleep(_FIRST_PAUSE)
            found = await asyncio.to_thread(_scan, self._root)
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

    def _news(self, found: dict[str, _Mark]) -> list[str]:
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
        """A file of the folder as a page would tell it; None for what is no distribution, or changes right now."""
        path = self._root / relative
        owner = names.owner_of(path.name)
        try:
            if owner is None:
                raise InvalidName(f"{path.name!r} is not a distribution's file name")
            parsed = names.filename(path.name, owner)
            sha256, size = await asyncio.to_thread(hash_file, path)
            state = path.stat()
        except InvalidName as error:
            self._passed_over[relative] = stamp
            if path.name.endswith((".whl", *names.SDIST_SUFFIXES)):
                log.warning("directory_file_ignored", source=self.name, file=relative, why=str(error))
            return None
        except FileNotFoundError:
            return None  # gone between the look and the read
        if _mark(state).stamp != stamp:
            return None
        file = File(
            filename=path.name,
            project=owner,
            kind=parsed.kind,
            version=parsed.version,
            source=self.name,
            url=relative,
            sha256=sha256,
            size=size,
            upload_time=_moment(state.st_mtime),
        )
        return await self._with_metadata(file, path) if parsed.kind == "wheel" else _Described(file, None)

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


class _FolderFile:
    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self.length: int | None = size

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for piece in stream(self._path, 0, self.length or 0):
                yield piece
        except OSError as error:
            raise Unanswered(f"the folder's file broke off: {error}") from None


def _read_sdist(root: Path, file: File) -> bytes | None:
    """The PKG-INFO of the very bytes that are listed, or None where they have none. Raises OSError, Unanswered."""
    path, _ = _inside(root, file.url)
    if hash_file(path)[0] != file.sha256:
        raise Unanswered(f"{file.filename} has other bytes now than it is listed with")
    try:
        with path.open("rb") as sdist:
            return read_info(sdist)
    except BadArchive:
        return None


def _scan(root: Path) -> dict[str, _Mark]:
    """Every plain file below the folder by its relative path. Links that lead out of the folder are not followed.
    Raises OSError when the folder, or one below it, cannot be read."""
    found: dict[str, _Mark] = {}
    whole = root.resolve(strict=True)
    pending = [whole]
    while pending:
        folder = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            if folder == whole:
                raise
            continue  # removed while this looks
        for entry in entries:
            # Not Path.resolve, which some versions of Python let fail on a link to itself.
            if entry.name.startswith(".") or (
                entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(whole)
            ):
                continue
            try:
                state = entry.stat()
            except OSError:
                continue
            if stat.S_ISDIR(state.st_mode) and not entry.is_symlink():
                pending.append(Path(entry.path))
            elif stat.S_ISREG(state.st_mode):
                found[os.path.relpath(entry.path, whole)] = _mark(state)
    return found


def _mark(state: os.stat_result) -> _Mark:
    return _Mark(f"{state.st_size}:{state.st_mtime_ns}:{state.st_ino}", state.st_ctime)


def _inside(root: Path, relative: str) -> tuple[Path, int]:
    """Where a file of the folder lies now, and its size; raises OSError, also where it became a link that leads out."""
    path = Path(os.path.realpath(root / relative, strict=True))
    if not path.is_relative_to(os.path.realpath(root)):
        raise FileNotFoundError(relative)
    return path, path.stat().st_size


def _moment(seconds: float) -> str | None:
    """A file's time in the form of PEP 700; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None
