"""Bringing a keep back from a backup: into an empty folder, each part held against the list of what was written.

The folder says that it is not whole until it is, so no server starts on half of it, and an interrupted run goes on
where it was.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.manifest import Entry, Kept, NotABackup, Setting, Stored
from wheelkeep.index import generations
from wheelkeep.index.backup import MAIN
from wheelkeep.index.generations import Generation, Listed, part, parts_of
from wheelkeep.store.blobs import Blobs, Filling, sync_folder
from wheelkeep.store.carried import Carried, carry_over
from wheelkeep.store.database import Database
from wheelkeep.store.ledger import Entry as LedgerEntry
from wheelkeep.store.ledger import Ledger
from wheelkeep.store.prepare import UNFINISHED, prepare
from wheelkeep.store.shelf import NotThere, Shelf, read_small


class Damage(Struct, frozen=True, kw_only=True):
    """Something in the backup that is not what was written."""

    what: str
    says: str


class Restored(Struct, kw_only=True):
    """The outcome of ``restore``, and on the way there what is done so far."""

    source: str
    generation: str = ""
    made: str = ""
    data: str = ""
    files: int = 0
    bytes: int = 0
    whole: bool = False
    """Whether the folder can be used now."""
    damaged: list[Damage] = []
    used_names: int = 0
    """File names that later backups know as used, and that stay used."""
    revoked_tokens: int = 0
    """Tokens that later backups know as revoked, and that stay so."""
    warnings: list[str] = []


async def choose(shelf: Shelf, wanted: str | None) -> tuple[Generation, Generation]:
    """The generation that is meant by its name or the beginning of it, else the newest; and the newest.

    Raises NotABackup where there is none, or more than one begins so.
    """
    try:
        await generations.recognise(shelf)
    except NotThere:
        raise NotABackup(f"there is no backup in {shelf}") from None
    every = await generations.generations(shelf)
    if not every:
        raise NotABackup(f"there is no whole backup in {shelf}: none ever came to its end")
    found = [one for one in every if one.name.startswith(wanted)] if wanted is not None else every[-1:]
    if len(found) != 1:
        many = "more than one backup" if found else "no backup"
        raise NotABackup(
            f"{many} in {shelf} begins with {wanted!r}: wheelkeep restore {shelf} --list names them"
        )
    return found[0], every[-1]


class Restore:
    """One run."""

    def __init__(self, shelf: Shelf, data: Path, *, leave_damaged: bool = False) -> None:
        """``leave_damaged``: stored files that are damaged in the backup are left out, and the rest is used."""
        self._shelf = shelf
        self._data = data
        self._leave_damaged = leave_damaged
        self.report = Restored(source=str(shelf), data=str(data), damaged=[], warnings=[])

    async def run(self, wanted: str | None) -> Restored:
        """Restores a generation. Raises WheelkeepError where nothing was or can be begun, OSError."""
        begun = _begun(self._data)
        if begun is not None and begun.source == str(self._shelf):
            wanted = wanted or begun.generation
        chosen, newest = await choose(self._shelf, wanted)
        if begun is not None and (begun.source, begun.generation) != (str(self._shelf), chosen.name):
            raise WheelkeepError(
                f"{self._data} is half restored from {begun.source}, generation {begun.generation}: run that again, "
                "or remove the folder"
            )
        listed = await generations.open_list(self._shelf, chosen.name)
        try:
            self.report.generation, self.report.made = chosen.name, listed.head.made
            async with self._claimed(chosen, new=begun is None):
                await self._all(listed)
                refused = self.report.damaged if not self._leave_damaged else self._needed_damage()
                if not refused:
                    await self._finish(chosen, newest)
        finally:
            listed.close()
        return self.report

    @asynccontextmanager
    async def _claimed(self, chosen: Generation, *, new: bool) -> AsyncIterator[None]:
        """Marks the folder as not whole, for this process alone."""
        if not self._data.exists():
            self._data.mkdir(mode=0o700, parents=True)
            sync_folder(self._data.parent)
        path = self._data / UNFINISHED
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WheelkeepError(f"another process restores {self._data} now") from None
            if new:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, msgspec.json.encode(_Begun(str(self._shelf), chosen.name)), 0)
                os.fsync(descriptor)
                sync_folder(self._data)
            for folder in (self._data / "blobs" / "sha256", self._data / "tmp"):
                folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self._data)
            yield
        finally:
            os.close(descriptor)

    async def _all(self, listed: Listed) -> None:
        blobs = Blobs(self._data)
        running: set[asyncio.Task[None]] = set()
        try:
            for entry in listed.entries():
                if isinstance(entry, Setting):
                    continue
                running.add(asyncio.ensure_future(self._one(entry, blobs)))
                if len(running) >= self._shelf.at_once:
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
            for task in list(running):
                await task
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _one(self, entry: Entry, blobs: Blobs) -> None:
        what = entry.path if isinstance(entry, Kept) else f"blobs/sha256/{entry.sha256}"
        try:
            if isinstance(entry, Stored):
                # It came there whole and checked, or not at all.
                if blobs.size(entry.sha256) != entry.size:
                    await self._fill(entry, blobs, None)
            elif isinstance(entry, Kept):
                await self._fill(entry, blobs, self._data / entry.path)
        except (_NotWhatWasWritten, NotThere) as error:
            self.report.damaged.append(Damage(what=what, says=str(error)))
        else:
            self.report.files += 1
            self.report.bytes += entry.size

    async def _fill(self, entry: Entry, blobs: Blobs, target: Path | None) -> None:
        """Writes a file from its parts, and puts it in its place once all of it is right."""
        filling = blobs.filling()
        try:
            for sha256 in parts_of(entry):
                await self._pour(sha256, filling)
            if (filling.sha256, filling.size) != (entry.sha256, entry.size):
                raise _NotWhatWasWritten(f"its bytes hash to {filling.sha256}, not to {entry.sha256}")
            if target is None:
                await filling.keep()
                return
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Of a database that a run before this one had put there: it would be laid over the new one.
            for end in ("-wal", "-shm"):
                target.with_name(target.name + end).unlink(missing_ok=True)
            await filling.set_down(target)
            if isinstance(entry, Kept):
                await asyncio.to_thread(target.chmod, entry.mode & 0o777)
        finally:
            await filling.close()

    async def _pour(self, sha256: str, filling: Filling) -> None:
        digest = hashlib.sha256()
        async with self._shelf.open(part(sha256)) as reading:
            async for piece in reading.pieces():
                digest.update(piece)
                await asyncio.to_thread(filling.write, piece)
        if digest.hexdigest() != sha256:
            raise _NotWhatWasWritten(f"{part(sha256)} in the backup hashes to {digest.hexdigest()}")

    def _needed_damage(self) -> list[Damage]:
        """What cannot be done without: everything but stored files, which can be fetched or uploaded again."""
        return [one for one in self.report.damaged if not one.what.startswith("blobs/")]

    async def _finish(self, chosen: Generation, newest: Generation) -> None:
        """Makes it a keep again, which forgot nothing that was promised for ever; the ledger says what was done."""
        path = prepare(self._data, restoring=True)
        if newest != chosen:
            await self._learn(path, newest)
        database = Database(path)
        try:
            detail = {"from": str(self._shelf), "generation": chosen.name, "made": self.report.made}
            more = {"used_names": self.report.used_names, "left_out": len(self.report.damaged)}
            entry = LedgerEntry(kind="restored", at=datetime.now(UTC), detail=detail | more)
            await Ledger(database).append([entry])
        finally:
            await database.close()
        (self._data / UNFINISHED).unlink()
        sync_folder(self._data)
        self.report.whole = True

    async def _learn(self, path: Path, newest: Generation) -> None:
        target = self._data / "tmp" / "newer.sqlite"
        try:
            await self._fetch_main(newest, target)
            carried: Carried = await asyncio.to_thread(carry_over, path, target)
        except (WheelkeepError, _NotWhatWasWritten) as error:
            self.report.warnings.append(
                f"which file names were used and which tokens revoked after {self.report.made} is not known, since "
                f"the newest backup, {newest.name}, cannot be read: {error}"
            )
        else:
            self.report.used_names, self.report.revoked_tokens = carried.names, carried.tokens
        finally:
            for end in ("", "-wal", "-shm"):
                target.with_name(target.name + end).unlink(missing_ok=True)

    async def _fetch_main(self, generation: Generation, target: Path) -> None:
        listed = await generations.open_list(self._shelf, generation.name)
        try:
            for entry in listed.entries():
                if isinstance(entry, Kept) and entry.path == MAIN:
                    await self._fill(entry, Blobs(self._data), target)
                    return
        finally:
            listed.close()
        raise NotABackup(f"{generation.name} has no {MAIN}")


class _NotWhatWasWritten(Exception):
    """The backup gave other bytes than were put there."""


class _Begun(Struct, frozen=True):
    source: str
    generation: str


def _begun(data: Path) -> _Begun | None:
    """What a run before this one began. Raises WheelkeepError where the folder holds anything else."""
    if not data.exists():
        return None
    try:
        begun = msgspec.json.decode((data / UNFINISHED).read_bytes(), type=_Begun)
    except FileNotFoundError:
        begun = None
    except msgspec.DecodeError:
        return None if _only_the_mark(data) else _Begun("a place that is not known", "not known")
    if begun is None and any(path.name != "lost+found" for path in data.iterdir()):
        raise WheelkeepError(
            f"{data} is not empty, and nothing is ever restored over what is there: move it away, or name another "
            "folder as data in the configuration"
        )
    return begun


def _only_the_mark(data: Path) -> bool:
    return all(path.name == UNFINISHED for path in data.iterdir())


async def settings_to(shelf: Shelf, wanted: str | None, folder: Path) -> list[Path]:
    """Writes the configuration of a generation into an empty or absent folder, and nothing else.

    Raises WheelkeepError, OSError.
    """
    chosen, _ = await choose(shelf, wanted)
    listed = await generations.open_list(shelf, chosen.name)
    try:
        found = [
            (entry, await read_small(shelf, part(entry.sha256), entry.size))
            for entry in listed.entries()
            if isinstance(entry, Setting)
        ]
    finally:
        listed.close()
    for entry, content in found:
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise NotABackup(f"{entry.path} is damaged in the backup")
    return _write_settings(folder, found)


def _write_settings(folder: Path, found: list[tuple[Setting, bytes]]) -> list[Path]:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WheelkeepError(f"{folder} is not an empty folder: nothing was written")
    written = []
    for entry, content in found:
        target = folder / entry.path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        target.chmod(entry.mode & 0o777)
        written.append(target)
    return written
