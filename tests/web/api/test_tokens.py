"""Tokens by the API: told once, listed in pages, ended at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.api import SCOPES, Managed


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Managed]:
    async with Managed(tmp_path) as made:
        yield made


async def test_the_life_of_a_token(api: Managed) -> None:
    made = await api.call(
        "POST",
        "/tokens",
        {"name": "ci", "scopes": ["read:main", "publish:acme:De_mo", "read:main"], "expires": "90d"},
    )
    assert made.status == 201
    told = made.json
    assert told["scopes"] == ["read:main", "publish:acme:de-mo"]
    assert told["token"].startswith(f"wk_{told['id']}_")
    api.tokens["ci"] = told.pop("token")
    assert (await api.call("GET", f"/tokens/{told['id']}")).json == told
    assert (await api.call("GET", "/indexes/main", by="ci")).status == 200

    taken = await api.call("POST", "/tokens", {"name": "ci", "scopes": ["read:main"]})
    assert (taken.status, taken.detail.startswith('there is a token called "ci" already')) == (409, True)
    ended = await api.call("DELETE", f"/tokens/{told['id']}")
    assert (ended.status, ended.json["revoked"] is not None) == (200, True)
    again = await api.call("DELETE", f"/tokens/{told['id']}")
    assert again.json["revoked"] == ended.json["revoked"]
    # What was found good is believed for a fifth of a second.
    await asyncio.sleep(0.25)
    assert (await api.call("GET", "/indexes/main", by="ci")).status == 401
    assert (await api.call("POST", "/tokens", {"name": "ci", "scopes": ["admin"]})).json["expires"] is None


async def test_tokens_in_pages(api: Managed) -> None:
    seen, after = [], ""
    while after is not None:
        page = (await api.call("GET", f"/tokens?limit=3{f'&after={after}' if after else ''}")).json
        seen += [token["name"] for token in page["items"]]
        after = page["next"]
        assert "token" not in page["items"][0]
    assert sorted(seen) == sorted(SCOPES)
    for after in ("nothing", "", "0001-01-01T00:00:00.000000Z"):
        assert (await api.call("GET", f"/tokens?after={after}")).status == (400 if len(after) < 9 else 200)
    for method in ("GET", "DELETE"):
        assert (await api.call(method, "/tokens/nothing")).status == 404


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": " ci"}, "name: a name has no spaces at its ends"),
        ({"name": "a\u202eb"}, "name: a name is one line"),
        ({"scopes": []}, "at `$.scopes`"),
        ({"scopes": ["read:mian"]}, 'scopes: read:mian: there is no index "mian": did you mean "main"?'),
        ({"scopes": ["publish:wheels"]}, '"wheels" takes no uploads'),
        ({"scopes": ["all"]}, "begins with a word that is none"),
        ({"expires": "soon"}, 'expires: "soon" is not a time'),
        ({"expires": 90}, "at `$.expires`"),
    ],
)
async def test_a_mistake_is_named_and_makes_nothing(
    api: Managed, change: dict[str, object], says: str
) -> None:
    reply = await api.call("POST", "/tokens", {"name": "ci", "scopes": ["admin"], **change})
    assert (reply.status, says in reply.detail) == (400, True), reply.detail
    assert "ci" not in [token.name for token in await api.keep.tokens.all()]
