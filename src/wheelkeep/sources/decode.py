"""Unpacking a body as it comes, within bounds (RFC 9110, section 8.4). Nothing is read from the wire here."""

import zlib
from typing import Protocol

from wheelkeep.core.errors import Unanswered

MEGABYTE = 1 << 20
# Pages pack about 5:1, the most repetitive ones 20:1, a bomb 1000:1. The allowance is for small bodies.
RATIO = 25
ALLOWANCE = 4 * MEGABYTE
_MEMBERS = 1024  # of a gzip body: parallel packers make several, one a block
_GZIP, _ZLIB, _RAW = 31, 15, -15


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Decoder:
    """Takes a body piece by piece and gives its content; every method raises Unanswered beyond the bounds.

    ``encoding`` is the value of Content-Encoding; ``packed`` and ``unpacked`` are the most bytes that may
    come in and go out. Never more than the bounds allow is unpacked, however small the piece that asks for
    it.
    """

    def __init__(self, encoding: str, *, packed: int, unpacked: int) -> None:
        self._encoding = encoding.strip().lower() or "identity"
        if self._encoding not in {"identity", "gzip", "x-gzip", "deflate"}:
            raise Unanswered("the answer is packed in a way that was not asked for")
        self._most_in, self._most_out = packed, unpacked
        self._in = self._out = self._members = 0
        self._unpacker: _Unpacker | None = None

    def feed(self, data: bytes) -> bytes:
        """The content of the next piece of the body."""
        self._in += len(data)
        if self._in > self._most_in:
            raise Unanswered(f"the answer is larger than {_megabytes(self._most_in)}")
        if self._encoding == "identity":
            self._count(len(data))
            return data
        try:
            return self._unpack(data)
        except zlib.error:
            raise Unanswered("the answer is not packed as it says") from None

    def finish(self) -> None:
        """Says that the body is over; a packed body that is not is cut short."""
        if self._encoding != "identity" and self._in and (self._unpacker is None or not self._unpacker.eof):
            raise Unanswered("the answer was cut short")

    def _unpack(self, data: bytes) -> bytes:
        pieces = []
        while data:
            if self._unpacker is None or self._unpacker.eof:
                self._unpacker = self._next(data)
            room = min(self._most_out, RATIO * self._in + ALLOWANCE) - self._out
            # One byte more than there is room for, to tell a full body from one that goes on.
            piece = self._unpacker.decompress(data, room + 1)
            self._count(len(piece))
            pieces.append(piece)
            data = self._unpacker.unconsumed_tail or self._unpacker.unused_data
        return b"".join(pieces)

    def _next(self, data: bytes) -> _Unpacker:
        self._members += 1
        if self._members > (_MEMBERS if self._encoding != "deflate" else 1):
            raise Unanswered("the packed answer has too many parts")
        if self._encoding != "deflate":
            return zlib.decompressobj(_GZIP)
        # RFC 9110 means the zlib format; some servers send it without its two bytes of header.
        return zlib.decompressobj(_ZLIB if data[0] & 0x0F == 8 else _RAW)

    def _count(self, size: int) -> None:
        self._out += size
        if self._out > self._most_out:
            raise Unanswered(f"the answer unpacks to more than {_megabytes(self._most_out)}")
        if self._encoding != "identity" and self._out > RATIO * self._in + ALLOWANCE:
            raise Unanswered(f"the answer unpacks to more than {RATIO} times its size")


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.3g} MiB"
