"""A bucket as a shelf: what only a bucket has. For the rest see contract/test_shelf."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from fakes.buckets import shared
from wheelkeep.core.buckets import Bucket
from wheelkeep.core.serving import Serving
from wheelkeep.core.settings import S3Settings, Secret
from wheelkeep.store.s3_shelf import S3Shelf
from wheelkeep.store.shelf import Busy, Thing, Unavailable, read_small


@pytest.fixture
def shelf() -> S3Shelf:
    shared().make("shelves")
    return S3Shelf(Bucket("shelves", f"of/{os.urandom(6).hex()}"), shared().settings)


def owner(host: str, process: int, at: datetime) -> bytes:
    return msgspec.json.encode({"host": host, "process": process, "mark": "", "at": at})


async def test_a_dead_owners_lock_is_taken_over(shelf: S3Shelf) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    now = datetime.now(UTC)
    for dead in (
        owner(os.uname().nodename, ended.pid, now),
        owner("elsewhere", 1, now - timedelta(minutes=11)),
    ):
        await shelf.put("lock", dead)
        async with shelf.lock():
            assert b'"host"' in await read_small(shelf, "lock", 1000)
    assert [item async for item in shelf.items()] == []


async def test_a_living_owners_lock_is_left(shelf: S3Shelf) -> None:
    now = datetime.now(UTC)
    for says, living in (
        ("of elsewhere", owner("elsewhere", 1, now - timedelta(minutes=5))),
        ("cannot be read", b"?"),
    ):
        await shelf.put("lock", living)
        with pytest.raises(Busy, match=says):
            async with shelf.lock():
                pass
        assert await read_small(shelf, "lock", 1000) == living


async def test_a_listing_of_many_is_whole(shelf: S3Shelf) -> None:
    prefix = str(shelf).removeprefix("s3://")
    many = {f"many/{number:02}" for number in range(45)}
    for name in many:
        assert shared().send("PUT", f"/{prefix}/{name}") == 200
    assert {item.name async for item in shelf.items("many")} == many


async def test_a_listing_and_an_answer_tell_the_same_stamp(shelf: S3Shelf) -> None:
    await shelf.put("a", b"x")
    (item,) = [item async for item in shelf.items()]
    async with shelf.open("a") as reading:
        assert reading.item.stamp == item.stamp


async def test_a_thing_keeps_how_it_is_to_be_served(shelf: S3Shelf) -> None:
    html = Serving(content_type="text/html; charset=utf-8", cache_control="public, max-age=60")
    await shelf.put_all([Thing(name="a", content=b"x", serving=html)])
    told = (await shelf._obstore.get_async(shelf._store, "a")).attributes
    assert (told["Content-Type"], told["Cache-Control"]) == (html.content_type, html.cache_control)


async def test_a_key_without_meaning_as_a_path_is_told(shelf: S3Shelf) -> None:
    prefix = str(shelf).removeprefix("s3://")
    assert shared().send("PUT", f"/{prefix}/a/../b", b"x") == 200
    with pytest.raises(Unavailable, match="no meaning as a path"):
        [item async for item in shelf.items()]


async def test_what_cannot_be_reached_is_told_without_its_keys() -> None:
    key = Secret("hunter2")
    shelf = S3Shelf(
        Bucket("acme"), S3Settings(endpoint="http://127.0.0.1:1", region="x", access_key=key, secret_key=key)
    )
    with pytest.raises(Unavailable) as caught:
        [item async for item in shelf.items()]
    assert str(caught.value) == "s3://acme: the store does not answer"


def test_a_machines_own_keys_are_for_nobodys_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(Unavailable, match="no keys are known"):
        S3Shelf(Bucket("acme"), S3Settings(endpoint="http://127.0.0.1:1", region="x"))
