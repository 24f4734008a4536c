"""Snapshots by the API: made of an index or of a lock, made anew after a yes, shown to readers alone, deleted."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.api import Managed
from fakes.dists import wheel
from fakes.received import give
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.web.api.snapshots import LARGEST_LOCK

LOCK = "/snapshots/release?lock=requirements.txt"


def lock(*versions: str) -> bytes:
    pins = ((version, hashlib.sha256(wheel("demo", version)[1]).hexdigest()) for version in versions)
    return "".join(f"demo=={version} --hash=sha256:{sha256}\n" for version, sha256 in pins).encode()


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Managed]:
    async with Managed(tmp_path) as made:
        for version in ("1.0", "2.0", "6.0"):
            await give(made.keep, SourceName("acme"), *wheel("demo", version))
        async with asyncio.timeout(30):
            while not await made.keep.indexes[IndexName("main")].ready():
                await asyncio.sleep(0.01)
        yield made


async def test_a_lock_and_its_next_state(api: Managed) -> None:
    made = await api.call("PUT", LOCK, raw=lock("1.0"), by="approver", content_type="text/plain")
    assert made.status == 200, made.body
    state = made.json["snapshot"]
    assert (made.json["new"], state["number"], state["index"], state["kind"]) == (True, 1, "main", "lock")
    assert (state["by"], state["files"], state["here"]) == ("approver", 1, 1)
    again = await api.call("PUT", LOCK, raw=lock("1.0"), by="approver")
    assert (again.json["new"], again.json["snapshot"]["number"]) == (False, 1)

    other = await api.call("PUT", LOCK, raw=lock("2.0"), by="approver")
    assert (other.status, other.kind) == (409, "application/problem+json")
    assert "replace=true" in other.detail
    (changed,) = other.json["difference"]["changed"]
    assert (changed["kind"], changed["before"], changed["after"]) == ("upgraded", "1.0", "2.0")
    assert len(await api.keep.views.snapshots.all()) == 1
    whole = await api.call("PUT", "/snapshots/release?index=main", by="approver")
    assert (whole.status, "and it is of the index" in whole.detail) == (409, True)

    second = await api.call("PUT", f"{LOCK}&replace=true", raw=lock("2.0"))
    assert (second.json["new"], second.json["snapshot"]["number"]) == (True, 2)
    shown = (await api.call("GET", "/snapshots/release")).json
    assert [one["number"] for one in shown["states"]] == [1, 2]
    assert (shown["shown"], shown["against"]) == (2, "release~1")
    assert shown["difference"] == other.json["difference"]
    first = (await api.call("GET", "/snapshots/release?state=1")).json
    assert (first["against"], first["difference"]) == (None, None)
    back = (await api.call("GET", "/snapshots/release?state=1&against=release~2")).json
    assert back["difference"]["changed"][0]["kind"] == "downgraded"
    token = f"Bearer {api.tokens['reader']}"
    for one, version in zip(shown["states"], ("1.0", "2.0"), strict=True):
        path = "/" + one["address"].split("/", 3)[3]
        page = await api.get(f"{path}demo/", authorization=token)
        assert (page.status, f"demo-{version}" in page.text) == (200, True)

    gone = await api.call("DELETE", "/snapshots/release")
    assert gone.json == {"name": "release", "states": 2}
    assert (await api.call("DELETE", "/snapshots/release")).status == 404
    assert (await api.call("GET", "/snapshots/release")).status == 404
    written = [(one.kind, one.detail["by"]) for _, one in await api.keep.ledger.page(limit=3)]
    assert written == [("snapshot deleted", "admin"), ("snapshot", "admin"), ("snapshot", "approver")]


async def test_of_two_at_once_nobody_is_replaced_unseen(api: Managed) -> None:
    """Neither was shown the other's state, so one of them is refused, whichever comes first."""
    both = await asyncio.gather(*(api.call("PUT", LOCK, raw=lock(version)) for version in ("1.0", "2.0")))
    assert sorted(reply.status for reply in both) == [200, 409]
    assert len(await api.keep.views.snapshots.all()) == 1


async def test_whoever_may_not_read_an_index_is_told_of_none(api: Managed) -> None:
    await api.call("PUT", LOCK, raw=lock("1.0"))
    await api.call("PUT", "/snapshots/shown?index=open")
    names = {}
    for caller in ("admin", "reader", "publisher", "approver"):
        listed = (await api.call("GET", "/snapshots", by=caller)).json["items"]
        names[caller] = [one["name"] for one in listed]
        assert {one["by"] for one in listed} == ({"admin"} if caller in ("admin", "approver") else {None})
    both, one = ["release", "shown"], ["shown"]
    assert names == {"admin": both, "reader": both, "publisher": one, "approver": one}
    page = (await api.call("GET", "/snapshots?limit=1")).json
    assert page["next"] == "release~1"
    assert [
        item["name"] for item in (await api.call("GET", "/snapshots?after=release~1")).json["items"]
    ] == one
    hidden = await api.call("GET", "/snapshots/release", by="publisher")
    absent = await api.call("GET", "/snapshots/nothing", by="publisher")
    assert hidden.status == absent.status == 404
    assert hidden.text.replace("release", "nothing") == absent.text
    compared = await api.call("GET", "/snapshots/shown?against=release", by="publisher")
    assert (compared.status, "there is no snapshot release" in compared.detail) == (404, True)


@pytest.mark.parametrize(
    ("query", "raw", "status", "says"),
    [
        ("lock=requirements.txt", b"-r other.txt\n", 400, "includes no other file"),
        ("lock=requirements.txt", b"-c /etc/hostname\n", 400, "includes no other file"),
        ("lock=requirements.txt", b"\x00\xff\xfe", 400, ""),
        ("lock=../requirements.txt", lock("1.0"), 400, "must be a file name"),
        ("lock=.", lock("1.0"), 400, "must be a file name"),
        ("lock=uv.lock", b"no = lock", 400, "uv.lock"),
        ("lock=uv.lock", b"", 400, "must be the bytes"),
        ("", lock("1.0"), 400, "say the file name"),
        ("index=nowhere", b"", 400, "no index of that name"),
        ("index=open&replace=perhaps", b"", 400, "replace"),
        ("lock=requirements.txt", lock("1.0", "6.0"), 409, "demo-6.0-py3-none-any.whl: wheelkeep: deny: INC-1"),
        ("lock=requirements.txt", lock("3.0"), 409, "has the sha256"),
        ("lock=requirements.txt", b"#" * (LARGEST_LOCK + 1), 413, "20000000 bytes"),
    ],
)  # fmt: skip
async def test_what_makes_none(api: Managed, query: str, raw: bytes, status: int, says: str) -> None:
    reply = await api.call("PUT", f"/snapshots/release?{query}", raw=raw, by="approver")
    assert (reply.status, reply.kind) == (status, "application/problem+json"), reply.body
    assert says in reply.detail
    assert await api.keep.views.snapshots.all() == []


async def test_a_name_is_of_one_index_and_no_date(api: Managed) -> None:
    assert (await api.call("PUT", "/snapshots/release?index=open")).status == 200
    other = await api.call("PUT", "/snapshots/release?index=main&replace=true")
    assert (other.status, "take another name" in other.detail) == (409, True)
    for name in ("2026-01-01", "UPPER", "a~1", "%2e%2e"):
        assert (await api.call("PUT", f"/snapshots/{name}")).status == 404
