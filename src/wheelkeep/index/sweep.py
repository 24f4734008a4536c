"""Sweeping the keep: every kept byte read again and held against its hash, and what the database says of files against
their bytes. Damage is taken out of service and healed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from wheelkeep.core.model import File
from wheelkeep.index.damage import Damage, Sweep
from wheelkeep.index.keep import Keep
from wheelkeep.index.log_check import LogCheck, check
from wheelkeep.index.mending import Mender
from wheelkeep.index.records import Records
from wheelkeep.store.gently import Pace, step_back
from wheelkeep.store.hashing import hash_all
from wheelkeep.store.integrity import integrity
from wheelkeep.store.lying import Lying
from wheelkeep.store.progress import Progress
from wheelkeep.store.served import Served
from wheelkeep.store.trust import UNREADABLE, Stamp, stamp_of

T = TypeVar("T")
_NOTED = 5.0
"""Seconds between two notes of the place."""
_AT_ONCE = 500
_MOST_NOTICES = 100


def databases(data: Path) -> list[Damage]:
    """What SQLite finds wrong with the database files; for a thread, and before anything is opened."""
    return [
        Damage(what="database", file=name, says=f"{fault}; restore it from a backup")
        for name, faults in integrity(data).items()
        for fault in faults
    ]


async def sweep(
    keep: Keep, *, repair: bool, rate: int | None = None, resume: bool = False
) -> AsyncIterator[Sweep]:
    """Looks at everything; gives the state after each file, the last one being the outcome.

    ``rate``: bytes a second at most; ``resume``: goes on where a sweep that was broken off stood. Raises OSError where
    the folder of blobs cannot be read.
    """
    one = _Sweeping(keep, repair=repair, rate=rate, resume=resume)
    try:
        async for state in one.run():
            yield state
    finally:
        await one.close()


class _Sweeping:
    def __init__(self, keep: Keep, *, repair: bool, rate: int | None, resume: bool) -> None:
        self._keep = keep
        self._repair = repair
        self._mender = Mender(keep)
        self._records = Records(keep, self._mender, repair=repair)
        self._served = Served(keep.settings.data)
        self._pace = Pace(rate)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="verify", initializer=step_back)
        self._progress = Progress(keep.settings.data, "verify")
        self._last = self._progress.read()
        before: dict[str, Any] = self._last.get("stood", {}) if resume else {}
        self._after = str(before.get("after", ""))
        files, read = int(before.get("files", 0)), int(before.get("bytes", 0))
        self._state = Sweep(files=files, bytes=read, damaged=[], notices=[])
        self._began, self._noted = time.time(), time.monotonic()
        self._present: set[bytes] = set()
        self._broken: list[tuple[Damage, Stamp | None]] = []
        self._new: list[str] = []

    async def close(self) -> None:
        self._pace.stop()
        if not self._state.whole and self._after:
            self._note_place()
        self._thread.shutdown(wait=True)
        await self._served.close()

    async def run(self) -> AsyncIterator[Sweep]:
        state, keep = self._state, self._keep
        state.incidents = (await keep.ledger.counts()).get("incident", 0)
        kept = {bytes.fromhex(sha256) async for sha256 in keep.kept.all()}
        await self._records.expect()
        expected = kept | {bytes.fromhex(sha256) for sha256 in self._records.hosted}
        yield state
        lying = keep.blobs.look()
        while batch := await self._do(lambda: list(islice(lying, _AT_ONCE))):
            for one in batch:
                await self._look(one, kept)
                yield state
            await keep.kept.add(self._new)
            self._new.clear()
        broken = {bytes.fromhex(damage.sha256) for damage, _ in self._broken}
        await self._deal()
        await self._missing(expected - self._present)
        yield state
        async for damage in self._records.compare(self._present - broken):
            state.damaged.append(damage)
            yield state
        state.pages = self._records.pages
        books = LogCheck()
        async for checked in check(keep):
            books = checked
            yield state
        for finding in books.findings:
            says = f"{finding.says}; a backup tells what it said"
            state.damaged.append(Damage(what="ledger", file=finding.book, says=says))
        state.seconds, state.whole = round(time.time() - self._began, 1), True
        self._progress.write({"last": _outcome(state)})
        yield state

    async def _do(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    async def _look(self, lying: Lying, kept: Collection[bytes]) -> None:
        if lying.sha256 is None:
            await self._foreign(lying)
            return
        sha256 = lying.sha256
        self._present.add(bytes.fromhex(sha256))
        if sha256 <= self._after:
            return
        if lying.mode & 0o222 or not lying.mode & 0o400:
            await self._permissions(lying)
        stamp, also = stamp_of(lying.path), self._records.algorithms(sha256)
        try:
            digests, size = await self._do(lambda: hash_all(lying.path, also, pace=self._pace))
        except FileNotFoundError:
            self._present.discard(bytes.fromhex(sha256))
            return  # taken out of service by somebody else meanwhile
        except OSError as error:
            says = f"it cannot be read: {error.strerror}"
            self._broken.append((Damage(sha256=sha256, found=UNREADABLE, says=says), stamp))
            digests, size = {}, 0
        self._state.files += 1
        self._state.bytes += size
        if digests.get("sha256") == sha256:
            self._records.learned(sha256, size, digests)
            if bytes.fromhex(sha256) not in kept:
                self._new.append(sha256)
        elif digests:
            self._broken.append((Damage(sha256=sha256, found=digests["sha256"]), stamp))
        self._after = sha256
        if time.monotonic() - self._noted > _NOTED:
            self._note_place()

    def _note_place(self) -> None:
        # What is damaged is found again by whoever goes on: the place is that before the first damage.
        first = min((damage.sha256 for damage, _ in self._broken), default=None)
        if first is None:
            stood = {"after": self._after, "files": self._state.files, "bytes": self._state.bytes}
            self._progress.write({**self._last, "stood": stood})
        self._noted = time.monotonic()

    async def _foreign(self, lying: Lying) -> None:
        says, repaired = lying.says, False
        if self._repair:
            try:
                await self._do(self._keep.blobs.set_out, lying.path)
                says, repaired = f"{says}; moved to the folder damaged", True
            except OSError as error:
                says = f"{says}; it cannot be moved: {error.strerror}"
        self._state.damaged.append(Damage(what="foreign", file=lying.path.name, repaired=repaired, says=says))

    async def _permissions(self, lying: Lying) -> None:
        says = f"{lying.sha256} has the permissions {lying.mode:04o}, not 0444"
        if self._repair:
            try:
                await self._do(lying.path.chmod, 0o444)
                says += "; put right"
            except OSError as error:
                says += f"; they cannot be changed: {error.strerror}"
        if len(self._state.notices) < _MOST_NOTICES:
            self._state.notices.append(says)

    async def _deal(self) -> None:
        """Tells of every damaged blob, and heals it."""
        if not self._broken:
            return
        known = await self._mender.files_of({damage.sha256 for damage, _ in self._broken})
        for damage, stamp in self._broken:
            file = known.get(damage.sha256)
            named = replace(damage, file=file.filename if file else "", source=file.source if file else "")
            self._state.damaged.append(await self._dealt(named, stamp, file))

    async def _dealt(self, damage: Damage, stamp: Stamp | None, file: File | None) -> Damage:
        if not self._repair:
            says = "run verify --repair to take it out of service and fetch it again"
            return replace(damage, says=f"{damage.says}; {says}" if damage.says else says)
        try:
            aside = await self._do(self._keep.blobs.set_aside, damage.sha256, stamp)
        except OSError as error:
            return replace(damage, says=f"it cannot be set aside: {error.strerror}")
        if not aside:
            good = await self._keep.soundness.sound(damage.sha256)
            says = "healed by somebody else meanwhile" if good else "taken out of service by somebody else"
            return replace(damage, repaired=good, says=says)
        self._keep.book.damaged(damage.sha256, damage.found, file)
        if file is None:
            await self._keep.kept.drop([damage.sha256])
            return replace(damage, says="set aside; no page knows where it came from")
        return await self._fetched(damage, file, "set aside; ")

    async def _fetched(self, damage: Damage, file: File, done: str) -> Damage:
        await self._keep.start()
        if (why := await self._mender.fetch(file)) is not None:
            return replace(damage, says=f"{done}{why}")
        return replace(damage, repaired=True, says=f"fetched again from {file.source}")

    async def _missing(self, expected: set[bytes]) -> None:
        """Tells of what was kept, or is hosted, and is not there."""
        gone = {digest.hex() for digest in expected if not self._keep.blobs.has(digest.hex())}
        if not gone:
            return
        known = await self._mender.files_of(gone)
        unknown = gone - set(known)
        served = {one.sha256: one async for one in self._served.files() if one.sha256 in unknown}
        for sha256 in sorted(gone):
            file, line = known.get(sha256), served.get(sha256)
            damage = Damage(what="missing", sha256=sha256, says="its bytes are gone")
            if file is not None:
                damage = replace(damage, file=file.filename, source=file.source)
                if self._repair:
                    damage = await self._fetched(damage, file, "its bytes are gone; ")
            elif line is not None:
                says = "its bytes are gone, and no page knows where they came from"
                damage = replace(damage, file=line.filename, source=line.source, says=says)
            else:
                # Nobody was given it, and nothing can be asked for it any more: it is no loss.
                if self._repair:
                    await self._keep.kept.drop([sha256])
                continue
            self._state.damaged.append(damage)


def _outcome(state: Sweep) -> dict[str, Any]:
    return {
        "finished": time.time(),
        "files": state.files,
        "bytes": state.bytes,
        "damaged": len(state.damaged),
        "left": state.left,
        "seconds": state.seconds,
    }
