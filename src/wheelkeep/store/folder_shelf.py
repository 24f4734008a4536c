"""A folder of this machine as a shelf. What is put there is synced, and for its owner or for everybody to read."""

import asyncio
import contextlib
import fcntl
import os
import re
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from wheelkeep.store.blobs import sync_folder
from wheelkeep.store.shelf import Busy, Item, NotThere, Thing, Unavailable

_AT_ONCE = 1024 * 1024
_PASSING = ".part"
_LEFT = re.compile(rf"\.[0-9]+-[0-9a-f]+{re.escape(_PASSING)}", re.ASCII)
"""Names that only a put gives: whatever else lies there is somebody else's."""
_LISTED_AT_ONCE = 1000
_WRITERS = 8
"""Threads that write and sync side by side: what waits for the disk together waits about as long as one."""


class FolderShelf:
    """The folder; it is made when something is first put there."""

    at_once = 2

    def __init__(self, root: Path, *, public: bool = False) -> None:
        """``public``: others may read what is put there, as a web server that serves it does."""
        self._root = root
        self._modes = (0o755, 0o644) if public else (0o700, 0o600)
        self._alone = False

    def __str__(self) -> str:
        return str(self._root)

    async def items(self, below: str = "") -> AsyncIterator[Item]:
        with self._told(below):
            walk = _walk(self._root, below, sweep=self._alone)
            while found := await asyncio.to_thread(lambda: list(islice(walk, _LISTED_AT_ONCE))):
                for item in found:
                    yield item

    async def put(self, name: str, content: bytes | Path) -> None:
        with self._told(name):
            await asyncio.to_thread(self._put, name, content)

    async def put_all(self, things: Sequence[Thing]) -> None:
        with self._told("."):
            await asyncio.to_thread(self._put_all, things)

    async def add(self, name: str, content: bytes) -> bool:
        with self._told(name):
            return await asyncio.to_thread(self._add, name, content)

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator["_FileReading"]:
        with self._told(name):
            reading = await asyncio.to_thread(_FileReading, self._root, name)
        try:
            yield reading
        finally:
            reading.close()

    async def remove(self, name: str) -> None:
        with self._told(name), contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(self._remove, name)

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        with self._told("."):
            path = self._folder_of("lock")
            # The folder itself, so that nothing lies in it that is not of the thing.
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(f"another process writes to {self} now: wait until it is done") from None
            except OSError as error:
                raise Unavailable(f"{path} cannot be locked: {error.strerror or error}") from None
            self._alone = True
            yield
        finally:
            self._alone = False
            os.close(descriptor)

    async def close(self) -> None:
        """Nothing is held."""

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise NotThere(f"there is no {self._root / name}") from None
        except OSError as error:
            raise Unavailable(f"{self._root / name}: {error.strerror or error}") from None

    def _folder_of(self, name: str, grown: set[Path] | None = None) -> Path:
        """The folder of a thing, made where it is not there. ``grown``: whoever has it syncs what is added to it."""
        folder = (self._root / name).parent
        if not folder.is_dir():
            # Made from above, so that each is closed to others from its first moment.
            for one in [*reversed(folder.parents), folder]:
                if not one.exists():
                    one.mkdir(mode=self._modes[0], exist_ok=True)
                    if grown is None:
                        sync_folder(one.parent)
                    else:
                        grown.add(one.parent)
        return folder

    def _put(self, name: str, content: bytes | Path) -> None:
        folder, target = self._folder_of(name), self._root / name
        passing = _passing(folder)
        try:
            _write(passing, content, self._modes[1])
            passing.rename(target)
        finally:
            passing.unlink(missing_ok=True)
        sync_folder(folder)

    def _put_all(self, things: Sequence[Thing]) -> None:
        """All are written and synced before the first has its name, and all folders are synced after the last."""
        grown: set[Path] = set()
        passing = [_passing(self._folder_of(thing.name, grown)) for thing in things]
        grown.update(path.parent for path in passing)

        def write(path: Path, thing: Thing) -> None:
            with self._told(thing.name):
                if isinstance(thing.content, Path) and not thing.content.exists():
                    raise NotThere(f"there is no {thing.content}")
                _write(path, thing.content, self._modes[1])

        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="shelf") as threads:
            try:
                for _ in threads.map(write, passing, things):
                    pass
                for path, thing in zip(passing, things, strict=True):
                    path.rename(self._root / thing.name)
            finally:
                threads.shutdown(cancel_futures=True)
                for path in passing:
                    path.unlink(missing_ok=True)
        for folder in grown:
            sync_folder(folder)

    def _remove(self, name: str) -> None:
        path = self._root / name
        path.unlink()
        with contextlib.suppress(OSError):  # it holds something else
            for folder in path.parents:
                if folder == self._root:
                    break
                folder.rmdir()

    def _add(self, name: str, content: bytes) -> bool:
        folder = self._folder_of(name)
        passing = _passing(folder)
        try:
            _write(passing, content, self._modes[1])
            os.link(passing, self._root / name)
        except FileExistsError:
            return False
        finally:
            passing.unlink(missing_ok=True)
        sync_folder(folder)
        return True


class _FileReading:
    def __init__(self, root: Path, name: str) -> None:
        path = root / name
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._path = path
        state = os.fstat(self._descriptor)
        if not stat.S_ISREG(state.st_mode):
            self.close()
            raise FileNotFoundError(path)
        self.item = _item(name, state)

    async def pieces(self) -> AsyncIterator[bytes]:
        at = 0
        while at < self.item.size:
            try:
                piece = await asyncio.to_thread(os.pread, self._descriptor, _AT_ONCE, at)
            except OSError as error:
                raise Unavailable(f"{self._path}: {error.strerror or error}") from None
            if not piece:
                raise Unavailable(f"{self._path} is shorter than it was")
            at += len(piece)
            yield piece

    def close(self) -> None:
        os.close(self._descriptor)


def _walk(root: Path, below: str, *, sweep: bool) -> Iterator[Item]:
    """``sweep``: nobody else writes there, so what a put left that did not come to its end can go."""
    pending = [root / below]
    while pending:
        folder = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                if sweep and _LEFT.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    Path(entry.path).unlink(missing_ok=True)
                continue
            try:
                state = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(state.st_mode):
                pending.append(Path(entry.path))
            elif stat.S_ISREG(state.st_mode):
                yield _item(os.path.relpath(entry.path, root), state)


def _passing(folder: Path) -> Path:
    return folder / f".{os.getpid()}-{os.urandom(6).hex()}{_PASSING}"


def _item(name: str, state: os.stat_result) -> Item:
    return Item(
        name=name,
        size=state.st_size,
        stamp=f"{state.st_size}:{state.st_mtime_ns}:{state.st_ino}",
        modified=datetime.fromtimestamp(state.st_mtime, UTC),
    )


def _write(path: Path, content: bytes | Path, mode: int) -> None:
    """Writes a new file and syncs it; the system is asked to forget it, so that reading it again asks the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        if isinstance(content, bytes):
            _all(file.fileno(), content)
        else:
            with content.open("rb", buffering=0) as read:
                while piece := read.read(_AT_ONCE):
                    _all(file.fileno(), piece)
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        os.fchmod(file.fileno(), mode)


def _all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
