"""Every operation by every kind of caller, and whatever may come in a body: nothing is told to those who may not,
and nothing that is sent is a fault of ours.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.api import SCOPES, Managed
from fakes.asgi import sending
from fakes.dists import wheel
from fakes.received import give
from wheelkeep.core.names import SourceName
from wheelkeep.web.api.operation import ADMIN, APPROVE, KNOWN, PUBLISH, READ, Operation
from wheelkeep.web.api.releases import PROMOTE
from wheelkeep.web.api.router import OPERATIONS, at
from wheelkeep.web.api.snapshots import SEEN

pytestmark = pytest.mark.asyncio(loop_scope="session")

THERE = {"index": "main", "source": "acme", "project": "demo", "id": "00000000000", "snapshot": "release"}
ABSENT = {
    "index": "nothing",
    "source": "nothing",
    "project": "no-thing",
    "id": "nothing",
    "snapshot": "nothing",
}
MAY = {
    ADMIN.text: {"admin"},
    READ.text: {"admin", "reader"},
    APPROVE.text: {"admin", "approver"},
    KNOWN.text: {"admin", "publisher", "demo-only", "reader", "approver"},
    SEEN.text: {"admin", "publisher", "demo-only", "reader", "approver"},
    PUBLISH.text: {"admin", "publisher", "demo-only"},
    PROMOTE.text: {"admin", "publisher", "demo-only"},
}
"""Who may, where the address is about ``main``, ``acme`` and ``demo``."""
LAPSED = ("revoked", "expired")
named = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Managed]:
    async with Managed(tmp_path_factory.mktemp("api")) as made:
        await give(made.keep, SourceName("acme"), *wheel("demo", "1.0"))
        yield made


def address(operation: Operation, places: dict[str, str] = THERE) -> str:
    return operation.path.format(**places)


async def test_the_matrix_knows_every_need() -> None:
    assert {operation.needs.text for operation in OPERATIONS} == set(MAY)
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)


@named
async def test_who_may_and_who_may_not(api: Managed, operation: Operation) -> None:
    """Nothing differs between what is there and what is not, nor does a body that is no good come to be read."""
    for caller in SCOPES:
        refused = set()
        for places in (THERE, ABSENT):
            for raw in (b"not json", b"{}"):
                reply = await api.call(operation.method, address(operation, places), by=caller, raw=raw)
                if places is THERE and caller in MAY[operation.needs.text]:
                    assert reply.status in {200, 400, 404, 409}, (caller, reply.body)
                elif caller in LAPSED:
                    assert reply.status == 401
                elif caller not in MAY[operation.needs.text]:
                    assert reply.status == 403, (caller, reply.body)
                    words = reply.text
                    for place in ("index", "source", "project"):
                        words = words.replace(f":{ABSENT[place]}", "").replace(f":{THERE[place]}", "")
                    refused.add(words)
        assert len(refused) <= 1


@named
async def test_without_a_token_there_is_nothing(api: Managed, operation: Operation) -> None:
    path = address(operation)
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        for headers in ({}, {"authorization": "Bearer nonsense"}, {"cookie": "a=b"}):
            reply = await api.call(method, path, by=None, **headers)
            assert reply.status in {401, 429}
            assert (reply.headers.get("www-authenticate") is not None) == (reply.status == 401)


@named
async def test_methods(api: Managed, operation: Operation) -> None:
    path = address(operation)
    allowed = set(at(path)) | ({"HEAD"} if "GET" in at(path) else set())
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"} - allowed:
        reply = await api.call(method, path)
        assert (reply.status, reply.headers["allow"]) == (405, ", ".join(sorted(allowed))), method


@named
async def test_whoever_may_publish_one_project_may_not_touch_another(
    api: Managed, operation: Operation
) -> None:
    path = address(operation, THERE | {"project": "other", "index": "nothing"})
    reply = await api.call(operation.method, path, by="demo-only", raw=b"{}")
    none = 404 if operation.parts else 200
    assert reply.status == (none if operation.needs in (KNOWN, SEEN) else 403)


async def test_addresses_that_are_none(api: Managed) -> None:
    for path in (
        "/",
        "",
        "/nothing",
        "/indexes/",
        "/sources/acme/projects/",
        "/tokens/a/b",
        "//",
        "/indexes/simple",
    ):
        assert (await api.call("GET", path, by=None)).status in {401, 404, 429}, path
        assert (await api.call("GET", path)).status == 404, path
    for path in ("/api", "/api/", "/api/v1", "/api/v2/indexes", "/api/docs/"):
        reply = await api.get(path)
        assert (reply.status, "/api/docs says what is there" in reply.detail) == (404, True)


TAKING = [operation for operation in OPERATIONS if operation.takes is not None]
HOSTILE = {
    "empty": b"",
    "half": b'{"versions": ',
    "deep": b"[" * 200_000,
    "deep object": b'{"versions":' * 50_000,
    "deep within": b'{"versions":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nan": b'{"versions": NaN}',
    "infinity": b'{"limit": -Infinity}',
    "twice": b'{"versions": "1", "versions": "2", "reason": "x"}',
    "huge int": b'{"versions": ' + b"9" * 100_000 + b"}",
    "huge float": b'{"versions": 1e999999}',
    "half a pair": b'{"versions": "\\ud800", "reason": "\\udfff"}',
    "half a pair as name": b'{"\\ud800": "1"}',
    "null bytes": b'{"versions": "\\u0000", "reason": "\\u0000"}',
    "not utf-8": b'{"versions": "\xff"}',
    "utf-16": '{"versions": "1"}'.encode("utf-16"),
    "bom": b'\xef\xbb\xbf{"versions": "1"}',
    "two": b"{}{}",
    "list": b"[]",
    "null": b"null",
    "true": b"true",
    "text": b'"text"',
    "line ends": json.dumps({"versions": "1\r\n2", "reason": "a\r\nb"}).encode(),
    "directions": json.dumps({"versions": "1", "reason": "a\u202eb"}).encode(),
    "long name": b'{"' + b"a" * 100_000 + b'": 1}',
    "many names": json.dumps({str(n): n for n in range(20_000)}).encode(),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_bodies(api: Managed, raw: bytes) -> None:
    for operation in TAKING:
        reply = await api.call(operation.method, address(operation), raw=raw)
        assert (reply.status, reply.kind) == (400, "application/problem+json"), operation.name
        assert len(reply.body) < 2_000


async def test_bounds_and_kinds_of_bodies(api: Managed) -> None:
    for operation in TAKING:
        path = address(operation)
        large = await api.call(operation.method, path, raw=b" " * 1_000_001)
        assert large.status == 413
        told = await api.call(operation.method, path, raw=b"{}", content_length="99999999999")
        assert told.status == 413
        for kind in (
            "text/plain",
            "",
            "application/json; charset=latin-1",
            "multipart/form-data",
            "application/jsonx",
        ):
            assert (await api.call(operation.method, path, raw=b"{}", content_type=kind)).status == 415, kind
        gone = await api.ask(
            operation.method,
            f"/api/v1{path}",
            receive=sending(b"{", gone=True),
            content_type="application/json",
            authorization=f"Bearer {api.tokens['admin']}",
        )
        assert gone.status == 408
    fine = await api.call(
        "PATCH",
        "/sources/acme/projects/demo/owners",
        raw=b" {} ",
        content_type="Application/JSON ; charset=UTF-8",
    )
    assert fine.status == 200


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=2",
        "limt=1",
        "limit=",
        "limit=1.5",
        "limit=%00",
        "%ff=1",
        "after=%ff",
        "a=1&" * 60,
        "limit=٣",
        "&=&",
    ],
)
async def test_hostile_queries(api: Managed, query: str) -> None:
    for path in ("/tokens", "/sources/acme/projects", "/ledger"):
        reply = await api.call("GET", f"{path}?{query.encode().decode('latin-1')}")
        assert reply.status == 400, (path, reply.body)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
KEYS = sorted({name for operation in TAKING for name in operation.takes.__struct_fields__})  # type: ignore[union-attr]
BODIES = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), VALUES, max_size=5) | VALUES


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, at=st.integers(0, len(TAKING) - 1))
async def test_any_json_is_taken_or_refused(api: Managed, body: Any, at: int) -> None:
    operation = TAKING[at]
    places = ABSENT if operation.name in {"delete", "promote"} else THERE
    reply = await api.call(operation.method, address(operation, places), raw=json.dumps(body).encode())
    assert 200 <= reply.status < 500
    assert reply.status < 300 or reply.kind == "application/problem+json"
