"""Stored bytes, by their sha256: DATA/blobs/sha256/ab/abcdef…. Whole and checked, or not there."""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.store.digests import Digests
from wheelkeep.store.hashing import Pace, hash_file
from wheelkeep.store.lying import OUT_OF_SERVICE, Lying, look, look_in
from wheelkeep.store.removal import put_back_left
from wheelkeep.store.trust import Checked, Stamp, Trust, stamp_of

READ_AT_ONCE = 256 * 1024
"""Bytes read from a blob in one go while streaming."""


_LINKED_FOR = 60.0


class Mismatch(WheelkeepError):
    """The bytes that came are not the bytes that were stated."""

    def __init__(self, stated: str, came: str) -> None:
        super().__init__(f"the bytes hash to {came}, not to the stated {stated}")
        self.stated = stated
        self.came = came


class Blobs:
    """The folder of stored bytes."""

    def __init__(self, data: Path) -> None:
        self._root = data / "blobs" / "sha256"
        self._tmp = data / "tmp"
        self._trust = Trust()
        self._clear_leftovers()
        put_back_left(data)

    def path(self, sha256: str) -> Path:
        """Where the blob lies, or would lie; ``sha256`` is lower-case hex that was checked before."""
        return self._root / sha256[:2] / sha256

    def size(self, sha256: str) -> int | None:
        """The blob's size in bytes, or None where it is not stored, or not in service."""
        try:
            state = os.stat(f"{self._root}/{sha256[:2]}/{sha256}")  # noqa: PTH116 - on the hot path, and twice as quick
        except OSError:
            return None
        return None if state.st_mode & OUT_OF_SERVICE else state.st_size

    def trusted(self, sha256: str) -> bool:
        """Whether the blob's bytes were held against their hash in this process, and its inode says no change since."""
        return self._trust.holds(sha256, f"{self._root}/{sha256[:2]}/{sha256}")

    def check(self, sha256: str, *, pace: Pace | None = None) -> Checked:
        """Reads the whole blob and holds it against its hash; for a thread.

        Raises OSError where that cannot be found out: too many open files say nothing about the bytes.
        """
        return self._trust.check(sha256, self.path(sha256), sha256, pace=pace)

    def trust(self, sha256: str) -> None:
        """Notes that the blob's bytes are right as they lie there now."""
        self._trust.note(sha256, stamp_of(self.path(sha256)))

    def has(self, sha256: str) -> bool:
        return self.size(sha256) is not None

    def filling(self, digests: Digests | None = None) -> "Filling":
        """A new temporary file to write into; raises OSError where the disk does not take it."""
        return Filling(self._root, self._tmp, digests or Digests())

    def look(self) -> Iterator[Lying]:
        """Everything that lies in the folder, also what does not belong there; see ``lying.look``. Raises OSError."""
        return look(self._root)

    def look_in(self, number: int) -> Iterator[Lying]:
        """The same of one of the 256 folders of blobs."""
        return look_in(self._root / f"{number:02x}")

    def all(self) -> Iterator[tuple[str, Path]]:
        """Every stored blob: its name and path, in order."""
        return ((one.sha256, one.path) for one in self.look() if one.sha256 is not None)

    def set_out(self, path: Path) -> None:
        """Moves what does not belong into the folder of blobs to DATA/damaged. Raises OSError."""
        target = self._root.parent.parent / "damaged"
        target.mkdir(mode=0o700, exist_ok=True)
        path.rename(target / f"{path.name[:200]}-{os.urandom(4).hex()}")
        sync_folder(path.parent)

    def set_aside(self, sha256: str, stamp: Stamp | None = None) -> bool:
        """Takes a damaged blob out of service; its bytes are kept in DATA/damaged for whoever wants to look.

        ``stamp``: how it lay when it was found damaged. What came into its place since stays: another process may
        have healed it. False: it is not there any longer, or another by now. Raises OSError.
        """
        path, target = self.path(sha256), self._root.parent.parent / "damaged" / sha256
        if stamp is not None and stamp_of(path) != stamp:
            return False
        target.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            path.rename(target)
        except FileNotFoundError:
            return False
        came = stamp_of(target)
        if stamp is not None and came is not None and came[1] != stamp[1]:
            # Another came between the look and the rename.
            with contextlib.suppress(FileExistsError):
                os.link(target, path)
            target.unlink()
            return False
        sync_folder(path.parent)
        return True

    def adopt(self, path: Path, sha256: str) -> None:
        """Puts a whole, synced file into the store beside where it lies, read and held against its hash once more.

        For a thread. Raises Mismatch, and OSError where it is gone or the disk does not take it.
        """
        came, _ = hash_file(path)
        if came != sha256:
            raise Mismatch(sha256, came)
        target, passing = self.path(sha256), self._tmp / f"{os.getpid()}-{os.urandom(8).hex()}.link"
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            sync_folder(self._root)
        try:
            _second(path, passing)
            passing.rename(target)
        finally:
            # Where both are one file already, renaming leaves both names.
            passing.unlink(missing_ok=True)
        sync_folder(target.parent)

    def claim(self, key: str) -> "Claim | None":
        """The right to fetch what ``key`` stands for, among all processes on this data; None while another has it."""
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        path = self._tmp / f"{name}.claim"
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            # A file system without locks: whoever took that for "another has it" would wait for ever.
            os.close(descriptor)
            raise
        return Claim(path, descriptor)

    def _clear_leftovers(self) -> None:
        """Removes what a crash left: temporary files, and claims, that no living process holds the lock of."""
        for path in [*self._tmp.glob("*.part"), *self._tmp.glob("*.claim")]:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            except OSError:
                continue
            finally:
                os.close(descriptor)
        for path in self._tmp.glob("*.link"):
            # A second name of bytes that lie elsewhere; it lives for as long as a rename takes.
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_ctime > _LINKED_FOR:
                    path.unlink()


class Claim:
    """Held until ``release``; a process that dies releases it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._held = True

    def release(self) -> None:
        """May be called twice."""
        if not self._held:
            return
        self._held = False
        # Who opened the old file a moment before holds it beside the next one: two downloads then, and no harm.
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


class Filling:
    """Bytes on their way into the store: hashed as they are written, readable while they are, and then kept or not."""

    def __init__(self, root: Path, tmp: Path, digests: Digests) -> None:
        self._root = root
        self._path = tmp / f"{os.getpid()}-{os.urandom(8).hex()}.part"
        self._descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._digests = digests
        self._syncing: asyncio.Task[None] | None = None
        self._synced = 0
        self.size = 0
        self._closed = False
        self._kept = False

    def also(self, algorithms: set[str]) -> None:
        """Computes further digests on the way, as ``Digests.also``; called before the first byte."""
        self._digests.also(algorithms)

    def write(self, piece: bytes) -> None:
        """Appends; raises OSError when the disk is full."""
        view = memoryview(piece)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self._digests.update(piece)
        self.size += len(piece)

    def write_all(self, pieces: list[bytes]) -> int:
        """Appends several; gives how many bytes they were. For a thread: hash and write let go of the interpreter."""
        for piece in pieces:
            self.write(piece)
        return sum(map(len, pieces))

    def sync_some(self) -> None:
        """Has what was written go to the disk in the background, every so many bytes; to be called in the loop."""
        # Written back little by little, so that the last sync does not make everybody wait for all of it.
        if self.size - self._synced >= 16 * 1024 * 1024 and (self._syncing is None or self._syncing.done()):
            self._synced = self.size
            self._syncing = asyncio.get_running_loop().create_task(asyncio.to_thread(self._sync))

    def _sync(self) -> None:
        if not self._closed:
            os.fdatasync(self._descriptor)

    def read(self, start: int, end: int) -> bytes:
        """Bytes that were written already."""
        return os.pread(self._descriptor, end - start, start)

    @property
    def path(self) -> Path:
        """Where the bytes lie until they are kept."""
        return self._path

    @property
    def sha256(self) -> str:
        return self._digests.sha256

    def digests(self) -> dict[str, str]:
        return self._digests.others()

    async def keep(self) -> str:
        """Puts the bytes into the store under their hash, synced, and gives the hash. Reading goes on working."""
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
        sha256 = self.sha256
        await asyncio.to_thread(self._put, self._root / sha256[:2] / sha256)
        return sha256

    async def set_down(self, target: Path) -> None:
        """Puts the bytes elsewhere than into the store, synced all the same; the folder is made if need be."""
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
        await asyncio.to_thread(self._put, target)

    def _put(self, target: Path) -> None:
        os.fsync(self._descriptor)
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            sync_folder(target.parent.parent)
        os.fchmod(self._descriptor, 0o444)
        self._path.rename(target)
        self._kept = True
        sync_folder(target.parent)

    async def close(self) -> None:
        """Ends it; what was not kept is removed. May be called twice."""
        if self._closed:
            return
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
        self._closed = True
        if not self._kept:
            # Whatever became of the folder: what lies there is swept up at the next start, and the descriptor closes.
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


async def stream(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of a stored file from ``start`` up to ``end``, in pieces; raises OSError if it shrinks meanwhile."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while start < end:
            piece = os.pread(descriptor, min(READ_AT_ONCE, end - start), start)
            if not piece:
                raise OSError(f"{path.name} is shorter than it was")
            start += len(piece)
            yield piece
    finally:
        os.close(descriptor)


def _second(path: Path, other: Path) -> None:
    """Gives a file a second name; a copy, where the file system has none. Raises OSError."""
    try:
        os.link(path, other)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        with path.open("rb") as read, other.open("xb") as write:
            shutil.copyfileobj(read, write, 1024 * 1024)
            write.flush()
            os.fsync(write.fileno())
        other.chmod(0o444)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
