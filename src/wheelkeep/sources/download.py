"""A file on its way in: read in big pieces, taken up again where it broke off.

Whether it is the right file is checked elsewhere, by its hash.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.sources.limits import Limits
from wheelkeep.sources.trouble import BUSY, Trouble, busy, shown, spoken
from wheelkeep.sources.wire import aiohttp

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", re.ASCII)


class Span(Struct, frozen=True):
    """Which bytes are asked for: from ``start`` to ``end`` inclusive, None for the end of the file.

    A negative start stands for the last so many bytes, and has no end.
    """

    start: int = 0
    end: int | None = None

    @property
    def header(self) -> str | None:
        """The value of Range (RFC 9110, section 14.2); None for the whole file."""
        if self.start == 0 and self.end is None:
            return None
        if self.start < 0:
            return f"bytes={self.start}"
        return f"bytes={self.start}-{'' if self.end is None else self.end}"

    def is_met(self, first: int, last: int, total: int | None) -> bool:
        """Whether a part of a file of ``total`` bytes is the one asked for, or what there is of it."""
        if self.start < 0:
            return total is not None and last == total - 1 and first == max(0, total + self.start)
        return first == self.start and (self.end is None or last <= self.end)


Begin: TypeAlias = Callable[[Span, str | None], Awaitable[aiohttp.ClientResponse]]
"""Asks for a span, under a condition (If-Range); raises Trouble or Unanswered."""


class Stream:
    """One file, or a part of one.

    ``status`` is 200 for the whole file, also where a part was asked for, or 206. ``length`` is how many
    bytes ``chunks`` gives and ``total`` how many the file has, in bytes, None where the other side does not
    tell. The bytes come as they were sent: a Content-Encoding is a label here, as some servers put on every
    ``.gz``.
    """

    def __init__(self, url: str, span: Span, begin: Begin, limits: Limits) -> None:
        self.status = 0
        self.length: int | None = None
        self.total: int | None = None
        self._url, self._span, self._begin, self._limits = url, span, begin, limits
        self._response: aiohttp.ClientResponse | None = None
        self._etag: str | None = None
        self._base = 0  # of the first byte that is given, in the file
        self._last: int | None = None  # and of the last, where it is a part
        self._given = self._came = self._skip = self._resumes = 0
        self._waited = 0.0

    async def open(self) -> None:
        """Asks for the file. Raises FileMissing for a 404, Unanswered for all that is not the file."""
        response = self._response = await self._begin(self._span, None)
        self.status = response.status
        self._etag = _strong(response.headers.get("ETag"))
        told = _number(response.headers.get("Content-Length"))
        if response.status == 200:
            self.length = self.total = told
        elif response.status == 206 and self._span.header is not None:
            first, last, self.total = self._range(response)
            self.length = last - first + 1
            if not self._span.is_met(first, last, self.total) or told not in {None, self.length}:
                raise Unanswered(f"{shown(self._url)}: another part of the file came than was asked for")
            self._base, self._last = first, last
        elif response.status == 404:
            raise FileMissing(f"{shown(self._url)}: HTTP 404")
        elif response.status in BUSY:
            raise busy(self._url, response.status, response.headers)
        else:
            raise Unanswered(f"{shown(self._url)}: HTTP {response.status}")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, in pieces of up to some hundred kilobytes; to be read once.

        Raises Unanswered when they stop, come too slowly, or break off too often; what was given before is
        then no whole file. Ends only at the true end.
        """
        while True:
            try:
                piece = await self._read()
            except Trouble as trouble:
                await self._resume(trouble)
                continue
            if not piece:
                return
            if piece := self._fresh(piece):
                yield piece

    def close(self) -> None:
        """Lets go of the connection, for others to use where the answer was read to its end."""
        if self._response is not None:
            let_go(self._response)
            self._response = None

    async def _read(self) -> bytes:
        """The next piece, empty at the end; raises Trouble where it breaks off before."""
        if self._response is None:
            raise Unanswered(f"{shown(self._url)}: the download was closed")
        if self.length is not None and self._given == self.length:
            return b""
        clock = asyncio.get_running_loop().time
        began = clock()
        with spoken(self._url):
            piece = await self._response.content.readany()
        self._waited += clock() - began
        self._came += len(piece)
        if self._waited > self._limits.slow_after and self._came < self._limits.slowest * self._waited:
            raise Unanswered(f"{shown(self._url)}: the file comes too slowly")
        if not piece and self.length is not None:
            raise Trouble(f"{shown(self._url)}: the file broke off", again=True)
        return piece

    def _fresh(self, piece: bytes) -> bytes:
        """The part of a piece that was not given before, and is not beyond what was asked for."""
        if self._skip:
            skipped = min(self._skip, len(piece))
            self._skip -= skipped
            piece = piece[skipped:]
        if self.length is not None and len(piece) > self.length - self._given:
            piece = piece[: self.length - self._given]
        self._given += len(piece)
        return piece

    async def _resume(self, trouble: Trouble) -> None:
        """Takes the file up where it broke off; raises Unanswered where that is no use."""
        while True:
            if not trouble.again or self._resumes >= self._limits.resumes:
                raise trouble.final() from None
            self.close()
            self._resumes += 1
            await asyncio.sleep(self._limits.pause * random.uniform(0.5, 1))  # noqa: S311 (jitter, no secret)
            at = self._base + self._given
            try:
                self._continue(await self._begin(Span(at, self._last), self._etag), at)
            except Trouble as another:
                trouble = another
                continue
            return

    def _continue(self, response: aiohttp.ClientResponse, at: int) -> None:
        self._response = response
        etag = _strong(response.headers.get("ETag"))
        if response.status in BUSY:
            raise busy(self._url, response.status, response.headers)
        if self._etag is not None and etag is not None and etag != self._etag:
            raise Unanswered(f"{shown(self._url)}: the file changed while it was read")
        if response.status == 200:
            # It does not do ranges: what was given already comes again, and the check of the whole file is
            # the guard.
            self._skip = at
        elif response.status == 206:
            first, _, total = self._range(response)
            if first != at or (self.total is not None and total is not None and total != self.total):
                raise Unanswered(f"{shown(self._url)}: another part of the file came than was asked for")
            self._skip = 0
        else:
            raise Unanswered(f"{shown(self._url)}: the file broke off, and then HTTP {response.status}")

    def _range(self, response: aiohttp.ClientResponse) -> tuple[int, int, int | None]:
        """First and last byte and the file's size, as Content-Range tells them (RFC 9110, section 14.4)."""
        told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if told is None or int(told[2]) < int(told[1]):
            raise Unanswered(f"{shown(self._url)}: a part of the file came that does not say which")
        return int(told[1]), int(told[2]), None if told[3] == "*" else int(told[3])


def let_go(response: aiohttp.ClientResponse) -> None:
    """Returns a connection for further use if its answer was read to the end, and closes it if not."""
    if response.content.is_eof():
        response.release()
    else:
        response.close()


def _strong(etag: str | None) -> str | None:
    """Only a strong validator may stand in If-Range (RFC 9110, section 13.1.5)."""
    return etag if etag is not None and re.fullmatch(r'"[\x21\x23-\x7e]{0,200}"', etag) else None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None
