"""Pages: what is sent and what is not, what is tried again, and how every way of not answering ends."""

import asyncio
import base64
import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from fakes import faults
from fakes.dists import wheel
from fakes.faults import Answer
from fakes.outside import Outside
from wheelkeep.core.errors import Unanswered
from wheelkeep.core.settings import Secret
from wheelkeep.sources.client import Client
from wheelkeep.sources.limits import Limits

ClientOf = Callable[..., Client]
SECRETS = {"username": "__token__", "password": Secret("hunter2")}
BASIC = "Basic " + base64.b64encode(b"__token__:hunter2").decode()


@pytest.fixture(autouse=True)
def demo(outside: Outside) -> None:
    outside.add(*wheel("demo", "1.0"))


async def refused(client: Client, url: str, **options: object) -> Unanswered:
    with pytest.raises(Unanswered) as error:
        await client.get(url, **options)  # type: ignore[arg-type]
    assert type(error.value) is Unanswered
    assert error.value.__cause__ is None or "hunter2" not in repr(error.value.__cause__)
    assert "hunter2" not in str(error.value)
    return error.value


async def test_a_page(outside: Outside, client_of: ClientOf) -> None:
    client = client_of(outside.url)
    reply = await client.get(outside.url + "demo/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    assert reply.status == 200
    assert reply.url == outside.url + "demo/"
    assert reply.body.startswith(b'{"meta"')
    assert (
        reply.headers["content-type"]
        == reply.headers["Content-Type"]
        == "application/vnd.pypi.simple.v1+json"
    )
    assert reply.headers["Content-Encoding"] == "gzip"
    assert "X-Not-There" not in reply.headers


async def test_a_conditional_request(outside: Outside, client_of: ClientOf) -> None:
    client = client_of(outside.url)
    first = await client.get(outside.url + "demo/")
    again = await client.get(outside.url + "demo/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


async def test_nothing_is_said_about_anyone(outside: Outside, client_of: ClientOf) -> None:
    client = client_of(outside.url)
    outside.faults["/simple/demo/"] = faults.says(b"page", Set_Cookie="id=1; Path=/")
    for _ in range(2):
        await client.get(outside.url + "demo/")
    outside.faults["/simple/other/"] = faults.redirect("/simple/demo/?from=other")
    await client.get(outside.url + "other/")
    for entry in outside.log:
        assert set(entry.headers) == {"host", "user-agent", "accept", "accept-encoding"}
        assert entry.headers["user-agent"].startswith("wheelkeep/")
        assert entry.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 403, 404, 410, 451, 500, 501])
async def test_a_status_is_a_fact(outside: Outside, client_of: ClientOf, status: int) -> None:
    outside.faults["/simple/demo/"] = faults.status(status)
    reply = await client_of(outside.url).get(outside.url + "demo/")
    assert (reply.status, reply.body) == (status, b"")
    assert len(outside.log) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_busy_server_is_asked_again(outside: Outside, client_of: ClientOf, status: int) -> None:
    client = client_of(outside.url)
    outside.faults["/simple/demo/"] = faults.times(2, faults.status(status))
    assert (await client.get(outside.url + "demo/")).status == 200
    outside.faults["/simple/demo/"] = faults.times(3, faults.status(status))
    error = await refused(client, outside.url + "demo/")
    assert error.reason == f"{outside.origin}/simple/demo/: HTTP {status}"
    assert len(outside.log) == 6


async def test_a_small_retry_after_is_waited_for(outside: Outside, client_of: ClientOf) -> None:
    outside.faults["/simple/demo/"] = faults.times(1, faults.status(503, retry_after=1))
    client = client_of(outside.url)
    assert (await client.get(outside.url + "demo/", deadline=3)).status == 200
    assert outside.log[1].time - outside.log[0].time >= 1


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120.0),
        ("a date", 500.0),
        ("soon", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86_400.0),
        ("999999999", 86_400.0),
        ("Fri, 31 Dec 1999 23:59:59 -0000", 0.0),
        ("-1", None),
        ("1.5", None),
        ("9" * 30, None),
    ],
)
async def test_a_long_retry_after_is_passed_on(
    outside: Outside, client_of: ClientOf, told: str, seconds: float | None
) -> None:
    if told == "a date":
        told = format_datetime(datetime.now(UTC) + timedelta(seconds=500), usegmt=True)
    outside.faults["/simple/demo/"] = faults.status(503, retry_after=told)
    error = await refused(client_of(outside.url), outside.url + "demo/")
    assert error.retry_after == (None if seconds is None else pytest.approx(seconds, abs=60))
    assert len(outside.log) == (1 if seconds else 3)


@pytest.mark.parametrize("fault", ["truncate", "reset", "refuse"])
async def test_a_broken_answer_is_asked_for_again(outside: Outside, client_of: ClientOf, fault: str) -> None:
    client = client_of(outside.url)
    outside.faults["/simple/demo/"] = faults.times(2, fault)
    assert (await client.get(outside.url + "demo/")).body.endswith(b"</html>")
    outside.faults["/simple/demo/"] = fault
    assert "broke off" in (await refused(client, outside.url + "demo/")).reason


@pytest.mark.parametrize("fault", ["hang", "hang-head", "hang-body"])
async def test_silence_ends(outside: Outside, client_of: ClientOf, quick: Limits, fault: str) -> None:
    outside.faults["/simple/demo/"] = fault
    began = time.monotonic()
    error = await refused(client_of(outside.url, limits=quick), outside.url + "demo/")
    assert "in time" in error.reason
    assert time.monotonic() - began < 1.2
    assert len(outside.log) == 1


async def test_a_drip_ends(outside: Outside, client_of: ClientOf, quick: Limits) -> None:
    outside.faults["/simple/demo/"] = "drip"
    began = time.monotonic()
    assert "within 1 s" in (await refused(client_of(outside.url, limits=quick), outside.url + "demo/")).reason
    assert (
        "within 0.3 s"
        in (await refused(client_of(outside.url, limits=quick), outside.url + "demo/", deadline=0.3)).reason
    )
    assert time.monotonic() - began < 1.8


async def test_tries_end_with_the_deadline(outside: Outside, client_of: ClientOf) -> None:
    outside.faults["/simple/demo/"] = faults.status(503, retry_after=1)
    began = time.monotonic()
    error = await refused(client_of(outside.url), outside.url + "demo/", deadline=0.5)
    assert error.retry_after == 1
    assert time.monotonic() - began < 0.5


async def test_an_outage(outside: Outside, client_of: ClientOf) -> None:
    client = client_of(outside.url)
    assert (await client.get(outside.url + "demo/")).status == 200
    outside.stop()
    assert "no connection (Connection refused)" in (await refused(client, outside.url + "demo/")).reason
    outside.start()
    assert (await client.get(outside.url + "demo/")).status == 200


async def test_a_name_that_is_none(client_of: ClientOf) -> None:
    client = client_of("https://nowhere.invalid/simple/")
    error = await refused(client, "https://nowhere.invalid/simple/demo/?signature=hunter2")
    assert error.reason == "https://nowhere.invalid/simple/demo/: its name cannot be resolved"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("endless", "larger than"),
        ("bomb", "unpacks to more than"),
        ("huge-header", "not readable as HTTP"),
        ("endless-headers", "not readable as HTTP"),
        ("not-http", "not readable as HTTP"),
        (faults.says(b"page", Content_Encoding="br"), "not asked for"),
        (faults.says(b"page", Content_Encoding="gzip"), "not packed as it says"),
    ],
)
async def test_answers_beyond_the_bounds(
    outside: Outside, client_of: ClientOf, fault: faults.Fault | str, words: str
) -> None:
    outside.faults["/simple/demo/"] = fault
    error = await refused(
        client_of(outside.url, limits=Limits(pause=0.01, packed=1 << 21)), outside.url + "demo/"
    )
    assert words in error.reason
    assert error.reason.startswith(outside.url + "demo/: ")


async def test_a_page_larger_than_the_bounds(outside: Outside, client_of: ClientOf) -> None:
    outside.bodies["/simple/big/"] = Answer(200, {"Content-Type": "text/html"}, bytes(5000))
    assert (await client_of(outside.url, limits=Limits(packed=5000)).get(outside.url + "big/")).status == 200
    error = await refused(client_of(outside.url, limits=Limits(packed=4999)), outside.url + "big/")
    assert "larger than" in error.reason


# Redirects.


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(outside: Outside, client_of: ClientOf, code: int) -> None:
    outside.faults["/simple/Demo/"] = faults.redirect("../demo/", code)
    reply = await client_of(outside.url).get(outside.url + "Demo/")
    assert (reply.status, reply.url) == (200, outside.url + "demo/")


async def test_no_more_than_five(outside: Outside, client_of: ClientOf) -> None:
    client = client_of(outside.url)
    for hop in range(6):
        outside.faults[f"/simple/{hop}/"] = faults.redirect(f"/simple/{hop - 1 if hop else 'demo'}/")
    assert (await client.get(outside.url + "4/")).url == outside.url + "demo/"
    assert "more than 5 redirects" in (await refused(client, outside.url + "5/")).reason
    outside.faults["/simple/loop/"] = "redirect-loop"
    assert "more than 5 redirects" in (await refused(client, outside.url + "loop/")).reason


@pytest.mark.parametrize(
    "to",
    [
        "ftp://upstream.example/",
        "file:///etc/passwd",
        "http://user:hunter2@127.0.0.1/",
        "http://[::1",
        "http:///simple/other/",
        "http:/simple/other/",
        "http:other/",
        "//",
        "///simple/other/",
    ],
)
async def test_redirects_to_no_usable_address(outside: Outside, client_of: ClientOf, to: str) -> None:
    outside.faults["/simple/demo/"] = faults.redirect(to)
    assert "no usable address" in (await refused(client_of(outside.url), outside.url + "demo/")).reason


async def test_a_redirect_to_nowhere(outside: Outside, client_of: ClientOf) -> None:
    outside.faults["/simple/demo/"] = faults.status(302)
    assert "not where to" in (await refused(client_of(outside.url), outside.url + "demo/")).reason


async def test_a_redirect_to_an_undeclared_origin(
    outside: Outside, elsewhere: Outside, client_of: ClientOf
) -> None:
    outside.faults["/simple/demo/"] = faults.redirect(elsewhere.url + "demo/")
    for files in ((), ("https://files.upstream.example",)):
        error = await refused(client_of(outside.url, files=files), outside.url + "demo/")
        assert f'files = ["{elsewhere.origin}"]' in error.reason
    assert not elsewhere.log


# Credentials.


async def test_credentials_go_home(outside: Outside, client_of: ClientOf) -> None:
    await client_of(outside.url, **SECRETS).get(outside.url + "demo/")
    assert outside.log[0].headers["authorization"] == BASIC


async def test_credentials_go_nowhere_else(outside: Outside, elsewhere: Outside, client_of: ClientOf) -> None:
    elsewhere.add(*wheel("demo", "2.0"))
    client = client_of(outside.url, files=(elsewhere.origin,), **SECRETS)
    await client.get(elsewhere.url + "demo/")
    outside.faults["/simple/away/"] = faults.redirect(elsewhere.url + "demo/")
    assert (await client.get(outside.url + "away/")).url == elsewhere.url + "demo/"
    assert len(elsewhere.log) == 2
    assert not any("authorization" in entry.headers for entry in elsewhere.log)
    async with client.stream(outside.url + "away/"):
        pass
    await client.head_size(outside.url + "away/")
    assert len(elsewhere.log) == 4
    assert not any("authorization" in entry.headers for entry in elsewhere.log)


async def test_no_foreign_origin_chooses_what_is_asked_with_credentials(
    outside: Outside, elsewhere: Outside, client_of: ClientOf
) -> None:
    elsewhere.faults["/simple/"] = faults.redirect(outside.url + "demo/")
    outside.faults["/simple/round/"] = faults.redirect(elsewhere.url + "demo/")
    client = client_of(outside.url, files=(elsewhere.origin,), **SECRETS)
    assert (await client.get(outside.url + "round/")).url == outside.url + "demo/"
    assert [entry.headers.get("authorization") for entry in outside.log] == [BASIC, None]


async def test_another_port_is_another_origin(
    outside: Outside, elsewhere: Outside, client_of: ClientOf
) -> None:
    client = client_of(outside.url, **SECRETS)
    error = await refused(client, elsewhere.url + "demo/")
    assert elsewhere.origin in error.reason
    assert not elsewhere.log


# Manners.


async def test_one_connection_serves_many_requests(outside: Outside, client_of: ClientOf) -> None:
    client = client_of(outside.url)
    outside.faults["/simple/other/"] = faults.redirect("/simple/demo/")
    for _ in range(3):
        await client.get(outside.url + "other/")
        assert await client.head_size(f"{outside.origin}/files/demo/{wheel('demo', '1.0')[0]}")
    assert outside.connections == 1


async def test_a_broken_redirect_body_matters_to_nobody(outside: Outside, client_of: ClientOf) -> None:
    async def fault(exchange: faults.Exchange) -> None:
        await exchange.head(Answer(302, {"Location": "/simple/demo/"}), 100)
        exchange.cut()

    outside.faults["/simple/other/"] = fault
    assert (await client_of(outside.url).get(outside.url + "other/")).status == 200


async def test_many_at_once_while_some_hang(outside: Outside, client_of: ClientOf, quick: Limits) -> None:
    outside.faults["/simple/slow/"] = "hang"
    client = client_of(outside.url, limits=quick)
    hanging = [asyncio.create_task(refused(client, outside.url + "slow/")) for _ in range(20)]
    await asyncio.sleep(0.02)
    began = time.monotonic()
    replies = await asyncio.gather(*(client.get(outside.url + "demo/") for _ in range(50)))
    assert {reply.status for reply in replies} == {200}
    assert time.monotonic() - began < 0.6
    await asyncio.gather(*hanging)


async def test_a_cancelled_request_is_over(outside: Outside, client_of: ClientOf) -> None:
    outside.faults["/simple/slow/"] = "hang"
    client = client_of(outside.url)
    task = asyncio.create_task(client.get(outside.url + "slow/"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await client.get(outside.url + "demo/")).status == 200


async def test_closed(outside: Outside, client_of: ClientOf) -> None:
    client = client_of(outside.url)
    await client.get(outside.url + "demo/")
    await client.close()
    await client.close()
    assert "closed" in (await refused(client, outside.url + "demo/")).reason
    assert await client.head_size(outside.url + "demo/") is None
    gc.collect()


async def test_close_ends_what_is_under_way(outside: Outside, client_of: ClientOf) -> None:
    outside.faults["/simple/slow/"] = "hang"
    client = client_of(outside.url)
    task = asyncio.create_task(refused(client, outside.url + "slow/"))
    await asyncio.sleep(0.05)
    await client.close()
    await task


@pytest.mark.parametrize(
    "url", ["ftp://upstream.example/", "upstream.example", "https://u:hunter2@upstream.example/"]
)
def test_a_client_needs_plain_addresses(url: str) -> None:
    for settings in ({"url": url}, {"url": "https://upstream.example/", "files": (url,)}):
        with pytest.raises(ValueError) as error:
            Client(**settings)  # type: ignore[arg-type]
        assert "hunter2" not in str(error.value)


# Sizes.


async def test_head_size(outside: Outside, client_of: ClientOf, quick: Limits) -> None:
    filename, data = wheel("demo", "1.0")
    client = client_of(outside.url, limits=quick)
    url = f"{outside.origin}/files/demo/{filename}"
    outside.faults["/moved/"] = faults.redirect(url)
    assert await client.head_size(url) == await client.head_size(f"{outside.origin}/moved/") == len(data)
    assert [entry.method for entry in outside.log] == ["HEAD"] * 3
    for fault in (
        "forbidden",
        "down",
        "hang",
        "not-http",
        "redirect-loop",
        "refuse",
        faults.redirect("ftp://x"),
    ):
        outside.faults["/files/"] = fault
        size = await client.head_size(url)
        assert size is None or fault == "refuse"
    assert await client.head_size("nonsense") is None
    assert await client.head_size("https://127.0.0.1:1/x") is None
    outside.stop()
    assert await client.head_size(url) is None
