"""A folder as a shelf: what only a folder has. For the rest see contract/test_shelf."""

from pathlib import Path

import pytest

from wheelkeep.store.folder_shelf import FolderShelf
from wheelkeep.store.shelf import NotThere, Thing, Unavailable


async def test_what_is_put_is_for_its_owner_alone(tmp_path: Path) -> None:
    await FolderShelf(tmp_path / "shelf").put("a/b", b"x")
    for name, mode in (("shelf", 0o700), ("shelf/a", 0o700), ("shelf/a/b", 0o600)):
        assert (tmp_path / name).stat().st_mode & 0o777 == mode


async def test_what_a_crash_left_is_no_thing_and_goes_when_nobody_else_writes(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    (tmp_path / "a").mkdir()
    left = tmp_path / "a" / ".1-abc.part"
    left.write_bytes(b"half")
    others = (tmp_path / ".mine.part", tmp_path / ".2-abc.part")
    others[0].write_bytes(b"somebody's")
    others[1].mkdir()
    assert [item async for item in shelf.items()] == []
    assert left.exists()
    async with shelf.lock():
        assert [item.name async for item in shelf.items()] == []
    assert not left.exists()
    assert all(one.exists() for one in others)


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="file"):
        await FolderShelf(tmp_path / "file").put("a", b"x")


async def test_a_folder_goes_with_the_last_thing_in_it(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path / "shelf")
    for name in ("a/b/c", "a/d"):
        await shelf.put(name, b"x")
    await shelf.remove("a/b/c")
    assert not (tmp_path / "shelf" / "a" / "b").exists()
    await shelf.remove("a/d")
    assert list((tmp_path / "shelf").iterdir()) == []


async def test_nothing_has_its_name_before_all_are_written(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path / "shelf")
    with pytest.raises(NotThere):
        await shelf.put_all([Thing(name="a/b", content=b"x"), Thing(name="c", content=tmp_path / "gone")])
    assert [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()] == []
    await FolderShelf(tmp_path / "open", public=True).put_all([Thing(name="a/b", content=b"x")])
    assert [(tmp_path / "open" / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o755, 0o644]
