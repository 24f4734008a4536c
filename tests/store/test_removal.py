"""Removing: out of service at once for who looks, there to be opened for who found it before, and never lost."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from wheelkeep.store.blobs import Blobs
from wheelkeep.store.prepare import prepare
from wheelkeep.store.removal import Removal
from wheelkeep.store.trust import stamp_of

BODY = b"some bytes"
NAME = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    prepare(tmp_path / "data")
    return tmp_path / "data"


async def stored(data: Path) -> Blobs:
    blobs = Blobs(data)
    filling = blobs.filling()
    filling.write(BODY)
    await filling.keep()
    await filling.close()
    return blobs


def take(blobs: Blobs, removal: Removal) -> None:
    stamp = stamp_of(blobs.path(NAME))
    assert stamp is not None and removal.take(NAME, stamp)


async def test_who_found_it_before_can_open_it_and_nobody_finds_it_after(data: Path) -> None:
    blobs, removal = await stored(data), Removal(data)
    take(blobs, removal)
    assert blobs.path(NAME).read_bytes() == BODY
    assert (blobs.size(NAME), blobs.has(NAME), list(blobs.look())) == (None, False, [])
    removal.put_back(NAME)
    assert (blobs.size(NAME), blobs.path(NAME).stat().st_mode & 0o7777) == (len(BODY), 0o444)
    take(blobs, removal)
    removal.remove(NAME)
    assert not blobs.path(NAME).exists()
    assert os.listdir(data / "removed") == []


async def test_what_came_meanwhile_stays(data: Path) -> None:
    blobs, removal = await stored(data), Removal(data)
    for end in (removal.remove, removal.put_back):
        take(blobs, removal)
        await stored(data)
        assert blobs.size(NAME) == len(BODY)
        end(NAME)
        assert blobs.size(NAME) == len(BODY)
        assert os.listdir(data / "removed") == []


async def test_what_comes_between_the_look_and_the_removal_stays(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, removal = await stored(data), Removal(data)
    take(blobs, removal)
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        if target.name.endswith(".out"):
            self.unlink()
            self.write_bytes(BODY)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    removal.remove(NAME)
    assert blobs.size(NAME) == len(BODY)
    assert os.listdir(data / "removed") == []


@pytest.mark.parametrize("links", [True, False])
async def test_where_it_died_the_next_start_puts_back(
    data: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise PermissionError

    blobs, removal = await stored(data), Removal(data)
    if not links:
        monkeypatch.setattr(os, "link", none)
    take(blobs, removal)
    assert Blobs(data).size(NAME) == len(BODY)
    take(blobs, removal)
    if links:
        # Nobody started anything since: the next removal does it, and takes it the time after.
        stamp = stamp_of(blobs.path(NAME))
        assert stamp is not None and not removal.take(NAME, stamp)
        take(blobs, removal)
        # In the middle of the end.
        blobs.path(NAME).rename(data / "removed" / f"{NAME}.out")
    assert Blobs(data).size(NAME) == len(BODY)
    assert os.listdir(data / "removed") == []


async def test_a_copy_of_the_folder_made_meanwhile_puts_back_too(data: Path, tmp_path: Path) -> None:
    blobs, removal = await stored(data), Removal(data)
    take(blobs, removal)
    # Two files there, which are one here.
    shutil.copytree(data, tmp_path / "copy")
    assert Blobs(tmp_path / "copy").size(NAME) == len(BODY)
    assert os.listdir(tmp_path / "copy" / "removed") == []
