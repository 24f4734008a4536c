"""The Simple API: negotiation, the two renderings of one page, and what a page says of withheld files."""

import asyncio
import gzip
import hashlib
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import pytest
import zstandard

from fakes.asgi import Inside
from fakes.ask import BROWSER, HTML_V1, JSON, Reply
from fakes.dists import wheel
from fakes.faults import Exchange
from fakes.outside import Outside
from wheelkeep.core.names import ProjectName
from wheelkeep.web import simple

from .conftest import CONFIG, world

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
UV = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
HTML = "text/html"


async def page(inside: Inside, path: str = "/main/simple/demo/", **headers: str) -> dict[str, Any]:
    reply = await inside.get(path, accept=JSON, **headers)
    assert reply.status == 200, reply.body
    return reply.json


async def files(
    inside: Inside, path: str = "/main/simple/demo/", **headers: str
) -> dict[str, dict[str, Any]]:
    return {entry["filename"]: entry for entry in (await page(inside, path, **headers))["files"]}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        (BROWSER, HTML),
        (PIP, JSON),
        (UV, JSON),
        (JSON, JSON),
        (JSON.upper(), JSON),
        (HTML_V1, HTML_V1),
        (HTML, HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/vnd.pypi.simple.latest+html", HTML_V1),
        ("application/*", JSON),
        (f"{JSON};q=0.4, {HTML};q=0.5", HTML),
        (f"{JSON};q=0.5, {HTML_V1};q=0.5", JSON),
        (f"*/*;q=0.1, {JSON};q=0", HTML),
        (f"{JSON};q=0, {HTML_V1}", HTML_V1),
        ("application/json", None),
        ("application/vnd.pypi.simple.v2+json", None),
        ("image/png", None),
        (f"{JSON};q=0", None),
        ("*/*;q=0", None),
    ],
)
@pytest.mark.parametrize("path", ["/main/simple/", "/main/simple/demo/"])
async def test_the_form_is_negotiated(
    shared: Inside, path: str, accept: str | None, kind: str | None
) -> None:
    reply = await shared.get(path, **({} if accept is None else {"accept": accept}))
    assert "Accept" in reply.headers["vary"]
    if kind is None:
        assert reply.status == 406
        assert JSON.encode() in reply.body
    else:
        assert (reply.status, reply.kind) == (200, kind)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("format=application/vnd.pypi.simple.v1+json", JSON),
        ("format=application/vnd.pypi.simple.v1%2Bjson", JSON),
        ("x=y&format=application%2Fvnd.pypi.simple.latest%2Bhtml", HTML_V1),
        ("format=text/html", HTML),
        ("format=json", None),
        ("format=", None),
    ],
)
async def test_the_query_overrides_the_header(shared: Inside, query: str, kind: str | None) -> None:
    reply = await shared.get(f"/main/simple/demo/?{query}", accept=HTML_V1)
    assert (reply.status, reply.kind) == ((200, kind) if kind else (406, "application/problem+json"))


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/main/simple/Demo/", "/main/simple/demo/"),
        ("/main/simple/De.Mo__x/", "/main/simple/de-mo-x/"),
        ("/main/simple/demo", "/main/simple/demo/"),
        ("/main/simple/DEMO", "/main/simple/DEMO/"),
        ("/main/simple", "/main/simple/"),
        ("/main", "/main/"),
        ("/simple/Demo/", "/simple/demo/"),
        ("/simple", "/simple/"),
    ],
)
@pytest.mark.parametrize("query", ["", "?format=application/vnd.pypi.simple.v1%2Bjson&x=%0d%0a"])
async def test_other_spellings_are_redirected(shared: Inside, path: str, leads: str, query: str) -> None:
    reply = await shared.get(path + query)
    assert reply.status == 301
    assert urljoin(f"http://keep{path}{query}", reply.headers["location"]) == f"http://keep{leads}{query}"


class Anchors(HTMLParser):
    """What an HTML page lists, in the words of the JSON form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.files: list[dict[str, Any]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "meta" and "name" in found:
            self.meta[found["name"]] = found["content"]
        if tag != "a":
            return
        url, fragment = urldefrag(found["href"])
        entry: dict[str, Any] = {"url": url, "hashes": dict([fragment.split("=")]) if fragment else {}}
        entry["yanked"] = (found["data-yanked"] or True) if "data-yanked" in found else False
        if "data-requires-python" in found:
            entry["requires-python"] = found["data-requires-python"]
        if "data-provenance" in found:
            entry["provenance"] = found["data-provenance"]
        if (told := found.get("data-core-metadata")) is not None:
            assert found["data-dist-info-metadata"] == told
            entry["core-metadata"] = True if told == "true" else dict([told.split("=")])
        self.files.append(entry)

    def handle_data(self, data: str) -> None:
        if self.files and "filename" not in self.files[-1]:
            self.files[-1]["filename"] = data


@pytest.mark.parametrize(
    "path", ["/main/simple/demo/", "/omits/simple/demo/", "/simple/demo/", "/main/simple/never/"]
)
@pytest.mark.parametrize("accept", [HTML, HTML_V1])
async def test_both_renderings_say_the_same(shared: Inside, path: str, accept: str) -> None:
    told = await page(shared, path)
    shown = Anchors((await shared.get(path, accept=accept)).text)
    assert shown.meta["pypi:repository-version"] == told["meta"]["api-version"] == "1.4"
    status = told.get("project-status", {})
    assert shown.meta.get("pypi:project-status") == status.get("status")
    assert shown.meta.get("pypi:project-status-reason") == status.get("reason")
    only_json = {"size", "upload-time"}
    assert shown.files == [
        {key: value for key, value in entry.items() if key not in only_json} for entry in told["files"]
    ]


async def test_what_a_page_tells_of_a_file(shared: Inside, steady: Outside) -> None:
    found = await files(shared)
    demo = found["demo-1.0-py3-none-any.whl"]
    listed = steady._listed["demo"]["demo-1.0-py3-none-any.whl"]
    assert listed.metadata is not None
    sha256 = hashlib.sha256(listed.content).hexdigest()
    assert demo == {
        "filename": "demo-1.0-py3-none-any.whl",
        "url": f"../../files/demo/{sha256}/demo-1.0-py3-none-any.whl",
        "hashes": {"sha256": sha256},
        "requires-python": ">=3.8,<4",
        "size": len(listed.content),
        "upload-time": "2020-02-02T00:00:00.000000Z",
        "yanked": False,
        "core-metadata": {"sha256": hashlib.sha256(listed.metadata).hexdigest()},
        "provenance": "../../integrity/demo/1.0/demo-1.0-py3-none-any.whl/provenance",
    }
    # As the origin gave it, to the last digit; and nothing of our own where it gave none.
    assert found["demo-0.9.tar.gz"]["upload-time"] == "2019-05-06T07:08:09.123456Z"
    assert "upload-time" not in found["demo-1.1-py3-none-any.whl"]
    assert "core-metadata" not in found["demo-0.9.tar.gz"]
    assert found["demo-1.1-py3-none-any.whl"]["yanked"] == "bad <b>day</b>"


async def test_what_a_page_tells_of_a_project(shared: Inside) -> None:
    told = await page(shared)
    assert told["name"] == "demo"
    assert set(told["versions"]) == {"0.9", "1.0", "1.1", "2.0"}
    assert told["project-status"] == {"status": "deprecated", "reason": 'use "other" & be <happy>'}


async def test_a_withheld_file_is_yanked_with_the_reason_or_left_out(shared: Inside) -> None:
    blocked = (await files(shared))["demo-2.0-py3-none-any.whl"]
    assert blocked["yanked"] == 'wheelkeep: deny: INC-42 (denied as "demo>=2")'
    assert set(blocked["core-metadata"]) == {"sha256"}
    left = await page(shared, "/omits/simple/demo/")
    assert "demo-2.0-py3-none-any.whl" not in {entry["filename"] for entry in left["files"]}
    assert "2.0" not in left["versions"]
    assert (await page(shared, "/omits/simple/never/"))["files"] == []


async def test_pip_alone_reads_the_reason_as_a_python_that_nobody_has(shared: Inside) -> None:
    path = "/main/simple/never/"
    to_pip = await shared.get(path, accept=PIP, user_agent='pip/26.3 {"ci":null}')
    assert to_pip.json["files"][0]["requires-python"].startswith("==99+blocked.by.wheelkeep.deny.inc.42")
    assert "User-Agent" in to_pip.headers["vary"]
    for agent in ({"user_agent": "uv/0.13.9"}, {"user_agent": "poetry/2"}, {}):
        other = await shared.get(path, accept=PIP, **agent)
        assert "requires-python" not in other.json["files"][0]
        assert "User-Agent" in other.headers["vary"]
        assert other.headers["etag"] != to_pip.headers["etag"]
    # Where something is admitted, nobody is told such a thing.
    partly = await files(shared, user_agent="pip/26.3")
    assert not any("==99" in entry.get("requires-python", "") for entry in partly.values())


async def test_a_name_that_the_allow_list_does_not_know(shared: Inside, steady: Outside) -> None:
    told = await page(shared, "/strict/simple/large/")
    assert (told["files"], told["versions"]) == ([], [])
    assert told["project-status"]["status"] == "quarantined"
    assert "large is not on the allow list" in told["project-status"]["reason"]
    assert "ask" in told["project-status"]["reason"]
    shown = Anchors((await shared.get("/strict/simple/large/", accept=HTML)).text)
    assert shown.meta["pypi:project-status"] == "quarantined"
    assert not steady.asked("/simple/large")
    assert not steady.asked("/pypi/large")


async def test_the_root_list(shared: Inside, steady: Outside) -> None:
    await shared.get("/main/simple/demo/")
    listed = {
        index: [entry["name"] for entry in (await page(shared, f"/{index}/simple/"))["projects"]]
        for index in ("main", "strict")
    }
    assert listed == {
        "main": ["acme-tool", "chosen", "demo", "large", "never"],
        "strict": ["chosen", "demo"],
    }
    shown = Anchors((await shared.get("/main/simple/", accept=HTML)).text)
    assert [(entry["filename"], entry["url"]) for entry in shown.files] == [
        (name, f"{name}/") for name in listed["main"]
    ]
    assert (await page(shared, "/main/simple/"))["meta"] == {"api-version": "1.4"}


@pytest.mark.parametrize("path", ["/main/simple/demo/", "/simple/demo/", "/main/simple/acme-tool/"])
async def test_links_lead_to_the_files(shared: Inside, path: str) -> None:
    for entry in (await page(shared, path))["files"]:
        if entry["yanked"] and "wheelkeep" in entry["yanked"]:
            continue
        address = urljoin(f"http://keep{path}", entry["url"]).removeprefix("http://keep")
        reply = await shared.get(address)
        assert (reply.status, hashlib.sha256(reply.body).hexdigest()) == (200, entry["hashes"]["sha256"])
        if "core-metadata" in entry:
            beside = await shared.get(f"{address}.metadata")
            assert beside.status == 200
            told = entry["core-metadata"]
            assert told is True or hashlib.sha256(beside.body).hexdigest() == told["sha256"]
        if "provenance" in entry:
            proof = urljoin(f"http://keep{path}", entry["provenance"]).removeprefix("http://keep")
            assert (await shared.get(proof)).status == 200


async def test_with_a_public_url_every_link_is_absolute(outside: Outside, tmp_path: Path) -> None:
    config = 'public_url = "https://packages.acme.example/py"\n' + CONFIG.format(url=outside.url, more="")
    async with Inside(world(outside, tmp_path), config) as inside:
        for path in ("/main/simple/demo/", "/simple/demo/"):
            demo = (await files(inside, path))["demo-1.0-py3-none-any.whl"]
            assert demo["url"].startswith("https://packages.acme.example/py/main/files/demo/")
            assert demo["provenance"].startswith("https://packages.acme.example/py/main/integrity/demo/1.0/")


async def test_unknown_names_and_names_outside_the_grammar(shared: Inside, steady: Outside) -> None:
    assert (await shared.get("/main/simple/nothing/")).detail.endswith("has a project called nothing")
    asked = len(steady.log)
    for name in (
        "-demo",
        "demo-",
        ".demo",
        "de mo",
        "demo!",
        "d%C3%A9mo",
        "%EF%BD%84emo",
        "a" * 300,
    ):
        reply = await shared.get(f"/main/simple/{name}/".replace(" ", "%20"))
        assert reply.status == 404, name
    assert len(steady.log) == asked


@pytest.mark.parametrize("path", ["/main/simple/demo/", "/main/simple/", "/main/simple/never/"])
async def test_entity_tags_and_not_modified(shared: Inside, path: str) -> None:
    tags = set()
    for accept in (JSON, HTML, HTML_V1):
        for coding in ("identity", "gzip", "zstd"):
            first = await shared.get(path, accept=accept, accept_encoding=coding)
            tags.add((first.headers["etag"], first.body))
            for condition in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
                again = await shared.get(path, accept=accept, accept_encoding=coding, if_none_match=condition)
                assert (again.status, again.body) == (304, b"")
                assert again.headers["etag"] == first.headers["etag"]
                assert again.headers["vary"] == first.headers["vary"]
                assert "content-type" not in again.headers
            other = await shared.get(path, accept=accept, accept_encoding=coding, if_none_match='"other"')
            assert (other.status, other.body) == (200, first.body)
    # A tag stands for one sequence of bytes.
    assert len({tag for tag, _ in tags}) == len(tags)


async def test_pages_are_always_asked_for_again(shared: Inside) -> None:
    for path in ("/main/simple/demo/", "/main/simple/"):
        assert (await shared.get(path)).headers["cache-control"] == "no-cache"


def unpacked(reply: Reply) -> bytes:
    coding = reply.headers.get("content-encoding", "identity")
    if coding == "gzip":
        return gzip.decompress(reply.body)
    return (
        zstandard.ZstdDecompressor().decompress(reply.body, max_output_size=1 << 24)
        if coding == "zstd"
        else reply.body
    )


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("identity", None),
        ("gzip, deflate", "gzip"),
        ("gzip, br, zstd, deflate", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("gzip;q=0", None),
        ("br", None),
        ("*", "zstd"),
    ],
)
async def test_codings(shared: Inside, accepted: str | None, coding: str | None) -> None:
    headers = {} if accepted is None else {"accept_encoding": accepted}
    plain = await shared.get("/main/simple/demo/", accept=JSON)
    reply = await shared.get("/main/simple/demo/", accept=JSON, **headers)
    assert reply.headers.get("content-encoding") == coding
    assert unpacked(reply) == plain.body
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert "Accept-Encoding" in reply.headers["vary"]


@pytest.mark.parametrize(
    "path", ["/main/simple/demo/", "/main/simple/", "/simple/never/", "/main/simple/nothing/"]
)
async def test_a_head_is_the_answer_without_its_body(shared: Inside, path: str) -> None:
    whole = await shared.get(path, accept=JSON, accept_encoding="gzip")
    head = await shared.head(path, accept=JSON, accept_encoding="gzip")
    assert (head.status, head.body) == (whole.status, b"")
    own = "x-request-id"
    assert {k: v for k, v in head.headers.items() if k != own} == {
        k: v for k, v in whole.headers.items() if k != own
    }


async def test_a_page_seen_before_is_the_same_page(shared: Inside) -> None:
    """The quick way, by the very bytes of a request, leads to the same answer; also for those that look alike."""
    for path in ("/main/simple/demo/", "/simple/demo/", "/omits/simple/demo/"):
        for accept in (JSON, HTML, "image/png"):
            replies = [await shared.get(path, accept=accept, accept_encoding="gzip") for _ in range(3)]
            assert len({(reply.status, reply.body, reply.headers.get("etag")) for reply in replies}) == 1
    assert (await page(shared))["files"] != (await page(shared, "/omits/simple/demo/"))["files"]


async def test_a_change_outside_is_seen_once_the_page_is_old(outside: Outside, tmp_path: Path) -> None:
    config = CONFIG.format(url=outside.url, more='fresh = "1s"')
    async with Inside(world(outside, tmp_path), config) as inside:
        assert "1.2" not in (await page(inside))["versions"]
        outside.add(*wheel("demo", "1.2"))
        for _ in range(600):
            if "1.2" in (await page(inside))["versions"]:
                break
            await asyncio.sleep(0.02)
        assert "1.2" in (await page(inside))["versions"]
        # While the origin is away the page stays, and says that it is old.
        outside.stop()
        for _ in range(600):
            reply = await inside.get("/main/simple/demo/", accept=JSON)
            if "cache-status" in reply.headers:
                break
            await asyncio.sleep(0.02)
        assert reply.headers["cache-status"] == "wheelkeep; hit; detail=stale"
        assert reply.headers["warning"].startswith("110 ")
        assert "1.2" in reply.json["versions"]
        # What was never asked for is not known to be absent.
        unknown = await inside.get("/main/simple/other/")
        assert (unknown.status, "retry-after" in unknown.headers) == (503, True)
        assert unknown.json["detail"].startswith("the source outer might have it, but")


async def test_no_header_of_a_source_is_passed_on(inside: Inside, outside: Outside) -> None:
    said = {
        "Set-Cookie": "id=1",
        "Location": "//evil.example/",
        "X-Upstream": "yes",
        "Cache-Control": "public, max-age=9",
        "Content-Security-Policy": "default-src *",
        "X-PyPI-Last-Serial": "7",
        "Link": "<https://evil.example>; rel=canonical",
        "Server": "theirs",
    }

    async def telling(exchange: Exchange) -> None:
        exchange.answer.headers.update(said)
        await exchange.send()

    outside.faults["/"] = telling
    filename = "demo-1.0-py3-none-any.whl"
    for path in (
        "/main/simple/demo/",
        f"/main/files/demo/-/{filename}",
        f"/main/files/demo/-/{filename}.metadata",
        f"/main/integrity/demo/1.0/{filename}/provenance",
        "/main/pypi/demo/json",
    ):
        reply = await inside.get(path, accept="*/*")
        assert reply.status == 200, (path, reply.body)
        told = {name: value for name, value in reply.headers.items() if name in map(str.lower, said)}
        assert told.keys() <= {"cache-control", "content-security-policy"}, (path, told)
        assert not set(told.values()) & set(said.values()), (path, told)


async def test_without_a_main_index_the_short_address_is_nobodys(outside: Outside, tmp_path: Path) -> None:
    config = f'[sources.outer]\nkind = "remote"\nurl = "{outside.url}"\n'
    two = config + '[indexes.one]\nsources = ["outer"]\n[indexes.two]\nsources = ["outer"]\n'
    async with Inside(tmp_path / "two", two) as inside:
        assert (await inside.get("/simple/demo/")).status == 404
        assert (await inside.get("/two/simple/demo/")).status == 200
    async with Inside(tmp_path / "one", config + '[indexes.one]\nsources = ["outer"]\n') as inside:
        demo = (await files(inside, "/simple/demo/"))["demo-1.0-py3-none-any.whl"]
        assert demo["url"].startswith("../../one/files/demo/")


async def test_ever_new_requests_for_one_page_fill_no_memory(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simple, "_HOT_MOST", 8)
    for number in range(40):
        reply = await inside.get(f"/main/simple/demo/?x={number}", accept=f"{JSON}, x/{number}")
        assert reply.status == 200
    await inside.get(f"/main/simple/demo/?x={'9' * 3000}", accept=JSON)
    view = inside.keep.indexes["main"].recall(ProjectName("demo"), time.time())
    seen = [key for key in view.renderings if key[0] == b"/main/simple/demo/"]
    assert 0 < len(seen) <= 8
    assert not [key for key in seen if len(key[1]) > 2048]
