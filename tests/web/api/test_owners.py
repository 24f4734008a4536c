"""Owners by the API and what they change: who may upload, and what the legacy JSON says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.api import HELD, Managed
from fakes.asgi import sending
from fakes.ask import Reply
from fakes.dists import wheel
from fakes.uploads import KIND, fields, form

OWNERS = f"{HELD}/owners"


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Managed]:
    async with Managed(tmp_path) as made:
        yield made


async def upload(api: Managed, version: str, by: str) -> Reply:
    filename, content = wheel("demo", version)
    body = form(fields("demo", version, filename, content), filename, content)
    token = f"Bearer {api.tokens[by]}"
    return await api.post("/main/legacy/", receive=sending(body), content_type=KIND, authorization=token)


async def test_owners_are_added_and_removed(api: Managed) -> None:
    told = {"source": "acme", "project": "demo"}
    assert (await api.call("GET", OWNERS)).json == told | {"owners": []}
    put = await api.call("PUT", OWNERS, {"owners": ["zoe", "ada", "zoe"]})
    assert put.json == told | {"owners": ["ada", "zoe"]}
    patched = await api.call("PATCH", OWNERS, {"add": ["bob"], "remove": ["zoe", "nobody"]})
    assert patched.json == told | {"owners": ["ada", "bob"]}
    await api.call("PATCH", OWNERS, {})
    assert (await api.call("PUT", OWNERS, {"owners": []})).json == told | {"owners": []}
    entries = await api.keep.ledger.last("owners")
    assert [entry.detail["owners"] for entry in entries] == [[], ["ada", "bob"], ["ada", "zoe"]]
    assert {entry.detail["by"] for entry in entries} == {"admin"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"owners": [""]}, 400),
        ({"owners": ["a\tb"]}, 400),
        ({"owners": ["a" * 101]}, 400),
        ({"owners": [str(n) for n in range(101)]}, 400),
        ({"owners": "ada"}, 400),
        ({}, 400),
    ],
)
async def test_names_that_are_none(api: Managed, body: object, status: int) -> None:
    assert (await api.call("PUT", OWNERS, body)).status == status


async def test_a_project_has_so_many_owners_at_most(api: Managed) -> None:
    await api.call("PUT", OWNERS, {"owners": [f"a{n}" for n in range(60)]})
    more = await api.call("PATCH", OWNERS, {"add": [f"b{n}" for n in range(60)]})
    assert (more.status, more.detail) == (409, "a project has at most 100 owners")


async def test_an_upload_is_its_owners(api: Managed) -> None:
    assert (await upload(api, "1.0", "publisher")).status == 200
    await api.call("PUT", OWNERS, {"owners": ["demo-only"]})
    refused = await upload(api, "2.0", "publisher")
    assert (refused.status, refused.detail) == (
        403,
        "demo is owned by demo-only: it takes a token of that name, or one with the scope admin",
    )
    assert (await upload(api, "2.0", "demo-only")).status == 200
    assert (await upload(api, "3.0", "admin")).status == 200
    await api.call("PUT", OWNERS, {"owners": []})
    assert (await upload(api, "4.0", "publisher")).status == 200


async def test_the_older_json_names_owners(api: Managed) -> None:
    await upload(api, "1.0", "publisher")
    assert "ownership" not in (await api.get("/open/pypi/demo/json")).json
    await api.call("PUT", OWNERS, {"owners": ["zoe", "ada"]})
    assert (await api.get("/open/pypi/demo/json")).json["ownership"] == {
        "roles": [{"role": "Owner", "user": "ada"}, {"role": "Owner", "user": "zoe"}],
        "organization": None,
    }


async def test_a_name_that_is_given_up_has_no_owners(api: Managed) -> None:
    await upload(api, "1.0", "admin")
    await api.call("PUT", OWNERS, {"owners": ["ada"]})
    await api.call("POST", f"{HELD}/delete", {"versions": "*", "reason": "x"})
    assert (await api.call("GET", OWNERS)).json["owners"] == ["ada"]
    await api.call("POST", f"{HELD}/free")
    assert (await api.call("GET", OWNERS)).json["owners"] == []
