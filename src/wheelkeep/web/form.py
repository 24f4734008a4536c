"""Reads an upload's form (multipart/form-data, RFC 7578) as a stream: fields into memory, the file to who takes it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from wheelkeep.core.attestations import LARGEST as LARGEST_ATTESTATIONS
from wheelkeep.core.upload_rules import FIELDS

FILE_FIELD = "content"
_MOST_PARTS = 10_000
"""Each requirement and classifier is a field of its own, and some projects have thousands."""
_LARGEST_FIELD = 1_000_000
_LARGEST_DESCRIPTION = 10_000_000
_LARGEST_TEXT = 32_000_000
"""Bytes of all fields together; those that decide nothing are counted and dropped."""
_LARGEST_HEADER = 4096
_PLAIN_CODINGS = ("7bit", "8bit", "binary")
# Exactly one spelling: what readers of a form could understand differently is no file name (RFC 7578 4.2).
_FILE = re.compile(
    r'form-data; *name=(?:"content"|content); *filename=(?:"([^"\\]*)"|([!#$%&\'*+.^_`|~0-9A-Za-z-]+))',
    re.IGNORECASE,
)


class FormError(Exception):
    """The form cannot be read; its text is a sentence for the client."""


class FormTooLargeError(Exception):
    """A field, or all of them, are larger than any upload needs; its text is a sentence for the client."""


class Taker(Protocol):
    """Whoever takes the file's bytes."""

    async def push(self, piece: bytes) -> None: ...


class Form:
    """What was read so far."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}
        """Only those that decide something."""
        self.filename: str | None = None
        """Of the file; None until its part begins."""


async def read_form(
    content_type: str | None,
    chunks: AsyncIterator[bytes],
    begin: Callable[[Form], Awaitable[Taker]],
) -> Form:
    """Reads the whole form. ``begin`` is called with what is known when the file's part begins, and takes its bytes.

    Raises FormError, FormTooLargeError, and what ``chunks``, ``begin`` and the taker raise.
    """
    reading = _Reading(begin)
    try:
        with _parser(content_type) as parser:
            # The parser passes over what stands before the first boundary, or does not, by where a piece ends.
            first, start = b"\r\n--" + parser.boundary, b""
            async for chunk in chunks:
                start = (start + chunk)[: len(first)] if len(start) < len(first) else start
                if not (
                    first.startswith(start) or start.startswith(first[2:]) or first[2:].startswith(start)
                ):
                    raise FormError("the form cannot be read: it does not begin with its boundary")
                for event in parser.parse(chunk):
                    await reading.event(event)
    except ParserLimitReached as error:
        raise FormTooLargeError(f"the form is larger than any upload needs: {error}") from None
    except MultipartError as error:
        raise FormError(f"the form cannot be read: {error}") from None
    return reading.form


def _parser(content_type: str | None) -> PushMultipartParser:
    kind, options = parse_options_header(content_type or "")
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise FormError("an upload is a form of the type multipart/form-data, with a boundary")
    return PushMultipartParser(
        options["boundary"], max_header_size=_LARGEST_HEADER, max_segment_count=_MOST_PARTS
    )


class _Reading:
    """The part that is being read, and what is done with its bytes."""

    def __init__(self, begin: Callable[[Form], Awaitable[Taker]]) -> None:
        self.form = Form()
        self._begin = begin
        self._taker: Taker | None = None
        self._in_file = False
        self._field = ""
        self._value = bytearray()
        self._size = 0
        self._text = 0

    async def event(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if event is None:
            self._ends()
        elif isinstance(event, MultipartSegment):
            await self._begins(event)
        elif self._in_file:
            assert self._taker is not None
            await self._taker.push(bytes(event))
        else:
            self._more(event)

    async def _begins(self, segment: MultipartSegment) -> None:
        headers = [name for name, _ in segment.headerlist]
        if headers.count("Content-Disposition") != 1:
            raise FormError("a part of the form has more than one Content-Disposition")
        if any(not (name + value).isprintable() for name, value in segment.headerlist):
            # A line end by half is one to some readers, and to the parser here only where a piece ends behind it.
            raise FormError("a part of the form has a header that cannot be printed")
        coding = segment.header("Content-Transfer-Encoding", "binary")
        if coding.strip().lower() not in _PLAIN_CODINGS:
            raise FormError("a part of the form has a Content-Transfer-Encoding (RFC 7578 4.7)")
        self._field, self._size = segment.name or "", 0
        self._value.clear()
        self._in_file = self._field == FILE_FIELD
        if not self._in_file:
            return
        if self.form.filename is not None:
            raise FormError(f"{FILE_FIELD} is given twice: one upload is one file")
        found = _FILE.fullmatch(segment.header("Content-Disposition", "").strip())
        if found is None:
            raise FormError(f"{FILE_FIELD} has no file name, or not in plain ASCII between quotes")
        self.form.filename = found[1] if found[1] is not None else found[2]
        self._taker = await self._begin(self.form)

    def _more(self, piece: bytes | bytearray) -> None:
        self._size += len(piece)
        self._text += len(piece)
        most = _LARGEST_DESCRIPTION if self._field == "description" else _LARGEST_FIELD
        if self._field == "attestations":
            most = LARGEST_ATTESTATIONS
        if self._size > most:
            raise FormTooLargeError(f"the field {self._field[:100]!a} is larger than {most} bytes")
        if self._text > _LARGEST_TEXT:
            raise FormTooLargeError(f"the fields of the form are larger than {_LARGEST_TEXT} bytes together")
        if self._field in FIELDS:
            self._value += piece

    def _ends(self) -> None:
        if self._in_file or self._field not in FIELDS:
            return
        try:
            self.form.fields.setdefault(self._field, []).append(self._value.decode())
        except UnicodeDecodeError:
            raise FormError(f"the field {self._field} is not UTF-8") from None
