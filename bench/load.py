"""How load is made and timed: wrk for what is warm, plain clients with a clock for what is cold."""

import http.client
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

SUMMARY = re.compile(r"^SUMMARY (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
PIECE = 256 * 1024
DROP = socket.MSG_TRUNC if sys.platform == "linux" else 0  # elsewhere the flag means another thing


class Rate(NamedTuple):
    """What wrk saw in one run."""

    requests: float
    """A second."""
    megabytes: float
    """A second."""


def wrk(url: str, seconds: int, headers: dict[str, str]) -> Rate:
    command = [
        "wrk",
        "-t1",
        "-c16",
        "--timeout",
        "30s",
        f"-d{seconds}s",
        "-s",
        str(Path(__file__).with_name("summary.lua")),
    ]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    command.append(url)
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    found = SUMMARY.search(said)
    if found is None:
        raise SystemExit(f"bench: wrk said no figures for {url}:\n{said}")
    requests, size, microseconds, errors = map(int, found.groups())
    if errors or not size:
        raise SystemExit(f"bench: {errors} of wrk's requests for {url} failed:\n{said}")
    return Rate(requests / microseconds * 1e6, size / microseconds)


class Cold(NamedTuple):
    """One download, from before the connection to the last byte; in seconds."""

    first_byte: float
    total: float


def download(url: str, size: int, *, look: bool = True) -> Cold:
    """Fetches a file; without ``look`` the kernel drops its bytes, where it can, instead of handing them over."""
    parts = urlsplit(url)
    buffer = bytearray(PIECE)
    start = time.perf_counter()
    with socket.create_connection((parts.hostname, parts.port), timeout=120) as connection:
        ask = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        connection.sendall(ask.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(4096)
            if not piece:
                break
            head += piece
        head, _, rest = head.partition(b"\r\n\r\n")
        got = len(rest) or connection.recv_into(buffer, 1)
        first = time.perf_counter() - start
        flags = 0 if look else DROP
        while got < size and (count := connection.recv_into(buffer, PIECE, flags)):
            got += count
    total = time.perf_counter() - start
    told = f"\r\ncontent-length: {size}\r\n".encode()
    if not head.startswith(b"HTTP/1.1 200 ") or told not in head.lower() + b"\r\n" or got != size:
        raise SystemExit(f"bench: {url} answered {head!r} and {got} of {size} bytes")
    return Cold(first, total)


def together(url: str, size: int, clients: int) -> float:
    """Seconds until the last of several clients, who start at once, has the whole file.

    The clients do not look at the bytes: the work of so many would be done on other machines.
    """
    barrier = threading.Barrier(clients + 1)
    done: list[Cold] = []

    def one() -> None:
        barrier.wait()
        done.append(download(url, size, look=False))

    threads = [threading.Thread(target=one) for _ in range(clients)]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    if len(done) != clients:
        raise SystemExit(f"bench: {clients - len(done)} of {clients} clients failed on {url}")
    return time.perf_counter() - start


def body(url: str, headers: dict[str, str]) -> tuple[bytes, str]:
    """The very bytes of an answer, and its Content-Encoding."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request("GET", parts.path, headers=headers)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    if response.status != 200:
        raise SystemExit(f"bench: {url} answered {response.status}: {data[:500]!r}")
    return data, response.headers.get("Content-Encoding", "")


def linked(page: str, url: str) -> str:
    """The address that a page's link means."""
    return urljoin(page, url).partition("#")[0]
