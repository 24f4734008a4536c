"""Chained lines: each holds the hash of itself and of the one before it, so that none can be changed or left out."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

BEGIN = bytes(32)
"""What stands before the first line."""

_encode = msgspec.json.Encoder().encode


def link(before: bytes, line: tuple[Any, ...]) -> bytes:
    """The link of a line: SHA-256 over that of the one before it and the line's parts as one JSON array.

    The parts are texts, whole numbers, floats, None, and tuples of these. The array has no spaces and no escapes but
    those that JSON demands, and floats are written with the fewest digits that read back as the same number.
    """
    return hashlib.sha256(before + _encode(line)).digest()


class Chained(Struct, frozen=True):
    """A line of a book, held against its place in the chain."""

    number: int
    link: bytes | None
    """As it stands there."""
    due: bytes
    """What it must be after the link that stands before it."""

    @property
    def broken(self) -> bool:
        """Whether the line, or one right before it, is another than was written."""
        return self.link != self.due


def chained(before: bytes, lines: Iterable[tuple[int, bytes | None, tuple[Any, ...]]]) -> Iterator[Chained]:
    """Lines, as number, link and parts, in the order of their numbers, each held against the one before it."""
    for number, stands, parts in lines:
        yield Chained(number, stands, link(before, parts))
        before = stands or BEGIN
