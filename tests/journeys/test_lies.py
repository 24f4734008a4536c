"""The outside lies in every way it can: no answer is a defect's, no bytes are wrong, nothing hangs, and nobody else's
files stand in. Once the outside is honest again, so are the answers.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fakes import faults
from fakes.ask import JSON, Reply
from fakes.dists import metadata, wheel
from fakes.faults import Answer, Exchange, Fault
from fakes.outside import Outside
from fakes.server import PATIENCE, Server

HUNG = 25.0
"""Seconds without an answer's beginning that are a hang; installers give up after some fifteen on a quiet machine."""
NOISE = hashlib.shake_256(b"noise").digest(300_000)
CONFIG = """
[sources.liar]
kind = "remote"
url = "{liar}"
fresh = "1s"

[sources.second]
kind = "remote"
url = "{second}"

[indexes.main]
sources = ["liar", "second"]
"""


def named(project: str, **more: object) -> bytes:
    return json.dumps({"meta": {"api-version": "1.4"}, "name": project, "files": [], **more}).encode()


def changed(how: Callable[[dict[str, Any]], None]) -> Fault:
    """The honest JSON page with something changed in it."""

    async def fault(exchange: Exchange) -> None:
        page = json.loads(exchange.answer.body)
        how(page)
        await exchange.send(Answer(200, {"Content-Type": JSON}, json.dumps(page).encode()))

    return fault


async def encoded_as_nothing_known(exchange: Exchange) -> None:
    await exchange.send(
        Answer(200, exchange.answer.headers | {"Content-Encoding": "br"}, exchange.answer.body)
    )


async def chunks_that_break_off(exchange: Exchange) -> None:
    await exchange.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<!DOC\r\n"
    )
    exchange.cut()


async def more_than_promised(exchange: Exchange) -> None:
    await exchange.send(length=len(exchange.answer.body) - 3)
    exchange.cut()


ANYWHERE = [name for name in faults.NAMED if name not in {"honest", "endless", "bomb"}]
PAGES: dict[str, Fault | str] = {name: name for name in [*ANYWHERE, "endless", "bomb"]} | {
    "unavailable-for-legal-reasons": faults.status(451),
    "bad-gateway": faults.status(502),
    "teapot": faults.status(418),
    "no-content": faults.status(204),
    "multiple-choices": faults.status(300),
    "not-modified": faults.status(304),
    "created": faults.says(b"", code=201),
    "empty": faults.says(b""),
    "another-projects": faults.says(named("other"), JSON),
    "another-version": faults.says(named("x", meta={"api-version": "2.0"}), JSON),
    "a-list": faults.says(b"[]", JSON),
    "deep": faults.says(b"[" * 500_000, JSON),
    "json-called-html": faults.says(named("x"), "text/html"),
    "plain-text": faults.says(b"not found", "text/plain"),
    "a-picture": faults.says(b"\x89PNG", "image/png"),
    "no-type": faults.says(b"<html></html>", ""),
    "soft-404": faults.says(b"<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>"),
    "home-page": faults.says(b"<html><body><a href='/a'>About</a> <a href='/b'>Blog</a></body></html>"),
    "redirect-nowhere": faults.redirect(""),
    "redirect-to-a-file": faults.redirect("file:///etc/passwd"),
    "redirect-inside": faults.redirect("http://169.254.169.254/latest/meta-data/"),
    "odd-coding": encoded_as_nothing_known,
    "broken-chunks": chunks_that_break_off,
}
FILES: dict[str, Fault | str] = {name: name for name in ANYWHERE} | {
    "unavailable-for-legal-reasons": faults.status(451),
    "no-content": faults.status(204),
    "partial": faults.says(NOISE[:1000], code=206, Content_Range="bytes 0-999/300000"),
    "empty": faults.says(b""),
    "longer": faults.says(NOISE + b"x" * 400_000, "application/zip"),
    "redirect-nowhere": faults.redirect(""),
    "redirect-inside": faults.redirect("http://169.254.169.254/latest/meta-data/"),
    "endless-zeros": faults.says(bytes(20_000_000)),
    "broken-chunks": chunks_that_break_off,
    "unfound": faults.status(404),
}


@pytest.fixture(scope="module")
def second() -> Iterator[Outside]:
    """A source that is asked last, has every name, and must never be taken for the first."""
    with Outside() as outside:
        for name in [*(f"p-{lie}" for lie in PAGES), *(f"f-{lie}" for lie in FILES), "p-redirect-elsewhere"]:
            outside.add(*wheel(name, "9.9"))
        yield outside


@pytest.fixture(scope="module")
def liar() -> Iterator[Outside]:
    with Outside() as outside:
        yield outside


@pytest.fixture(scope="module")
def server(liar: Outside, second: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("keep"), CONFIG.format(liar=liar.url, second=second.url)) as server:
        yield server


def all_at_once(what: Callable[[str], Reply], names: list[str]) -> dict[str, Reply]:
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(what, names), strict=True))


def mended(what: Callable[[], Reply], right: Callable[[Reply], bool]) -> None:
    """Sooner or later the answer is right again."""
    until = time.monotonic() + PATIENCE
    while not right(reply := what()):
        assert time.monotonic() < until, (reply.status, reply.body[:300])
        time.sleep(0.1)


def test_lies_instead_of_a_page(server: Server, liar: Outside, second: Outside) -> None:
    with Outside() as elsewhere:
        lies = PAGES | {"redirect-elsewhere": faults.redirect(f"{elsewhere.origin}/simple/x/")}
        for lie, fault in lies.items():
            liar.add(*wheel(f"p-{lie}", "1.0"))
            liar.faults[f"/simple/p-{lie}/"] = fault

        def page(lie: str) -> Reply:
            return server.get(f"/main/simple/p-{lie}/", Accept=JSON, timeout=HUNG)

        replies = all_at_once(page, list(lies))
        assert {
            lie: (reply.status, reply.body[:300]) for lie, reply in replies.items() if reply.status != 503
        } == {}
        assert all("retry-after" in reply.headers for reply in replies.values())
        assert not second.asked("/simple/p-")
        assert not elsewhere.log
        # Other routes to the same page say the same.
        for lie in ("truncate", "forbidden", "portal", "soft-404"):
            filename, _ = wheel(f"p-{lie}", "9.9")
            for address in (f"/main/files/p-{lie}/-/{filename}", f"/main/pypi/p-{lie}/json"):
                assert server.get(address).status == 503, address
        liar.faults.clear()
        for lie in lies:
            mended(
                lambda lie=lie: server.get(f"/main/simple/p-{lie}/", Accept=JSON),
                lambda reply: reply.status == 200 and reply.json["versions"] == ["1.0"],
            )
        # A page that is known stands in for every lie that comes later.
        liar.faults |= {f"/simple/p-{lie}/": fault for lie, fault in lies.items()}
        time.sleep(1)
        for lie, reply in all_at_once(page, list(lies)).items():
            assert (reply.status, reply.json["versions"]) == (200, ["1.0"]), lie
        assert not second.asked("/simple/p-")
        assert not elsewhere.log


def test_lies_instead_of_a_file(server: Server, liar: Outside, second: Outside) -> None:
    with Outside() as elsewhere:
        lies = FILES | {"redirect-elsewhere": faults.redirect(f"{elsewhere.origin}/files/x")}
        contents = {}
        for lie, fault in lies.items():
            filename, content = wheel(f"f-{lie}", "1.0", files={"noise.bin": NOISE})
            liar.add(filename, content)
            liar.faults[f"/files/f-{lie}/"] = fault
            contents[lie] = (filename, content)
        elsewhere.bodies["/files/x"] = Answer(200, {}, NOISE)

        def address(lie: str) -> str:
            filename, content = contents[lie]
            return f"/main/files/f-{lie}/{hashlib.sha256(content).hexdigest()}/{filename}"

        def got(which: str) -> Reply:
            lie, _, part = which.partition(" ")
            return server.get(address(lie), timeout=HUNG, **({"Range": "bytes=0-99"} if part else {}))

        both = [*lies, *(f"{lie} part" for lie in lies)]
        for which, reply in all_at_once(got, both).items():
            lie, _, part = which.partition(" ")
            told = (which, reply.status, len(reply.body), reply.whole)
            if reply.status == 200:
                # Begun before the lie was known, and cut off: nobody takes that for a file.
                assert not reply.whole, told
                assert not part, told
            else:
                assert reply.status == (404 if lie == "unfound" else 503), told
        assert not elsewhere.log
        kept = {
            sha256: hashlib.sha256(path.read_bytes()).hexdigest() for sha256, path in server.blobs().items()
        }
        assert all(name == came for name, came in kept.items())
        liar.faults.clear()
        for lie in lies:
            mended(
                lambda lie=lie: server.get(address(lie)),
                lambda reply, lie=lie: reply.status == 200 and reply.body == contents[lie][1],
            )
        assert not second.asked("/files/")


WICKED = [
    "other-1.0-py3-none-any.whl",
    "wick-ed-2.0-py3-none-any.whl",
    "../wicked-2.0.tar.gz",
    "..%2fwicked-2.0.tar.gz",
    "/etc/wicked-2.0.tar.gz",
    "C:\\wicked-2.0.tar.gz",
    "wicked-2.0.tar.gz\n",
    "wicked-2.0.tar.gz\0",
    "wicked-2.0.tar.gz/..",
    "wicked-2.0.exe",
    "wicked-not-a-version.tar.gz",
    "wicked-2.0.tar.gz.metadata",
    ".wicked-2.0.tar.gz",
    "wicked-2.0<script>.tar.gz",
    "wicked-2.0.tar.gz" + "x" * 300,
    "w\u0456cked-2.0.tar.gz",
    "",
]


def test_lies_within_a_page(server: Server, liar: Outside) -> None:
    """Files of others, names that are paths, and links that lead away."""
    with Outside() as elsewhere:
        links = {
            "2.1": f"{elsewhere.origin}/files/x",
            "2.2": "http://169.254.169.254/latest/meta-data/",
            "2.3": f"http://user:secret@127.0.0.1:{liar.port}/files/x",
            "2.4": f"//127.0.0.1:{elsewhere.port}/files/x",
            "2.5": "file:///etc/passwd",
            "2.6": "javascript:alert(1)",
            "2.7": "https://localhost/x",
            "2.8": "https://[::ffff:127.0.0.1]/x",
            "2.9": f"{liar.origin}/leads-away/x",
        }
        liar.faults["/leads-away/"] = faults.redirect(f"{elsewhere.origin}/files/x")

        def corrupt(page: dict[str, Any]) -> None:
            page["files"] += [{"filename": name, "url": "x", "hashes": {}} for name in WICKED]
            for version, url in links.items():
                name = f"wicked-{version}-py3-none-any.whl"
                page["files"].append({"filename": name, "url": url, "hashes": {}})
            page["files"] += [None, 7, [], {"filename": 7, "url": "x"}, {"url": "x"}, {"filename": "x"}]
            page["versions"] = ["1.0", "../..", None, "<b>", "6.6"]
            page["name"] = "Wicked"

        filename, content = wheel("wicked", "1.0")
        liar.add(filename, content)
        liar.gzip = False
        liar.faults["/simple/wicked/"] = changed(corrupt)
        page = server.get("/main/simple/wicked/", Accept=JSON).json
        listed = {file["filename"] for file in page["files"]}
        assert listed - {f"wicked-{version}-py3-none-any.whl" for version in links} == {filename}
        assert not {"../..", "<b>"} & set(page["versions"])
        assert server.get(f"/main/files/wicked/-/{filename}").body == content
        for version in links:
            reply = server.get(f"/main/files/wicked/-/wicked-{version}-py3-none-any.whl", timeout=HUNG)
            assert reply.status in {404, 503}, version
            beside = server.get(
                f"/main/files/wicked/-/wicked-{version}-py3-none-any.whl.metadata", timeout=HUNG
            )
            assert beside.status in {404, 503}, version
        assert not elsewhere.log
        html = server.get("/main/simple/wicked/").text
        assert "<script" not in html
        assert "javascript" not in html


def test_bytes_that_change_are_never_given(server: Server, liar: Outside, second: Outside) -> None:
    """Neither with the hash that the page told first, nor with the one that it tells now."""
    made = {version: wheel("moves", version) for version in ("1.0", "2.0", "3.0")}
    for filename, content in made.values():
        liar.add(filename, content)

    def address(version: str, content: bytes) -> str:
        return f"/main/files/moves/{hashlib.sha256(content).hexdigest()}/{made[version][0]}"

    def told() -> dict[str, str]:
        files = server.get("/main/simple/moves/", Accept=JSON).json["files"]
        return {file["filename"]: file["hashes"]["sha256"] for file in files}

    first = told()
    kept = address("1.0", made["1.0"][1])
    assert server.get(kept).body == made["1.0"][1]
    evil = {version: made[version][1] + b"evil" for version in made}
    liar.change(made["1.0"][0], evil["1.0"])
    liar.change(made["2.0"][0], evil["2.0"])
    liar.change(made["3.0"][0], evil["3.0"], sha256=first[made["3.0"][0]])
    asked = len(liar.asked("/simple/moves/"))
    until = time.monotonic() + PATIENCE
    while len(liar.asked("/simple/moves/")) < asked + 2:
        assert told() == first
        assert time.monotonic() < until
    assert server.get(kept).body == made["1.0"][1]
    for version in ("2.0", "3.0"):
        assert server.get(address(version, made[version][1])).status == 503
        assert server.get(f"/main/files/moves/-/{made[version][0]}").status == 503
    for version in made:
        assert server.get(address(version, evil[version])).status == 404
    assert server.log.count('"hash-changed"') == 2
    assert server.log.count('"bytes-differ"') >= 1
    for version in ("2.0", "3.0"):
        liar.change(*made[version])
        mended(
            lambda version=version: server.get(address(version, made[version][1])),
            lambda reply, version=version: reply.body == made[version][1],
        )
    assert told() == first
    assert not second.asked("/simple/moves")


async def another_part(exchange: Exchange) -> None:
    """Other bytes than were asked for, under a Content-Range that says so, or not."""
    whole = exchange.answer.headers.get("Content-Range", "bytes 0-9/9999").rpartition("/")[2]
    answer = Answer(
        206, {"Content-Range": f"bytes 0-{len(exchange.answer.body) - 1}/{whole}"}, exchange.answer.body
    )
    await exchange.send(answer)


def test_lies_about_parts(server: Server, liar: Outside) -> None:
    """Metadata is read out of pieces of a wheel: what does not fit together is fetched whole, or not at all."""
    ways: dict[str, Fault] = {
        "whole-for-part": lambda exchange: exchange.send(
            Answer(200, {}, wheel("r-whole-for-part", "1.0")[1])
        ),
        "another-part": another_part,
        "no-range-told": lambda exchange: exchange.send(Answer(206, {}, exchange.answer.body)),
        "satisfied-not": faults.status(416),
        "zeros": lambda exchange: exchange.send(
            Answer(206, dict(exchange.answer.headers), bytes(len(exchange.answer.body)))
        ),
    }
    for way, fault in ways.items():
        filename, content = wheel(f"r-{way}", "1.0")
        liar.add(filename, content)
        liar.faults[f"/files/r-{way}/"] = fault
        reply = server.get(f"/main/files/r-{way}/-/{filename}.metadata", timeout=HUNG)
        assert reply.status in {200, 404, 503}, way
        assert reply.status != 200 or reply.body == metadata(f"r-{way}", "1.0").encode(), way
    liar.faults.clear()
    for way in ways:
        filename, content = wheel(f"r-{way}", "1.0")
        assert server.get(f"/main/files/r-{way}/-/{filename}").body == content
        assert (
            server.get(f"/main/files/r-{way}/-/{filename}.metadata").body
            == metadata(f"r-{way}", "1.0").encode()
        )
