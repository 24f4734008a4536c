"""The view of a resolver over HTTP: nothing for who does not know the secret, and no file for who does."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from unittest import mock

import pytest
import pytest_asyncio

from fakes.asgi import Inside
from fakes.ask import ask
from fakes.dists import metadata, sdist, wheel
from fakes.faults import status, times
from fakes.outside import Outside
from wheelkeep.core.names import IndexName
from wheelkeep.index.candidates import Candidates
from wheelkeep.web.candidates import CandidateServer

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[sources.house]
kind = "hosted"
names = ["acme-*"]

[indexes.main]
sources = ["house", "outer"]
policy = "policy.toml"
"""
POLICY = '[allow]\npackages = ["nothing"]\n[deny]\npackages = ["demo==2.0"]\n'


@pytest_asyncio.fixture
async def viewed(tmp_path: Path) -> AsyncIterator[tuple[Candidates, str, Outside, Inside]]:
    with Outside() as outside:
        for version in ("1.0", "2.0"):
            told = metadata("demo", version, ["needed"]).encode()
            outside.add(*wheel("demo", version, requires=["needed"]), metadata=told)
        outside.add(*sdist("static", "1.0", requires=["a"], form="2.2"))
        outside.add(*sdist("dynamic", "1.0", requires=["a"]))
        filename, content = sdist("forged", "1.0", form="2.2")
        outside.add(filename, content, sha256="0" * 64)
        outside.add("zipped-1.0.zip", b"PK")
        outside.add(*wheel("plain", "1.0"))
        outside.add(*wheel("acme-tool", "9.0"))
        outside.faults["/simple/broken/"] = "error"
        (tmp_path / "policy.toml").write_text(POLICY)
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
            candidates = Candidates(inside.keep, inside.keep.indexes[IndexName("main")])
            with CandidateServer(candidates) as server, mock.patch("wheelkeep.index.candidates._TRIES", 1):
                yield candidates, server.url, outside, inside


async def test_pages_and_metadata_and_no_files(
    viewed: tuple[Candidates, str, Outside, Inside],
) -> None:
    candidates, url, outside, inside = viewed
    base = url.removesuffix("simple/")

    async def get(path: str, method: str = "GET") -> tuple[int, bytes]:
        reply = await asyncio.to_thread(ask, base + path, method)
        return reply.status, reply.body

    status, body = await get("simple/demo/")
    files = {one["filename"]: one for one in json.loads(body)["files"]}
    assert status == 200
    assert files["demo-1.0-py3-none-any.whl"]["yanked"] is False
    assert files["demo-1.0-py3-none-any.whl"]["core-metadata"] is True
    assert files["demo-2.0-py3-none-any.whl"]["yanked"] == 'wheelkeep: deny: denied as "demo==2.0"'
    path = "files/demo/demo-1.0-py3-none-any.whl"
    assert await get(path) == (403, b"files are not served here\n")
    assert await get(f"{path}.metadata") == (200, metadata("demo", "1.0", ["needed"]).encode())
    assert (await get(f"{path}.metadata", "HEAD"))[1] == b""
    # Of a wheel without metadata beside it, what its zip has is read by pieces.
    assert (await get("files/plain/plain-1.0-py3-none-any.whl.metadata"))[1] == metadata(
        "plain", "1.0"
    ).encode()

    for name, needs in (("static", True), ("dynamic", True), ("forged", False), ("zipped", False)):
        status, body = await get(f"files/{name}/{name}-1.0-py3-none-any.whl.metadata")
        assert (status, b"Requires-Dist: a" in body) == (200, needs), name
    assert {key: one.why for key, one in candidates.unread.items()} == {
        ("dynamic", "1.0"): "dynamic-1.0.tar.gz tells what it needs for certain only when it is built",
        (
            "forged",
            "1.0",
        ): "forged-1.0.tar.gz cannot be read: its bytes are not those that its page tells the hash of",
        ("zipped", "1.0"): "zipped-1.0.zip cannot be read: only .tar.gz tells its needs without being built",
    }
    for path in (
        "simple/nobody/",
        "simple/demo",
        "files/demo/demo-3.0-py3-none-any.whl.metadata",
        "x",
        "simple/%C3%A4/",
    ):
        assert (await get(path))[0] == 404, path
    assert (await get("simple/broken/"))[0] == 424
    assert "outer might have it" in candidates.away["broken"]

    # A reserved name is told to nobody, and nothing of all this is kept.
    assert json.loads((await get("simple/acme-tool/"))[1])["files"] == []
    assert not outside.asked("/simple/acme-tool/")
    assert list(inside.keep.blobs.all()) == []


async def test_the_secret(viewed: tuple[Candidates, str, Outside, Inside]) -> None:
    _, url, outside, _ = viewed
    origin = url.split("/", 3)[:3]
    for path in ("", "simple/demo/", "x/simple/demo/"):
        reply = await asyncio.to_thread(ask, "/".join([*origin, path]))
        assert (reply.status, reply.body) == (404, b"nothing is here\n")
    assert not outside.log


async def test_an_origin_that_asks_for_a_pause_is_asked_again_after_it(
    viewed: tuple[Candidates, str, Outside, Inside],
) -> None:
    _, url, outside, _ = viewed
    base = url.removesuffix("simple/")
    name = "demo-1.0-py3-none-any.whl"
    outside.faults[f"/files/demo/{name}.metadata"] = times(4, status(429, retry_after=0))
    with mock.patch("wheelkeep.index.candidates._TRIES", 3):
        reply = await asyncio.to_thread(ask, f"{base}files/demo/{name}.metadata")
    assert (reply.status, b"needed" in reply.body) == (200, True)


async def test_a_command_that_is_over_answers_nobody_and_says_nothing(
    viewed: tuple[Candidates, str, Outside, Inside], capsys: pytest.CaptureFixture[str]
) -> None:
    candidates, url, _, _ = viewed
    with mock.patch.object(candidates, "page", mock.AsyncMock(side_effect=asyncio.CancelledError)):
        reply = await asyncio.to_thread(ask, f"{url}demo/")
    assert (reply.status, reply.body) == (424, b"the command is over\n")
    assert "candidates_failed" not in "".join(capsys.readouterr())
