"""Refusals: one shape, the right status, and the words that an installer shows."""

from pathlib import Path

import pytest

from fakes.asgi import Inside
from fakes.ask import BROWSER, JSON
from fakes.faults import status
from fakes.outside import Outside

from .conftest import CONFIG, world

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_outage_tells_who_might_have_it_and_when_to_ask_again(
    inside: Inside, outside: Outside
) -> None:
    outside.faults["/simple/"] = status(503, retry_after=7)
    reply = await inside.get("/main/simple/demo/", accept=JSON)
    assert (reply.status, reply.kind) == (503, "application/problem+json")
    assert reply.detail.startswith("the source outer might have it, but ")
    assert 1 <= int(reply.headers["retry-after"]) <= 3600
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("asked", ["99999999999", "-1", "soon", "Wed, 21 Oct 2099 07:28:00 GMT"])
async def test_no_origin_makes_clients_wait_for_ever(inside: Inside, outside: Outside, asked: str) -> None:
    outside.faults["/simple/"] = status(503, retry_after=asked)
    reply = await inside.get("/main/simple/demo/", accept=JSON)
    assert reply.status == 503
    assert 1 <= int(reply.headers["retry-after"]) <= 3600


async def test_a_sources_password_is_not_shown(outside: Outside, tmp_path: Path) -> None:
    config = CONFIG.format(url=outside.url, more='username = "build"\npassword = "hunter2-secret"')
    outside.faults["/simple/"] = "unauthorized"
    async with Inside(world(outside, tmp_path), config) as inside:
        for accept in (JSON, BROWSER):
            reply = await inside.get("/main/simple/demo/", accept=accept)
            assert reply.status == 503
            assert "hunter2" not in reply.text
            assert "www-authenticate" not in reply.headers
    assert outside.asked("/simple/demo/")[0].headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("path", ["/main/", "/main/legacy/", "/strict/", "/main/simple/demo/"])
async def test_uploads_are_refused_in_clear_words(shared: Inside, path: str) -> None:
    reply = await shared.post(path, content_type="multipart/form-data; boundary=x")
    assert reply.status in {401, 403, 405}
    assert len(reply.detail) > 20


async def test_a_page_for_people_says_the_same(shared: Inside) -> None:
    path = "/main/blocked/deny/words/demo-2.0-py3-none-any.whl"
    document, page = await shared.get(path), await shared.get(path, accept=BROWSER)
    assert document.status == page.status == 403
    assert page.kind == "text/html"
    for word in ("INC-42", "deny", "demo-2.0-py3-none-any.whl"):
        assert word in document.text
        assert word in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert document.headers["vary"] == page.headers["vary"] == "Accept"
