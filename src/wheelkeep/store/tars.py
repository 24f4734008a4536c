"""Reads a .tar.gz that can be read in one way only (POSIX.1-2017 pax, GNU's long names; RFC 1952).

Readers of tar differ in which of two sizes or names they believe, and in what they do after the end (TARmageddon is
one such difference). What they could differ in is refused here. Streams: memory does not grow with the archive.
"""

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal

from msgspec import Struct

from wheelkeep.store.archives import READ_AT_ONCE, BadArchive, shown, too_large

Kind = Literal["file", "folder", "link", "hardlink"]

_BLOCK = 512
_LARGEST_HEADER = 1024**2
"""Bytes of one extended header."""
_MOST_PADDING = 1024**2
"""Zeros behind the end: tar writes in records of so many blocks."""
_KINDS: dict[bytes, Kind] = {b"0": "file", b"\0": "file", b"5": "folder", b"2": "link", b"1": "hardlink"}
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
_NUMBERS = {
    "mode": slice(100, 108),
    "owner": slice(108, 116),
    "group": slice(116, 124),
    "time": slice(136, 148),
    "device": slice(329, 337),
    "minor device": slice(337, 345),
}
"""Fields of a header that say nothing about a package. Where one is no number, some readers stop as at the end."""
_FAR = 2**40
"""No owner, and no second of a time that an operating system can set."""
_PAX_NUMBERS = {
    "uid": re.compile(r"-?[0-9]{1,12}", re.ASCII),
    "gid": re.compile(r"-?[0-9]{1,12}", re.ASCII),
    "mtime": re.compile(r"-?[0-9]{1,12}(?:\.[0-9]*)?", re.ASCII),
}
_PAX = re.compile(rb"([1-9][0-9]{0,8}) ")


class Entry(Struct, frozen=True):
    """One member of a tar."""

    path: str
    """Without the slash at the end of a folder's."""
    kind: Kind
    size: int
    target: str = ""
    """Of a link: what it points to, as written."""
    time: int = 0
    """When it was last changed, in whole seconds since the epoch; 0 where its header tells no number."""


class Unzipped:
    """The bytes inside a gzip file of one member, counted and bounded while they come."""

    def __init__(self, file: BinaryIO) -> None:
        self._size = file.seek(0, 2)
        file.seek(0)
        self._file = file
        self._inflater = zlib.decompressobj(wbits=31)
        self._buffer = b""
        self._at = 0
        self._came = 0

    def read(self, length: int) -> bytes:
        """The next bytes; fewer only at the end. Raises BadArchive."""
        pieces = []
        while length:
            if self._at == len(self._buffer) and not self._more():
                break
            pieces.append(self._buffer[self._at : self._at + length])
            self._at += len(pieces[-1])
            length -= len(pieces[-1])
        return b"".join(pieces)

    def skip(self, length: int) -> None:
        """Passes over so many bytes. Raises BadArchive where there are fewer."""
        while length:
            piece = self.read(min(length, READ_AT_ONCE))
            if not piece:
                raise BadArchive("it is cut off")
            length -= len(piece)

    def _more(self) -> bool:
        """Unpacks the next piece into the empty buffer; False at the end of the stream."""
        while not self._inflater.eof:
            packed = self._inflater.unconsumed_tail or self._file.read(READ_AT_ONCE)
            try:
                # Also without further input: some output may still wait from before.
                self._buffer, self._at = self._inflater.decompress(packed, READ_AT_ONCE), 0
            except zlib.error as error:
                raise BadArchive(f"it is no gzip file, or damaged: {error}") from None
            self._came += len(self._buffer)
            if (says := too_large(self._came, self._size)) is not None:
                raise BadArchive(says)
            if self._buffer:
                return True
            if not packed and not self._inflater.eof:
                raise BadArchive("it is cut off")
        if self._inflater.unused_data or self._file.read(1):
            # Some readers go on with a second gzip member, some stop here.
            raise BadArchive("it has data behind the end of its gzip stream")
        return False


def read_tar(stream: Unzipped) -> Iterator[Entry]:
    """Each member, as its header says; its bytes are next in the stream, for the caller to read or skip them all.

    Raises BadArchive.
    """
    while (entry := _next(stream)) is not None:
        yield entry
        stream.skip(-entry.size % _BLOCK)
    rest = 0
    while piece := stream.read(READ_AT_ONCE):
        rest += len(piece)
        if piece.strip(b"\0") or rest > _MOST_PADDING:
            raise BadArchive("it has data behind its end")


def _next(stream: Unzipped) -> Entry | None:
    """The next member's header, with the extended headers before it; None at the end."""
    extended: dict[str, str] = {}
    while True:
        block = stream.read(_BLOCK)
        if len(block) != _BLOCK:
            raise BadArchive("it is cut off: it has no end mark")
        if not block.strip(b"\0"):
            if extended:
                raise BadArchive("it has an extended header that belongs to no member")
            return None
        kind = block[156:157]
        size = _number(block[124:136])
        _sum_is_right(block)
        _check_numbers(block)
        if kind not in (b"x", b"g", b"L", b"K"):
            return _entry(block, kind, size, extended)
        if size > _LARGEST_HEADER:
            raise BadArchive("it has an extended header that is larger than any sdist needs")
        body = stream.read(size)
        stream.skip(-size % _BLOCK)
        if len(body) != size:
            raise BadArchive("it is cut off")
        told = _extended(kind, body)
        if extended.keys() & told.keys():
            raise BadArchive("it has two extended headers for one member")
        if kind != b"g":
            extended |= told
        elif told:
            raise BadArchive("it has an extended header that gives all members one path or size")


def _extended(kind: bytes, body: bytes) -> dict[str, str]:
    """What an extended header says of path, linkpath and size; the rest is nothing that an sdist needs."""
    if kind in b"LK":
        return {"path" if kind == b"L" else "linkpath": _text(body.removesuffix(b"\0"))}
    told: dict[str, str] = {}
    at = 0
    while at < len(body):
        found = _PAX.match(body, at)
        end = at + int(found[1]) if found is not None else 0
        if found is None or end > len(body) or end <= found.end() or body[end - 1 : end] != b"\n":
            raise BadArchive("it has an extended header that cannot be read")
        key, equals, value = body[found.end() : end - 1].partition(b"=")
        at = end
        name = _text(key)
        if not equals or name in told or name == "hdrcharset" or name.startswith("GNU.sparse."):
            raise BadArchive(
                f"it has the extended header {shown(name)}, which readers understand differently"
            )
        if name in _PAX_NUMBERS and not _PAX_NUMBERS[name].fullmatch(_text(value)):
            raise BadArchive(
                f"it has the extended header {shown(name)} with {shown(_text(value))}, no number"
            )
        if name in ("path", "linkpath", "size"):
            told[name] = _text(value)
    return told


def _entry(block: bytes, kind: bytes, size: int, extended: dict[str, str]) -> Entry:
    path = extended.get("path", _path(block))
    label = shown(path)
    if kind not in _KINDS:
        raise BadArchive(f"the member {label} is neither file, folder nor link")
    if extended.get("size", str(size)) != str(size):
        raise BadArchive(f"the member {label} has two sizes")
    what = _KINDS[kind]
    folder = what == "folder"
    if path.endswith("/") and not folder:
        raise BadArchive(f"the member {label} is a folder by half")
    if size and what != "file":
        raise BadArchive(f"the member {label} has bytes, and is no file")
    target = extended.get("linkpath", _until_nul(block[157:257])) if what in ("link", "hardlink") else ""
    return Entry(path.removesuffix("/") if folder else path, what, size, target, _time(block))


def _path(block: bytes) -> str:
    """The path in the header itself; only POSIX's own format has a second field for its beginning."""
    name, prefix = _until_nul(block[:100]), block[345:500]
    if block[257:263] == b"ustar\0":
        before = _until_nul(prefix)
        return f"{before}/{name}" if before else name
    if prefix.strip(b"\0"):
        raise BadArchive(f"the member {shown(name)} has a header of no known format")
    return name


def _number(field: bytes) -> int:
    found = _OCTAL.fullmatch(field)
    if found is None:
        # GNU writes what is 8 GiB and more in another way, which not every reader knows.
        raise BadArchive("it has a member whose size is no number, or 8 GiB and more")
    return int(found[1] or b"0", 8)


def _check_numbers(block: bytes) -> None:
    for name, place in _NUMBERS.items():
        field = block[place]
        if _OCTAL.fullmatch(field):
            continue
        # GNU's other way to write one, for owners and times that have no room.
        number = int.from_bytes(field[1:]) - (256 ** (len(field) - 1) if field[0] == 0xFF else 0)
        if field[0] not in (0x80, 0xFF) or abs(number) > _FAR:
            raise BadArchive(f"it has a member whose {name} is no number that can be")


def _time(block: bytes) -> int:
    found = _OCTAL.fullmatch(block[136:148])
    return int(found[1] or b"0", 8) if found is not None else 0


def _sum_is_right(block: bytes) -> None:
    if sum(block[:148]) + sum(block[156:]) + 8 * 0x20 != _number(block[148:156]):
        raise BadArchive("it is no tar file, or damaged: a header's checksum is wrong")


def _until_nul(field: bytes) -> str:
    return _text(field.split(b"\0", 1)[0])


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadArchive("it has a member whose name is not UTF-8") from None
