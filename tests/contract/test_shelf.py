"""What every place for whole things promises: one suite, run on each kind."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.buckets import shared
from wheelkeep.core.buckets import Bucket
from wheelkeep.core.serving import Serving
from wheelkeep.core.settings import S3Settings
from wheelkeep.store.shelf import Busy, NotThere, Shelf, Thing, Unavailable, hash_of, read_small
from wheelkeep.store.shelves import open_shelf


@pytest_asyncio.fixture(params=["folder", "bucket"])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shelf]:
    if request.param == "folder":
        place: Path | Bucket = tmp_path / "shelf" / "below"
        settings = S3Settings()
    else:
        # One that nobody else has.
        place = Bucket("shelves", f"of/{os.urandom(6).hex()}")
        shared().make(place.name)
        settings = shared().settings
    made = open_shelf(place, settings)
    yield made
    await made.close()


async def names(shelf: Shelf, below: str = "") -> set[str]:
    return {item.name async for item in shelf.items(below)}


async def test_what_was_put_is_there(shelf: Shelf, tmp_path: Path) -> None:
    assert await names(shelf) == set()
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 40_000)
    await shelf.put("a/b/small+1.0%20.txt", b"few")
    await shelf.put("a/large", large)
    await shelf.put("a/empty", b"")
    await shelf.put("a/empty.file", Path("/dev/null"))
    assert await names(shelf) == {"a/b/small+1.0%20.txt", "a/large", "a/empty", "a/empty.file"}
    assert await names(shelf, "a/b") == {"a/b/small+1.0%20.txt"}
    assert await names(shelf, "a/bb") == set()
    assert await read_small(shelf, "a/b/small+1.0%20.txt", 3) == b"few"
    assert await read_small(shelf, "a/empty", 3) == b""
    content = large.read_bytes()
    assert await hash_of(shelf, "a/large") == (hashlib.sha256(content).hexdigest(), len(content))
    sizes = {item.name: item.size async for item in shelf.items()}
    assert sizes["a/large"] == len(content)
    with pytest.raises(Unavailable):
        await read_small(shelf, "a/large", 3)


async def test_what_is_put_in_its_place_is_another(shelf: Shelf) -> None:
    await shelf.put("a", b"one")
    before = [item async for item in shelf.items()]
    await shelf.put("a", b"two")
    after = [item async for item in shelf.items()]
    assert await read_small(shelf, "a", 10) == b"two"
    assert before[0].stamp != after[0].stamp


async def test_the_first_one_stays(shelf: Shelf) -> None:
    assert await shelf.add("a", b"one")
    assert not await shelf.add("a", b"two")
    assert await read_small(shelf, "a", 10) == b"one"


async def test_what_is_not_there_is_cleanly_not_there(shelf: Shelf) -> None:
    with pytest.raises(NotThere):
        await read_small(shelf, "a", 10)
    await shelf.remove("a")
    await shelf.put("a", b"one")
    await shelf.remove("a")
    with pytest.raises(NotThere):
        await read_small(shelf, "a", 10)


async def test_a_file_that_is_gone_is_not_put(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(NotThere):
        await shelf.put("a", tmp_path / "gone")
    assert await names(shelf) == set()


async def test_many_are_put_together(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"large")
    await shelf.put("a/0", b"before")
    html = Serving(content_type="text/html", cache_control="no-cache")
    some = [Thing(name=f"a/{number}", content=b"%d" % number, serving=html) for number in range(40)]
    await shelf.put_all([*some, Thing(name="b/c/large", content=tmp_path / "large")])
    assert await names(shelf) == {*(thing.name for thing in some), "b/c/large"}
    assert await read_small(shelf, "a/0", 3) == b"0"
    assert await read_small(shelf, "b/c/large", 5) == b"large"
    await shelf.put_all([])
    with pytest.raises(NotThere):
        await shelf.put_all([Thing(name="d", content=b"d"), Thing(name="e", content=tmp_path / "gone")])
    assert "e" not in await names(shelf)


async def test_one_at_a_time_writes(shelf: Shelf) -> None:
    async with shelf.lock():
        with pytest.raises(Busy):
            async with shelf.lock():
                pass
    async with shelf.lock():
        pass
