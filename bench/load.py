"""How load is made and timed: wrk for what is warm, plain clients with a clock for what is cold."""

import http.client
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

SUMMARY = re.compile(r"^SUMMARY (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
PIECE = 256 * 1024


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


def download(url: str, size: int) -> Cold:
    parts = urlsplit(url)
    buffer = bytearray(PIECE)
    start = time.perf_counter()
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    connection.request("GET", parts.path)
    response = connection.getresponse()
    got = len(response.read(1))
    first = time.perf_counter() - start
    while count := response.readinto(buffer):
        got += count
    total = time.perf_counter() - start
    connection.close()
    if response.status != 200 or got != size:
        raise SystemExit(f"bench: {url} answered {response.status} with {got} of {size} bytes")
    return Cold(first, total)


def together(url: str, size: int, clients: int) -> float:
    """Seconds until the last of several clients, who start at once, has the whole file."""
    barrier = threading.Barrier(clients + 1)
    done: list[Cold] = []

    def one() -> None:
        barrier.wait()
        done.append(download(url, size))

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
