"""How the outside world misbehaves: each fault takes over one exchange, at the byte level.

No honest answer is made here.
"""

import asyncio
import socket
import struct
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(slots=True)
class Request:
    """One entry of the log; header names are lower-case, ``time`` is time.monotonic()."""

    method: str
    path: str
    headers: dict[str, str]
    time: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Answer:
    """What an honest server would say."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Exchange:
    """A request, its honest answer, and the wire."""

    request: Request
    answer: Answer
    writer: asyncio.StreamWriter
    closed: bool = False

    async def send(self, answer: Answer | None = None, *, length: int | None = None) -> None:
        """Sends an answer whole, or with another Content-Length than the true one."""
        answer = answer or self.answer
        await self.head(answer, len(answer.body) if length is None else length)
        if self.request.method != "HEAD" and answer.status not in {204, 304}:
            whole = memoryview(answer.body)
            for at in range(0, len(whole), 1 << 20):
                await self.write(whole[at : at + (1 << 20)])

    async def head(self, answer: Answer | None = None, length: int | None = None) -> None:
        """The status line and the headers; without a length the end of the connection ends the body."""
        answer = answer or self.answer
        headers = dict(answer.headers)
        if length is not None and answer.status != 304:
            headers.setdefault("Content-Length", str(length))
        elif length is None:
            headers["Connection"], self.closed = "close", True
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await self.write(f"HTTP/1.1 {answer.status} Said\r\n{lines}\r\n".encode())

    async def write(self, data: bytes | memoryview) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        """The connection ends as if all were said (FIN)."""
        self.closed = True

    def reset(self) -> None:
        """The connection is torn down (RST)."""
        self.closed = True
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Fault: TypeAlias = Callable[[Exchange], Awaitable[None]]


async def honest(exchange: Exchange) -> None:
    await exchange.send()


def status(code: int, *, retry_after: str | int | None = None, body: bytes = b"") -> Fault:
    """Answers with a status and nothing to use."""

    async def fault(exchange: Exchange) -> None:
        headers = {"Content-Type": "text/plain"}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        await exchange.send(Answer(code, headers, body))

    return fault


def redirect(to: str, code: int = 302) -> Fault:
    """Sends the client to another address."""

    async def fault(exchange: Exchange) -> None:
        await exchange.send(Answer(code, {"Location": to}))

    return fault


def says(body: bytes, content_type: str = "text/html", code: int = 200, **headers: str) -> Fault:
    """Answers with a body of one's own; header names are given with underscores."""

    async def fault(exchange: Exchange) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await exchange.send(Answer(code, {"Content-Type": content_type} | named, body))

    return fault


def truncate(after: int | None = None, *, rst: bool = False) -> Fault:
    """Promises the whole body, sends ``after`` bytes (half by default) and ends or resets the connection."""

    async def fault(exchange: Exchange) -> None:
        body = exchange.answer.body
        await exchange.head(length=len(body))
        await exchange.write(body[: len(body) // 2 if after is None else after])
        if rst:
            await asyncio.sleep(0.05)  # or the reset overtakes what was sent
            exchange.reset()
        exchange.cut()

    return fault


def drip(size: int = 1, every: float = 0.05) -> Fault:
    """The true body, ``size`` bytes at a time, one piece ``every`` seconds."""

    async def fault(exchange: Exchange) -> None:
        body = exchange.answer.body
        await exchange.head(length=len(body))
        for at in range(0, len(body), size):
            await exchange.write(body[at : at + size])
            await asyncio.sleep(every)

    return fault


def late(seconds: float) -> Fault:
    """The honest answer, after a while."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.send()

    return fault


def times(count: int, fault: "Fault | str") -> Fault:
    """The fault for the first ``count`` requests, then the truth."""
    left = [count]
    chosen = NAMED[fault] if isinstance(fault, str) else fault

    async def counted(exchange: Exchange) -> None:
        left[0] -= 1
        await (chosen if left[0] >= 0 else honest)(exchange)

    return counted


def bomb(megabytes: int = 1024) -> bytes:
    """A gzip stream of zeros, about a thousandth of what it unpacks to (a megabyte for a gigabyte)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(b"")
    first = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the next block knows nothing of what was before, so its bytes can be repeated.
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + first + block * (megabytes - 1) + packer.flush()


async def _bomb(exchange: Exchange) -> None:
    kind = exchange.answer.headers.get("Content-Type", "text/html")
    await exchange.send(Answer(200, {"Content-Type": kind, "Content-Encoding": "gzip"}, bomb()))


async def _hang(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def _hang_head(exchange: Exchange) -> None:
    await exchange.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await _hang(exchange)


async def _hang_body(exchange: Exchange) -> None:
    body = exchange.answer.body
    await exchange.head(length=len(body))
    await exchange.write(body[: len(body) // 2])
    await _hang(exchange)


async def _endless(exchange: Exchange) -> None:
    await exchange.head(Answer(200, {"Content-Type": "application/vnd.pypi.simple.v1+json"}))
    await exchange.write(b'{"meta":{"api-version":"1.0"},"name":"endless","files":[')
    piece = b'{"filename":"endless-1.0-py3-none-any.whl","url":"x","hashes":{}},' * 1000
    while True:
        await exchange.write(piece)


async def _short_length(exchange: Exchange) -> None:
    await exchange.send(length=max(0, len(exchange.answer.body) - 10))
    exchange.cut()


async def _huge_header(exchange: Exchange) -> None:
    await exchange.write(b"HTTP/1.1 200 OK\r\nX-Much: " + b"m" * 300_000 + b"\r\n\r\n")
    exchange.cut()


async def _endless_headers(exchange: Exchange) -> None:
    await exchange.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        await exchange.write(b"X-More: and more\r\n" * 100)


async def _redirect_loop(exchange: Exchange) -> None:
    await exchange.send(Answer(302, {"Location": exchange.request.path}))


async def _not_http(exchange: Exchange) -> None:
    await exchange.write(b"220 mail.upstream.example ESMTP\r\n")
    exchange.cut()


NAMED: dict[str, Fault] = {
    "honest": honest,
    "truncate": truncate(),  # half the body under the full Content-Length, then the end
    "reset": truncate(rst=True),  # the same, with a reset
    "refuse": truncate(0, rst=True),  # headers only, then a reset
    "drip": drip(),  # a byte every 50 ms
    "hang": _hang,  # before the headers
    "hang-head": _hang_head,
    "hang-body": _hang_body,
    "endless": _endless,  # a page without end
    "endless-headers": _endless_headers,
    "huge-header": _huge_header,
    "bomb": _bomb,  # 1 MB of gzip, 1 GB unpacked
    "short-length": _short_length,  # Content-Length ten bytes less than the body
    "junk": says(bytes(range(256)) * 8),
    "not-http": _not_http,
    "portal": says(
        b"<!DOCTYPE html><html><body><h1>Log in</h1><a href='/login'>Hotel guests</a></body></html>"
    ),
    "redirect-loop": _redirect_loop,
    "gone": status(410),
    "forbidden": status(403),
    "unauthorized": status(401),
    "limit": status(429, retry_after=1),
    "error": status(500),
    "down": status(503),
}
