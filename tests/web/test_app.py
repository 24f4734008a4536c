"""The front door: odd paths, methods and headers; nothing that a client sends is more than refused."""

import re

import pytest

from fakes.asgi import Inside
from fakes.ask import BROWSER, JSON
from fakes.odd import PATHS

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:60])
async def test_an_odd_path_is_nobodys(shared: Inside, path: str) -> None:
    for method in ("GET", "HEAD"):
        reply = await shared.ask(method, path)
        assert reply.status in {301, 302, 404}, (reply.status, reply.body[:300])
        # What a client wrote never ends a header, or leads anywhere but on this server.
        assert "//" not in reply.headers.get("location", "").replace("../", "")
        assert reply.body == b"" if method == "HEAD" else True
    assert reply.status == 404 or "X-Injected" not in reply.headers["location"]


async def test_an_encoded_slash_is_none(shared: Inside) -> None:
    for path in (
        "/main/simple/demo%2F",
        "/main/simple%2fdemo/",
        "/main%2Fsimple/demo/",
        "/simple%2Fdemo/",
        "/%2Fhealthz",
    ):
        assert (await shared.get(path.replace("%2F", "/").replace("%2f", "/"))).status in {200, 404}
        for _ in range(2):
            assert (await shared.get(path)).status == 404, path


async def test_every_refusal_is_a_problem_document_or_a_page_for_browsers(shared: Inside) -> None:
    reply = await shared.get("/main/simple/nothing/")
    assert (reply.status, reply.kind) == (404, "application/problem+json")
    assert {"type", "title", "status", "detail"} <= set(reply.json)
    assert reply.json["status"] == 404
    assert reply.headers["cache-control"] == "no-store"
    assert "Accept" in reply.headers["vary"]
    shown = await shared.get("/main/simple/nothing/", accept=BROWSER)
    assert (shown.status, shown.kind) == (404, "text/html")
    assert "no source of this index has a project called nothing" in shown.text
    # Installers name text/html as well, after the JSON form; they are given the document.
    installer = await shared.get(
        "/main/simple/nothing/",
        accept=f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
    )
    assert installer.kind == "application/problem+json"


async def test_what_a_client_wrote_cannot_run_in_a_browser(shared: Inside) -> None:
    for path in (
        "/main/files/demo/-/<script>alert(1)</script>",
        "/main/blocked/deny/<script>/demo-9.0.tar.gz",
    ):
        reply = await shared.get(path, accept=BROWSER)
        assert reply.kind == "text/html"
        assert b"<script>" not in reply.body
        assert "default-src 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/main/simple/", "/main/simple/demo/", "/healthz", "/nothing"])
async def test_every_answer_is_safe_to_show_and_has_a_name(shared: Inside, path: str) -> None:
    seen = set()
    for accept in (BROWSER, JSON):
        reply = await shared.get(path, accept=accept, x_request_id="chosen\x7fby-the-client")
        assert reply.headers["x-content-type-options"] == "nosniff"
        if reply.kind in {"text/html", "application/vnd.pypi.simple.v1+html"}:
            assert re.search(
                r"default-src 'none'.*frame-ancestors 'none'", reply.headers["content-security-policy"]
            )
            assert reply.headers["referrer-policy"] == "no-referrer"
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", reply.headers["x-request-id"])
        seen.add(reply.headers["x-request-id"])
    assert len(seen) == 2


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X-Y"]
)
async def test_other_methods_are_not_answered(shared: Inside, method: str) -> None:
    for path in ("/main/simple/demo/", "/main/simple/", "/", "/nothing"):
        reply = await shared.ask(method, path)
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
        assert method in reply.detail


async def test_odd_headers_change_nothing(shared: Inside) -> None:
    plain = await shared.get("/main/simple/demo/", accept=JSON)
    odd = await shared.get(
        "/main/simple/demo/",
        accept=JSON,
        host="evil.example",
        x_forwarded_host="evil.example",
        x_forwarded_proto="gopher",
        forwarded="host=evil.example",
        x_original_url="/admin",
        x_http_method_override="DELETE",
        range="bytes=0-1",
        cookie="a=b",
    )
    assert (odd.status, odd.body) == (200, plain.body)
    assert b"evil" not in b"".join(value.encode() for value in odd.headers.values())


async def test_words_for_watchers(shared: Inside) -> None:
    assert (await shared.get("/healthz")).body == b"ok\n"
    for _ in range(200):
        ready = await shared.get("/readyz")
        if ready.status == 200:
            break
    assert ready.headers["cache-control"] == "no-store"
