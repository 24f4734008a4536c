"""Backing up a keep while it serves: a consistent copy of its databases, then all stored files that the copy knows.

Only what the place does not have is written, each part is read back, and the list of all of it is written last.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile

from msgspec import Struct

from wheelkeep import __version__
from wheelkeep.core import manifest
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.manifest import End, Entry, Head, Kept, Setting, Stored
from wheelkeep.index import generations
from wheelkeep.index.generations import part
from wheelkeep.store.hashing import hash_file
from wheelkeep.store.inventory import belongings, copy_database
from wheelkeep.store.removal import staying
from wheelkeep.store.shelf import NotThere, Shelf, Unavailable, hash_of

CUT = 4 * 1024 * 1024
"""Bytes of one part of a database: what changed little is copied in little."""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
MAIN = "wheelkeep.sqlite"


class SettingFile(Struct, frozen=True):
    """A file of the configuration: where it lies, and what it is called in the backup."""

    path: Path
    name: str


def setting_files(paths: Sequence[Path], folder: Path) -> list[SettingFile]:
    """Files of the configuration under names of their own: where they lie in its folder, or ``elsewhere``."""
    found: list[SettingFile] = []
    taken: set[str] = set()
    for path in paths:
        whole = Path(os.path.normpath(path))
        name = (
            whole.relative_to(folder).as_posix()
            if whole.is_relative_to(folder)
            else f"elsewhere/{whole.name}"
        )
        while name in taken:
            name = f"{name}.other"
        taken.add(name)
        found.append(SettingFile(path, name))
    return found


class Damage(Struct, frozen=True, kw_only=True):
    """Something of the keep that is not what it should be."""

    what: str
    says: str


class Report(Struct, kw_only=True):
    """The outcome of ``backup``, and on the way there what is done so far."""

    destination: str
    generation: str | None = None
    """None: not whole yet."""
    made: str = ""
    files: int = 0
    bytes: int = 0
    """Of all that the generation holds."""
    new_parts: int = 0
    new_bytes: int = 0
    """What had to be written for it."""
    databases: list[str] = []
    settings: list[str] = []
    gone: int = 0
    """Files that were removed while this ran."""
    damaged: list[Damage] = []
    removed: list[str] = []
    """Older generations that were removed."""


class Pace:
    """Keeps what is written below so many bytes a second, on the whole; None: as quick as it goes."""

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._due = 0.0

    async def spend(self, count: int) -> None:
        if self._rate is not None:
            now = asyncio.get_running_loop().time()
            self._due = max(self._due, now) + count / self._rate
            await asyncio.sleep(self._due - now)


class Backup:
    """One run."""

    def __init__(
        self,
        data: Path,
        shelf: Shelf,
        *,
        settings: Sequence[SettingFile] = (),
        rate: int | None = None,
        check: bool = False,
    ) -> None:
        """``rate``: bytes a second at most; ``check``: read again what earlier backups left there, too."""
        self._data = data
        self._shelf = shelf
        self._settings = settings
        self._pace = Pace(rate)
        self._check = check
        self._there: dict[bytes, int] = {}
        self._made = datetime.now(UTC)
        self._vouched: set[bytes] = set()
        """Parts that a whole generation has: they were read back when it was made."""
        self.report = Report(destination=str(shelf), databases=[], settings=[], damaged=[], removed=[])

    async def run(self, *, keep: int | None = None) -> Report:
        """Makes a generation; with ``keep`` only so many are left. Raises WheelkeepError, OSError."""
        if not (self._data / MAIN).is_file():
            raise WheelkeepError(f"there is nothing to back up in {self._data}: no keep ever ran there")
        await generations.begin(self._shelf)
        with staying(self._data) as free:
            if not free:
                raise WheelkeepError(
                    f"wheelkeep gc removes files from {self._data} now: run this again after it"
                )
            async with self._shelf.lock(), _workplace(self._data) as workplace:
                await self._see_what_is_there()
                await self._make(workplace)
                if keep is not None and not self.report.damaged:
                    await generations.keep_newest(
                        self._shelf, keep, lambda one: self.report.removed.append(one.name)
                    )
        return self.report

    async def _see_what_is_there(self) -> None:
        self._there = await generations.parts(self._shelf)
        known = await generations.generations(self._shelf)
        if known:
            # Whatever the clock says, a later one is later.
            self._made = max(self._made, known[-1].made + timedelta(microseconds=1))
        if known and not self._check:
            try:
                self._vouched = await generations.needed(self._shelf, known[-1:])
            except (manifest.NotABackup, NotThere) as error:
                self._damaged(known[-1].name, f"{error}; all of its parts are read again")

    async def _make(self, workplace: Path) -> None:
        made = self._made
        digest, entries = hashlib.sha256(), 0
        with TemporaryFile() as text:

            def write(line: manifest.Line) -> None:
                raw = manifest.write(line)
                digest.update(raw)
                text.write(raw)

            write(Head(format=manifest.FORMAT, made=f"{made:%Y-%m-%dT%H:%M:%SZ}", wheelkeep=__version__))
            async for entry in self._entries(workplace):
                write(entry)
                entries += 1
                self.report.files += 1
                self.report.bytes += entry.size
            write(End(entries=entries, bytes=self.report.bytes))
            name = manifest.name(made, digest.hexdigest())
            await generations.put_list(self._shelf, name, text)
        (await generations.open_list(self._shelf, name)).close()
        self.report.generation, self.report.made = name, f"{made:%Y-%m-%dT%H:%M:%SZ}"

    async def _entries(self, workplace: Path) -> AsyncIterator[Entry]:
        """What belongs to the backup, each entry once its parts are there.

        Every row's file is stored before its row, so what the copy of the database knows is in the store after that
        copy was made. Files beside the databases follow them and are read before; staged bytes come before their
        rows and are read after.
        """
        held = await asyncio.to_thread(belongings, self._data)
        staged = [name for name in held.files if name.startswith("staged/")]
        for setting in self._settings:
            async for one in self._setting(setting):
                yield one
        for name in [name for name in held.files if name not in staged]:
            async for kept in self._file(name, self._data / name):
                yield kept
        # The log's entries tell how far each book was, so the main database comes before what it speaks of.
        for name in sorted(held.databases, key=lambda one: one != MAIN):
            async for kept in self._database(name, workplace):
                yield kept
        for name in [*staged, *await asyncio.to_thread(_staged_since, self._data, staged)]:
            async for kept in self._file(name, self._data / name):
                yield kept
        async for stored in self._blobs():
            yield stored

    async def _setting(self, setting: SettingFile) -> AsyncIterator[Setting]:
        content = await asyncio.to_thread(setting.path.read_bytes)
        sha256 = await self._bytes(content)
        mode = setting.path.stat().st_mode & 0o777
        self.report.settings.append(str(setting.path))
        yield Setting(path=setting.name, was=str(setting.path), mode=mode, size=len(content), sha256=sha256)

    async def _database(self, name: str, workplace: Path) -> AsyncIterator[Kept]:
        copy = workplace / "copy.sqlite"
        try:
            trouble = await asyncio.to_thread(copy_database, self._data / name, copy)
            if trouble:
                self._damaged(name, f"the database is damaged: {trouble}")
            async for kept in self._file(name, copy, mode=0o600):
                yield kept
        finally:
            copy.unlink(missing_ok=True)
        self.report.databases.append(name)

    async def _file(self, name: str, path: Path, *, mode: int | None = None) -> AsyncIterator[Kept]:
        whole, size, parts = hashlib.sha256(), 0, []
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError:
            self.report.gone += 1
            return
        with file:
            while piece := await asyncio.to_thread(file.read, CUT):
                whole.update(piece)
                size += len(piece)
                parts.append(await self._bytes(piece))
            mode = mode if mode is not None else os.fstat(file.fileno()).st_mode & 0o777
        yield Kept(path=name, mode=mode, size=size, sha256=whole.hexdigest(), parts=tuple(parts))

    async def _bytes(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        await self._part(sha256, len(content), content)
        return sha256

    async def _blobs(self) -> AsyncIterator[Stored]:
        async for stored in _side_by_side(self._blob, _stored(self._data), self._shelf.at_once):
            if stored is not None:
                yield stored

    async def _blob(self, path: Path) -> Stored | None:
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
            await self._part(path.name, size, path)
        except (FileNotFoundError, NotThere):
            if await asyncio.to_thread(path.exists):
                raise
            self.report.gone += 1
            return None
        except _NotItself as error:
            self._damaged(f"blobs/sha256/{path.name[:2]}/{path.name}", str(error))
            return None
        return Stored(sha256=path.name, size=size)

    async def _part(self, sha256: str, size: int, content: bytes | Path) -> None:
        """Sees to it that a part is there, read back. Raises _NotItself where ``content`` is not what it should be."""
        key = bytes.fromhex(sha256)
        if key in self._vouched and self._there.get(key) == size:
            return
        if self._there.get(key) == size and await hash_of(self._shelf, part(sha256)) == (sha256, size):
            self._vouched.add(key)
            return
        await self._pace.spend(size)
        await self._shelf.put(part(sha256), content)
        came, _ = await hash_of(self._shelf, part(sha256))
        if came != sha256:
            await self._shelf.remove(part(sha256))
            found = (await asyncio.to_thread(hash_file, content))[0] if isinstance(content, Path) else sha256
            if found != sha256:
                raise _NotItself(
                    f"its bytes hash to {found}: run wheelkeep verify --repair, then back up again"
                )
            raise Unavailable(f"{self._shelf} gave back other bytes than were written: {part(sha256)}")
        self._there[key] = size
        self._vouched.add(key)
        self.report.new_parts += 1
        self.report.new_bytes += size

    def _damaged(self, what: str, says: str) -> None:
        self.report.damaged.append(Damage(what=what, says=says))


class _NotItself(Exception):
    """A stored file has not the hash that is its name."""


@asynccontextmanager
async def _workplace(data: Path) -> AsyncIterator[Path]:
    """A folder for copies of databases; what runs that were killed left is removed."""
    tmp = data / "tmp"
    for left in tmp.glob("backup-*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(descriptor)
    folder = tmp / f"backup-{os.getpid()}-{os.urandom(6).hex()}"
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _staged_since(data: Path, before: list[str]) -> list[str]:
    known = set(before)
    return [name for name in belongings(data).files if name.startswith("staged/") and name not in known]


def _stored(data: Path) -> Iterator[Path]:
    """Every stored file, in order."""
    root = data / "blobs" / "sha256"
    for folder in sorted(root.iterdir()) if root.exists() else ():
        if folder.is_dir():
            yield from sorted(
                path for path in folder.iterdir() if _SHA256.fullmatch(path.name) and path.is_file()
            )


async def _side_by_side(
    work: Callable[[Path], Awaitable[Stored | None]], given: Iterable[Path], at_once: int
) -> AsyncIterator[Stored | None]:
    """Does so many at once; gives what comes of each, in order."""
    running: list[asyncio.Task[Stored | None]] = []
    try:
        for one in given:
            running.append(asyncio.ensure_future(work(one)))
            if len(running) >= at_once:
                yield await running.pop(0)
        while running:
            yield await running.pop(0)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
