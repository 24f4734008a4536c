"""A wheelhouse: the files of a lock in one flat place, for ``pip install --no-index --find-links``, with hashed
requirements beside them. Files first, then what names them: whoever looks meanwhile sees whole things only.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from html import escape

from msgspec import Struct

from wheelkeep.core.errors import Unanswered
from wheelkeep.core.model import File
from wheelkeep.core.names import owner_of
from wheelkeep.core.serving import Serving
from wheelkeep.core.write_lock import Choice, write_requirements
from wheelkeep.index.departure import Departure
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.mirror import Mirror, mirror
from wheelkeep.index.needed import Lacking, Needed
from wheelkeep.store.shelf import Item, Shelf, Thing, hash_of

REQUIREMENTS, PAGE = "requirements.txt", "index.html"
# The last one is a bucket's, while somebody writes there.
_OURS = frozenset({REQUIREMENTS, PAGE, "pip.conf", "lock"})
_HEAD = "by wheelkeep export wheelhouse"


class Wheelhouse(Struct, kw_only=True):
    """How far it is. Sizes are bytes."""

    files: int
    bytes: int
    there: int = 0
    """Files that lay in the wheelhouse already, and were the right ones."""
    written: int = 0
    written_bytes: int = 0
    came: int = 0
    """Bytes of the files that are there or were written."""
    strangers: list[str] = []
    """What else lies there."""
    removed: list[str] = []
    built: list[str] = []
    """Wheels among them that were built here, in the place of sdists."""
    lacking: list[Lacking] = []


async def export(
    keep: Keep,
    index: Index,
    needed: Needed,
    shelf: Shelf,
    *,
    address: str | None,
    at_once: int,
    prune: bool,
) -> AsyncIterator[Wheelhouse | Mirror]:
    """Brings the files into the keep, then to the shelf, each on record before; gives how far it is.

    ``address``: where clients find it, for a line of pip's configuration. ``prune``: other wheels and sdists
    there go. Raises Unavailable and Busy of the shelf. Where something is lacking nothing that names files is written.
    """
    state = None
    async for state in mirror(keep, needed.files, at_once=at_once):
        yield state
    assert state is not None
    lacking = [*needed.lacking, *state.lacking]
    house = Wheelhouse(files=len(needed.files), bytes=state.bytes, lacking=lacking)
    async with shelf.lock():
        there = {item.name: item async for item in shelf.items()}
        house.strangers = sorted(there.keys() - {file.filename for file in needed.files} - _OURS)
        turn = asyncio.Semaphore(shelf.at_once)
        departure = Departure(keep, index, "export wheelhouse", shelf)
        wanted = [file for file in needed.files if file.sha256 is not None]
        for one in asyncio.as_completed(
            [_put(keep, departure, shelf, file, there.get(file.filename), turn) for file in wanted]
        ):
            _note(house, await one)
            yield house
        if not house.lacking:
            await _name(shelf, needed.choices, address)
            if prune:
                # A slip of the hand may name a folder that is full of other things.
                house.removed = [name for name in house.strangers if owner_of(name) is not None]
                for name in house.removed:
                    await shelf.remove(name)
                house.strangers = sorted(set(house.strangers) - set(house.removed))
    yield house


def _note(house: Wheelhouse, how: tuple[bool, int] | Lacking) -> None:
    if isinstance(how, Lacking):
        house.lacking.append(how)
        return
    written, size = how
    house.came += size
    if written:
        house.written += 1
        house.written_bytes += size
    else:
        house.there += 1


async def _put(
    keep: Keep, departure: Departure, shelf: Shelf, file: File, there: Item | None, turn: asyncio.Semaphore
) -> tuple[bool, int] | Lacking:
    """Whether the file was written, and its size; or why it could not be."""
    async with turn:
        try:
            stored = await keep.fetcher.sound(file)
        except Unanswered as error:
            return Lacking(what=file.filename, why=error.reason)
        if stored is None:
            return Lacking(what=file.filename, why="it is not kept here")
        if there is not None and there.size == stored.size:
            sha256, _ = await hash_of(shelf, file.filename)
            if sha256 == file.sha256:
                return False, stored.size
        await departure.note(file)
        await shelf.put(file.filename, stored.path)
        return True, stored.size


async def _name(shelf: Shelf, choices: tuple[Choice, ...], address: str | None) -> None:
    """What names the files; the requirements last, for who has them has the rest."""
    page = _page(choices)
    texts = {PAGE: page, REQUIREMENTS: write_requirements(choices, head=[_HEAD])}
    if address is not None:
        texts = {"pip.conf": f"[install]\nno-index = true\nfind-links = {address}\n", **texts}
    before = {item.name: item.size async for item in shelf.items()}
    for name, text in texts.items():
        content = text.encode()
        same = before.get(name) == len(content)
        if not same or (await hash_of(shelf, name))[0] != hashlib.sha256(content).hexdigest():
            kind = "text/html" if name == PAGE else "text/plain"
            # pip reads no page that is of another kind, and a bucket by itself says that it is bytes.
            serving = Serving(content_type=f"{kind}; charset=utf-8", cache_control="no-cache")
            await shelf.put_all([Thing(name=name, content=content, serving=serving)])


def _page(choices: tuple[Choice, ...]) -> str:
    """The files as links with their hashes: what ``--find-links`` reads where there is no folder to list."""
    files = {file.filename: file for one in choices for file in one.files}
    links = (
        f'<a href="{escape(name)}#sha256={file.sha256}"{_python(file)}>{escape(name)}</a><br>\n'
        for name, file in sorted(files.items())
    )
    head = '<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>Wheelhouse</title>\n'
    return f"{head}{''.join(links)}</html>\n"


def _python(file: File) -> str:
    return f' data-requires-python="{escape(file.requires_python)}"' if file.requires_python else ""
