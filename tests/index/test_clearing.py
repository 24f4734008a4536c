"""Nothing goes that something needs, whatever happens meanwhile."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.made import file, page
from wheelkeep import compose
from wheelkeep.core.model import File
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.read_settings import read_settings
from wheelkeep.core.snapshot import Pinned
from wheelkeep.index import clearing
from wheelkeep.index.clearing import Busy, Cleared, Wish, clear
from wheelkeep.index.keep import Keep
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.facts import KnownMetadata
from wheelkeep.store.fetches import Fetch
from wheelkeep.store.ledger import Entry
from wheelkeep.store.pages import StoredPage
from wheelkeep.store.releases import Releases
from wheelkeep.store.removal import Removal, removing, staying
from wheelkeep.store.snapshots import Snapshot
from wheelkeep.store.trust import stamp_of
from wheelkeep.store.uploads import Uploads

CONFIG = """
data = "data"
[sources.acme]
kind = "hosted"
[sources.pypi]
kind = "remote"
url = "http://127.0.0.1:9/simple/"
"""
ACME, LIB = SourceName("acme"), ProjectName("lib")
NOW = Wish(older=timedelta(microseconds=1))


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def made(folder: Path) -> Keep:
    read = read_settings(
        CONFIG, file="wheelkeep.toml", base=folder, secret=lambda _: "", pypi_url="https://upstream.example/"
    )
    return compose.build(read)


@pytest_asyncio.fixture
async def keep(tmp_path: Path) -> AsyncIterator[Keep]:
    keep = made(tmp_path)
    yield keep
    await keep.close(seconds=1)


async def stored(keep: Keep, body: bytes) -> str:
    filling = keep.blobs.filling()
    filling.write(body)
    await filling.keep()
    await filling.close()
    await keep.kept.add([sha256(body)])
    return sha256(body)


async def listed(keep: Keep, body: bytes, *, source: str = "pypi", **told: object) -> File:
    """A stored file that a page has."""
    one = file(
        f"lib-{body.decode()}-py3-none-any.whl", source=source, sha256=await stored(keep, body), **told
    )

    def add(before: StoredPage | None) -> StoredPage:
        files = before.page.files if before is not None and before.page is not None else ()
        return StoredPage(page=page(*files, one, project="lib"), checked=datetime(2020, 1, 1, tzinfo=UTC))

    await keep.pages.change(SourceName(source), LIB, add)
    return one


def served(keep: Keep, one: File, at: datetime | None = None) -> None:
    told = {"source": one.source, "project": one.project, "version": one.version, "filename": one.filename}
    line = Fetch(
        at=at or datetime.now(UTC),
        index="main",
        sha256=one.sha256,
        who=None,
        address="127.0.0.1",
        tool="",
        **told,
    )
    keep.fetches.append([line])


async def uploaded(keep: Keep, body: bytes) -> File:
    one = file(f"lib-{body.decode()}.tar.gz", source="acme", sha256=await stored(keep, body))
    entry = Entry(kind="published", at=datetime.now(UTC), source="acme", detail={"sha256": one.sha256})
    assert await Uploads(keep.database, keep.ledger, keep._changes).add(one, entries=[entry]) is None
    return one


async def deleted(keep: Keep, one: File) -> None:
    releases = Releases(keep.database, keep.ledger, keep._changes)
    entry = Entry(kind="deleted", at=datetime.now(UTC), source="acme", filename=one.filename)
    await releases.remove(ACME, LIB, lambda other: other.filename == one.filename, lambda _: entry)


async def cleared(keep: Keep, wish: Wish = NOW, *, delete: bool = True) -> Cleared:
    return await clear(keep, wish, delete=delete, settle=0)


def here(keep: Keep) -> set[str]:
    return {sha256 for sha256, _ in keep.blobs.all()}


async def test_what_nothing_needs_goes_and_is_on_record(keep: Keep) -> None:
    orphan, gone = await stored(keep, b"orphan"), await uploaded(keep, b"1.0")
    await deleted(keep, gone)
    ahead = await listed(keep, b"2.0")
    stays = {ahead.sha256}
    for version, left in ((b"3.0", False), (b"4.0", True)):
        one = await listed(keep, version, gone=left)
        stays.add(one.sha256)
        if not left:
            served(keep, one)
    stays.add((await uploaded(keep, b"5.0")).sha256)
    before = await cleared(keep, delete=False)
    assert sorted((one.kind, one.sha256) for one in before.files) == [
        ("deleted", gone.sha256),
        ("orphan", orphan),
    ]
    assert (before.ahead, before.bytes, before.deleted) == (1, 9, False)
    assert len(here(keep)) == 6
    assert (await cleared(keep, Wish(older=timedelta(days=1)))).files == []
    after = await cleared(keep)
    assert after.deleted and after.bytes == 9
    assert here(keep) == stays
    (entry,) = await keep.ledger.last("removed")
    assert entry.detail == {"files": 2, "bytes": 9, "sha256": sorted([orphan, str(gone.sha256)])}
    assert {one async for one in keep.kept.all()} == stays
    (going,) = (await cleared(keep, replace(NOW, ahead=True))).files
    assert (going.kind, going.sha256) == ("ahead", ahead.sha256)


async def test_what_a_snapshot_has_stays_as_long_as_the_snapshot(keep: Keep) -> None:
    ahead, free = await listed(keep, b"2.0"), await listed(keep, b"3.0")
    orphan = file("lib-4.0.tar.gz", sha256=await stored(keep, b"4.0"))
    told = {"index": IndexName("main"), "kind": "lock", "at": datetime.now(UTC), "by": "ci"}
    snapshot = Snapshot(name="release", number=0, projects=1, files=2, here=2, **told)  # type: ignore[arg-type]
    snapshots = keep.views.snapshots
    await snapshots.add(snapshot, {LIB: Pinned(page(ahead, orphan, project="lib"), ())}, None)
    wish = replace(NOW, ahead=True, served_before=datetime.now(UTC))
    assert [one.sha256 for one in (await cleared(keep, wish)).files] == [free.sha256]
    assert here(keep) == {ahead.sha256, orphan.sha256}
    assert await snapshots.delete("release", "ci", datetime.now(UTC)) == 1
    assert {one.sha256 for one in (await cleared(keep, wish)).files} == {ahead.sha256, orphan.sha256}
    assert here(keep) == set()


async def test_what_was_served_goes_where_that_is_said_alone(keep: Keep) -> None:
    long_ago, lately = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    old, new = await listed(keep, b"1.0"), await listed(keep, b"2.0")
    served(keep, old, long_ago)
    for moment in (long_ago, lately):
        served(keep, new, moment)
    ours = await uploaded(keep, b"3.0")
    served(keep, ours, long_ago)
    assert (await cleared(keep)).files == []
    found = await cleared(keep, replace(NOW, served_before=datetime(2025, 1, 1, tzinfo=UTC)))
    assert [(one.kind, one.sha256) for one in found.files] == [("served", old.sha256)]
    assert here(keep) == {new.sha256, ours.sha256}


async def test_what_becomes_needed_meanwhile_is_put_back(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    one = await listed(keep, b"1.0")
    take = Removal.take

    def late(self: Removal, sha256: str, stamp: tuple[int, int, int, int]) -> bool:
        taken = take(self, sha256, stamp)
        served(keep, one)
        return taken

    monkeypatch.setattr(Removal, "take", late)
    found = await cleared(keep, replace(NOW, ahead=True))
    assert (found.files, found.kept_back) == ([], 1)
    assert here(keep) == {one.sha256}
    assert await keep.ledger.last("removed") == []


async def test_what_is_broken_off_is_put_back(keep: Keep, tmp_path: Path) -> None:
    orphan = await stored(keep, b"orphan")
    task = asyncio.create_task(clear(keep, NOW, delete=True, settle=60))
    while orphan in here(keep):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert here(keep) == {orphan}
    # Where the process died, by the next one that starts; not while the first one still runs.
    stamp = stamp_of(keep.blobs.path(orphan))
    assert stamp is not None
    with removing(tmp_path / "data"):
        assert Removal(tmp_path / "data").take(orphan, stamp)
        Blobs(tmp_path / "data")
        assert here(keep) == set()
    Blobs(tmp_path / "data")
    assert here(keep) == {orphan}


async def test_not_beside_another_or_while_everything_is_read(keep: Keep, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for other in (removing, staying):
        with other(data) as got:
            assert got
            with pytest.raises(Busy):
                await cleared(keep)
    with staying(data), staying(data) as also:
        assert also
    with removing(data), staying(data) as refused:
        assert not refused


async def test_what_another_put_in_its_place_stays(keep: Keep) -> None:
    orphan = await stored(keep, b"orphan")
    stamp = stamp_of(keep.blobs.path(orphan))
    assert stamp is not None
    await stored(keep, b"orphan")
    removal = Removal(keep.settings.data)
    assert not removal.take(orphan, stamp)
    newer = stamp_of(keep.blobs.path(orphan))
    assert newer is not None and removal.take(orphan, newer)
    await stored(keep, b"orphan")
    removal.put_back(orphan)
    assert here(keep) == {orphan}


async def test_pages_and_metadata_that_nobody_needs(keep: Keep) -> None:
    old, given = await listed(keep, b"1.0", source="old"), await listed(keep, b"2.0", source="older")
    served(keep, given)
    known = KnownMetadata(sha256(b"Name: lib"), b"Name: lib", own=True)
    gone, ours = await uploaded(keep, b"3.0"), await uploaded(keep, b"4.0")
    await deleted(keep, gone)
    for one in (old, given, gone, ours):
        await keep.facts.learn_metadata(one, known)
    found = await cleared(keep)
    assert (found.pages, found.metadata) == ([("old", "lib")], 2)
    assert await keep.pages.get(SourceName("old"), LIB) is None
    assert await keep.facts.metadata(ACME, gone.filename) is None
    assert await keep.facts.metadata(ACME, ours.filename) == known
    assert await keep.facts.metadata(SourceName("older"), given.filename) == known


async def test_leftovers(keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    (data / "damaged").mkdir()
    (data / "damaged" / "one").write_bytes(b"12345")
    (data / "tmp" / "left.claim").touch()
    held = keep.blobs.claim("held")
    assert held is not None
    for path in (data / "tmp").iterdir():
        os.utime(path, (1, 1))
    found = await cleared(keep)
    assert (found.damaged, found.leftovers) == (0, 2)
    assert len(list((data / "tmp").iterdir())) == 1
    held.release()
    monkeypatch.setattr(clearing, "_DAMAGE_STAYS", timedelta(0))
    found = await cleared(keep)
    assert (found.damaged, found.damaged_bytes) == (1, 5)
    assert list((data / "damaged").iterdir()) == []


ACTS = st.lists(
    st.tuples(
        st.sampled_from(("upload", "delete", "list", "leave", "serve", "orphan", "gc", "gc --ahead")),
        st.integers(0, 3),
    ),
    max_size=15,
)


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(ACTS)
def test_after_whatever_happened_no_needed_file_is_gone(acts: list[tuple[str, int]]) -> None:
    async def run(folder: Path) -> None:
        keep = made(folder)
        hosted: dict[int, File] = {}
        pages: dict[int, File] = {}
        needed: set[str | None] = set()
        names = 0
        for act, number in acts:
            if act == "upload" and number not in hosted:
                names += 1
                hosted[number] = await uploaded(keep, f"{names}.{number}".encode())
            elif act == "delete" and number in hosted:
                await deleted(keep, hosted.pop(number))
            elif act in ("list", "leave") and number not in pages:
                pages[number] = await listed(keep, f"9.{number}".encode(), gone=act == "leave")
                needed |= {pages[number].sha256} if act == "leave" else set()
            elif act == "serve" and (one := hosted.get(number) or pages.get(number)) is not None:
                if one.sha256 in here(keep):
                    served(keep, one)
                    needed.add(one.sha256)
            elif act == "orphan":
                await stored(keep, b"orphan %d" % number)
            elif act.startswith("gc"):
                await cleared(keep, replace(NOW, ahead=act == "gc --ahead"))
            assert needed | {one.sha256 for one in hosted.values()} <= here(keep)
        await keep.close(seconds=1)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))
