"""A shelf with a static site on it: what lies there already, what it is, and since when no page lists it.

What was put there is noted on the shelf itself (``wheelkeep-site.json``), each thing with its hash and with the stamp
that a listing gives it. A thing with another stamp than the noted one is read again; so notes that are old or wrong
cost time and nothing else. Where there are none, no site of ours lies there.
"""

import re
import tempfile
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from wheelkeep.core import static_site
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import ProjectName
from wheelkeep.store.shelf import NotThere, Shelf, Thing, hash_of

_LONGEST_LINE = 64 * 1024
_Line: TypeAlias = tuple[str, str, str, int | None]
"""Name, sha256 (empty where nobody asked for it), stamp, and since when (seconds since the epoch) no page lists it."""
_line: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)
_SHA256 = re.compile(r"(?:[0-9a-f]{64})?", re.ASCII)


class Foreign(WheelkeepError):
    """Pages lie there that none of our exports put there."""


class _Lying(Struct, gc=False):
    size: int
    stamp: str
    sha256: bytes | None = None
    unlisted: int | None = None
    noted: bool = False
    listed: bool = False


class New(Struct, frozen=True):
    """Something that a site is to have."""

    name: str
    content: bytes | Path
    sha256: str
    size: int


class SiteShelf:
    """To be used by whoever has the shelf's lock, or writes nothing."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._lying: dict[str, _Lying] = {}
        self._put: set[str] = set()
        self._changed = False
        """Whether the notes are not what they were."""
        self._ours = False
        """Whether there are notes at all."""

    async def read(self) -> None:
        """Finds out what lies there. What is no site's is passed over."""
        async for item in self._shelf.items():
            if static_site.named(item.name) is not None:
                self._lying[item.name] = _Lying(item.size, item.stamp)
        noted = 0
        async for name, sha256, stamp, unlisted in self._notes():
            noted += 1
            lying = self._lying.get(name)
            if lying is not None:
                lying.noted, lying.unlisted = True, unlisted
                if lying.stamp == stamp and sha256:
                    lying.sha256 = bytes.fromhex(sha256)
        self._changed = noted != len(self._lying)

    def claim(self) -> None:
        """To be called before anything is put there. Raises Foreign.

        A page of a project that the index has not is emptied, so it must be one of ours.
        """
        if not self._ours and (page := next(filter(_is_page, sorted(self._lying)), None)) is not None:
            raise Foreign(
                f"{page} in {self._shelf} was put there by somebody else, and an export replaces such pages: "
                f"name another place, or put an empty {static_site.NOTES} there to hand it over"
            )

    async def begin(self) -> None:
        """Notes at the place that it is ours, before the first thing lies there. Raises Unavailable."""
        if not self._ours:
            await self._put_notes(b"")

    def pages(self) -> set[ProjectName]:
        """The projects that have a page there."""
        parts = map(static_site.named, self._lying)
        return {part.project for part in parts if part is not None and part.kind == "page" and part.project}

    def has_page(self, project: ProjectName) -> bool:
        """Whether the project has a page there."""
        return any(name in self._lying for name in static_site.page_names(project))

    async def has(self, name: str, sha256: str, size: int | None = None) -> bool:
        """Whether that very thing lies there. Raises Unavailable."""
        lying = self._lying.get(name)
        if lying is None or (size is not None and lying.size != size):
            return False
        if lying.sha256 is None:
            part = static_site.named(name)
            if not lying.noted and part is not None and part.kind == "file" and size is not None:
                # Put whole by a run that was cut off: its name is its hash, and reading it all again is dear.
                found = static_site.sha256_of(name)
            else:
                try:
                    found, _ = await hash_of(self._shelf, name)
                except NotThere:
                    return False
            lying.sha256, self._changed = bytes.fromhex(found), True
        return lying.sha256.hex() == sha256

    async def put(self, things: Iterable[New]) -> None:
        """Puts all of them there. Raises Unavailable, and NotThere for bytes that are gone from here."""
        things = list(things)
        if not things:
            return
        await self._shelf.put_all(
            [
                Thing(name=one.name, content=one.content, serving=static_site.serving(one.name))
                for one in things
            ]
        )
        self._changed = True
        for one in things:
            before = self._lying.get(one.name)
            unlisted = before.unlisted if before is not None else None
            self._lying[one.name] = _Lying(one.size, "", bytes.fromhex(one.sha256), unlisted, noted=True)
            self._put.add(one.name)

    def mark_listed(self, name: str) -> None:
        """A page lists it, or it is one."""
        if (lying := self._lying.get(name)) is not None:
            lying.listed = True

    def note_unlisted(self, now: int, left: set[ProjectName]) -> dict[str, int]:
        """Notes of what no page lists since when that is so; gives the seconds since then by name.

        ``left``: projects of which nothing was found out, so that all of theirs counts as listed.
        """
        found = {}
        for name, lying in self._lying.items():
            part = static_site.named(name)
            if lying.listed or part is None or part.kind == "root" or part.project in left:
                since = None
            else:
                since = min(lying.unlisted if lying.unlisted is not None else now, now)
                found[name] = now - since
            if lying.unlisted != since:
                lying.unlisted, self._changed = since, True
        return found

    async def remove(self, unlisted: dict[str, int], grace: timedelta) -> list[str]:
        """Removes what no page has listed for so long. Raises Unavailable."""
        gone = [name for name, seconds in unlisted.items() if seconds >= grace.total_seconds()]
        for name in gone:
            await self._shelf.remove(name)
            del self._lying[name]
            self._changed = True
        return gone

    async def close(self) -> None:
        """Writes the notes, where they changed. Raises Unavailable."""
        if not self._changed:
            return
        if self._put:
            async for item in self._shelf.items():
                if item.name in self._put and (lying := self._lying.get(item.name)) is not None:
                    lying.stamp = item.stamp
        with tempfile.NamedTemporaryFile(prefix="wheelkeep-site-") as notes:
            for name in sorted(self._lying):
                lying = self._lying[name]
                if lying.stamp:
                    sha256 = lying.sha256.hex() if lying.sha256 is not None else ""
                    line: _Line = (name, sha256, lying.stamp, lying.unlisted)
                    notes.write(msgspec.json.encode(line) + b"\n")
            notes.flush()
            await self._put_notes(Path(notes.name))

    async def _put_notes(self, content: bytes | Path) -> None:
        name = static_site.NOTES
        await self._shelf.put_all([Thing(name=name, content=content, serving=static_site.serving(name))])
        self._ours = True

    async def _notes(self) -> AsyncIterator[_Line]:
        """What is noted, as far as it can be read."""
        rest = b""
        try:
            async with self._shelf.open(static_site.NOTES) as reading:
                self._ours = True
                async for piece in reading.pieces():
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in map(_line.decode, lines):
                        if _SHA256.fullmatch(line[1]):
                            yield line
                    if len(rest) > _LONGEST_LINE:
                        return
        except (NotThere, msgspec.DecodeError, UnicodeDecodeError):
            return


def _is_page(name: str) -> bool:
    part = static_site.named(name)
    return part is not None and part.kind in ("page", "root")
