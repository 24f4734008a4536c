"""Requests and responses on the bare ASGI interface (asgi.readthedocs.io): what the hot path can afford."""

import asyncio
import itertools
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.asker import Asker, read_tool
from wheelkeep.core.negotiate import Span
from wheelkeep.logs import get_logger
from wheelkeep.store.blobs import stream

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

log = get_logger(__name__)
_SECRET = re.compile(r"(wks?_)[\w-]+", re.ASCII)
"""Secrets by how they begin: of stages (``web/stage``), and of tokens, which belong in no path but are put there."""
_LONGEST_SHOWN = 2048

SAFE: Headers = ((b"x-content-type-options", b"nosniff"),)
"""On every answer: nothing is guessed to be something that runs."""
SAFE_HTML: Headers = (
    *SAFE,
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
)
"""On every answer that a browser shows: nothing that a package says can run (CSP level 3)."""

_START = os.urandom(4).hex()
_COUNT = itertools.count(1)


def request_id() -> bytes:
    """A name for one request, in its answer and in the log; never taken from the client."""
    return f"{_START}-{next(_COUNT):x}".encode()


def unsecret(text: str) -> str:
    """What a client sent, as the log may have it."""
    return _SECRET.sub(r"\1...", text)


class Request:
    """What handlers look at: method, path, and single headers."""

    __slots__ = ("_headers", "caller", "id", "method", "path", "query", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.id = request_id()
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.caller: str | None = None
        """The name of the token that let it in, where one was asked for."""
        self._headers: dict[bytes, bytes] | None = None

    def header(self, name: bytes) -> str | None:
        """A header by its lower-case name; several of one name joined by commas (RFC 9110 5.3)."""
        if self._headers is None:
            joined: dict[bytes, bytes] = {}
            for key, value in self.scope["headers"]:
                joined[key] = joined[key] + b", " + value if key in joined else value
            self._headers = joined
        value = self._headers.get(name)
        return value.decode("latin-1") if value is not None else None

    @property
    def joined(self) -> bool:
        """The path has an encoded slash, which is a letter of a name and none between two (RFC 3986 2.2)."""
        return b"%2f" in self.scope["raw_path"].lower()

    @property
    def format(self) -> str | None:
        """The value of ``?format=`` (PEP 691), percent-decoded; a literal plus stays a plus."""
        for part in self.query.split(b"&"):
            if part.startswith(b"format="):
                return unquote(part[7:].decode("latin-1"))
        return None

    @property
    def shown(self) -> str:
        """The path as the log may have it: shortened, and without a secret."""
        return unsecret(self.path[:_LONGEST_SHOWN])

    @property
    def asker(self) -> Asker:
        """Who asks, for the book."""
        client = self.scope.get("client")
        return Asker(self.caller, str(client[0]) if client else "", read_tool(self.header(b"user-agent")))

    @property
    def by_pip(self) -> bool:
        return (self.header(b"user-agent") or "").startswith("pip/")


class Response(Struct, frozen=True):
    """An answer whose body is in memory."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    after: Callable[[], Awaitable[None]] | None = None
    """Awaited once it was sent."""


class FileResponse(Struct, frozen=True):
    """An answer from a stored file, whole (zero-copy) or a part of it."""

    status: int
    headers: Headers
    path: Path
    size: int
    span: Span | None = None


class StreamResponse(Struct, frozen=True):
    """An answer whose bytes come while it is sent; ``close`` is awaited whatever happens."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]
    length: int | None
    close: Callable[[], Awaitable[None]]


Answer: TypeAlias = Response | FileResponse | StreamResponse


def private(response: Answer) -> Answer:
    """The same answer, for one caller alone: no cache that several share keeps it (RFC 9111 5.2.2.7).

    ``Vary: Authorization`` would add nothing to that, and pip, which notes in its own cache what the request had in
    each header named there, would write the token to disk.
    """
    told = dict(response.headers).get(b"cache-control", b"")
    if b"no-store" in told:
        return response
    kept = tuple(header for header in response.headers if header[0] != b"cache-control")
    rest = told.removeprefix(b"public, ")
    control = b"private, " + rest if rest else b"private"
    return replace(response, headers=(*kept, (b"cache-control", control)))


class CutOffError(Exception):
    """Raised into the server to cut a connection: a body without a stated length must not look complete."""


async def answer(request: Request, response: Answer, send: Send) -> None:
    """Sends one response; of a HEAD only what stands above the body (RFC 9110 9.3.2)."""
    head = request.method == "HEAD"
    if isinstance(response, Response):
        await _start(request, response.status, response.headers, len(response.body), send)
        await send({"type": "http.response.body", "body": b"" if head else response.body})
        if response.after is not None:
            await response.after()
    elif isinstance(response, FileResponse):
        await _file(request, response, send, head=head)
    else:
        await _stream(request, response, send, head=head)


async def _start(request: Request, status: int, headers: Headers, length: int | None, send: Send) -> None:
    sent = [*headers, (b"x-request-id", request.id)]
    if length is not None and status != 304:
        sent.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": sent})


async def _file(request: Request, response: FileResponse, send: Send, *, head: bool) -> None:
    span = response.span or Span(0, response.size)
    await _start(request, response.status, response.headers, span.end - span.start, send)
    if head or span.end == span.start:
        await send({"type": "http.response.body", "body": b""})
    elif response.span is None:
        await send({"type": "http.response.pathsend", "path": str(response.path)})
    else:
        # The server's zero-copy path knows no ranges.
        await _pieces(request, stream(response.path, span.start, span.end), send)


async def _stream(request: Request, response: StreamResponse, send: Send, *, head: bool) -> None:
    try:
        await _start(request, response.status, response.headers, response.length, send)
        if head:
            await send({"type": "http.response.body", "body": b""})
            return
        await _pieces(request, response.chunks, send)
    finally:
        await response.close()


async def _pieces(request: Request, chunks: AsyncIterator[bytes], send: Send) -> None:
    gone = asyncio.ensure_future(_gone(request.receive))
    try:
        async for piece in chunks:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if gone.done():
                return
    except Exception as error:
        log.warning("answer_cut_off", request=request.id.decode(), path=request.shown, why=str(error))
        raise CutOffError from None
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    """Returns when the client has gone away: sending to it raises nothing."""
    while (await receive())["type"] != "http.disconnect":
        pass
