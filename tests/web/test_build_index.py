"""A build is given one index with its policy on a socket of its own, and nothing else of the keep."""

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.asgi import Inside
from fakes.dists import wheel
from fakes.outside import Outside
from wheelkeep.core.names import IndexName
from wheelkeep.store.fetches import Which
from wheelkeep.web.build_bounds import Bounds
from wheelkeep.web.build_index import BuildIndex, serve

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[sources.secret]
kind = "hosted"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"
read = "token"

[indexes.other]
sources = ["secret", "outer"]
"""
POLICY = '[deny]\npackages = ["bad"]\nreason = "INC-7"\n'
TOOL = wheel("tool", "1.0")


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        server.add(*TOOL)
        server.add(*wheel("bad", "1.0"))
        yield server


@pytest_asyncio.fixture
async def inside(tmp_path: Path, outside: Outside) -> AsyncIterator[Inside]:
    (tmp_path / "policy.toml").write_text(POLICY)
    async with Inside(tmp_path, CONFIG.format(url=outside.url)) as opened:
        yield opened


@pytest_asyncio.fixture
async def face(inside: Inside) -> AsyncIterator[BuildIndex]:
    async with serve(inside.keep, inside.keep.indexes[IndexName("main")], "build of demo 1.0") as opened:
        yield opened


async def ask(face: BuildIndex, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    def asked() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(face.socket))
        connection.request(method, path, headers={"User-Agent": "uv/0.13", **headers})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    return await asyncio.to_thread(asked)


async def test_a_file_is_given_and_on_record_under_the_name_of_the_build(
    inside: Inside, face: BuildIndex
) -> None:
    status, page = await ask(face, "/main/simple/tool/", Accept="application/vnd.pypi.simple.v1+json")
    assert status == 200
    (file,) = json.loads(page)["files"]
    assert file["url"].startswith("../../files/tool/")
    at = f"/main/{file['url'].removeprefix('../../')}"
    assert await ask(face, at) == (200, TOOL[1])
    assert (await ask(face, f"{at}.metadata"))[0] == 200
    assert face.fetched == {("tool", TOOL[0])}
    lines = [line async for line in inside.keep.fetches.lines(Which())]
    assert [(line.who, line.filename) for _, line in lines] == [("build of demo 1.0", TOOL[0])]


async def test_what_the_policy_blocks_is_not_given(face: BuildIndex) -> None:
    status, page = await ask(face, "/main/simple/bad/", Accept="application/vnd.pypi.simple.v1+json")
    (file,) = json.loads(page)["files"]
    assert (status, "deny: INC-7" in file["yanked"]) == (200, True)
    assert (await ask(face, f"/main/{file['url'].removeprefix('../../')}"))[0] == 302
    status, says = await ask(face, "/main/blocked/deny/INC-7/bad-1.0-py3-none-any.whl")
    assert (status, b"INC-7" in says) == (403, True)
    assert face.fetched == set()


@pytest.mark.parametrize(
    "path",
    ["/", "/simple/tool/", "/other/simple/tool/", "/api/v1/indexes", "/metrics", "/log/checkpoint", "/main/legacy/",
     "/main/project/tool/", "/main/../other/simple/tool/", "/main@2026-11-01/simple/tool/", "/main/built/tool/", "*"],
)  # fmt: skip
async def test_nothing_else_is_there(face: BuildIndex, path: str) -> None:
    status, _ = await ask(face, path)
    assert status == 404
    # Nobody's token changes that, and nothing can be sent.
    assert (await ask(face, path, Authorization="Bearer wk_x"))[0] == 404
    assert (await ask(face, path, "POST"))[0] == 405


async def test_the_socket_is_its_owners_alone_and_goes(inside: Inside) -> None:
    async with serve(inside.keep, inside.keep.indexes[IndexName("other")], "build of demo 1.0") as opened:
        assert opened.socket.parent.stat().st_mode & 0o777 == 0o700
        assert (await ask(opened, "/other/simple/tool/"))[0] == 200
    assert not opened.socket.parent.exists()


async def test_a_build_that_asks_without_end_gets_no_more(face: BuildIndex, outside: Outside) -> None:
    face._spent.bounds = Bounds(projects=2, files=0)
    assert (await ask(face, "/main/simple/tool/"))[0] == 200
    assert (await ask(face, "/main/simple/none/"))[0] == 404
    before = len(outside.asked())
    status, says = await ask(face, "/main/simple/more/")
    assert (status, b"more than 2 projects" in says) == (403, True)
    assert (await ask(face, "/main/blocked/deny/x/other-1.0.tar.gz"))[0] == 403
    assert (await ask(face, "/main/files/third/-/third-1.0.tar.gz"))[0] == 403
    assert len(outside.asked()) == before
    status, says = await ask(face, f"/main/files/tool/-/{TOOL[0]}")
    assert (status, b"more than 0 files" in says) == (403, True)
    assert face.too_much == "it asked the index for more than 0 files"
    assert face.fetched == set()
