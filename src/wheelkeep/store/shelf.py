"""A place for whole things under names, such as a backup's: a folder here, a bucket there, one way to use both."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.serving import Serving


class NotThere(WheelkeepError):
    """There is cleanly nothing under that name."""


class Unavailable(WheelkeepError):
    """The place cannot be read or written now: that says nothing about what is there."""


class Busy(WheelkeepError):
    """Somebody else writes there now."""


class Item(Struct, frozen=True, kw_only=True):
    """One thing, as a listing tells it."""

    name: str
    """Relative to the place, with slashes."""
    size: int
    stamp: str
    """While it stands, so do the bytes, as far as the place can tell."""
    modified: datetime
    """In UTC."""


class Thing(Struct, frozen=True, kw_only=True):
    """What is to be put somewhere."""

    name: str
    content: bytes | Path
    serving: Serving | None = None
    """A bucket keeps it with the thing, and says it to whoever reads; who serves a folder is told otherwise."""


class Reading(Protocol):
    """One thing that is being read."""

    item: Item
    """As a listing would tell it now."""

    def pieces(self) -> AsyncIterator[bytes]:
        """All of it, in order. Raises Unavailable where it breaks off."""


class Shelf(Protocol):
    """Every method raises Unavailable where the place cannot be used."""

    at_once: int
    """How many things are best put or read side by side."""

    def __str__(self) -> str:
        """How people call the place."""

    def items(self, below: str = "") -> AsyncIterator[Item]:
        """All things in a folder of the place and in those below it, in no order; none where that is not there."""

    async def put(self, name: str, content: bytes | Path) -> None:
        """Puts a thing there, whole or not at all, in the place of what was there."""

    async def put_all(self, things: Sequence[Thing]) -> None:
        """Puts many, side by side, each whole or not at all. Once it is done all of them are there to stay; where it
        raises, some may be. Raises NotThere for a file that is gone."""

    async def add(self, name: str, content: bytes) -> bool:
        """Puts a thing there, unless there is one of that name already: then False, whoever came first."""

    def open(self, name: str) -> AbstractAsyncContextManager[Reading]:
        """Begins to read a thing. Raises NotThere."""

    async def remove(self, name: str) -> None:
        """Removes a thing, if it is there, and the folders that are empty then."""

    def lock(self) -> AbstractAsyncContextManager[None]:
        """The right to write there in many steps, which one at a time has. Raises Busy."""

    async def close(self) -> None:
        """Lets go of what is held."""


async def read_small(shelf: Shelf, name: str, most: int) -> bytes:
    """A thing of at most so many bytes; raises NotThere, and Unavailable where it is larger."""
    content = b""
    async with shelf.open(name) as reading:
        if reading.item.size > most:
            raise Unavailable(f"{name} in {shelf} has {reading.item.size} bytes, and may have {most}")
        async for piece in reading.pieces():
            content += piece
    return content


async def hash_of(shelf: Shelf, name: str) -> tuple[str, int]:
    """The sha256 and size of a thing, read whole. Raises NotThere."""
    digest, size = hashlib.sha256(), 0
    async with shelf.open(name) as reading:
        async for piece in reading.pieces():
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size
