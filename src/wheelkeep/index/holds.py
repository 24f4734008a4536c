"""What holds bytes in the store: the one place that says which blobs must not be removed.

A feature that needs files to stay adds a row to HOLDS.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkeep.core.model import File
from wheelkeep.index.mending import Mender
from wheelkeep.store.served import Served

if TYPE_CHECKING:
    from wheelkeep.index.keep import Keep


class Ground(Struct, frozen=True):
    """What is asked what it holds."""

    keep: "Keep"
    served_since: datetime | None = None
    """Files that were served last before this moment are not held by that; None: whatever was served is."""


class Hold(Struct, frozen=True):
    """One reason for bytes to stay."""

    word: str
    says: str
    hashes: Callable[[Ground], AsyncIterator[str]]
    """The sha256 of everything that is held for it."""


async def _hosted(ground: Ground) -> AsyncIterator[str]:
    async for one in ground.keep.facts.every_hosted():
        if isinstance(one, File) and one.sha256 is not None:
            yield one.sha256


async def _served(ground: Ground) -> AsyncIterator[str]:
    served = Served(ground.keep.settings.data)
    try:
        async for sha256 in served.hashes(ground.served_since):
            yield sha256
    finally:
        await served.close()


async def _left(ground: Ground) -> AsyncIterator[str]:
    async for _, _, page in Mender(ground.keep).pages():
        for file in page.files if page is not None else ():
            # Of bytes whose hash no page ever told, the book may not know it either.
            if file.sha256 is not None and (file.gone or file.unstated):
                yield file.sha256


async def _pinned(ground: Ground) -> AsyncIterator[str]:
    for sha256 in await ground.keep.views.snapshots.needed():
        yield sha256


async def _built(ground: Ground) -> AsyncIterator[str]:
    for sha256 in await ground.keep.builds.needed():
        yield sha256


HOLDS: tuple[Hold, ...] = (
    Hold("hosted", "a hosted release", _hosted),
    Hold("served", "somebody was given it", _served),
    Hold("snapshot", "a snapshot has it", _pinned),
    Hold("built", "it was built here, or something was built of it", _built),
    Hold("left", "its origin no longer has it", _left),
)


async def release(candidates: set[str], ground: Ground) -> set[str]:
    """The candidates that nothing holds."""
    free = set(candidates)
    for hold in HOLDS:
        if not free:
            break
        async for sha256 in hold.hashes(ground):
            free.discard(sha256)
    return free
