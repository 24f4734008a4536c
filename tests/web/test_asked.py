"""Asks for what is blocked are counted, with who asked, and the hot path is left as it is."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import pytest
import pytest_asyncio

from fakes.asgi import Inside
from fakes.ask import JSON
from fakes.outside import Outside
from web.conftest import CONFIG, world
from wheelkeep.core import token_text
from wheelkeep.core.access import read_scope
from wheelkeep.core.names import IndexName
from wheelkeep.core.wanted import MOST_EACH, Wanted

UNLISTED = "/strict/simple/unlisted/"


@pytest_asyncio.fixture(loop_scope="session")
async def made(outside: Outside, tmp_path: Path) -> AsyncIterator[Inside]:
    closed = (
        CONFIG.format(url=outside.url, more="")
        + '\n[indexes.shut]\nsources = ["outer"]\npolicy = "allow.toml"\n'
    )
    async with Inside(world(outside, tmp_path), closed + 'read = "token"\n') as inside:
        yield inside


async def token(inside: Inside, name: str, scope: str) -> str:
    text = token_text.write(os.urandom(token_text.RANDOM_BYTES))
    await inside.keep.tokens.add(
        text, name=name, scopes=(read_scope(scope),), created=datetime.now(UTC), expires=None
    )
    return f"Bearer {text}"


async def wanted(inside: Inside, index: str) -> dict[str, Wanted]:
    """What waits for an answer, once all is written."""
    await inside.keep.asks._flush()
    found = await inside.keep.desk.open(IndexName(index))
    return {f"{one.project} {one.version or '*'} {one.gate}": one for one in found.wanted}


def who(one: Wanted) -> list[tuple[str, str, str, int]]:
    return [(each.kind, each.name, each.agent, each.count) for each in one.who]


@pytest.mark.asyncio(loop_scope="session")
async def test_pages_of_unlisted_names(made: Inside) -> None:
    ci = await token(made, "ci", "read:shut")
    for _ in range(3):
        assert (await made.get(UNLISTED, accept=JSON, user_agent="pip/26.0 {}")).status == 200
    reply = await made.head(UNLISTED, user_agent="uv/0.9.9 (linux)")
    etag = reply.headers["etag"]
    assert (await made.get(UNLISTED, if_none_match=etag, user_agent="<b>")).status == 304
    await made.get(UNLISTED, authorization=ci, user_agent="uv/1")
    await made.get(UNLISTED, authorization="Bearer of-nobody")
    await made.get("/shut/simple/unlisted/", authorization=ci)
    assert (await made.get("/shut/simple/unlisted/")).status == 401
    await made.get("/strict/pypi/unlisted/json")
    await made.get("/strict/simple/Un_Listed/")  # only a redirect
    found = await wanted(made, "strict")
    assert list(found) == ["unlisted * allow"]
    one = found["unlisted * allow"]
    assert (one.count, one.askers, one.code) == (8, 2, "allow-unlisted")
    assert one.sentence == "unlisted is not on the allow list"
    assert [each[:2] + each[3:] for each in who(one)] == [("address", "127.0.0.1", 7), ("token", "ci", 1)]
    shut = await wanted(made, "shut")
    assert who(shut["unlisted * allow"]) == [("token", "ci", "", 1)]


@pytest.mark.asyncio(loop_scope="session")
async def test_versions_files_and_pages_without_anything(made: Inside) -> None:
    page = (await made.get("/main/simple/demo/", accept=JSON)).json
    told = next(file["url"] for file in page["files"] if file["filename"].startswith("demo-2.0"))
    url = urljoin("/main/simple/demo/", told)
    for method in ("GET", "HEAD"):
        assert (await made.ask(method, url)).status == 302
    assert (await made.get(f"{url}.metadata")).status == 200
    await made.get("/main/simple/never/")
    await made.get("/omits/simple/never/")
    assert {name: one.count for name, one in (await wanted(made, "main")).items()} == {
        "demo 2.0 deny": 2,
        "never * deny": 1,
    }
    assert (await wanted(made, "main"))["demo 2.0 deny"].filename == "demo-2.0-py3-none-any.whl"
    assert list(await wanted(made, "omits")) == ["never * deny"]
    for filename in ("unlisted-1.0.tar.gz", "nonsense", "demo-1.0.tar.gz"):
        await made.get(f"/strict/files/unlisted/-/{filename}")
    assert list(await wanted(made, "strict")) == ["unlisted 1.0 allow"]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_flood_of_names_is_bounded_and_counted(made: Inside) -> None:
    many = MOST_EACH + 250
    for at in range(many):
        await made.get(f"/strict/simple/flood-{at}/")
    await made.keep.asks._flush()
    found = await made.keep.desk.open(IndexName("strict"), limit=10_000)
    assert len(found.wanted) <= MOST_EACH + 100
    assert sum(one.count for one in found.wanted) + found.beyond == many


@pytest.mark.asyncio(loop_scope="session")
async def test_what_lies_ready_stays_ready(made: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    await made.get("/strict/simple/chosen/", accept=JSON)
    assert (await made.get("/strict/simple/chosen/", accept=JSON)).status == 200
    assert [key[0] for key in made._app._simple._hot] == [b"/strict/simple/chosen/"]
    await made.get(UNLISTED)
    assert len(made._app._simple._hot) == 1

    async def broken(_: object) -> None:
        raise OSError("the database is away")

    # Whoever asks is answered, whether or not it can be noted who it was.
    monkeypatch.setattr(made._app._auth, "caller", broken)
    assert (await made.get(UNLISTED, authorization="Bearer x")).status == 200


@pytest.mark.asyncio(loop_scope="session")
async def test_an_answer_counts_from_the_next_request_on(made: Inside) -> None:
    index = IndexName("strict")
    assert (await made.get("/strict/simple/large/", accept=JSON)).json["files"] == []
    await made.keep.desk.approve(index, ["large"], reason="we need it", by="ada")
    listed = (await made.get("/strict/simple/large/", accept=JSON)).json
    assert [file["yanked"] for file in listed["files"]] == [False]
    assert "large * allow" not in await wanted(made, "strict")
    await made.keep.desk.refuse(index, ["large"], reason="use demo", by="bob")
    told = (await made.get("/strict/simple/large/", accept=JSON)).json
    assert told["files"] == []
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    words = f"wheelkeep: allow: large is not on the allow list; refused by bob on {today}: use demo"
    assert told["project-status"]["reason"].startswith(words)
    blocked = await made.get("/strict/files/large/-/large-1.0-py3-none-any.whl")
    assert words in (await made.get(blocked.headers["location"].replace("../../../", "/strict/"))).detail
    assert await wanted(made, "strict") == {}
