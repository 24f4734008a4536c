"""A transparency log held against itself, and against what was seen of it before, from outside: nothing of it is
trusted but its key.
"""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from wheelkeep.core import merkle, tiles
from wheelkeep.core.checkpoint import Checkpoint, read_checkpoint, read_signed
from wheelkeep.core.errors import Unanswered
from wheelkeep.core.log_entries import read_entry
from wheelkeep.core.notes import Note, PublicKey
from wheelkeep.core.tiles import Growing, Tile
from wheelkeep.sources.log_reader import Lacking, LogReader, Refused

_AT_ONCE = 16
"""Tiles in memory."""


class Flaw(Struct, frozen=True, kw_only=True):
    """What shows that a log cannot be relied on."""

    what: str
    """``signature``, ``rollback``, ``fork``, ``tiles`` or ``entries``."""
    says: str
    leaf: int | None = None


class LogAudit(Struct, kw_only=True):
    """How far an audit is, and what it found."""

    note: Note | None = None
    checkpoint: Checkpoint | None = None
    """What the log says of itself now; verified against its key."""
    before: Checkpoint | None = None
    """What it had said when it was looked at last."""
    leaves: int = 0
    """Hashes read."""
    entries: int = 0
    """Entries read."""
    refused: bool = False
    """The entries are not for this caller: they were not read."""
    flaws: list[Flaw] = []

    @property
    def good(self) -> bool:
        return self.note is not None and not self.flaws


async def audit(log: LogReader, key: PublicKey, before: Checkpoint | None) -> AsyncIterator[LogAudit]:
    """Reads the whole log; gives the state now and then, the last one being the outcome. Raises Unanswered."""
    state = LogAudit(before=before, flaws=[])
    try:
        state.note, state.checkpoint = read_signed(await log.text("checkpoint"), key)
    except ValueError as error:
        state.flaws.append(Flaw(what="signature", says=str(error)))
        yield state
        return
    yield state
    try:
        if before is not None and (flaw := await _against(log, before, state.checkpoint)) is not None:
            state.flaws.append(flaw)
            yield state
            return
        async for _ in _whole(log, state, state.checkpoint):
            yield state
    except Lacking as error:
        state.flaws.append(Flaw(what="tiles", says=str(error)))
    yield state


async def _against(log: LogReader, before: Checkpoint, now: Checkpoint) -> Flaw | None:
    """Whether the log that was seen before is the beginning of what it is now."""
    if now.origin != before.origin:
        return Flaw(what="fork", says=f"it was {before.origin}, and calls itself {now.origin} now")
    if now.size < before.size:
        says = f"it had {before.size} entries when it was looked at last, and has {now.size} now"
        return Flaw(what="rollback", says=says)
    fork = Flaw(
        what="fork",
        says=f"the {before.size} entries that it had when it was looked at last are not the first of those that it "
        "has now: its past was changed, or there are two of it",
    )
    if now.size == before.size:
        return fork if now.root != before.root else None
    spans = merkle.consistency_ranges(before.size, now.size)
    wanted = sorted(tiles.needed(spans, now.size), key=lambda tile: (tile.level or 0, tile.index))
    got = {
        (tile.level, tile.index): hashes
        for tile, hashes in zip(wanted, await log.hashes(wanted), strict=True)
    }

    def hashes(level: int, start: int, end: int) -> list[bytes]:
        first = start % tiles.WIDTH
        return got[level, start // tiles.WIDTH][first : first + end - start]

    nodes = tiles.nodes_in(hashes)
    proof = [merkle.hash_of(span, nodes) for span in spans]
    return None if merkle.extends(before.size, before.root, now.size, now.root, proof) else fork


async def _whole(log: LogReader, state: LogAudit, checkpoint: Checkpoint) -> AsyncIterator[None]:
    """Every hash, and every entry where they may be read."""
    tree = Growing(0, lambda *_: [])
    every = list(tiles.tiles_of(0, checkpoint.size))
    for at in range(0, len(every), _AT_ONCE):
        group = every[at : at + _AT_ONCE]
        for hashes in await log.hashes(group):
            for leaf in hashes:
                tree.add(leaf)
            await _entries(log, state, group[state.leaves // tiles.WIDTH - at], hashes)
            state.leaves += len(hashes)
        yield
    if tree.root() != checkpoint.root:
        says = "the hashes in its tiles do not make the root that its checkpoint was signed for"
        state.flaws.append(Flaw(what="tiles", says=says))
        return
    for level in range(1, tiles.levels(checkpoint.size)):
        higher = list(tiles.tiles_of(level, checkpoint.size))
        told = [hash_ for hashes in await log.hashes(higher) for hash_ in hashes]
        if told != tree.added[level]:
            says = f"its tiles of level {level} are not made of those below them"
            state.flaws.append(Flaw(what="tiles", says=says))
    yield


async def _entries(log: LogReader, state: LogAudit, tile: Tile, hashes: Sequence[bytes]) -> None:
    if state.refused:
        return
    bundle = Tile(None, tile.index, tile.width)
    try:
        bodies = tiles.unbundle((await log.tiles([bundle]))[0])
    except Refused:
        state.refused = True
        return
    except (Lacking, ValueError) as error:
        state.flaws.append(Flaw(what="entries", says=f"tile/{bundle.path}: {error}"))
        return
    if len(bodies) != len(hashes):
        says = f"tile/{bundle.path} has {len(bodies)} entries instead of {len(hashes)}"
        state.flaws.append(Flaw(what="entries", says=says))
    for at, (body, hash_) in enumerate(zip(bodies, hashes, strict=False)):
        leaf = tile.index * tiles.WIDTH + at
        if merkle.leaf_hash(body) != hash_:
            says = f"the entry {leaf} is not the one whose hash is in the log"
            state.flaws.append(Flaw(what="entries", says=says, leaf=leaf))
            return
        _read(state, leaf, body)


def _read(state: LogAudit, leaf: int, body: bytes) -> None:
    try:
        read_entry(body)
    except ValueError as error:
        state.flaws.append(Flaw(what="entries", says=f"the entry {leaf}: {error}", leaf=leaf))
    state.entries += 1


def seen_before(note: str) -> Checkpoint:
    """The checkpoint that was kept as a note. Raises Unanswered for what is none."""
    text = note.rpartition("\n\n")[0]
    try:
        return read_checkpoint(f"{text}\n")
    except ValueError as error:
        raise Unanswered(f"what was kept of the log is damaged: {error}") from None
