"""Ends, good and bad: downloads under way, processes that are killed, many clients of one file, and several workers."""

import contextlib
import hashlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fakes.ask import JSON, Reply
from fakes.dists import wheel
from fakes.faults import drip
from fakes.outside import Outside
from fakes.server import PATIENCE, Server

NOISE = hashlib.shake_256(b"noise").digest(2_000_000)
FILENAME, CONTENT = wheel("slow", "1.0", files={"noise.bin": NOISE})
SHA256 = hashlib.sha256(CONTENT).hexdigest()
AT = f"/main/files/slow/{SHA256}/{FILENAME}"
CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
"""


@pytest.fixture
def outside() -> Iterator[Outside]:
    """An index whose one file takes about two seconds."""
    with Outside() as outside:
        outside.add(FILENAME, CONTENT)
        outside.add(*wheel("quick", "1.0"))
        outside.faults["/files/slow/"] = drip(size=100_000, every=0.1)
        yield outside


def fetches(outside: Outside) -> int:
    return len(outside.asked("/files/slow/"))


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it did not come to be so"
        time.sleep(0.02)


def begin(pool: ThreadPoolExecutor, server: Server, outside: Outside) -> Future[Reply]:
    """A client that is being served while the file is on its way."""
    asked = fetches(outside)
    reply = pool.submit(server.get, AT)
    until(lambda: fetches(outside) > asked)
    time.sleep(0.5)
    assert not reply.done()
    return reply


def whole(server: Server) -> bool:
    """Whether everything that counts as stored is what its name says."""
    return all(hashlib.sha256(path.read_bytes()).hexdigest() == name for name, path in server.blobs().items())


def test_a_download_under_way_is_finished_before_the_end(outside: Outside, tmp_path: Path) -> None:
    with Server(tmp_path, CONFIG.format(url=outside.url)) as server, ThreadPoolExecutor() as pool:
        reply = begin(pool, server, outside)
        server.terminate()
        server.wait()
        assert (reply.result().whole, reply.result().body) == (True, CONTENT)
        assert set(server.blobs()) == {SHA256}
        outside.stop()
        server.start()
        assert server.get(AT).body == CONTENT


def test_what_a_kill_leaves_is_whole_or_nothing(outside: Outside, tmp_path: Path) -> None:
    with Server(tmp_path, CONFIG.format(url=outside.url)) as server, ThreadPoolExecutor() as pool:
        assert server.get("/main/files/quick/-/quick-1.0-py3-none-any.whl").status == 200
        for _ in range(2):
            reply = begin(pool, server, outside)
            server.kill()
            assert reply.exception() is not None or not reply.result().whole
            assert whole(server)
            assert SHA256 not in server.blobs()
            server.start()
        # Nothing of the attempts is left over, what was served before is still here, and the file can be had.
        assert not list((server.data / "tmp").glob("*.part"))
        assert server.get("/main/files/quick/-/quick-1.0-py3-none-any.whl").status == 200
        assert server.get(AT).body == CONTENT
        assert whole(server)
        assert not list((server.data / "tmp").glob("*.part"))


def test_many_clients_make_one_download(outside: Outside, tmp_path: Path) -> None:
    with Server(tmp_path, CONFIG.format(url=outside.url)) as server:
        ready = threading.Barrier(16)

        def client(which: int) -> bytes:
            ready.wait(PATIENCE)
            if which % 4 == 3:
                return server.get(AT, Range="bytes=1000-").body
            return server.get(AT).body[1000:]

        with ThreadPoolExecutor(16) as pool:
            came = list(pool.map(client, range(16)))
        assert all(body == CONTENT[1000:] for body in came)
        assert fetches(outside) == len(outside.asked("/simple/slow/")) == 1
        assert whole(server)


def test_several_workers_make_one_download(outside: Outside, tmp_path: Path) -> None:
    config = CONFIG.format(url=outside.url)
    with Server(tmp_path, config, options=("--workers", "2")) as server:
        ends = to_each_worker(server, 2)
        try:
            with ThreadPoolExecutor(2) as pool:
                came = list(pool.map(lambda end: asked(end, AT), ends))
            assert came == [CONTENT, CONTENT]
            assert fetches(outside) == 1
            assert whole(server)
            # Each goes on by itself, from what both have.
            outside.stop()
            for end in ends:
                assert asked(end, AT) == CONTENT
                assert b"slow-1.0" in asked(end, "/main/simple/slow/")
        finally:
            for end in ends:
                end.close()


def to_each_worker(server: Server, count: int) -> list[http.client.HTTPConnection]:
    """A connection to every worker process; a process's requests have names that begin alike."""
    split = urlsplit(server.url)
    found: dict[str, http.client.HTTPConnection] = {}
    end = time.monotonic() + PATIENCE
    spare = []
    while len(found) < count:
        assert time.monotonic() < end, "not every worker answers"
        connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=PATIENCE)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        worker = (answer.getheader("x-request-id") or "").partition("-")[0]
        spare.append(connection) if worker in found else found.setdefault(worker, connection)
    for connection in spare:
        connection.close()
    return list(found.values())


def asked(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()


def test_a_client_that_leaves_takes_the_file_from_nobody(outside: Outside, tmp_path: Path) -> None:
    with Server(tmp_path, CONFIG.format(url=outside.url)) as server:
        split = urlsplit(server.url)
        for leaves_after in (1, 200_000):
            with socket.create_connection((split.hostname, split.port), timeout=PATIENCE) as wire:
                wire.sendall(f"GET {AT} HTTP/1.1\r\nHost: keep\r\n\r\n".encode())
                came = 0
                while came < leaves_after:
                    came += len(wire.recv(65536))
        until(lambda: SHA256 in server.blobs())
        assert fetches(outside) == 1
        outside.stop()
        assert server.get(AT).body == CONTENT


def test_a_slow_client_does_not_keep_others_waiting(outside: Outside, tmp_path: Path) -> None:
    """Neither of the download that it is one of, nor of anything else."""
    outside.faults.clear()
    with Server(tmp_path, CONFIG.format(url=outside.url)) as server:
        split = urlsplit(server.url)
        lazy = [http.client.HTTPConnection(split.hostname or "", split.port) for _ in range(8)]
        try:
            for connection in lazy:
                connection.request("GET", AT)
            assert server.get(AT).body == CONTENT
            assert server.get("/main/simple/quick/", Accept=JSON).status == 200
        finally:
            for connection in lazy:
                connection.close()
        assert fetches(outside) == 1


def test_a_keep_on_a_full_or_closed_disk_still_gives_what_it_has(outside: Outside, tmp_path: Path) -> None:
    """Writes stop, reads do not."""
    outside.faults.clear()
    with Server(tmp_path, CONFIG.format(url=outside.url)) as server:
        assert server.get("/main/simple/quick/").status == 200
        assert server.get("/main/files/quick/-/quick-1.0-py3-none-any.whl").status == 200
        # A folder that cannot be written to, also for root, who may write everywhere.
        tmp = server.data / "tmp"
        tmp.rename(server.data / "away")
        tmp.write_text("")
        try:
            reply = server.get(AT)
            assert (reply.status, reply.whole, reply.body) == (200, True, CONTENT)
            # A server may ignore that a range is asked for, and of what is not stored there is none.
            reply = server.get(AT, Range="bytes=0-99")
            assert (reply.status, reply.body) == (200, CONTENT)
            assert SHA256 not in server.blobs()
            assert server.get("/main/files/quick/-/quick-1.0-py3-none-any.whl").status == 200
        finally:
            tmp.unlink()
            (server.data / "away").rename(tmp)
        assert server.get(AT).body == CONTENT


@pytest.mark.parametrize("workers", [1, 2])
def test_the_next_start_finds_no_worker_of_one_that_was_killed(workers: int, tmp_path: Path) -> None:
    config = '[sources.own]\nkind = "hosted"\n[indexes.main]\nsources = ["own"]\n'
    server = Server(tmp_path, config, options=("--workers", str(workers))).start()
    split = urlsplit(server.url)
    with socket.create_connection((split.hostname, split.port), timeout=PATIENCE) as kept:
        server.behead()
        # Whoever held it is gone, or never took it up.
        with contextlib.suppress(ConnectionResetError):
            assert kept.recv(1) == b""
    with server:
        assert server.get("/healthz").status == 200
