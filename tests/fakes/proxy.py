"""A real HTTP proxy on 127.0.0.1, leading any name to a server of the tests."""

import contextlib
import http.client
import select
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Self
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """``leads``: host -> port on 127.0.0.1; ``log``: method, target, headers (lower-case) of each request."""

    leads: dict[str, int] = field(default_factory=dict)
    log: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    refuse: int | None = None
    port: int = 0

    def __enter__(self) -> Self:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def noted(self) -> bool:
                proxy.log.append(
                    (self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
                )
                if proxy.refuse is not None:
                    self.send_error(proxy.refuse)
                return proxy.refuse is None

            def do_CONNECT(self) -> None:
                host = self.path.rpartition(":")[0].strip("[]")
                if not self.noted():
                    return
                if host not in proxy.leads:
                    self.send_error(502)
                    return
                with socket.create_connection(("127.0.0.1", proxy.leads[host])) as far:
                    self.send_response_only(200)
                    self.end_headers()
                    with contextlib.suppress(OSError):
                        relay(self.connection, far)
                self.close_connection = True

            def do_GET(self) -> None:
                if not self.noted():
                    return
                split = urlsplit(self.path)
                far = http.client.HTTPConnection("127.0.0.1", proxy.leads[split.hostname or ""], timeout=5)
                headers = {k: v for k, v in self.headers.items() if k.lower() != "proxy-authorization"}
                far.request("GET", split.path, headers=headers)
                answer = far.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                far.close()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def relay(near: socket.socket, far: socket.socket) -> None:
    while True:
        for source in select.select([near, far], [], [])[0]:
            data = source.recv(65536)
            if not data:
                return
            (far if source is near else near).sendall(data)
