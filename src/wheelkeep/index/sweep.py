"""Sweeping the store: every kept byte read again and held against its hash; damage taken out of service and healed."""

import asyncio
from collections.abc import AsyncIterator

from msgspec import Struct

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName
from wheelkeep.index.keep import Keep
from wheelkeep.store.blobs import hash_file


class Damage(Struct, frozen=True, kw_only=True):
    """One blob that is not what its name says."""

    sha256: str
    found: str
    """What its bytes hash to; ``unreadable`` when they cannot be read."""
    file: str = ""
    """The file name that it was kept for, where a page knows it."""
    repaired: bool = False
    says: str = ""


class Sweep(Struct, kw_only=True):
    """The outcome of ``verify``."""

    files: int = 0
    bytes: int = 0
    damaged: list[Damage] = []
    incidents: int = 0
    """Entries in the ledger of sources that broke their word; none of them was believed."""


async def sweep(keep: Keep, *, repair: bool) -> AsyncIterator[Sweep]:
    """Reads everything; gives the state after each file, the last one being the outcome."""
    state = Sweep(damaged=[], incidents=(await keep.ledger.counts()).get("incident", 0))
    yield state
    broken: list[Damage] = []
    for name, path in await asyncio.to_thread(lambda: list(keep.blobs.all())):
        try:
            came, size = await asyncio.to_thread(hash_file, path)
        except FileNotFoundError:
            continue  # taken out of service by somebody else meanwhile
        except OSError:
            came, size = "unreadable", 0
        state.files += 1
        state.bytes += size
        if came != name:
            broken.append(Damage(sha256=name, found=came))
        yield state
    if broken:
        known = await _files_of(keep, {damage.sha256 for damage in broken})
        for damage in broken:
            state.damaged.append(await _deal(keep, damage, known.get(damage.sha256), repair=repair))
        yield state


async def _files_of(keep: Keep, hashes: set[str]) -> dict[str, File]:
    found: dict[str, File] = {}
    async for page in keep.pages.all():
        for file in page.files:
            if file.sha256 in hashes:
                found.setdefault(file.sha256, file)
    for source in keep.sources:
        for project in await keep.facts.hosted_names(source):
            for file in await keep.facts.hosted(source, ProjectName(project)) or ():
                if file.sha256 in hashes:
                    found.setdefault(file.sha256, file)
    return found


async def _deal(keep: Keep, damage: Damage, file: File | None, *, repair: bool) -> Damage:
    name = file.filename if file is not None else ""
    if not repair:
        says = "run verify --repair to take it out of service and fetch it again"
        return Damage(sha256=damage.sha256, found=damage.found, file=name, says=says)
    await asyncio.to_thread(keep.blobs.set_aside, damage.sha256)
    if file is None or file.source not in keep.sources:
        says = "set aside; no page knows where it came from"
        return Damage(sha256=damage.sha256, found=damage.found, file=name, says=says)
    try:
        await keep.fetcher.whole(keep.sources[file.source], file)
    except (Unanswered, FileMissing) as error:
        says = f"set aside; it could not be fetched again: {error}"
        return Damage(sha256=damage.sha256, found=damage.found, file=name, says=says)
    return Damage(
        sha256=damage.sha256,
        found=damage.found,
        file=name,
        repaired=True,
        says=f"fetched again from {file.source}",
    )
