"""A receiver of alerts: keeps what it is sent, and answers as it is told to.

with Hook() as hook:
    hook.says = lambda told: 500 if told["id"] == 7 else 204
"""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from fakes.server import PATIENCE


class Hook:
    def __init__(self) -> None:
        self.port = 0
        self.says: Callable[[dict[str, Any]], int] = lambda _: 204
        self.headers: dict[str, str] = {}
        """Of every answer."""
        self.came: list[tuple[str, Message, bytes]] = []
        """Every POST: path, headers, body."""
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/hunter2?of=keep"

    @property
    def told(self) -> list[dict[str, Any]]:
        """The documents that came, each try of them."""
        return [json.loads(body) for _, _, body in list(self.came)]

    def wait(self, count: int) -> list[dict[str, Any]]:
        """The documents, once so many came."""
        until = time.monotonic() + PATIENCE
        while len(self.came) < count:
            assert time.monotonic() < until, f"{len(self.came)} of {count} came"
            time.sleep(0.02)
        return self.told

    def __enter__(self) -> Self:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.came.append((self.path, self.headers, body))
                self.send_response(hook.says(json.loads(body)))
                for name, text in hook.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


def signed(body: bytes, secret: str) -> str:
    """What the header of a body must say."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
