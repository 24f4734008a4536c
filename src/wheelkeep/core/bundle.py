"""A bundle: what one keep hands to another across an air gap. Its bytes follow from what it says, and are read so.

It is a tar (POSIX.1-2017 ustar) of a signed note, a list of documents as lines of JSON, and the files by their
hashes. The note names the list's hash and size, the list names each file's, so a reader knows every header
before it comes, and takes no other.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from wheelkeep.core.errors import InvalidName, WheelkeepError
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.names import index as index_name
from wheelkeep.core.names import project as project_name
from wheelkeep.core.names import source as source_name
from wheelkeep.core.notes import Note, PublicKey, read_key, read_note
from wheelkeep.core.snapshot import read_snapshot_name

SourceKind = Literal["hosted", "directory", "remote"]
FORMAT = 1
"""Counts up when an older wheelkeep could no longer import what a newer one wrote."""
NOTE, DOCUMENTS, BLOBS = "wheelkeep-bundle/note", "wheelkeep-bundle/documents", "wheelkeep-bundle/files/"
LARGEST_NOTE = 16 * 1024
LARGEST_DOCUMENTS = 4 * 1024**3
LARGEST_LINE = 64 * 1024**2
"""Bytes of one document: a project with all its files."""
LARGEST_FILE = 8 * 1024**3 - 1
"""What the eleven octal digits of a ustar header can tell."""
BLOCK = 512
END = bytes(2 * BLOCK)
_FIRST = "wheelkeep-bundle/1"
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TOLD = re.compile(r"documents ([0-9a-f]{64}) ([1-9][0-9]{0,15})", re.ASCII)
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


class NotABundle(WheelkeepError):
    """What lies there is no bundle, or not the one that was written."""


class Base(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The snapshot that whoever imports is taken to have."""

    name: str
    number: int
    at: str


class Head(Struct, frozen=True, kw_only=True, tag="bundle", tag_field="what", forbid_unknown_fields=True):
    """The first line."""

    format: int
    wheelkeep: str
    """The version that wrote it."""
    made: str
    """RFC 3339, UTC."""
    index: str
    base: Base | None = None
    checkpoint: str
    """The newest of the transparency log of the keep that made it, signed."""


class Was(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a file was until a moment."""

    until: str
    yanked: str | None = None


class State(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a page of the Simple API does not tell of a file."""

    first_seen: str | None = None
    late: bool = False
    absent: str | None = None
    before: tuple[Was, ...] = ()
    gone: bool = False
    left: str | None = None
    unstated: bool = False
    changed: str | None = None
    provenance: str | None = None
    """The document of its attestations (PEP 740)."""
    entry: str | None = None
    """Its entry in the transparency log of the keep that made the bundle."""
    place: int | None = None
    """The entry's index."""
    proof: tuple[str, ...] = ()
    """As of ``log_book.Proof``, up to the head's checkpoint."""


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the ledger about one of the files, as it stands there between two links of the chain."""

    number: int
    at: float
    kind: str
    source: str | None
    project: str | None
    filename: str | None
    detail: str
    before: str
    """The link of the line before it, lower-case hex."""
    link: str


class Document(
    Struct, frozen=True, kw_only=True, tag="project", tag_field="what", forbid_unknown_fields=True
):
    """One project of one source."""

    source: str
    kind: SourceKind
    project: str
    checked: str
    """When the source last said so."""
    page: msgspec.Raw
    """The files as a page of the Simple API (PEP 691), read again as any."""
    states: dict[str, State]
    """By file name, one each."""
    used: tuple[str, ...] = ()
    """File names of a hosted project that are never used again, for their files were removed."""
    blocked: dict[str, str] = {}
    """By name, what the policy there says of files that it does not let in. They are not on the page."""
    lines: tuple[Line, ...] = ()


class Blob(Struct, frozen=True, kw_only=True, tag="file", tag_field="what", forbid_unknown_fields=True):
    """A file whose bytes are in the bundle."""

    sha256: str
    size: int


class End(Struct, frozen=True, kw_only=True, tag="end", tag_field="what", forbid_unknown_fields=True):
    """The last line: what came before it, counted."""

    projects: int
    files: int
    """On all pages."""
    blobs: int
    bytes: int
    """Of the files that are in the bundle."""


class Signed(Struct, frozen=True):
    """What the note says: whose bundle it is, and which."""

    key: PublicKey
    sha256: str
    """Of the documents; it names the bundle."""
    size: int


Told: TypeAlias = Head | Document | Blob | End
_decoder: msgspec.json.Decoder[Told] = msgspec.json.Decoder(Told)
_encoder = msgspec.json.Encoder()


def write_line(line: Told) -> bytes:
    return _encoder.encode(line) + b"\n"


def read_lines(lines: Iterable[bytes]) -> Iterator[Told]:
    """The lines of the documents, in the one order that they may have; raises NotABundle."""
    last: Told | None = None
    projects = blobs = size = 0
    for raw in lines:
        try:
            line = _decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise NotABundle("a line of its documents cannot be read") from None
        if write_line(line) != raw:
            raise NotABundle("a line of its documents is not written as it should be")
        if not _follows(last, line):
            raise NotABundle("the lines of its documents are not in order, or one is there twice")
        if isinstance(line, Head) and line.format != FORMAT:
            raise NotABundle(f"it is of format {line.format}, and this wheelkeep reads {FORMAT}: upgrade it")
        if isinstance(line, Head):
            _check_names(line)
        if isinstance(line, Document):
            projects += 1
        if isinstance(line, Blob):
            if not _HEX.fullmatch(line.sha256) or not 0 <= line.size <= LARGEST_FILE:
                raise NotABundle("a file in its list has no hash or no size that a file can have")
            blobs, size = blobs + 1, size + line.size
        if isinstance(line, End) and (line.projects, line.blobs, line.bytes) != (projects, blobs, size):
            raise NotABundle("its list does not come to what is said at its end")
        yield line
        last = line
    if not isinstance(last, End):
        raise NotABundle("its list has no end")


def _check_names(head: Head) -> None:
    """What the ledger will tell of a bundle is what it seems. Raises NotABundle."""
    try:
        index_name(head.index)
        if head.base is not None:
            read_snapshot_name(head.base.name)
    except (InvalidName, ValueError) as error:
        raise NotABundle(str(error)) from None


def _follows(before: Told | None, line: Told) -> bool:
    if before is None or isinstance(line, Head):
        return before is None and isinstance(line, Head)
    if isinstance(line, End):
        return not isinstance(before, End)
    if isinstance(line, Document):
        if isinstance(before, Document):
            return (before.source, before.project) < (line.source, line.project)
        return isinstance(before, Head)
    if isinstance(before, Blob):
        return before.sha256 < line.sha256
    return isinstance(before, Head | Document)


def names_of(document: Document) -> tuple[SourceName, ProjectName]:
    """The document's source and project, in normal form; raises NotABundle."""
    try:
        source, project = source_name(document.source), project_name(document.project)
    except InvalidName as error:
        raise NotABundle(str(error)) from None
    if project != document.project:
        raise NotABundle(f"the name {project} is not in its normal form")
    return source, project


def note_text(key: PublicKey, sha256: str, size: int) -> str:
    """What is signed. It can be taken for no checkpoint: its first line is the name of no log."""
    return f"{_FIRST}\nkey {key}\ndocuments {sha256} {size}\n"


def read_signed(text: str) -> Signed:
    """Reads the note; its signature is by the key that it names. Raises NotABundle."""
    try:
        note: Note = read_note(text)
        lines = note.text.split("\n")
        if len(lines) != 4 or lines[0] != _FIRST or not lines[1].startswith("key "):
            raise ValueError("its note is of no known form")
        key, told = read_key(lines[1].removeprefix("key ")), _TOLD.fullmatch(lines[2])
        if (
            told is None
            or int(told[2]) > LARGEST_DOCUMENTS
            or note.text != note_text(key, told[1], int(told[2]))
        ):
            raise ValueError("its note is of no known form")
        if note.of(key) is None:
            raise ValueError("its note is not signed by the key that it names")
    except ValueError as error:
        raise NotABundle(str(error)) from None
    return Signed(key, told[1], int(told[2]))


def header(name: str, size: int) -> bytes:
    """The one header that a member of that name and size has (POSIX.1-2017 pax, ustar). Raises ValueError
    where it has no room."""
    if size > LARGEST_FILE:
        raise ValueError(f"{name} has 8 GiB or more, which no bundle can hold")
    fields = (
        name.encode().ljust(100, b"\0"),
        b"0000444\0",
        b"0000000\0",
        b"0000000\0",
        b"%011o\0" % size,
        b"00000000000\0",
        b" " * 8,
        b"0",
        bytes(100),
        b"ustar\x0000",
        bytes(64),
        b"0000000\0",
        b"0000000\0",
        bytes(167),
    )
    block = b"".join(fields)
    assert len(block) == BLOCK
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def note_size(block: bytes) -> int | None:
    """The size of the note whose header this is; None: it is the beginning of no bundle."""
    digits = block[124:135]
    if len(block) != BLOCK or not re.fullmatch(rb"[0-7]{11}", digits):
        return None
    size = int(digits, 8)
    return size if 0 < size <= LARGEST_NOTE and header(NOTE, size) == block else None


def looks_like_one(block: bytes) -> bool:
    """Whether a file that begins so is meant as a bundle, be it a good one or not."""
    return block.startswith(NOTE.encode()) or note_size(block) is not None


def padding(size: int) -> bytes:
    """What fills the last block of a member."""
    return bytes(-size % BLOCK)


def written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_FORM)


def read_moment(text: str) -> datetime:
    """A moment as ``written``; raises NotABundle."""
    try:
        moment = datetime.strptime(text, _FORM).replace(tzinfo=UTC)
    except ValueError:
        raise NotABundle(f"{text[:40]!r} is no moment") from None
    if written(moment) != text:
        raise NotABundle(f"{text[:40]!r} is no moment as it is written here")
    return moment
