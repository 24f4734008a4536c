"""Trusted publishing as clients see it: PyPI's addresses, discovery, and refusals that say why."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fakes import issuer as fake
from fakes.asgi import Inside, sending
from fakes.ask import Reply
from fakes.dists import wheel
from fakes.uploads import KIND, basic, fields, form
from wheelkeep.store.minted import MintedTokens
from wheelkeep.web.attempts import FREE

AUDIENCE = "packages.acme.example/keep"
MEDIA_TYPE = "application/vnd.pypi.pytp.v1+json"
CONFIG = """
public_url = "https://packages.acme.example/keep"

[sources.acme]
kind = "hosted"

[[sources.acme.publishers]]
issuer = "{issuer}"
claims = {{ repository = "acme/lib", environment = "release" }}
projects = ["acme-lib"]

[sources.other]
kind = "hosted"

[indexes.main]
sources = ["acme", "other"]
publish = "acme"

[indexes.closed]
sources = ["acme"]
publish = "acme"
read = "token"

[indexes.elsewhere]
sources = ["other"]
publish = "other"

[indexes.silent]
sources = ["acme"]
"""
GOOD = {"repository": "acme/lib", "environment": "release"}
MINT = "/_/oidc/mint-token"


@dataclass
class World:
    inside: Inside
    issuer: fake.Issuer

    async def mint(self, text: str, **more: Any) -> Reply:
        return await self.post(json.dumps({"token": text} | more).encode())

    async def post(self, body: bytes) -> Reply:
        return await self.inside.post(MINT, receive=sending(body), host="evil.example")

    async def good(self) -> Reply:
        return await self.mint(self.issuer.sign(GOOD, audience=AUDIENCE))


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path) -> AsyncIterator[World]:
    with fake.Issuer() as issuer:
        async with Inside(tmp_path, CONFIG.format(issuer=issuer.url)) as inside:
            yield World(inside, issuer)


def told(reply: Reply, status: int, code: str) -> str:
    """What a refusal says, once it is one to both kinds of client."""
    assert reply.status == status, (reply.status, reply.text)
    assert reply.headers["cache-control"] == "no-store"
    (error,) = reply.json["errors"]
    assert (reply.json["status"], reply.json["message"]) == (status, "Token request failed")
    assert error == {"code": code, "description": reply.detail}
    return reply.detail


@pytest.mark.asyncio(loop_scope="session")
async def test_a_token_is_minted_and_publishes_what_it_may_and_no_more(world: World) -> None:
    asked = await world.inside.get("/_/oidc/audience", host="evil.example")
    assert (asked.status, asked.json) == (200, {"audience": AUDIENCE})
    reply = await world.good()
    assert (reply.status, reply.kind, reply.headers["cache-control"]) == (200, MEDIA_TYPE, "no-store")
    assert reply.json["success"] is True
    assert isinstance(reply.json["expires"], int)
    token = reply.json["token"]
    statuses = []
    for name, path in (
        ("acme-lib", "/main/legacy/"),
        ("acme-lib", "/closed/legacy/"),
        ("acme-other", "/main/legacy/"),
        ("acme-lib", "/elsewhere/legacy/"),
    ):
        filename, content = wheel(name, "1.0")
        body = form(fields(name, "1.0", filename, content), filename, content)
        upload = await world.inside.post(
            path, receive=sending(body), content_type=KIND, authorization=basic(token)
        )
        statuses.append(upload.status)
    assert statuses == [200, 200, 403, 403]
    assert (await world.inside.get("/closed/simple/", authorization=basic(token))).status == 403
    (entry,) = await world.inside.keep.ledger.last("published")
    assert entry.detail["by"] == "trusted:acme/lib"


@pytest.mark.asyncio(loop_scope="session")
async def test_discovery_names_the_addresses(world: World) -> None:
    for path in (
        "/keep/main/legacy/",
        "/keep/main/legacy",
        "/keep/main/",
        "/keep/main",
        "/keep/closed/legacy/",
    ):
        for written in (path, path.replace("/", "%2F"), f"https://packages.acme.example{path}"):
            reply = await world.inside.get(f"/.well-known/pytp?discover={written}", host="evil.example")
            assert (reply.status, reply.kind) == (200, MEDIA_TYPE), written
            assert reply.json == {
                "audience-endpoint": "https://packages.acme.example/keep/_/oidc/audience",
                "token-mint-endpoint": "https://packages.acme.example/keep/_/oidc/mint-token",
                "features": ["multi-use-token"],
                "default-features": ["multi-use-token"],
            }
    for query in (
        "", "?discover=", "?discover=/", "?discover=/keep/", "?discover=/main/legacy/",
        "?discover=/keep/elsewhere/legacy/",
        "?discover=/keep/silent/legacy/", "?discover=/keep/nothing/legacy/", "?discover=/keep/main/simple/",
        "?discover=/keepmain/legacy/", "?discover=//keep/main/legacy/", "?discover=http://[",
        "?other=/keep/main/legacy/",
    ):  # fmt: skip
        reply = await world.inside.get(f"/.well-known/pytp{query}")
        assert reply.status == 404 and reply.detail, query


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("accept", "status"),
    [(MEDIA_TYPE, 200), ("*/*", 200), ("application/json", 200), ("text/html", 406), (f"{MEDIA_TYPE};q=0, a/b", 406)],
)  # fmt: skip
async def test_discovery_is_in_its_own_form(world: World, accept: str, status: int) -> None:
    path = "/.well-known/pytp?discover=/keep/main/legacy/"
    assert (await world.inside.get(path, accept=accept)).status == status


@pytest.mark.asyncio(loop_scope="session")
async def test_refusals_say_why_to_every_client(world: World) -> None:
    sign = world.issuer.sign
    text = sign(GOOD, audience=AUDIENCE)
    assert (await world.mint(text)).status == 200
    assert "used already" in told(await world.mint(text), 422, "invalid-reuse-token")
    says = told(
        await world.mint(sign(GOOD | {"environment": "x"}, audience=AUDIENCE)), 422, "invalid-publisher"
    )
    assert "environment = 'x', repository = 'acme/lib'" in says and "release" not in says
    assert "audience" in told(await world.mint(sign(GOOD, audience="pypi")), 422, "invalid-token")
    says = told(
        await world.mint(sign({"iss": "https://evil.example"}, audience=AUDIENCE)), 422, "invalid-payload"
    )
    assert "https://evil.example" in says


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 422), (b"{", 422), (b"[]", 422), (b'{"token": 5}', 422), (b'{"tokens": "x"}', 422), (b'{"token": ""}', 422),
     (b'{"token": "a.b.c"}', 422), (b"[" * 60_000, 422), (b"\xff", 422), (b" " * 70_000, 413),
     (b'{"token": "%s"}' % (b"a" * 20_000), 422), (b'{"token": "a", "features": ["single-use-token"]}', 422)],
)  # fmt: skip
async def test_bodies_that_hold_no_identity(world: World, body: bytes, status: int) -> None:
    told(await world.post(body), status, "invalid-payload")


@pytest.mark.asyncio(loop_scope="session")
async def test_features_can_be_asked_for(world: World) -> None:
    text = world.issuer.sign(GOOD, audience=AUDIENCE)
    assert (await world.mint(text, features=["multi-use-token"])).status == 200


@pytest.mark.asyncio(loop_scope="session")
async def test_an_issuer_that_is_away_is_an_outage(world: World) -> None:
    world.issuer.say("/keys", b"", 503, **{"Retry-After": "7"})
    reply = await world.good()
    assert "cannot be asked for its keys" in told(reply, 503, "issuer-unreachable")
    assert reply.headers["retry-after"] == "7"


@pytest.mark.asyncio(loop_scope="session")
async def test_trouble_of_the_keeps_own_is_told_in_the_same_form(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> bool:
        raise OSError("no space left")

    monkeypatch.setattr(MintedTokens, "add", full)
    assert "space" not in told(await world.good(), 503, "unavailable")


@pytest.mark.asyncio(loop_scope="session")
async def test_after_many_wrong_ones_only_good_ones_are_heard(world: World) -> None:
    for number in range(FREE):
        told(await world.mint(str(number)), 422, "invalid-payload")
    reply = await world.mint("x")
    assert "too many" in told(reply, 429, "too-many-attempts")
    assert 0 < int(reply.headers["retry-after"]) <= 60
    # The same count as for wrong tokens.
    wrong = await world.inside.post("/main/legacy/", authorization=basic("wk_wrong"))
    assert wrong.status == 429
    assert (await world.good()).status == 200


@pytest.mark.asyncio(loop_scope="session")
async def test_methods(world: World) -> None:
    got = await world.inside.get(MINT)
    assert (got.status, got.headers["allow"]) == (405, "POST")
    for path in ("/_/oidc/audience", "/.well-known/pytp?discover=/keep/main/"):
        posted = await world.inside.post(path)
        assert (posted.status, posted.headers["allow"]) == (405, "GET, HEAD")
        assert (await world.inside.head(path)).status == 200


@pytest.mark.asyncio(loop_scope="session")
async def test_without_publishers_there_is_none_of_it(shared: Inside) -> None:
    for reply in (await shared.get("/_/oidc/audience"), await shared.post(MINT)):
        assert "no trusted publisher is configured" in told(reply, 404, "not-enabled")
    reply = await shared.get("/.well-known/pytp?discover=/main/legacy/")
    assert reply.status == 404 and "no trusted publisher" in reply.detail
