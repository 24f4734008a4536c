"""Backups and what is restored of them: whole, incremental, read back; damage is found and told on both sides."""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.buckets import shared
from fakes.made import file
from fakes.stores import Store
from wheelkeep.core.buckets import Bucket
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.manifest import NotABackup
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.index import generations
from wheelkeep.index.backup import Backup, Pace, Report, SettingFile, setting_files
from wheelkeep.index.generations import part
from wheelkeep.index.restore import Restore, Restored, settings_to
from wheelkeep.store.folder_shelf import FolderShelf
from wheelkeep.store.prepare import UNFINISHED, prepare
from wheelkeep.store.removal import removing
from wheelkeep.store.shelf import Busy, Unavailable
from wheelkeep.store.shelves import open_shelf
from wheelkeep.store.uploads import Taken

ACME, DEMO = SourceName("acme"), ProjectName("demo")


def name(version: str) -> str:
    return f"demo-{version}-py3-none-any.whl"


async def publish(store: Store, version: str) -> str:
    """Puts a file into the store and into a hosted source; gives its sha256."""
    sha256 = await store.keep(version.encode() * 1000)
    assert await store.uploads.add(file(name(version), source="acme", sha256=sha256)) is None
    return sha256


@pytest_asyncio.fixture
async def keep(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "data") as store:
        await publish(store, "1.0")
        (store.data / "log").mkdir()
        (store.data / "log" / "key").write_bytes(b"secret")
        (store.data / "log" / "key").chmod(0o400)
        yield store


@pytest.fixture
def shelf(tmp_path: Path) -> FolderShelf:
    return FolderShelf(tmp_path / "backups")


async def backed_up(
    keep: Store, shelf: FolderShelf, *, count: int | None = None, check: bool = False
) -> Report:
    return await Backup(keep.data, shelf, check=check).run(keep=count)


async def restored(shelf: FolderShelf, data: Path, wanted: str | None = None, **how: bool) -> Restored:
    return await Restore(shelf, data, **how).run(wanted)


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Store]:
    async with Store(data) as store:
        yield store


async def versions(data: Path) -> list[str]:
    async with opened(data) as store:
        return [one.version or "" for one in await store.facts.hosted(ACME, DEMO) or ()]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


async def test_a_restored_keep_is_the_one_that_was_backed_up(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    report = await backed_up(keep, shelf)
    assert report.generation is not None and not report.damaged
    assert report.databases == ["wheelkeep.sqlite"]
    (keep.data / "tmp" / "something").write_bytes(b"x")
    back = tmp_path / "back"
    outcome = await restored(shelf, back)
    assert outcome.whole and not outcome.damaged
    assert (outcome.generation, outcome.files) == (report.generation, report.files)
    assert await versions(back) == ["1.0"]
    (blob,) = (back / "blobs" / "sha256").glob("*/*")
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    assert (back / "log" / "key").read_bytes() == b"secret"
    modes = {path: (back / path).stat().st_mode & 0o777 for path in ("wheelkeep.sqlite", "log/key", ".")}
    assert modes == {"wheelkeep.sqlite": 0o600, "log/key": 0o400, ".": 0o700}
    assert not list((back / "tmp").iterdir()) and not (back / UNFINISHED).exists()
    async with opened(back) as store:
        (entry,) = await store.ledger.last("restored")
        assert entry.detail["generation"] == report.generation


async def test_a_bucket_holds_a_backup_as_a_folder_does(keep: Store, tmp_path: Path) -> None:
    shared().make("backups")
    bucket = open_shelf(Bucket("backups", os.urandom(6).hex()), shared().settings)
    first = await Backup(keep.data, bucket).run()
    sha256 = await publish(keep, "2.0")
    second = await Backup(keep.data, bucket).run()
    assert (first.new_parts, second.new_parts) == (3, 2)
    third = await Backup(keep.data, bucket).run(keep=2)
    assert third.removed == [first.generation]
    await bucket.put(part(sha256), b"x" * 3000)
    outcome = await Restore(bucket, tmp_path / "back").run(None)
    assert [one.what for one in outcome.damaged] == [f"blobs/sha256/{sha256}"]
    assert (await Backup(keep.data, bucket, check=True).run()).new_parts == 1
    assert (await Restore(bucket, tmp_path / "back").run(None)).whole
    assert await versions(tmp_path / "back") == ["1.0", "2.0"]


async def test_only_what_is_new_is_written(keep: Store, shelf: FolderShelf) -> None:
    first = await backed_up(keep, shelf)
    assert first.new_parts == 3
    same = await backed_up(keep, shelf)
    assert (same.new_parts, same.files) == (0, first.files)
    sha256 = await publish(keep, "2.0")
    more = await backed_up(keep, shelf)
    assert more.new_parts == 2  # the file, and the database
    assert (await generations.parts(shelf))[bytes.fromhex(sha256)] == 3000
    assert [one.name for one in await generations.generations(shelf)] == [
        report.generation for report in (first, same, more)
    ]


async def test_older_ones_can_be_restored_and_forget_no_used_name(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    first = await backed_up(keep, shelf)
    await publish(keep, "2.0")
    await backed_up(keep, shelf)
    assert first.generation is not None
    outcome = await restored(shelf, tmp_path / "back", first.generation[:20])
    assert outcome.generation == first.generation
    assert outcome.used_names == 1
    assert await versions(tmp_path / "back") == ["1.0"]
    async with opened(tmp_path / "back") as store:
        again = file(name("2.0"), source="acme", sha256="0" * 64)
        assert await store.uploads.add(again) == Taken(name("2.0"), None)
    with pytest.raises(NotABackup, match="more than one"):
        await restored(shelf, tmp_path / "other", "2")
    with pytest.raises(NotABackup, match="no backup"):
        await restored(shelf, tmp_path / "other", "1999")
    assert not (tmp_path / "other").exists()


async def test_only_so_many_are_kept(keep: Store, shelf: FolderShelf, tmp_path: Path) -> None:
    for version in ("2.0", "3.0", "4.0"):
        await publish(keep, version)
        await backed_up(keep, shelf)
    await shelf.put(part("0" * 64), b"left by a run that was killed")
    before = await generations.generations(shelf)
    last = await backed_up(keep, shelf, count=2)
    assert last.removed == [one.name for one in before[:-1]]
    left = await generations.generations(shelf)
    assert [one.name for one in left] == [before[-1].name, last.generation]
    assert set(await generations.parts(shelf)) == await generations.needed(shelf, left)
    assert (await restored(shelf, tmp_path / "back", before[-1].name)).whole


async def test_a_run_that_was_killed_is_no_backup_and_its_parts_are_read_again(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    (blob,) = keep.blobs.all()
    await generations.begin(shelf)
    await shelf.put(part(blob[0]), b"x" * blob[1].stat().st_size)
    left = keep.data / "tmp" / "backup-1-abc"
    left.mkdir()
    with pytest.raises(NotABackup, match="no whole backup"):
        await restored(shelf, tmp_path / "back")
    report = await backed_up(keep, shelf)
    assert report.new_parts == 3 and not left.exists()
    assert (await restored(shelf, tmp_path / "back")).whole


async def test_damage_in_the_backup_is_found_and_stops_the_restore(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    sha256 = await publish(keep, "2.0")
    await backed_up(keep, shelf)
    flip(tmp_path / "backups" / part(sha256))
    back = tmp_path / "back"
    outcome = await restored(shelf, back)
    assert [one.what for one in outcome.damaged] == [f"blobs/sha256/{sha256}"]
    assert not outcome.whole
    with pytest.raises(WheelkeepError, match="restore again"):
        prepare(back)
    # A good copy of it mends the backup, and the restore goes on where it was.
    mended = await backed_up(keep, shelf, check=True)
    assert mended.new_parts == 1
    assert (await restored(shelf, back)).generation == outcome.generation
    prepare(back)


async def test_what_is_left_can_be_had_without_what_is_damaged(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    sha256 = await publish(keep, "2.0")
    await backed_up(keep, shelf)
    flip(tmp_path / "backups" / part(sha256))
    outcome = await restored(shelf, tmp_path / "back", leave_damaged=True)
    assert outcome.whole and len(outcome.damaged) == 1
    assert await versions(tmp_path / "back") == ["1.0", "2.0"]


async def test_a_damaged_database_is_never_done_without(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    await backed_up(keep, shelf)
    listed = await generations.open_list(shelf, (await generations.generations(shelf))[0].name)
    (database,) = [one for one in listed.entries() if getattr(one, "path", "") == "wheelkeep.sqlite"]
    listed.close()
    (tmp_path / "backups" / part(generations.parts_of(database)[0])).unlink()
    outcome = await restored(shelf, tmp_path / "back", leave_damaged=True)
    assert not outcome.whole and [one.what for one in outcome.damaged] == ["wheelkeep.sqlite"]


async def test_a_changed_list_is_refused_before_anything_is_made(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    report = await backed_up(keep, shelf)
    flip(tmp_path / "backups" / "generations" / str(report.generation))
    with pytest.raises(NotABackup, match="not the one that was written"):
        await restored(shelf, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    # The next backup trusts nothing that only this one vouched for, says so, and removes nothing.
    later = await backed_up(keep, shelf, count=1)
    assert len(later.damaged) == 1 and later.removed == []
    assert (await restored(shelf, tmp_path / "back")).whole


async def test_damage_in_the_keep_is_told_and_older_backups_stay(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    first = await backed_up(keep, shelf)
    sha256 = await publish(keep, "2.0")
    flip(keep.blobs.path(sha256))
    report = await backed_up(keep, shelf, count=1)
    assert [one.what for one in report.damaged] == [f"blobs/sha256/{sha256[:2]}/{sha256}"]
    assert [one.name for one in await generations.generations(shelf)] == [first.generation, report.generation]
    assert bytes.fromhex(sha256) not in await generations.parts(shelf)


async def test_nothing_is_restored_over_what_is_there(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    await backed_up(keep, shelf)
    before = {path: path.stat().st_mtime_ns for path in keep.data.rglob("*")}
    with pytest.raises(WheelkeepError, match="not empty"):
        await restored(shelf, keep.data)
    assert {path: path.stat().st_mtime_ns for path in keep.data.rglob("*")} == before
    (tmp_path / "empty").mkdir()
    assert (await restored(shelf, tmp_path / "empty")).whole


async def test_an_interrupted_restore_goes_on_with_its_own_and_no_other(
    keep: Store, shelf: FolderShelf, tmp_path: Path
) -> None:
    first = await backed_up(keep, shelf)
    await publish(keep, "2.0")
    second = await backed_up(keep, shelf)
    back = tmp_path / "back"
    run = Restore(shelf, back)
    run._finish = _killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await run.run(first.generation)
    # As SQLite would leave it beside a database that was opened.
    (back / "wheelkeep.sqlite-wal").write_bytes(b"of another database")
    with pytest.raises(WheelkeepError, match="half restored"):
        await restored(shelf, back, second.generation)
    assert (await restored(shelf, back)).generation == first.generation
    assert await versions(back) == ["1.0"]


async def _killed(*_: object) -> None:
    raise KeyboardInterrupt


async def test_a_place_with_other_things_is_left_alone(keep: Store, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter").write_bytes(b"x")
    with pytest.raises(NotABackup, match="name an empty place"):
        await backed_up(keep, FolderShelf(tmp_path / "home"))
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter"]
    with pytest.raises(NotABackup, match="there is no backup"):
        await restored(FolderShelf(tmp_path / "home"), tmp_path / "back")


async def test_a_folder_without_a_keep_is_no_backup(shelf: FolderShelf, tmp_path: Path) -> None:
    with pytest.raises(WheelkeepError, match="nothing to back up"):
        await Backup(tmp_path / "nowhere", shelf).run()
    assert not (tmp_path / "backups").exists()


async def test_one_backup_at_a_time_writes_to_a_place(keep: Store, shelf: FolderShelf) -> None:
    await generations.begin(shelf)
    async with shelf.lock():
        with pytest.raises(Busy):
            await backed_up(keep, FolderShelf(Path(str(shelf))))


async def test_a_place_that_gives_back_other_bytes_is_told(keep: Store, tmp_path: Path) -> None:
    class Lying(FolderShelf):
        async def put(self, name: str, content: bytes | Path) -> None:
            await super().put(name, b"other" if name.startswith("parts/") else content)

    shelf = Lying(tmp_path / "lying")
    with pytest.raises(Unavailable, match="gave back other bytes"):
        await backed_up(keep, shelf)
    assert await generations.generations(shelf) == []


async def test_the_configuration_comes_along(keep: Store, shelf: FolderShelf, tmp_path: Path) -> None:
    here, there = tmp_path / "etc", tmp_path / "other"
    for folder in (here / "locks", there):
        folder.mkdir(parents=True)
    paths = [here / "wheelkeep.toml", here / "locks" / "a.lock", there / "wheelkeep.toml"]
    for path in paths:
        path.write_text(str(path))
        path.chmod(0o640)
    files = setting_files(paths, here)
    assert [one.name for one in files] == ["wheelkeep.toml", "locks/a.lock", "elsewhere/wheelkeep.toml"]
    twice = setting_files([there / "a", tmp_path / "b" / "a"], here)
    assert len({one.name for one in twice}) == 2
    report = await Backup(keep.data, shelf, settings=files).run()
    assert report.settings == [str(path) for path in paths]
    written = await settings_to(shelf, None, tmp_path / "new")
    assert [path.read_text() for path in written] == [str(path) for path in paths]
    assert {path.stat().st_mode & 0o777 for path in written} == {0o640}
    with pytest.raises(WheelkeepError, match="not an empty folder"):
        await settings_to(shelf, None, tmp_path / "new")
    assert isinstance(files[0], SettingFile)


async def test_what_is_removed_meanwhile_is_counted(keep: Store, shelf: FolderShelf) -> None:
    sha256 = await publish(keep, "2.0")

    class Removing(FolderShelf):
        async def put(self, name: str, content: bytes | Path) -> None:
            if name == part(sha256):
                keep.blobs.path(sha256).unlink()
            await super().put(name, content)

    report = await Backup(keep.data, Removing(Path(str(shelf)))).run()
    assert (report.gone, report.damaged) == (1, [])


async def test_a_pace_is_kept() -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    began, pace = loop.time(), Pace(1_000_000)
    for _ in range(5):
        await pace.spend(10_000)
    assert loop.time() - began >= 0.04
    await Pace(None).spend(10**12)


async def test_while_gc_removes_files_none_are_copied(keep: Store, shelf: FolderShelf) -> None:
    with removing(keep.data) as free:
        assert free
        with pytest.raises(WheelkeepError, match="gc removes files"):
            await backed_up(keep, shelf)
