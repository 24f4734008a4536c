"""A request's body as it comes: counted, bounded in size and in patience, and read to its end after a refusal."""

import asyncio
from collections.abc import AsyncIterator

from wheelkeep.web.respond import Request

PATIENCE = 60.0
"""Seconds without a single byte after which a client is given up."""
PATIENCE_ANSWERED = 5.0
"""The same once the client has its answer: so long may one that sends nothing more hold up the server."""
SLOW_AFTER = 30.0
"""Seconds of waiting for a client from which on it counts as slow ..."""
SLOWEST = 1024
"""... where fewer bytes a second came on average."""
_MOST_DRAINED = 2 * 1024**3
"""Bytes that are read after the answer, so that a client that reads only then finds it."""


class BodyTooLargeError(Exception):
    """More came, or was announced, than is taken."""


class BodyBrokenOffError(Exception):
    """The client went away before the body's end, or sent nothing, or next to nothing, for too long."""


class Body:
    """One request's body; ``most``: bytes that are taken."""

    def __init__(self, request: Request, *, most: int) -> None:
        self._receive = request.receive
        self._most = most
        stated = request.header(b"content-length")
        self._stated = int(stated) if stated is not None and stated.isascii() and stated.isdigit() else None
        self._waits = (request.header(b"expect") or "").lower() == "100-continue"
        self._came = 0
        self._waited = 0.0
        self._begun = self._ended = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, to the end. Raises BodyTooLargeError, BodyBrokenOffError."""
        if self._stated is not None and self._stated > self._most:
            raise BodyTooLargeError
        while not self._ended:
            piece = await self._next()
            if self._came > self._most:
                raise BodyTooLargeError
            if piece:
                yield piece

    async def drain(self) -> None:
        """Reads what is left, to nowhere and not for ever, while the client already has its answer.

        Closing instead would reset the connection under a client that is still sending, and its answer would be
        lost (RFC 9112 9.6). A client that waits for leave to send (RFC 9110 10.1.1) has sent nothing.
        """
        if self._waits and not self._begun:
            return
        limit = self._came + _MOST_DRAINED
        try:
            while not self._ended and self._came != self._stated and self._came < limit:
                await self._next(PATIENCE_ANSWERED)
        except BodyBrokenOffError:
            return

    async def _next(self, patience: float | None = None) -> bytes:
        self._begun = True
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(PATIENCE if patience is None else patience):
                message = await self._receive()
        except TimeoutError:
            self._ended = True
            raise BodyBrokenOffError from None
        self._waited += clock() - began
        if message["type"] != "http.request":
            self._ended = True
            raise BodyBrokenOffError
        piece: bytes = message.get("body", b"")
        self._came += len(piece)
        self._ended = not message.get("more_body", False)
        if not self._ended and self._waited > SLOW_AFTER and self._came < SLOWEST * self._waited:
            self._ended = True
            raise BodyBrokenOffError
        return piece
