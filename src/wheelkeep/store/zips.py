"""Reads a zip (APPNOTE 6.3) that can be read in one way only: every byte belongs to one entry, and all records agree.

zipfile believes the central directory and forgives the rest; streaming installers believe the local headers. Here
both must say the same, or the file is refused.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from wheelkeep.store.archives import MOST_MEMBERS, READ_AT_ONCE, BadArchive, shown, too_large

LARGEST_DIRECTORY = 16 * 1024**2
"""Bytes of the central directory."""
_STORED, _DEFLATED = 0, 8
_NEWEST = 63
"""The version of APPNOTE, times ten, that readers in use know (4.4.3)."""
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCH = 0x20
_DESCRIPTOR = 0x8
_UTF8 = 0x800
_MEANS = _ENCRYPTED | _PATCH | _DESCRIPTOR | _UTF8
"""The flags that change what an entry is; the others tell how hard somebody tried to pack it (4.4.4)."""
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
"""Stands where the true value is in a zip64 field (4.4.1.4)."""
_ZIP64_FIELD = 0x0001
_UNICODE_PATH_FIELD = 0x7075
_REGULAR, _FOLDER, _FORMAT = 0o100000, 0o040000, 0o170000

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")


class Member(Struct, frozen=True):
    """One entry, its headers in agreement."""

    name: str
    """Without the slash at the end of a folder's."""
    folder: bool
    deflated: bool
    crc: int
    packed: int
    size: int
    start: int
    """Where its bytes begin in the file."""


class _Entry(Struct):
    """One record of the central directory."""

    raw: bytes
    needs: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int


def read_zip(file: BinaryIO) -> list[Member]:
    """The members in the order of the central directory, bounded before any is unpacked. Raises BadArchive."""
    size = file.seek(0, 2)
    start, length, count = _end(file, size)
    if count > MOST_MEMBERS:
        raise BadArchive(f"it has more than {MOST_MEMBERS} members")
    if length > LARGEST_DIRECTORY:
        raise BadArchive("its zip directory is larger than any wheel needs")
    entries = _directory(_exactly(file, start, length), count)
    if not entries:
        raise BadArchive("it is empty")
    if (says := too_large(sum(entry.size for entry in entries), size)) is not None:
        raise BadArchive(says)
    ordered = sorted(entries, key=lambda entry: entry.offset)
    ends = [entry.offset for entry in ordered[1:]] + [start]
    if ordered[0].offset != 0:
        raise BadArchive("it has data before its first entry")
    found = {id(entry): _member(file, entry, end) for entry, end in zip(ordered, ends, strict=True)}
    return [found[id(entry)] for entry in entries]


def unpack(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """The bytes of one member; raises BadArchive at their end, or before, when they are not what its header says."""
    crc = came = 0
    for piece in _inflate(file, member) if member.deflated else _pieces(file, member):
        crc = zlib.crc32(piece, crc)
        came += len(piece)
        if came > member.size:
            raise BadArchive(f"the member {shown(member.name)} is larger than its header says")
        yield piece
    if came != member.size or crc != member.crc:
        raise BadArchive(
            f"the member {shown(member.name)} is damaged: its size or checksum is not its header's"
        )


def _pieces(file: BinaryIO, member: Member) -> Iterator[bytes]:
    at, left = member.start, member.packed
    while left:
        piece = _exactly(file, at, min(left, READ_AT_ONCE))
        at, left = at + len(piece), left - len(piece)
        yield piece


def _inflate(file: BinaryIO, member: Member) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-15)
    read = 0
    try:
        for packed in _pieces(file, member):
            read += len(packed)
            piece = inflater.decompress(packed, READ_AT_ONCE)
            while piece:
                yield piece
                piece = inflater.decompress(inflater.unconsumed_tail, READ_AT_ONCE)
            if inflater.eof:
                break
    except zlib.error as error:
        raise BadArchive(f"the member {shown(member.name)} cannot be unpacked: {error}") from None
    if not inflater.eof:
        raise BadArchive(f"the member {shown(member.name)} ends before its data does")
    if inflater.unused_data or read != member.packed:
        raise BadArchive(f"the member {shown(member.name)} has data behind its end")


def _end(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Where the central directory lies, how long it is, and how many entries it has."""
    at = size - _END.size
    if at < 0:
        raise BadArchive("it is no zip file")
    signature, disk, first_disk, here, count, length, start, comment = _END.unpack(
        _exactly(file, at, _END.size)
    )
    if signature != b"PK\x05\x06" or comment:
        raise BadArchive("it is no zip file, or has a comment or other data behind its end")
    # Readers look for the zip64 records whether or not the older one says that there are any.
    locator = _exactly(file, at - _LOCATOR64.size, _LOCATOR64.size) if at >= _LOCATOR64.size else b""
    if locator[:4] == b"PK\x06\x07":
        at -= _LOCATOR64.size + _END64.size
        told = (disk, first_disk, here, count, length, start)
        start, length, count = _end64(file, locator, at, told)
    elif disk or first_disk or here != count or _FULL16 in (here, count) or _FULL32 in (length, start):
        raise BadArchive(
            "its end record is wrong: it speaks of several disks, or of a zip64 record that is not there"
        )
    if start + length != at:
        raise BadArchive(
            "it has data between its directory and its end, or its directory is not where it says"
        )
    return start, length, count


def _end64(file: BinaryIO, locator: bytes, at: int, told: tuple[int, ...]) -> tuple[int, int, int]:
    _, disk, offset, disks = _LOCATOR64.unpack(locator)
    if at < 0 or offset != at or disk or disks > 1:
        raise BadArchive("its zip64 end record is not where it says")
    signature, length, _, _, *numbers = _END64.unpack(_exactly(file, at, _END64.size))
    if signature != b"PK\x06\x06" or length != _END64.size - 12:
        raise BadArchive("its zip64 end record is wrong")
    full = (_FULL16, _FULL16, _FULL16, _FULL16, _FULL32, _FULL32)
    if any(old not in (new, most) for old, new, most in zip(told, numbers, full, strict=True)):
        raise BadArchive("its two end records do not agree")
    disk, first_disk, here, count, directory, start = numbers
    if disk or first_disk or here != count:
        raise BadArchive("it speaks of several disks")
    return start, directory, count


def _directory(body: bytes, count: int) -> list[_Entry]:
    entries: list[_Entry] = []
    at = 0
    while at < len(body):
        if len(entries) == count or len(body) - at < _CENTRAL.size or body[at : at + 4] != b"PK\x01\x02":
            raise BadArchive("its zip directory holds something else than the entries that it counts")
        _, _, needs, flags, method, _, _, crc, packed, size, *lengths, disk, _, attributes, offset = (
            _CENTRAL.unpack_from(body, at)
        )
        at += _CENTRAL.size
        of_name, of_extra, of_comment = lengths
        raw = body[at : at + of_name]
        extra = body[at + of_name : at + of_name + of_extra]
        at += of_name + of_extra + of_comment
        if at > len(body):
            raise BadArchive("its zip directory is cut off")
        size, packed, offset = _widened(raw, extra, (size, packed, offset))
        if disk:
            raise BadArchive("it speaks of several disks")
        entries.append(_Entry(raw, needs, flags, method, crc, packed, size, offset, attributes >> 16))
    if len(entries) != count:
        raise BadArchive("its zip directory has fewer entries than it counts")
    return entries


def _widened(raw: bytes, extra: bytes, told: tuple[int, ...]) -> tuple[int, ...]:
    """The header's values, those that are too large for it taken from the zip64 field (4.5.3)."""
    field = _zip64(raw, extra)
    wide = [value == _FULL32 for value in told]
    if len(field) == sum(wide):
        true = iter(field)
        return tuple(next(true) if is_wide else value for value, is_wide in zip(told, wide, strict=True))
    # Some builders write the field though nothing is too large: then it must say the same.
    if any(wide) or field != told[: len(field)]:
        raise BadArchive(f"the member {_named(raw)} has a zip64 field that does not fit its header")
    return told


def _zip64(raw: bytes, extra: bytes) -> tuple[int, ...]:
    """The values of the zip64 field; empty where there is none. Raises BadArchive."""
    values: tuple[int, ...] | None = None
    at = 0
    while at < len(extra):
        kind, length = struct.unpack_from("<HH", extra, at) if len(extra) - at >= 4 else (0, _FULL16)
        body = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if at > len(extra):
            raise BadArchive(f"the member {_named(raw)} has an extra field that is cut off")
        if kind == _UNICODE_PATH_FIELD:
            raise BadArchive(f"the member {_named(raw)} has a second name in an extra field")
        if kind == _ZIP64_FIELD:
            if values is not None or length % 8 or not length:
                raise BadArchive(f"the member {_named(raw)} has a zip64 field that does not fit its header")
            values = struct.unpack(f"<{length // 8}Q", body)
    return values or ()


def _member(file: BinaryIO, entry: _Entry, end: int) -> Member:
    """Holds the local header, the data's extent and the descriptor against the directory's record."""
    name = _name(entry)
    label = shown(name)
    _allowed(entry, name, label)
    if end - entry.offset < _LOCAL.size:
        raise BadArchive(f"the member {label} overlaps another, or is not where the directory says")
    head = _LOCAL.unpack(_exactly(file, entry.offset, _LOCAL.size))
    signature, needs, flags, method, _, _, crc, packed, size, of_name, of_extra = head
    start = entry.offset + _LOCAL.size + of_name + of_extra
    if signature != b"PK\x03\x04" or start + entry.packed > end:
        raise BadArchive(f"the member {label} overlaps another, or is not where the directory says")
    names = _exactly(file, entry.offset + _LOCAL.size, of_name + of_extra)
    size, packed = _widened(entry.raw, names[of_name:], (size, packed))
    if max(needs & 0xFF, entry.needs & 0xFF) > _NEWEST:
        raise BadArchive(f"the member {label} needs a newer reader of zip files than installers have")
    told = (crc, packed, size)
    meant = (entry.crc, entry.packed, entry.size)
    later = bool(flags & _DESCRIPTOR)
    if (
        names[:of_name] != entry.raw
        or (flags ^ entry.flags) & _MEANS
        or method != entry.method
        or (told != meant and not (later and told == (0, 0, 0)))
    ):
        raise BadArchive(f"the member {label} is another in its own header than in the directory")
    gap = _exactly(file, start + entry.packed, min(end - start - entry.packed, 32))
    if gap not in (_descriptors(*meant) if later else (b"",)):
        raise BadArchive(f"there is data behind the member {label} that belongs to no member")
    folder = name.endswith("/")
    return Member(
        name.removesuffix("/"), folder, method == _DEFLATED, entry.crc, entry.packed, entry.size, start
    )


def _descriptors(crc: int, packed: int, size: int) -> tuple[bytes, ...]:
    """How the true values may be written behind the data (4.3.9): with a signature or not, in 4 or 8 bytes."""
    wide = struct.pack("<LQQ", crc, packed, size)
    if packed > _FULL32 or size > _FULL32:
        return wide, b"PK\x07\x08" + wide
    short = struct.pack("<LLL", crc, packed, size)
    return short, b"PK\x07\x08" + short, wide, b"PK\x07\x08" + wide


def _name(entry: _Entry) -> str:
    try:
        # Without the flag it would be some code page or other (4.4.4, appendix D).
        return entry.raw.decode("utf-8" if entry.flags & _UTF8 else "ascii")
    except UnicodeDecodeError:
        raise BadArchive(
            f"the member {_named(entry.raw)} has a name that is not UTF-8, or is not marked as such"
        ) from None


def _allowed(entry: _Entry, name: str, label: str) -> None:
    if entry.flags & (_ENCRYPTED | _PATCH):
        raise BadArchive(f"the member {label} is encrypted or a patch")
    if entry.method not in (_STORED, _DEFLATED):
        raise BadArchive(f"the member {label} is packed by a method other than deflate")
    if entry.method == _STORED and entry.packed != entry.size:
        raise BadArchive(f"the member {label} has two sizes")
    if entry.method == _STORED and entry.flags & _DESCRIPTOR and entry.size:
        # Whoever reads from the front cannot tell where it ends.
        raise BadArchive(f"the member {label} is stored with its size behind it")
    form = entry.mode & _FORMAT
    folder = name.endswith("/")
    if form not in (0, _FOLDER if folder else _REGULAR):
        raise BadArchive(f"the member {label} is a link or a device, or a folder by half")
    if folder and entry.size:
        raise BadArchive(f"the member {label} is a folder with bytes")


def _named(raw: bytes) -> str:
    return shown(raw.decode("utf-8", "backslashreplace"))


def _exactly(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    found = file.read(length)
    if len(found) != length:
        raise BadArchive("it is cut off")
    return found
