"""What stands between a client's bytes and the front door: the server's own reading of requests."""

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from fakes.odd import PATHS
from fakes.outside import Outside
from fakes.server import PATIENCE, Server


@pytest.fixture(scope="module", params=[1, 2])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Outside() as outside:
        config = (
            f'[sources.outer]\nkind = "remote"\nurl = "{outside.url}"\n[indexes.main]\nsources = ["outer"]\n'
        )
        options = ("--workers", str(request.param))
        with Server(tmp_path_factory.mktemp("keep"), config, options=options) as server:
            yield server


def raw(server: Server, request: bytes) -> bytes:
    """All that comes back for these bytes."""
    split = urlsplit(server.url)
    with socket.create_connection((split.hostname, split.port), timeout=30) as wire:
        wire.sendall(request)
        came = b""
        try:
            while piece := wire.recv(65536):
                came += piece
        except ConnectionResetError:
            pass  # it was refused before it was read to its end
    return came


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_odd_paths(server: Server) -> None:
    for path in PATHS:
        request = f"GET {path} HTTP/1.1\r\nHost: keep\r\nConnection: close\r\n\r\n".encode("latin-1")
        head = raw(server, request).partition(b"\r\n\r\n")[0]
        assert status(head) in {301, 302, 404, 414, 431}, (path[:80], head)
        assert b"\nx-injected" not in head.lower()


def test_an_address_with_another_host_in_it_is_ours(server: Server) -> None:
    request = b"GET http://elsewhere.example/healthz HTTP/1.1\r\nHost: keep\r\nConnection: close\r\n\r\n"
    assert status(raw(server, request)) == 200


POST = b"POST /main/ HTTP/1.1\r\nHost: keep\r\n"
BROKEN = {
    "junk": b"junk\r\n\r\n",
    "version": b"GET / HTTP/9.9\r\nHost: keep\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : keep\r\n\r\n",
    "two lengths": b"GET / HTTP/1.1\r\nHost: keep\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "negative length": b"GET / HTTP/1.1\r\nHost: keep\r\nContent-Length: -1\r\n\r\n",
    "odd coding": POST + b"Transfer-Encoding: gzip, x\r\n\r\n",
    "a zero byte": b"GET / HTTP/1.1\r\nHost: keep\r\nX: a\0b\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: keep\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    "a long header": b"GET / HTTP/1.1\r\nHost: keep\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    "no version": b"GET /healthz\r\nHost: keep\r\n\r\n",
    "two spaces": b"GET  /healthz HTTP/1.1\r\nHost: keep\r\n\r\n",
    "tabs": b"GET\t/healthz\tHTTP/1.1\r\nHost: keep\r\n\r\n",
    "a line that goes on": b"GET /healthz HTTP/1.1\r\nHost: keep\r\nX: a\r\n b\r\n\r\n",
    "a first line that goes on": b"GET /healthz HTTP/1.1\r\n Host: keep\r\n\r\n",
    "a bare carriage return": b"GET /healthz HTTP/1.1\r\nHost: keep\r\nX: a\rY: b\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\nHost: keep\r\n: x\r\n\r\n",
    "a name that is none": b"GET /healthz HTTP/1.1\r\nHost: keep\r\nX\xff: a\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +4\r\n\r\nabcd",
    "a length in another base": POST + b"Content-Length: 0x4\r\n\r\nabcd",
    "a list of lengths": POST + b"Content-Length: 4, 4\r\n\r\nabcd",
    "a length beyond all": POST + b"Content-Length: 9999999999999999999999\r\n\r\n",
    "no coding that ends": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n",
    "a coding hidden by a space": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a coding hidden by a tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a coding on the next line": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a coding of old": b"POST /main/ HTTP/1.0\r\nHost: keep\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: keep\r\n\r\n"


@pytest.mark.parametrize("which", BROKEN)
def test_what_is_no_request_is_refused(server: Server, which: str) -> None:
    answer = raw(server, BROKEN[which] + HIDDEN)
    assert not answer or status(answer) in {400, 431}
    assert answer.count(b"HTTP/1.1 ") <= 1, answer
    assert server.get("/healthz").status == 200


def test_the_path_counts_as_it_was_written(server: Server) -> None:
    statuses = [server.get(f"/main/simple{end}").status for end in ("/", "%2F", "/", "%2f")]
    assert statuses == [200, 404, 200, 404]


def test_the_log_has_one_line_a_request_that_no_client_can_break(server: Server) -> None:
    server.get("/main/simple/%0a%22fake%22/", User_Agent='a"b\\c')
    server.get("/" + "fake" * 10_000)
    # A line is written when the answer is on its way.
    until = time.monotonic() + PATIENCE
    while len(lines := [line for line in server.log.splitlines() if "fake" in line]) < 2:
        assert time.monotonic() < until
    assert [json.loads(line)["status"] for line in lines] == [404, 404]
    assert max(map(len, lines)) < 4096


def test_nothing_is_read_behind_an_ambiguous_request(server: Server) -> None:
    """Two lengths at once (RFC 9112 6.1): whatever the first one gets, what follows it is no request."""
    for first in ("GET /healthz", "POST /main/", "GET /main/simple/nothing/"):
        head = f"{first} HTTP/1.1\r\nHost: keep\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = raw(server, head.encode() + b"0\r\n\r\n" + HIDDEN)
        assert answer.count(b"HTTP/1.1 ") == 1, answer


AMBIGUOUS = {
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "an empty host": b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: keep\r\nHost: other\r\n\r\n",
    "twice the same host": b"GET /main/simple/ HTTP/1.1\r\nHost: keep\r\nHost: keep\r\n\r\n",
    "a coded body": b"GET /healthz HTTP/1.1\r\nHost: keep\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a list of hosts": b"GET /healthz HTTP/1.1\r\nHost: keep, other\r\n\r\n",
    "a host with a space": b"GET /healthz HTTP/1.1\r\nHost: keep other\r\n\r\n",
    "a host with a user": b"GET /main/simple/ HTTP/1.1\r\nHost: me@keep\r\n\r\n",
    "a host with a path": b"GET /main/simple/ HTTP/1.1\r\nHost: keep/x\r\n\r\n",
    "a host that is not ASCII": b"GET /main/simple/ HTTP/1.1\r\nHost: k\xc3\xa9\xc3\xa9p\r\n\r\n",
    "coded twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "coded in two lines": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "packed and coded": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("which", AMBIGUOUS)
def test_an_ambiguous_request_is_refused_and_its_connection_closed(server: Server, which: str) -> None:
    """RFC 9112 3.2 and 6.1."""
    answer = raw(server, AMBIGUOUS[which] + HIDDEN)
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_client_of_old_needs_no_host(server: Server) -> None:
    assert status(raw(server, b"GET /healthz HTTP/1.0\r\n\r\n")) == 200


CHUNKS = {
    "no number": b"zz\r\nabcd\r\n",
    "with a prefix": b"0x4\r\nabcd\r\n",
    "negative": b"-4\r\nabcd\r\n",
    "beyond 64 bits": b"10000000000000004\r\nabcd\r\n",
    "without a line end": b"4\r\nabcdXX",
    "with half a line end": b"4\nabcd\n",
    "with a line end in its extension": b"4;\nabcd\r\n",
}


@pytest.mark.parametrize("which", CHUNKS)
def test_behind_a_chunk_that_is_none_nothing_is_read(server: Server, which: str) -> None:
    """RFC 9112 7.1."""
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = raw(server, head + CHUNKS[which] + b"0\r\n\r\n" + HIDDEN)
    assert 400 <= status(answer) < 500
    assert answer.count(b"HTTP/1.1 ") == 1, answer


def test_trailers_are_no_headers(server: Server) -> None:
    head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(server, head + b"0\r\nHost: other\r\nAuthorization: Bearer x\r\nContent-Length: 5\r\n\r\n")
    assert (status(answer), answer.count(b"HTTP/1.1 ")) == (403, 1)


def test_a_body_that_looks_like_a_request_is_a_body(server: Server) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: keep\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN)
    answer = raw(server, head + HIDDEN + b"GET /nothing HTTP/1.1\r\nHost: keep\r\nConnection: close\r\n\r\n")
    assert [int(piece[:3]) for piece in answer.split(b"HTTP/1.1 ")[1:]] == [200, 404]


def test_http_2_is_not_spoken(server: Server) -> None:
    """Its heads unpack to a thousand times their size, and nothing would bound the wait for them (RFC 9113 3.4)."""
    assert raw(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0") == b""
