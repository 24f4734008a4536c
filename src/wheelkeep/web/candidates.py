"""The candidates of an index as a Simple API on the loopback, for one resolver of one command, as long as it runs.

    http://127.0.0.1:PORT/SECRET/simple/{project}/                       the page (PEP 691)
    http://127.0.0.1:PORT/SECRET/files/{project}/{filename}.metadata     core metadata (PEP 658)

Files themselves are answered with 403. Who does not know the secret is answered with 404, whatever is asked for.
"""

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as TooLate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName, Unanswered
from wheelkeep.core.write_json import write_json
from wheelkeep.index.candidates import Candidates
from wheelkeep.logs import get_logger

log = get_logger(__name__)
_SIMPLE = "application/vnd.pypi.simple.v1+json"
_PLAIN = "text/plain; charset=utf-8"
_LIMIT = 50.0
"""Seconds that one answer may take."""
_AWAY = 424
"""What a resolver ends with at once: 404 would be an absence, and 5xx it would try again for a minute."""
Reply = tuple[int, str, bytes]


class CandidateServer:
    """A context manager; ``url`` is the index address for the resolver. To be entered within the keep's event loop."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._secret = secrets.token_urlsafe(24)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self._secret}/simple/"

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._server = _Server(("127.0.0.1", 0), _handler(self._ask))
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="candidates", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def _ask(self, path: str) -> Reply:
        """From a thread of the server: the answer, worked out in the keep's own loop."""
        parts = unquote(path.partition("?")[0]).split("/")[1:]
        if not secrets.compare_digest(parts[0].encode(), self._secret.encode()):
            return 404, _PLAIN, b"nothing is here\n"
        assert self._loop is not None
        try:
            return asyncio.run_coroutine_threadsafe(self._answer(parts[1:]), self._loop).result(_LIMIT)
        except CancelledError:
            return _AWAY, _PLAIN, b"the command is over\n"  # and so is the resolver that asked
        except TooLate:
            return _AWAY, _PLAIN, b"it takes too long\n"
        except Exception:
            log.exception("candidates_failed", path="/".join(parts[1:]))
            return _AWAY, _PLAIN, b"the log says why\n"

    async def _answer(self, parts: list[str]) -> Reply:
        try:
            match parts:
                case ["simple", text, ""]:
                    page = await self._candidates.page(names.project(text))
                    return (
                        (200, _SIMPLE, write_json(page))
                        if page is not None
                        else (404, _PLAIN, b"no such name\n")
                    )
                case ["files", text, filename] if filename.endswith(".metadata"):
                    wanted = filename.removesuffix(".metadata")
                    body = await self._candidates.metadata(names.project(text), wanted)
                    return (200, _PLAIN, body) if body is not None else (404, _PLAIN, b"no such file\n")
                case ["files", _, _]:
                    return 403, _PLAIN, b"files are not served here\n"
        except InvalidName as error:
            return 404, _PLAIN, f"{error}\n".encode()
        except Unanswered as error:
            return _AWAY, _PLAIN, f"{error.reason}\n".encode()
        return 404, _PLAIN, b"nothing is at this address\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A resolver that has what it wants goes away in the middle of an answer."""


def _handler(ask: Callable[[str], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(body=True)

        def do_HEAD(self) -> None:
            self._send(body=False)

        def _send(self, *, body: bool) -> None:
            status, kind, content = ask(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The command's own words are for people; these lines would come between."""

    return Handler
