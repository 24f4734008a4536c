"""A folder of this machine as the ground of a directory source. Links that lead out of it are not followed."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.sources.ground import Local, Mark
from wheelkeep.sources.source import Bytes
from wheelkeep.store.blobs import stream
from wheelkeep.store.hashing import hash_file


class FolderGround:
    """The folder, with those below it."""

    kind = "folder"
    pause = 1.0

    def __init__(self, root: Path) -> None:
        self._root = root

    async def look(self) -> dict[str, Mark]:
        return await asyncio.to_thread(_scan, self._root)

    @asynccontextmanager
    async def local(self, path: str, stamp: str) -> AsyncIterator[Local | None]:
        yield await asyncio.to_thread(_read, self._root / path, stamp)

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[Bytes]:
        try:
            whole, size = await asyncio.to_thread(_inside, self._root, path)
        except FileNotFoundError:
            raise FileMissing(f"{Path(path).name} is no longer in the folder") from None
        except OSError as error:
            raise Unanswered(f"{Path(path).name} cannot be read: {error.strerror}") from None
        yield _FolderFile(whole, size)

    async def close(self) -> None:
        """Nothing is held."""


def _read(path: Path, stamp: str) -> Local | None:
    try:
        sha256, size = hash_file(path)
        state = path.stat()
    except FileNotFoundError:
        return None  # gone between the look and the read
    if _mark(state).stamp != stamp:
        return None
    return Local(path, sha256, size, state.st_mtime)


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


def _scan(root: Path) -> dict[str, Mark]:
    """Every plain file below the folder by its relative path. Links that lead out of the folder are not followed.
    Raises OSError when the folder, or one below it, cannot be read."""
    found: dict[str, Mark] = {}
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


def _mark(state: os.stat_result) -> Mark:
    return Mark(f"{state.st_size}:{state.st_mtime_ns}:{state.st_ino}", state.st_ctime)


def _inside(root: Path, relative: str) -> tuple[Path, int]:
    """Where a file of the folder lies now, and its size; raises OSError, also where it became a link that leads out."""
    path = Path(os.path.realpath(root / relative, strict=True))
    if not path.is_relative_to(os.path.realpath(root)):
        raise FileNotFoundError(relative)
    return path, path.stat().st_size
