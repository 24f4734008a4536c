"""Indexes, sources and the ledger by the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.api import HELD, Managed
from fakes.dists import wheel
from fakes.received import give
from wheelkeep.core.names import SourceName


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Managed]:
    async with Managed(tmp_path) as made:
        await give(made.keep, SourceName("acme"), *wheel("demo", "1.0"))
        yield made


@pytest.mark.parametrize(
    ("by", "names"), [("admin", ["main", "open"]), ("reader", ["main", "open"]), ("approver", ["open"])]
)
async def test_a_caller_sees_the_indexes_it_may_read(api: Managed, by: str, names: list[str]) -> None:
    listed = await api.call("GET", "/indexes", by=by)
    assert [index["name"] for index in listed.json["items"]] == names
    for name in ("main", "open"):
        assert (await api.call("GET", f"/indexes/{name}", by=by)).status == (200 if name in names else 403)
    assert (await api.call("GET", "/indexes/nothing", by=by)).status == (404 if by == "admin" else 403)


async def test_an_index(api: Managed) -> None:
    assert (await api.call("GET", "/indexes/main", by="reader")).json == {
        "name": "main",
        "closed": True,
        "merge": "strict",
        "sources": [["acme"], ["wheels"]],
        "publish": "acme",
        "withheld": "yank",
        "policy": True,
        "policy_broken": False,
    }


async def test_explain(api: Managed) -> None:
    told = await api.call("GET", "/indexes/main/explain?requirement=Demo%3E%3D1", by="reader")
    assert (told.status, told.json["project"], told.json["admitted"]) == (200, "demo", True)
    assert [file["verdict"] for file in told.json["files"]] == ["admitted"]
    assert (await api.call("GET", "/indexes/main/explain?requirement=nothing")).json["admitted"] is False
    for query, says in (
        ("", "missing required field `requirement`"),
        ("?requirement=demo%5Bx%5D", "leave out the brackets"),
        ("?requirement=a&requirement=b", '"requirement" stands there twice'),
        ("?requirment=a", 'did you mean "requirement"?'),
        ("?requirement=%ff", "cannot be read"),
        ("?requirement=" + "a" * 301, "the query"),
    ):
        reply = await api.call("GET", f"/indexes/main/explain{query}")
        assert (reply.status, says in reply.detail) == (400, True), reply.detail


async def test_sources(api: Managed) -> None:
    listed = (await api.call("GET", "/sources")).json["items"]
    assert [(source["name"], source["kind"]) for source in listed] == [
        ("acme", "hosted"),
        ("stage", "hosted"),
        ("wheels", "directory"),
    ]
    assert (await api.call("GET", "/sources/acme")).json == listed[0]
    assert (listed[0]["ready"], listed[0]["trouble"]) == (True, None)
    assert (await api.call("GET", "/sources/nothing")).status == 404


async def test_the_ledger_in_pages(api: Managed) -> None:
    await api.call("POST", f"{HELD}/yank", {"versions": "*", "reason": "x"})
    await api.call("POST", f"{HELD}/unyank", {"versions": "*"})
    first = (await api.call("GET", "/ledger?limit=2")).json
    assert [entry["kind"] for entry in first["items"]] == ["unyanked", "yanked"]
    assert first["items"][1]["detail"]["by"] == "admin"
    rest = (await api.call("GET", f"/ledger?before={first['next']}")).json
    kinds = [entry["kind"] for entry in rest["items"] if not entry["kind"].startswith("token ")]
    assert (kinds, rest["next"]) == (["published", "policy"], None)
    some = (await api.call("GET", "/ledger?kind=yanked&source=acme&project=demo")).json
    assert [entry["kind"] for entry in some["items"]] == ["yanked"]
    assert (await api.call("GET", "/ledger?project=other")).json["items"] == []
    for query in ("limit=0", "limit=1001", "limit=x", "before=-1", f"before={2**70}"):
        assert (await api.call("GET", f"/ledger?{query}")).status == 400, query
