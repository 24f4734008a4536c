"""The servers that are compared, as processes: started here, and ended here by their own ids."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

NGINX = """
worker_processes 1;
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    types {{ application/vnd.pypi.simple.v1+json json; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nodelay on;
    keepalive_requests 100000000;
    log_format asked '$request_method $uri $status';
    server {{
        listen 127.0.0.1:{origin_port};
        root {folder}/origin;
        access_log {folder}/asked.log asked;
        location /simple/ {{ index index.json; }}
    }}
    server {{
        listen 127.0.0.1:{static_port};
        root {folder}/static;
        access_log off;
        gzip_static on;
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A process that is waited for, and ended when the block is left."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def ready(self) -> bool:
        raise NotImplementedError

    def resident_mb(self) -> float:
        """Resident memory of the process and all that it started."""
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
        )
        rows = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        family = {self.process.pid}
        while more := {pid for pid, parent, _ in rows if parent in family and pid not in family}:
            family |= more
        return sum(rss for pid, _, rss in rows if pid in family) * 1024 / 1_000_000

    def __enter__(self) -> Self:
        end = time.monotonic() + 60
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self._end()
                raise SystemExit(
                    f"bench: {type(self).__name__} did not start:\n{self.log.read_text()[-2000:]}"
                )
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Nginx(Server):
    """One worker for two sites: the origin, which notes what it is asked, and the static copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("static", "temp"):
            (folder / name).mkdir()
        self.origin_port, self.static_port = free_port(), free_port()
        # Root would hand the work to a user who may not read the folder.
        user = "user root root;" if os.geteuid() == 0 else ""
        text = NGINX.format(
            folder=folder, user=user, origin_port=self.origin_port, static_port=self.static_port
        )
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        super().__init__(
            ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")],
            folder / "nginx.log",
        )
        self.url = f"http://127.0.0.1:{self.origin_port}"
        self.static = f"http://127.0.0.1:{self.static_port}"

    def ready(self) -> bool:
        return all(answers(port) for port in (self.origin_port, self.static_port))

    def times_asked(self, filename: str) -> int:
        """How many requests for the file the origin had."""
        return asked(self.folder / "asked.log", filename)


class Line(Server):
    """The same kind of origin behind a line; see line.py."""

    def __init__(self, folder: Path, megabytes_a_second: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        script = str(Path(__file__).with_name("line.py"))
        command = [sys.executable, script, str(folder / "line"), str(self.port), str(megabytes_a_second)]
        super().__init__(command, folder / "line.log")

    def ready(self) -> bool:
        return answers(self.port)

    def times_asked(self, filename: str) -> int:
        return asked(self.log, filename)


class Keep(Server):
    """wheelkeep, as anybody would start it."""

    def __init__(self, folder: Path, config: Path, command: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            [command, "-c", str(config), "serve", "--listen", f"127.0.0.1:{port}"], folder / "keep.log"
        )

    def ready(self) -> bool:
        return f"wheelkeep: ready on {self.url}" in self.log.read_text(encoding="utf-8", errors="replace")


def asked(log: Path, filename: str) -> int:
    """How many lines of a log are a GET of the file; both origins write theirs without delay."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return sum(line.startswith("GET ") and f"/{filename} " in line for line in lines)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
