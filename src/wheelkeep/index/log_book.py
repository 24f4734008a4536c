"""The transparency log as it is read: checkpoints, tiles, and proofs that a file is in it."""

import asyncio
import base64
from collections.abc import Sequence
from contextlib import aclosing

from msgspec import Struct

from wheelkeep.core import merkle, tiles
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.notes import Note, PublicKey
from wheelkeep.core.tiles import Tile
from wheelkeep.index.sequencer import Sequencer
from wheelkeep.store.leaves import Leaf, Leaves
from wheelkeep.store.log_files import LogFiles

PATIENCE = 15.0
"""Seconds that a running server has to take a new entry in."""
_PAUSE = 0.2


class Proof(Struct, frozen=True, kw_only=True):
    """That an entry is in the log, verifiable by anybody who has the log's public key."""

    entry: str
    """The entry's bytes, which are JSON: of these the leaf's hash is made."""
    index: int
    proof: tuple[str, ...]
    """The hashes of the inclusion proof (RFC 6962 section 2.1.1), the leaf's sibling first, in base64."""
    checkpoint: str
    """The signed checkpoint."""
    key: str
    """The log's public key. Whoever verifies should have it from somewhere else."""


class LogBook:
    """Opened by everybody; ``sequencer`` is the one that writes."""

    def __init__(self, leaves: Leaves, files: LogFiles, sequencer: Sequencer) -> None:
        self.leaves = leaves
        self.files = files
        self.sequencer = sequencer

    async def checkpoint(self) -> tuple[Note, Checkpoint] | None:
        """The newest one; None: there is none yet. Raises WheelkeepError for one that is damaged."""
        return await asyncio.to_thread(self.files.checkpoint)

    async def key(self) -> PublicKey | None:
        """The log's public key; None: it has none yet."""
        return await asyncio.to_thread(self.files.public_key)

    async def tile(self, tile: Tile) -> bytes | None:
        """A tile of the tree of the newest checkpoint, or a part of it; None where that has none, or it is lost."""
        found = await self.checkpoint()
        if found is None or tiles.width(tile.level or 0, tile.index, found[1].size) < tile.width:
            return None
        start = tile.index * tiles.WIDTH
        if tile.level is not None:
            hashes = await asyncio.to_thread(self.files.hashes, tile.level, start, start + tile.width)
            return b"".join(hashes) if len(hashes) == tile.width else None
        bodies: list[bytes] = []
        async with aclosing(self.leaves.span(start, start + tile.width)) as groups:
            async for group in groups:
                bodies += [leaf.body for leaf in group]
        return tiles.bundle(bodies) if len(bodies) == tile.width else None

    async def prove(self, leaf: Leaf) -> Proof | None:
        """The proof of an entry by the newest checkpoint; None where that does not cover it yet. Raises
        WheelkeepError where the log does not hold the entry as it is now."""
        found, key = await self.checkpoint(), await self.key()
        if found is None or key is None or leaf.index >= found[1].size:
            return None
        note, checkpoint = found
        return Proof(
            entry=leaf.body.decode(),
            index=leaf.index,
            proof=(await self.hashes([leaf], checkpoint))[0],
            checkpoint=str(note),
            key=str(key),
        )

    async def hashes(self, leaves: Sequence[Leaf], checkpoint: Checkpoint) -> list[tuple[str, ...]]:
        """The hashes of entries' proofs by a checkpoint that covers them. Raises WheelkeepError, as ``prove``."""
        return await asyncio.to_thread(lambda: [self._proof(leaf, checkpoint) for leaf in leaves])

    def _proof(self, leaf: Leaf, checkpoint: Checkpoint) -> tuple[str, ...]:
        try:
            proof = self._hashed(merkle.inclusion_ranges(leaf.index, checkpoint.size))
        except LookupError:
            raise WheelkeepError("hashes of the log are missing: run wheelkeep log verify") from None
        leaf_hash = merkle.leaf_hash(leaf.body)
        if not merkle.includes(leaf_hash, leaf.index, checkpoint.size, proof, checkpoint.root):
            raise WheelkeepError(
                f"the entry {leaf.index} is not what is in the log: run wheelkeep log verify"
            )
        return tuple(base64.b64encode(hash_).decode() for hash_ in proof)

    async def settled(self) -> tuple[Note, Checkpoint]:
        """A checkpoint that covers all that was seen by now: the log is brought up to date here, or by the server that
        runs. Raises WheelkeepError where that does not come."""
        waited, begun = 0.0, await self.sequencer.once()
        count = await self.leaves.count()
        while True:
            found = await self.checkpoint()
            if found is not None and found[1].size >= count:
                return found
            if waited >= PATIENCE:
                raise WheelkeepError(
                    "the transparency log does not go on: see what the server's own log says of it"
                )
            if not begun:
                await asyncio.sleep(_PAUSE)
                waited += _PAUSE
            begun = await self.sequencer.once()

    async def sign(self, text: str) -> Note:
        """A text signed by the log's key. Raises as ``Sequencer.key``."""
        return Note(text).signed((await self.sequencer.key()).sign(text))

    def _hashed(self, spans: list[merkle.Range]) -> list[bytes]:
        nodes = tiles.nodes_in(self.files.hashes)
        return [merkle.hash_of(span, nodes) for span in spans]
