"""Clearing the keep of what nothing needs (``gc``): first what would go, and where it is wanted, going.

What holds a file is for ``holds`` to say. A blob goes in three steps: out of service, a second look a while later, for
good; so one that somebody is given, or sends, meanwhile is put back.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import DecodeError, Struct
from zstandard import ZstdError

from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.index.holds import Ground, release
from wheelkeep.index.keep import Keep
from wheelkeep.index.mending import Mender
from wheelkeep.store.ledger import Entry
from wheelkeep.store.leftovers import old_claims, old_damage, remove_claim
from wheelkeep.store.removal import Removal, removing
from wheelkeep.store.served import Served
from wheelkeep.store.stale_rows import StaleRows
from wheelkeep.store.trust import Stamp, stamp_of

Kind = Literal["orphan", "deleted", "ahead", "served"]
SETTLE = 10.0
"""Seconds between taking blobs out of service and the second look: longer than a request takes from finding its file
to having its line in the book of fetches."""
_IN_ONE_ENTRY = 200
_DAMAGE_STAYS = timedelta(days=30)
_CLAIMS_STAY = timedelta(hours=1)


class Busy(Exception):
    """Another removal runs, or something that wants none meanwhile."""


class Wish(Struct, frozen=True, kw_only=True):
    """What may go."""

    older: timedelta
    """Files that came, or were touched, less than this ago stay."""
    ahead: bool = False
    """Also files that were fetched ahead and never served, while their origin has them."""
    served_before: datetime | None = None
    """Also files that were served, but last before this moment."""


class Going(Struct, frozen=True, kw_only=True):
    """One blob that goes."""

    sha256: str
    size: int
    kind: Kind
    """``orphan``: no page and no row knows it; ``deleted``: of a hosted file that was deleted; ``ahead``: fetched ahead
    and never served; ``served``: served last before the wished moment."""


class Cleared(Struct, kw_only=True):
    """What would go, or went."""

    deleted: bool = False
    """Whether it went."""
    files: list[Going] = []
    ahead: int = 0
    """Files that would go too if what was fetched ahead were to."""
    bytes: int = 0
    kept_back: int = 0
    """Files that turned out to be needed at the second look."""
    pages: list[tuple[str, str]] = []
    """Source and project."""
    metadata: int = 0
    damaged: int = 0
    damaged_bytes: int = 0
    leftovers: int = 0


async def clear(keep: Keep, wish: Wish, *, delete: bool, settle: float = SETTLE) -> Cleared:
    """Looks what may go, and with ``delete`` has it go. Raises Busy, OSError."""
    if not delete:
        return await _Clearing(keep, wish, settle).look()
    with removing(keep.settings.data) as alone:
        if not alone:
            raise Busy
        clearing = _Clearing(keep, wish, settle)
        await clearing.look()
        return await clearing.go()


class _Clearing:
    def __init__(self, keep: Keep, wish: Wish, settle: float) -> None:
        self._keep = keep
        self._wish = wish
        self._settle = settle
        self._now = datetime.now(UTC)
        self._data = keep.settings.data
        self._ground = Ground(keep, wish.served_before)
        self._removal = Removal(self._data)
        self._rows = StaleRows(keep.database)
        self._stamps: dict[str, Stamp] = {}
        self._pages: list[tuple[SourceName, ProjectName]] = []
        self._metadata: list[tuple[SourceName, str]] = []
        self._done = Cleared(files=[], pages=[])

    async def look(self) -> Cleared:
        done = self._done
        self._stamps = await asyncio.to_thread(self._old)
        free = await release(set(self._stamps), self._ground)
        listed = await self._listed(free)
        deleted = await self._deleted(free - listed)
        served = await self._served(free)
        for sha256 in sorted(free):
            kind: Kind = "orphan"
            if sha256 in served:
                kind = "served"
            elif sha256 in deleted:
                kind = "deleted"
            elif sha256 in listed:
                kind = "ahead"
            if kind == "ahead" and not self._wish.ahead:
                done.ahead += 1
            else:
                done.files.append(Going(sha256=sha256, size=self._stamps[sha256][0], kind=kind))
        done.bytes = sum(going.size for going in done.files)
        await self._look_at_rows()
        damaged = await asyncio.to_thread(old_damage, self._data, self._before(_DAMAGE_STAYS))
        done.damaged, done.damaged_bytes = len(damaged), sum(size for _, size in damaged)
        done.leftovers = len(await asyncio.to_thread(old_claims, self._data, self._before(_CLAIMS_STAY)))
        return done

    async def go(self) -> Cleared:
        done = self._done
        await self._remove_blobs()
        if self._pages or self._metadata:
            counts = {"pages": [list(key) for key in self._pages], "metadata": len(self._metadata)}
            await self._keep.ledger.append([Entry(kind="removed", at=datetime.now(UTC), detail=counts)])
            await self._rows.drop_metadata(self._metadata)
            await self._rows.drop_pages(self._pages)
        await asyncio.to_thread(self._remove_leftovers)
        done.deleted = True
        return done

    def _before(self, age: timedelta) -> float:
        return (self._now - age).timestamp()

    def _old(self) -> dict[str, Stamp]:
        """The blobs that nobody touched for long enough, and how they lie."""
        before = self._before(self._wish.older) * 1e9
        found = {}
        for sha256, path in self._keep.blobs.all():
            stamp = stamp_of(path)
            if stamp is not None and max(stamp[2:]) < before:
                found[sha256] = stamp
        return found

    async def _listed(self, free: set[str]) -> set[str]:
        """Those that a page lists, so that they could be had again."""
        found: set[str] = set()
        if free:
            async for source, _, page in Mender(self._keep).pages():
                if source in self._keep.sources and page is not None:
                    found |= {file.sha256 for file in page.files if file.sha256 in free and file.sha256}
        return found

    async def _deleted(self, free: set[str]) -> set[str]:
        """Those that were published once, as the ledger says."""
        found: set[str] = set()
        for kind in ("published", "promoted") if free else ():
            lines = self._keep.ledger.lines(
                kind=kind, source=None, project=None, since=None, until=None, before=None
            )
            async for _, entry in lines:
                if (sha256 := entry.detail.get("sha256")) in free:
                    found.add(str(sha256))
        return found

    async def _served(self, free: set[str]) -> set[str]:
        if self._wish.served_before is None or not free:
            return set()
        served = Served(self._data)
        try:
            return {sha256 async for sha256 in served.hashes(None) if sha256 in free}
        finally:
            await served.close()

    async def _look_at_rows(self) -> None:
        stale = await self._rows.pages(self._keep.settings.sources, self._now - self._wish.older)
        if stale:
            served = Served(self._data)
            try:
                # The hashes on a page are what its files are held against for ever, once somebody was given one.
                given = await served.projects()
            finally:
                await served.close()
            self._pages = [key for key in stale if key not in given]
        self._done.pages = [(str(source), str(project)) for source, project in self._pages]
        going = set(self._pages)
        for key, filenames in (await self._rows.metadata()).items():
            there = await self._filenames(*key) if key not in going else set()
            if there is not None:
                self._metadata += [(key[0], name) for name in filenames if name not in there]
        self._done.metadata = len(self._metadata)

    async def _filenames(self, source: SourceName, project: ProjectName) -> set[str] | None:
        """The files that a page or a hosted source has; None: that cannot be told."""
        try:
            stored = await self._keep.pages.get(source, project)
            hosted = await self._keep.facts.hosted(source, project)
        except (ZstdError, DecodeError):
            return None
        page = stored.page.files if stored is not None and stored.page is not None else ()
        return {file.filename for file in (*page, *(hosted or ()))}

    async def _remove_blobs(self) -> None:
        done = self._done
        taken: dict[str, Going] = {}
        try:
            for going in done.files:
                if await asyncio.to_thread(self._removal.take, going.sha256, self._stamps[going.sha256]):
                    taken[going.sha256] = going
            if taken:
                await asyncio.sleep(self._settle)
                for sha256 in set(taken) - await release(set(taken), self._ground):
                    await asyncio.to_thread(self._removal.put_back, sha256)
                    del taken[sha256]
                    done.kept_back += 1
                await self._on_record(taken.values())
            done.files = list(taken.values())
            done.bytes = sum(going.size for going in done.files)
            for sha256 in list(taken):
                await asyncio.to_thread(self._removal.remove, sha256)
                del taken[sha256]
        finally:
            for sha256 in taken:
                self._removal.put_back(sha256)

    async def _on_record(self, going: Iterable[Going]) -> None:
        """Before anything goes: the book may say more than happened, and never less."""
        every = sorted(going, key=lambda one: one.sha256)
        for at in range(0, len(every), _IN_ONE_ENTRY):
            some = every[at : at + _IN_ONE_ENTRY]
            detail = {
                "files": len(some),
                "bytes": sum(one.size for one in some),
                "sha256": [one.sha256 for one in some],
            }
            await self._keep.ledger.append([Entry(kind="removed", at=datetime.now(UTC), detail=detail)])
        await self._keep.kept.drop([one.sha256 for one in every])

    def _remove_leftovers(self) -> None:
        for path, _ in old_damage(self._data, self._before(_DAMAGE_STAYS)):
            path.unlink(missing_ok=True)
        for path in old_claims(self._data, self._before(_CLAIMS_STAY)):
            remove_claim(path)
