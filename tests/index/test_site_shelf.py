"""What lies in a site: told from the notes where these fit, and from the bytes where they do not."""

import hashlib
from datetime import timedelta
from pathlib import Path

from fakes.made import sha
from wheelkeep.core.names import ProjectName
from wheelkeep.index.site_shelf import New, SiteShelf
from wheelkeep.store.folder_shelf import FolderShelf

PAGE = "simple/demo/index.html"
FILE = f"files/demo/{sha('x')}/demo-1.tar.gz"


def new(name: str, content: bytes) -> New:
    return New(name, content, hashlib.sha256(content).hexdigest(), len(content))


class Counted(FolderShelf):
    """Tells what was read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read: list[str] = []

    def open(self, name: str):  # type: ignore[no-untyped-def]
        self.read.append(name)
        return super().open(name)


async def opened(root: Path) -> tuple[SiteShelf, Counted]:
    shelf = Counted(root)
    lying = SiteShelf(shelf)
    await lying.read()
    shelf.read.clear()
    return lying, shelf


async def filled(root: Path) -> None:
    lying, _ = await opened(root)
    await lying.put([new(PAGE, b"page"), new(FILE, b"x")])
    await lying.close()


async def test_what_is_noted_is_not_read_again(tmp_path: Path) -> None:
    await filled(tmp_path)
    before = (tmp_path / "wheelkeep-site.json").stat().st_mtime_ns
    lying, shelf = await opened(tmp_path)
    assert lying.pages() == {ProjectName("demo")}
    for name, content in ((PAGE, b"page"), (FILE, b"x")):
        assert await lying.has(name, hashlib.sha256(content).hexdigest(), len(content))
    assert not await lying.has(PAGE, sha("other"), 4)
    assert not await lying.has("simple/other/index.html", sha("other"))
    await lying.close()
    assert shelf.read == []
    assert (tmp_path / "wheelkeep-site.json").stat().st_mtime_ns == before


async def test_what_was_touched_is_read(tmp_path: Path) -> None:
    await filled(tmp_path)
    (tmp_path / FILE).write_bytes(b"y")
    (tmp_path / PAGE).write_bytes(b"page")
    lying, shelf = await opened(tmp_path)
    assert not await lying.has(FILE, sha("x"), 1)
    assert await lying.has(PAGE, hashlib.sha256(b"page").hexdigest(), 4)
    assert set(shelf.read) == {FILE, PAGE}


async def test_without_notes_pages_are_read_and_files_are_what_their_names_say(tmp_path: Path) -> None:
    for notes in (None, b"no notes\n", b'["a","zz","1",null]\n[]\n', b"\xff\n"):
        await filled(tmp_path)
        (tmp_path / "wheelkeep-site.json").unlink()
        if notes is not None:
            (tmp_path / "wheelkeep-site.json").write_bytes(notes)
        lying, shelf = await opened(tmp_path)
        assert await lying.has(PAGE, hashlib.sha256(b"page").hexdigest(), 4)
        assert await lying.has(FILE, sha("x"), 1)
        assert not await lying.has(FILE, sha("x"), 2)
        assert shelf.read == [PAGE]
        await lying.close()
        again, shelf = await opened(tmp_path)
        assert await again.has(PAGE, hashlib.sha256(b"page").hexdigest(), 4) and shelf.read == []


async def test_what_no_page_lists_goes_after_a_while(tmp_path: Path) -> None:
    await filled(tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"somebody's own")
    lying, _ = await opened(tmp_path)
    lying.mark_listed(PAGE)
    assert lying.note_unlisted(1000, set()) == {FILE: 0}
    await lying.close()
    lying, _ = await opened(tmp_path)
    lying.mark_listed(PAGE)
    # A clock that was set back makes nothing older.
    assert lying.note_unlisted(900, set()) == {FILE: 0}
    assert lying.note_unlisted(1500, {ProjectName("demo")}) == {}
    lying.note_unlisted(1000, set())
    unlisted = lying.note_unlisted(1060, set())
    assert await lying.remove(unlisted, timedelta(seconds=61)) == []
    assert await lying.remove(unlisted, timedelta(seconds=60)) == [FILE]
    await lying.close()
    assert {path.name for path in tmp_path.iterdir()} == {"simple", "wheelkeep-site.json", "notes.txt"}
