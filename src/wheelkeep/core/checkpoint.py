"""Checkpoints (c2sp.org/tlog-checkpoint): what a log says of itself, as the text of a signed note."""

import base64
import binascii
import re

from msgspec import Struct

from wheelkeep.core.merkle import LENGTH
from wheelkeep.core.notes import Note, PublicKey, read_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class Checkpoint(Struct, frozen=True):
    """A log's tree at one moment; ``str`` is the text that is signed."""

    origin: str
    """Which log: its name for ever."""
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_checkpoint(text: str) -> Checkpoint:
    """Reads a note's text; lines that say more are passed over. Raises ValueError."""
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]) or lines[-1]:
        raise ValueError("it is no checkpoint: three lines are wanted")
    origin, size, root = lines[:3]
    try:
        raw = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not _SIZE.fullmatch(size) or len(raw) != LENGTH or base64.b64encode(raw).decode() != root:
        raise ValueError("it is no checkpoint: its size or its root cannot be read")
    return Checkpoint(origin, int(size), raw)


def read_signed(text: str, key: PublicKey) -> tuple[Note, Checkpoint]:
    """Reads a checkpoint that a log's key signed, and that is the log's own. Raises ValueError."""
    note = read_note(text)
    checkpoint = read_checkpoint(note.text)
    if note.of(key) is None:
        raise ValueError(f"the checkpoint of {checkpoint.origin} is not signed by the key of {key.name}")
    if checkpoint.origin != key.name:
        raise ValueError(f"the checkpoint is of {checkpoint.origin}, the key of {key.name}")
    return note, checkpoint
