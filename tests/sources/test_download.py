"""Files: whole or in part, taken up again where they broke off, never slower or longer than the bounds."""

import asyncio
import hashlib
import random
import time
from collections.abc import Callable

import pytest

from fakes import faults
from fakes.faults import Answer, Exchange
from fakes.outside import Outside
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.sources.client import Client
from wheelkeep.sources.limits import Limits

ClientOf = Callable[..., Client]
DATA = random.Random(7).randbytes(3_000_000)
NAME = "big-1.0-py3-none-any.whl"


@pytest.fixture
def url(outside: Outside) -> str:
    outside.add(NAME, DATA)
    return f"{outside.origin}/files/big/{NAME}"


async def read(client: Client, url: str, **span: int) -> bytes:
    async with client.stream(url, **span) as stream:
        return b"".join([piece async for piece in stream.chunks()])


def ranges(outside: Outside) -> list[str | None]:
    return [entry.headers.get("range") for entry in outside.log]


async def test_a_file(outside: Outside, client_of: ClientOf, url: str) -> None:
    async with client_of(outside.url).stream(url) as stream:
        assert (stream.status, stream.length, stream.total) == (200, len(DATA), len(DATA))
        pieces = [piece async for piece in stream.chunks()]
    assert b"".join(pieces) == DATA
    assert outside.log[0].headers["accept-encoding"] == "identity"
    assert ranges(outside) == [None]


@pytest.mark.parametrize(
    ("start", "end", "header", "part"),
    [
        (0, 99, "bytes=0-99", DATA[:100]),
        (100, 199, "bytes=100-199", DATA[100:200]),
        (100, None, "bytes=100-", DATA[100:]),
        (2_999_999, 5_000_000, "bytes=2999999-5000000", DATA[-1:]),
        (-500, None, "bytes=-500", DATA[-500:]),
        (-5_000_000, None, "bytes=-5000000", DATA),
    ],
)
async def test_a_part(
    outside: Outside, client_of: ClientOf, url: str, start: int, end: int | None, header: str, part: bytes
) -> None:
    async with client_of(outside.url).stream(url, start=start, end=end) as stream:
        assert (stream.status, stream.length, stream.total) == (206, len(part), len(DATA))
        assert b"".join([piece async for piece in stream.chunks()]) == part
    assert ranges(outside) == [header]


async def test_a_part_from_a_server_without_ranges(outside: Outside, client_of: ClientOf, url: str) -> None:
    outside.ranges = False
    async with client_of(outside.url).stream(url, start=100, end=199) as stream:
        assert (stream.status, stream.length, stream.total) == (200, len(DATA), len(DATA))
        assert b"".join([piece async for piece in stream.chunks()]) == DATA


@pytest.mark.parametrize(
    "told", ["bytes 0-99/3000000", "bytes 100-250/3000000", "bytes */3000000", "pages 1-2/3", ""]
)
async def test_another_part_than_asked_for(
    outside: Outside, client_of: ClientOf, url: str, told: str
) -> None:
    outside.faults["/files/"] = faults.says(bytes(100), "application/octet-stream", 206, Content_Range=told)
    with pytest.raises(Unanswered, match="part of the file"):
        await read(client_of(outside.url), url, start=100, end=199)


async def test_a_part_where_the_whole_was_asked_for(outside: Outside, client_of: ClientOf, url: str) -> None:
    headers = {"Content_Range": f"bytes 0-99/{len(DATA)}"}
    outside.faults["/files/"] = faults.says(DATA[:100], "application/octet-stream", 206, **headers)
    with pytest.raises(Unanswered, match="HTTP 206"):
        await read(client_of(outside.url), url)


async def test_a_missing_file(outside: Outside, client_of: ClientOf) -> None:
    with pytest.raises(FileMissing, match="HTTP 404"):
        await read(client_of(outside.url), f"{outside.origin}/files/big/not-there.whl?token=hunter2")


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 410, 416, 451, 500])
async def test_another_status_is_no_file(
    outside: Outside, client_of: ClientOf, url: str, status: int
) -> None:
    outside.faults["/files/"] = faults.status(status)
    with pytest.raises(Unanswered, match=f"HTTP {status}") as error:
        await read(client_of(outside.url), url + "?token=hunter2")
    assert "hunter2" not in str(error.value)
    assert len(outside.log) == 1


async def test_a_busy_server_is_asked_again(outside: Outside, client_of: ClientOf, url: str) -> None:
    client = client_of(outside.url)
    outside.faults["/files/"] = faults.times(2, "down")
    assert await read(client, url) == DATA
    outside.faults["/files/"] = faults.status(429, retry_after=60)
    with pytest.raises(Unanswered, match="HTTP 429") as error:
        await read(client, url)
    assert error.value.retry_after == 60


# Broken off, and taken up again.


@pytest.mark.parametrize("fault", ["truncate", "reset", "refuse"])
async def test_resumed(outside: Outside, client_of: ClientOf, url: str, fault: str) -> None:
    outside.faults["/files/"] = faults.times(1, fault)
    assert await read(client_of(outside.url), url) == DATA
    first, second = outside.log
    if fault == "truncate":
        assert second.headers["range"] == f"bytes={len(DATA) // 2}-"
        assert second.headers["if-range"] == f'"{hashlib.sha256(DATA).hexdigest()[:32]}"'
    assert "range" not in first.headers


async def test_resumed_twice_and_no_more(outside: Outside, client_of: ClientOf, url: str) -> None:
    outside.faults["/files/"] = faults.times(2, faults.truncate(1_000_000))
    assert await read(client_of(outside.url), url) == DATA
    assert ranges(outside) == [None, "bytes=1000000-", "bytes=2000000-"]
    outside.log.clear()
    outside.faults["/files/"] = faults.truncate(10)
    with pytest.raises(Unanswered, match="broke off"):
        await read(client_of(outside.url), url)
    assert ranges(outside) == [None, "bytes=10-", "bytes=20-"]


@pytest.mark.parametrize("span", [(500_000, 2_500_000), (500_000, None), (-2_000_000, None)])
async def test_a_part_is_resumed(
    outside: Outside, client_of: ClientOf, url: str, span: tuple[int, int | None]
) -> None:
    outside.faults["/files/"] = faults.times(1, "truncate")
    start, end = span
    client = client_of(outside.url)
    async with client.stream(url, start=start, end=end) as stream:
        got = b"".join([piece async for piece in stream.chunks()])
    assert got == (DATA[start:] if end is None else DATA[start : end + 1])


@pytest.mark.parametrize("start", [0, 500_000])
async def test_resumed_at_a_server_that_sends_the_whole_file(
    outside: Outside, client_of: ClientOf, url: str, start: int
) -> None:
    """The honest part first, then all of it again: what was given is passed over, what was not asked for left out."""

    async def fault(exchange: Exchange) -> None:
        outside.ranges = False
        await faults.truncate(100_000)(exchange)

    outside.faults["/files/"] = faults.times(1, fault)
    end = 2_000_000 if start else None
    async with client_of(outside.url).stream(url, start=start, end=end) as stream:
        got = b"".join([piece async for piece in stream.chunks()])
    assert got == (DATA[start : end + 1] if end else DATA)
    assert len(outside.log) == 2


async def test_a_file_that_changes_on_the_way(outside: Outside, client_of: ClientOf, url: str) -> None:
    async def fault(exchange: Exchange) -> None:
        outside.change(NAME, DATA[::-1])
        await faults.truncate(100_000)(exchange)

    outside.faults["/files/"] = faults.times(1, fault)
    with pytest.raises(Unanswered, match="changed while"):
        await read(client_of(outside.url), url)


@pytest.mark.parametrize("told", ["bytes 1-2999999/3000000", "bytes 100000-2999999/9000000", "bytes 0-1/2"])
async def test_resumed_with_another_part(outside: Outside, client_of: ClientOf, url: str, told: str) -> None:
    async def fault(exchange: Exchange) -> None:
        if "range" not in exchange.request.headers:
            await faults.truncate(100_000)(exchange)
        else:
            await exchange.send(Answer(206, {"Content-Range": told}, DATA[100_000:]))

    outside.faults["/files/"] = fault
    with pytest.raises(Unanswered, match="another part"):
        await read(client_of(outside.url), url)


@pytest.mark.parametrize("status", [404, 416, 500])
async def test_gone_when_resumed(outside: Outside, client_of: ClientOf, url: str, status: int) -> None:
    async def fault(exchange: Exchange) -> None:
        again = "range" in exchange.request.headers
        await (faults.status(status) if again else faults.truncate(100_000))(exchange)

    outside.faults["/files/"] = fault
    with pytest.raises(Unanswered, match=f"broke off, and then HTTP {status}"):
        await read(client_of(outside.url), url)


async def test_busy_when_resumed(outside: Outside, client_of: ClientOf, url: str) -> None:
    answers = iter([faults.truncate(100_000), faults.status(503), faults.honest])

    async def fault(exchange: Exchange) -> None:
        await next(answers)(exchange)

    outside.faults["/files/"] = fault
    assert await read(client_of(outside.url), url) == DATA


async def test_away_when_resumed(outside: Outside, client_of: ClientOf, url: str) -> None:
    client = client_of(outside.url)
    outside.faults["/files/"] = faults.drip(100_000, 0.02)
    with pytest.raises(Unanswered):
        async with client.stream(url) as stream:
            async for _ in stream.chunks():
                outside.stop()


async def test_without_an_etag_it_is_resumed_all_the_same(
    outside: Outside, client_of: ClientOf, url: str
) -> None:
    outside.etags = False
    outside.faults["/files/"] = faults.times(1, "truncate")
    assert await read(client_of(outside.url), url) == DATA
    assert "if-range" not in outside.log[1].headers


async def test_a_file_of_unknown_length(outside: Outside, client_of: ClientOf, url: str) -> None:
    async def fault(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.write(exchange.answer.body)

    outside.faults["/files/"] = fault
    async with client_of(outside.url).stream(url) as stream:
        assert (stream.length, stream.total) == (None, None)
        assert b"".join([piece async for piece in stream.chunks()]) == DATA


async def test_chunks_that_break_off(outside: Outside, client_of: ClientOf, url: str) -> None:
    async def fault(exchange: Exchange) -> None:
        await exchange.head(Answer(200, {"Transfer-Encoding": "chunked"}))
        await exchange.write(b"%x\r\n%s\r\n" % (100_000, DATA[:100_000]))

    outside.faults["/files/"] = faults.times(1, fault)
    assert await read(client_of(outside.url), url) == DATA
    assert ranges(outside) == [None, "bytes=100000-"]


async def test_more_than_the_length_is_not_the_file(outside: Outside, client_of: ClientOf, url: str) -> None:
    outside.faults["/files/"] = "short-length"
    assert await read(client_of(outside.url), url) == DATA[:-10]


async def test_a_label_of_packing_is_only_a_label(outside: Outside, client_of: ClientOf) -> None:
    outside.bodies["/x.tar.gz"] = Answer(200, {"Content-Encoding": "gzip"}, DATA[:1000])
    assert await read(client_of(outside.url), f"{outside.origin}/x.tar.gz") == DATA[:1000]


# Slow, silent, left.


@pytest.mark.parametrize("fault", ["hang", "hang-head", "hang-body"])
async def test_silence_ends(
    outside: Outside, client_of: ClientOf, quick: Limits, url: str, fault: str
) -> None:
    outside.faults["/files/"] = fault
    began = time.monotonic()
    with pytest.raises(Unanswered, match="in time"):
        await read(client_of(outside.url, limits=quick), url)
    assert time.monotonic() - began < 1.2


async def test_a_drip_ends(outside: Outside, client_of: ClientOf, quick: Limits, url: str) -> None:
    outside.faults["/files/"] = faults.drip(10, 0.05)
    began = time.monotonic()
    with pytest.raises(Unanswered, match="too slowly"):
        await read(client_of(outside.url, limits=quick), url)
    assert time.monotonic() - began < 1.5


async def test_a_slow_reader_is_no_slow_server(outside: Outside, client_of: ClientOf, url: str) -> None:
    limits = Limits(slow_after=0.1, slowest=10_000_000, file_silence=0.2)
    got = bytearray()
    async with client_of(outside.url, limits=limits).stream(url) as stream:
        async for piece in stream.chunks():
            got += piece
            await asyncio.sleep(0.25 if len(got) == len(piece) else 0.01)
    assert got == DATA


async def test_left_half_way(outside: Outside, client_of: ClientOf, url: str) -> None:
    client = client_of(outside.url)
    async with client.stream(url) as stream:
        async for _ in stream.chunks():
            break
    async with client.stream(url):
        pass
    assert await read(client, url) == DATA
    with pytest.raises(Unanswered, match="closed"):
        async for _ in stream.chunks():
            pass


async def test_an_error_of_the_reader_is_its_own(outside: Outside, client_of: ClientOf, url: str) -> None:
    with pytest.raises(KeyError):
        async with client_of(outside.url).stream(url) as stream:
            async for _ in stream.chunks():
                raise KeyError
