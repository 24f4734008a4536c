"""A wheelhouse: written once, mended, never naming what is not there."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from fakes.asgi import Inside
from fakes.buckets import shared
from fakes.dists import wheel
from fakes.made import sha
from fakes.outside import Outside
from wheelkeep.core.buckets import read_bucket
from wheelkeep.core.lock import Lock, Locked, LockedFile
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.targets import EVERYWHERE
from wheelkeep.index.audit import held
from wheelkeep.index.needed import of_locks
from wheelkeep.index.wheelhouse import Wheelhouse, export
from wheelkeep.store.fetches import Which
from wheelkeep.store.folder_shelf import FolderShelf
from wheelkeep.store.shelf import hash_of
from wheelkeep.store.shelves import open_shelf

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
"""
FILES = [wheel("demo", "1.0"), wheel("demo", "1.0", tag="cp311-cp311-win_amd64"), wheel("lib", "2.0")]


@pytest_asyncio.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    with Outside() as outside:
        for made in FILES:
            outside.add(*made)
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as opened:
            yield opened


def lock(**hashes: tuple[str, ...]) -> Lock:
    entries = tuple(
        Locked(
            project=ProjectName(name),
            version={"demo": "1.0", "lib": "2.0"}[name],
            marker="" if name == "demo" else "python_version > '3'",
            files=tuple(LockedFile(sha256=one) for one in some),
        )
        for name, some in hashes.items()
    )
    return Lock(path="lock", format="requirements.txt", entries=entries, read=("lock",))


async def exported(inside: Inside, to: Path, locked: Lock, *, prune: bool = False) -> Wheelhouse:
    index = inside.keep.indexes[IndexName("main")]
    needed = await of_locks(index, [locked], EVERYWHERE)
    shelf = FolderShelf(to, public=True)
    states = export(inside.keep, index, needed, shelf, address=str(to), at_once=2, prune=prune)
    *_, last = [state async for state in states]
    assert isinstance(last, Wheelhouse)
    return last


def sums() -> list[str]:
    return [hashlib.sha256(content).hexdigest() for _, content in FILES]


async def test_written_once_and_mended(inside: Inside, tmp_path: Path) -> None:
    to, (pure, windows, lib) = tmp_path / "house", sums()
    state = await exported(inside, to, lock(demo=(pure, windows), lib=(lib,)))
    assert (state.written, state.there, state.lacking) == (3, 0, [])
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in to.iterdir()}
    assert set(before) == {*(name for name, _ in FILES), "requirements.txt", "index.html", "pip.conf"}
    assert (to / "requirements.txt").stat().st_mode & 0o777 == 0o644
    back = read_lock("requirements.txt", lambda _: before["requirements.txt"][0])
    assert {(one.project, one.version, one.marker) for one in back.entries} == {
        ("demo", "1.0", ""),
        ("lib", "2.0", 'python_version > "3"'),
    }
    assert f"{FILES[2][0]}#sha256={lib}" in before["index.html"][0].decode()

    state = await exported(inside, to, lock(demo=(pure, windows), lib=(lib,)))
    assert (state.written, state.there) == (0, 3)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in to.iterdir()} == before

    (to / FILES[0][0]).write_bytes(b"x" * len(FILES[0][1]))
    state = await exported(inside, to, lock(demo=(pure, windows), lib=(lib,)))
    assert state.written == 1
    assert {path.name: path.read_bytes() for path in to.iterdir()} == {
        name: content for name, (content, _) in before.items()
    }


async def test_what_else_lies_there_is_told_and_goes_only_when_asked(inside: Inside, tmp_path: Path) -> None:
    to, (pure, windows, lib) = tmp_path / "house", sums()
    await exported(inside, to, lock(demo=(pure, windows), lib=(lib,)))
    state = await exported(inside, to, lock(demo=(pure,)))
    assert state.strangers == sorted([FILES[1][0], FILES[2][0]])
    assert (to / FILES[2][0]).exists()
    (to / "below").mkdir()
    others = [f"below/{FILES[2][0]}", "notes.txt"]
    for name in others:
        (to / name).write_bytes(b"somebody's own")
    state = await exported(inside, to, lock(demo=(pure,)), prune=True)
    assert (state.removed, state.strangers) == (sorted([FILES[1][0], FILES[2][0]]), others)
    assert all((to / name).exists() for name in others)
    assert not (to / FILES[2][0]).exists()


async def test_each_file_that_leaves_is_on_record_once(inside: Inside, tmp_path: Path) -> None:
    pure, _, lib = sums()
    for _ in range(2):
        await exported(inside, tmp_path / "house", lock(demo=(pure,), lib=(lib,)))
    found = await held(inside.keep.fetches, Which())
    assert {(one.filename, one.sha256, one.holders[0].count) for one in found} == {
        (FILES[0][0], pure, 1),
        (FILES[2][0], lib, 1),
    }
    (holder,) = found[0].holders
    assert holder.words == f"export wheelhouse to {tmp_path / 'house'}"
    # Nothing but what was exported: what a lock lacks left no line.
    await exported(inside, tmp_path / "other", lock(lib=(sha("none"),)))
    assert len(await held(inside.keep.fetches, Which())) == 2


async def test_a_bucket_holds_the_same(inside: Inside, tmp_path: Path) -> None:
    buckets, to = shared(), tmp_path / "house"
    buckets.make("houses")
    (pure, windows, lib), bucket = sums(), read_bucket(f"s3://houses/{tmp_path.name}")
    locked = lock(demo=(pure, windows), lib=(lib,))
    index = inside.keep.indexes[IndexName("main")]
    needed = await of_locks(index, [locked], EVERYWHERE)
    shelf = open_shelf(bucket, buckets.settings, public=True)
    try:
        for written in (3, 0):
            states = export(inside.keep, index, needed, shelf, address=None, at_once=2, prune=True)
            *_, last = [state async for state in states]
            assert isinstance(last, Wheelhouse) and (last.written, last.lacking, last.removed) == (
                written,
                [],
                [],
            )
        names = {item.name async for item in shelf.items() if item.name != "lock"}
        assert names == {*(name for name, _ in FILES), "requirements.txt", "index.html"}
        await exported(inside, to, locked)
        for name in names:
            assert await hash_of(shelf, name) == await hash_of(FolderShelf(to), name)
    finally:
        await shelf.close()


async def test_nothing_is_named_while_something_is_lacking(inside: Inside, tmp_path: Path) -> None:
    to, (pure, *_) = tmp_path / "house", sums()
    state = await exported(inside, to, lock(demo=(pure, sha("never"))), prune=True)
    assert [one.what for one in state.lacking] == ["demo 1.0"]
    assert [path.name for path in to.iterdir()] == [FILES[0][0]]
