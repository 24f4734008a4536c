"""The layout of a backup's place: parts by their hash, and one list a generation, which is written last.

wheelkeep-backup.json          says what the place is
parts/ab/abcdef…               bytes under their sha256: stored files, and pieces of the others
generations/20261123T…         the list of what one backup holds (core/manifest)
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO

import msgspec
from msgspec import Struct

from wheelkeep.core import manifest
from wheelkeep.core.manifest import Entry, Head, Kept, NotABackup
from wheelkeep.store.shelf import NotThere, Shelf, read_small

_MARK = "wheelkeep-backup.json"
_LISTS = "generations"
_PARTS = "parts"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LONGEST_MARK = 10_000


class Generation(Struct, frozen=True, kw_only=True):
    """One backup, as its name tells it."""

    name: str
    made: datetime


def part(sha256: str) -> str:
    """Where the bytes with this hash lie, or would lie."""
    return f"{_PARTS}/{sha256[:2]}/{sha256}"


async def begin(shelf: Shelf) -> None:
    """Makes a place for backups of one, or finds that it is one. Raises NotABackup, Unavailable."""
    try:
        await recognise(shelf)
    except NotThere:
        async for item in shelf.items():
            raise NotABackup(
                f"{shelf} holds other things and no backup, such as {item.name}: name an empty place"
            ) from None
        mark = msgspec.json.encode({"format": manifest.FORMAT, "holds": "backups of a wheelkeep"})
        await shelf.add(_MARK, mark + b"\n")


async def recognise(shelf: Shelf) -> None:
    """Raises NotThere where no backup was ever begun, and NotABackup where it is of a kind that is not known."""
    try:
        mark = msgspec.json.decode(await read_small(shelf, _MARK, _LONGEST_MARK), type=dict[str, object])
    except msgspec.DecodeError:
        raise NotABackup(
            f"{shelf} cannot be told to be a place for backups: {_MARK} cannot be read"
        ) from None
    if mark.get("format") != manifest.FORMAT:
        raise NotABackup(
            f"{shelf} was written by another wheelkeep: this one knows the format {manifest.FORMAT}"
        )


async def generations(shelf: Shelf) -> list[Generation]:
    """All that are whole, the oldest first."""
    found = []
    async for item in shelf.items(_LISTS):
        name = item.name.removeprefix(f"{_LISTS}/")
        if (made := manifest.moment(name)) is not None:
            found.append(Generation(name=name, made=made))
    return sorted(found, key=lambda one: one.name)


async def parts(shelf: Shelf) -> dict[bytes, int]:
    """Every part that lies there: its hash, and its size in bytes."""
    found = {}
    async for item in shelf.items(_PARTS):
        name = item.name.rpartition("/")[2]
        if _SHA256.fullmatch(name) and item.name == part(name):
            found[bytes.fromhex(name)] = item.size
    return found


class Listed:
    """The list of one generation, held against its name; can be gone through again and again. To be closed."""

    def __init__(self, file: IO[bytes], head: Head) -> None:
        self._file = file
        self.head = head

    def entries(self) -> Iterator[Entry]:
        self._file.seek(0)
        for line in manifest.read(self._file):
            if not isinstance(line, Head):
                yield line

    def close(self) -> None:
        self._file.close()


async def open_list(shelf: Shelf, generation: str) -> Listed:
    """Reads a generation's list whole. Raises NotABackup where it is not what was written, NotThere, Unavailable."""
    digest = hashlib.sha256()
    file = TemporaryFile()  # noqa: SIM115 - it is handed on
    try:
        async with shelf.open(f"{_LISTS}/{generation}") as reading:
            async for piece in reading.pieces():
                digest.update(piece)
                file.write(piece)
        if not manifest.vouches(generation, digest.hexdigest()):
            raise NotABackup(f"the list of the backup {generation} is not the one that was written")
        file.seek(0)
        lines = manifest.read(file)
        head = next(lines)
        assert isinstance(head, Head)
        for _ in lines:
            pass
    except BaseException:
        file.close()
        raise
    return Listed(file, head)


async def put_list(shelf: Shelf, generation: str, text: IO[bytes]) -> None:
    """Puts a list in its place, from which on the generation is there."""
    text.seek(0)
    await shelf.put(f"{_LISTS}/{generation}", text.read())


async def needed(shelf: Shelf, of: list[Generation]) -> set[bytes]:
    """The hashes of all parts that these generations need. Raises as ``open_list``."""
    found: set[bytes] = set()
    for generation in of:
        listed = await open_list(shelf, generation.name)
        try:
            for entry in listed.entries():
                found.update(bytes.fromhex(one) for one in parts_of(entry))
        finally:
            listed.close()
    return found


def parts_of(entry: Entry) -> tuple[str, ...]:
    """The hashes of the parts that an entry is made of."""
    return entry.parts if isinstance(entry, Kept) else (entry.sha256,)


async def keep_newest(shelf: Shelf, count: int, removed: Callable[[Generation], None]) -> int:
    """Removes all but so many generations, and what only those needed; gives how many parts went.

    To be called by whoever holds the place's lock. Raises as ``open_list``, before anything is removed.
    """
    every = await generations(shelf)
    staying = await needed(shelf, every[-count:])
    for generation in every[:-count]:
        # The list first: what a crash leaves are parts that nobody needs, never a list of parts that are gone.
        await shelf.remove(f"{_LISTS}/{generation.name}")
        removed(generation)
    gone = [sha256 for sha256 in await parts(shelf) if sha256 not in staying]
    for sha256 in gone:
        await shelf.remove(part(sha256.hex()))
    return len(gone)
