"""Runs of ``mirror`` and ``export wheelhouse`` that are killed again and again end in the state of one that was not."""

import asyncio
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.buckets import shared
from fakes.clients import contents
from fakes.command import quickly
from fakes.dists import wheel
from fakes.killed import killed
from fakes.outside import Outside
from wheelkeep.core.buckets import read_bucket
from wheelkeep.store.shelf import hash_of
from wheelkeep.store.shelves import open_shelf

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
"""
WHEELS = [
    wheel(f"thing-{number}", "1.0", files={"data.bin": random.Random(number).randbytes(200_000)})
    for number in range(8)
]
LOCK = "".join(
    f"thing-{number}==1.0 --hash=sha256:{hashlib.sha256(content).hexdigest()}\n"
    for number, (_, content) in enumerate(WHEELS)
)


@pytest.fixture
def world() -> Iterator[Outside]:
    with Outside() as outside:
        for made in WHEELS:
            outside.add(*made)
        yield outside


def keep(folder: Path, world: Outside) -> Path:
    folder.mkdir()
    (folder / "wheelkeep.toml").write_text(CONFIG.format(url=world.url) + shared().toml)
    (folder / "lock.txt").write_text(LOCK)
    return folder


def stored(folder: Path) -> set[str]:
    """The sha256 of the files in the store, each of which must be what its name says."""
    found = contents(folder / "wheelkeep-data" / "blobs" / "sha256")
    assert [path for path, told in found.items() if Path(path).name != told] == []
    return set(found.values())


def test_a_mirror_that_is_killed_again_and_again(world: Outside, tmp_path: Path) -> None:
    whole, cut = keep(tmp_path / "whole", world), keep(tmp_path / "cut", world)
    words = ("mirror", "-r", "lock.txt", "--at-once", "2")
    assert quickly(*words, cwd=whole).code == 0
    begun, there = world.asked("/files/"), len(WHEELS)
    assert len(begun) == there
    world.faults["/files/thing-0/"] = "hang-body"
    killed("os.rename", 3, *words, cwd=cut)
    assert len(stored(cut)) == 2
    del world.faults["/files/thing-0/"]
    killed("os.fsync", 4, *words, cwd=cut)
    assert 2 <= len(stored(cut)) < there
    done = quickly(*words, "--json", cwd=cut)
    assert (done.code, done.json["lacking"], done.json["there"] + done.json["fetched"]) == (0, [], there)
    assert stored(cut) == stored(whole)
    for folder in (whole, cut):
        assert contents(folder / "wheelkeep-data" / "tmp") == {}
        checked = quickly("verify", "--json", cwd=folder)
        assert checked.code == 0, checked.out
    assert (
        quickly("gc", "--dry-run", "--json", cwd=cut).json
        == quickly("gc", "--dry-run", "--json", cwd=whole).json
    )


def test_a_wheelhouse_that_is_killed_again_and_again(world: Outside, tmp_path: Path) -> None:
    folder, house = keep(tmp_path / "keep", world), tmp_path / "cut"
    export = ("export", "wheelhouse")
    assert quickly(*export, tmp_path / "whole", "-r", "lock.txt", "--url", "http://h/", cwd=folder).code == 0
    expected, files = contents(tmp_path / "whole"), dict.fromkeys(name for name, _ in WHEELS)
    assert expected.keys() == {*files, "index.html", "pip.conf", "requirements.txt"}
    words = (*export, house, "-r", "lock.txt", "--url", "http://h/")
    for function, call in (("os.rename", 3), ("os.fsync", 5), ("os.rename", 5)):
        killed(function, call, *words, cwd=folder)
        found = {name: told for name, told in contents(house).items() if not name.startswith(".")}
        assert found.items() <= expected.items()
        assert "requirements.txt" not in found
    assert quickly(*words, cwd=folder).code == 0
    assert contents(house) == expected


def test_a_bucket_that_is_killed_again_and_again(world: Outside, tmp_path: Path) -> None:
    folder, place = keep(tmp_path / "keep", world), f"{shared().make('cut')}/{tmp_path.name}"
    assert quickly("export", "wheelhouse", tmp_path / "whole", "-r", "lock.txt", cwd=folder).code == 0
    expected = contents(tmp_path / "whole")
    del expected["pip.conf"]
    words = ("export", "wheelhouse", place, "-r", "lock.txt")
    for call in (3, 8):
        killed("obstore.put_async", call, *words, cwd=folder)
        found = asyncio.run(lying(place))
        assert found.pop("lock")
        assert found.items() <= expected.items()
        assert "requirements.txt" not in found
    assert quickly(*words, cwd=folder).code == 0
    assert asyncio.run(lying(place)) == expected


async def lying(place: str) -> dict[str, str]:
    """What a bucket has below a prefix."""
    shelf = open_shelf(read_bucket(place), shared().settings)
    try:
        return {item.name: (await hash_of(shelf, item.name))[0] async for item in shelf.items()}
    finally:
        await shelf.close()
