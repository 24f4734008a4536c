"""Every kept byte is read again: what is not what its name says is found, and healed where it came from."""

import hashlib
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from fakes.dists import wheel
from fakes.made import deny, file
from fakes.outside import Outside
from wheelkeep import compose
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.policy import Policy
from wheelkeep.core.read_settings import read_settings
from wheelkeep.index.damage import Damage, Sweep
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.sweep import databases, sweep
from wheelkeep.index.view import View
from wheelkeep.store import hashing as module
from wheelkeep.store.facts import KnownMetadata
from wheelkeep.store.prepare import prepare
from wheelkeep.store.tables import pages
from wheelkeep.store.uploads import Uploads

NAME, BYTES = wheel("demo", "1.0")
OTHER, OTHER_BYTES = wheel("other", "1.0")
CONFIG = """
data = "data"
[sources.acme]
kind = "hosted"
[sources.pypi]
kind = "remote"
url = "{url}"
[indexes.main]
sources = ["acme", "pypi"]
publish = "acme"
"""


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[Outside]:
    with Outside() as server:
        server.add(NAME, BYTES)
        server.add(OTHER, OTHER_BYTES)
        yield server


@pytest_asyncio.fixture
async def keep(tmp_path: Path, outside: Outside) -> AsyncIterator[Keep]:
    """A keep that gave two files before."""
    settings = read_settings(
        CONFIG.format(url=outside.url),
        file="wheelkeep.toml",
        base=tmp_path,
        secret=lambda _: "",
        pypi_url="https://upstream.example/simple/",
    )
    made = compose.build(settings)
    await made.start()
    for name in ("demo", "other"):
        await give(made, name)
    yield made
    await made.close(seconds=5)


async def give(keep: Keep, name: str) -> None:
    index: Index = next(iter(keep.indexes.values()))
    view = await index.page(name)  # type: ignore[arg-type]
    assert isinstance(view, View)
    for one, _ in view.by_name.values():
        await keep.fetcher.whole(keep.source_of(one), one)


async def noted(keep: Keep) -> None:
    """What came is on record, which a server does a moment later."""
    await keep.kept.add([sha256 for sha256, _ in keep.blobs.all()])


async def swept(keep: Keep, *, repair: bool = False) -> Sweep:
    states = [state async for state in sweep(keep, repair=repair)]
    return states[-1]


def flip(keep: Keep, body: bytes) -> bytes:
    """One bit of a kept file, as a disk might."""
    path = keep.blobs.path(sha256(body))
    path.chmod(0o644)
    damaged = bytes([body[0] ^ 1]) + body[1:]
    path.write_bytes(damaged)
    return damaged


async def test_all_is_well(keep: Keep) -> None:
    found = await swept(keep)
    assert (found.files, found.bytes, found.pages) == (2, len(BYTES) + len(OTHER_BYTES), 2)
    assert (found.damaged, found.notices, found.whole) == ([], [], True)


async def test_what_was_kept_and_is_gone_is_missing(keep: Keep) -> None:
    await noted(keep)
    keep.blobs.path(sha256(BYTES)).unlink()
    (damage,) = (await swept(keep)).damaged
    assert (damage.what, damage.sha256, damage.file) == ("missing", sha256(BYTES), NAME)
    (damage,) = (await swept(keep, repair=True)).damaged
    assert (damage.repaired, damage.says) == (True, "fetched again from pypi")
    assert keep.blobs.path(sha256(BYTES)).read_bytes() == BYTES


async def test_a_flipped_bit_is_found_and_left_where_nobody_asked_for_more(keep: Keep) -> None:
    damaged = flip(keep, BYTES)
    found = await swept(keep)
    (damage,) = found.damaged
    assert (damage.sha256, damage.found, damage.file, damage.repaired) == (
        sha256(BYTES),
        sha256(damaged),
        NAME,
        False,
    )
    assert "--repair" in damage.says
    assert keep.blobs.path(sha256(BYTES)).read_bytes() == damaged


@pytest.mark.parametrize("cut", [0, 10])
async def test_a_file_cut_short_is_found(keep: Keep, cut: int) -> None:
    path = keep.blobs.path(sha256(BYTES))
    path.chmod(0o644)
    path.write_bytes(BYTES[:cut])
    assert [damage.file for damage in (await swept(keep)).damaged] == [NAME]


async def test_it_is_healed_from_where_it_came(keep: Keep, tmp_path: Path) -> None:
    damaged = flip(keep, BYTES)
    (damage,) = (await swept(keep, repair=True)).damaged
    assert damage == Damage(
        sha256=sha256(BYTES),
        found=sha256(damaged),
        file=NAME,
        source="pypi",
        repaired=True,
        says="fetched again from pypi",
    )
    assert keep.blobs.path(sha256(BYTES)).read_bytes() == BYTES
    assert (tmp_path / "data" / "damaged" / sha256(BYTES)).read_bytes() == damaged
    assert (await swept(keep)).damaged == []


async def test_an_origin_that_has_other_bytes_heals_nothing(keep: Keep, outside: Outside) -> None:
    flip(keep, BYTES)
    outside.change(NAME, b"other bytes", sha256=sha256(BYTES))
    (damage,) = (await swept(keep, repair=True)).damaged
    assert not damage.repaired
    assert "could not be fetched again" in damage.says
    assert not keep.blobs.has(sha256(BYTES))


async def test_an_origin_that_is_away_heals_nothing_and_damage_is_not_served(
    keep: Keep, outside: Outside
) -> None:
    flip(keep, BYTES)
    outside.stop()
    (damage,) = (await swept(keep, repair=True)).damaged
    assert not damage.repaired
    assert not keep.blobs.has(sha256(BYTES))
    outside.start()
    await give(keep, "demo")
    assert keep.blobs.path(sha256(BYTES)).read_bytes() == BYTES


async def test_damage_that_no_page_knows_is_set_aside(keep: Keep, tmp_path: Path) -> None:
    stray = keep.blobs.path("ab" + "0" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    (damage,) = (await swept(keep, repair=True)).damaged
    assert (damage.file, damage.repaired) == ("", False)
    assert "no page knows" in damage.says
    assert (tmp_path / "data" / "damaged" / stray.name).read_bytes() == b"stray"


async def test_our_own_uploads_are_named(keep: Keep) -> None:
    own = b"our own bytes"
    filling = keep.blobs.filling()
    filling.write(own)
    await filling.keep()
    await filling.close()
    uploads = Uploads(keep.database, keep.ledger, keep._changes)
    assert await uploads.add(file("acme-1.0.tar.gz", source="acme", sha256=sha256(own))) is None
    assert (await swept(keep)).damaged == []
    flip(keep, own)
    (damage,) = (await swept(keep, repair=True)).damaged
    assert (damage.file, damage.repaired) == ("acme-1.0.tar.gz", False)
    assert "restore them from a backup" in damage.says


async def test_what_cannot_be_read_is_damage(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path, *more: Any, **options: Any) -> tuple[dict[str, str], int]:
        if path.name == sha256(BYTES):
            raise OSError(5, "Input/output error")
        return module.hash_all(path, *more, **options)

    monkeypatch.setattr("wheelkeep.index.sweep.hash_all", broken)
    found = await swept(keep, repair=True)
    assert [(damage.file, damage.found, damage.repaired) for damage in found.damaged] == [
        (NAME, "unreadable", True)
    ]
    assert found.files == 2


async def test_what_leaves_meanwhile_is_no_damage(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(path: Path, *more: Any, **options: Any) -> tuple[dict[str, str], int]:
        path.unlink()
        return module.hash_all(path, *more, **options)

    monkeypatch.setattr("wheelkeep.index.sweep.hash_all", late)
    await noted(keep)
    found = await swept(keep, repair=True)
    assert found.files == 0
    assert [(damage.what, damage.repaired) for damage in found.damaged] == [("missing", True)] * 2


async def test_incidents_are_counted(keep: Keep, outside: Outside) -> None:
    outside.change(NAME, b"other bytes")
    source = keep.sources[SourceName("pypi")]
    source._fresh *= 0  # type: ignore[attr-defined]
    await source.page("demo")  # type: ignore[arg-type]
    await keep.book.close()
    assert (await swept(keep)).incidents == 1


async def test_bytes_that_were_other_first_are_cut_off_where_no_page_told_a_hash(
    keep: Keep, outside: Outside
) -> None:
    """Two requests for a file without a hash, the second one made before the first was answered."""
    name, body = wheel("third", "1.0")
    outside.add(name, body, sha256="")
    index = next(iter(keep.indexes.values()))
    before = await index.page("third")  # type: ignore[arg-type]
    assert isinstance(before, View)
    one = before.by_name[name][0]
    assert one.sha256 is None
    await keep.fetcher.whole(keep.source_of(one), one)
    after = await index.page("third")  # type: ignore[arg-type]
    assert isinstance(after, View)
    assert after.by_name[name][0].sha256 == sha256(body)
    outside.change(name, b"other bytes", sha256="")
    with pytest.raises(Exception, match="hash to"):
        await keep.fetcher.whole(keep.source_of(one), one)
    await keep.book.close()
    (entry,) = await keep.ledger.last("incident")
    assert entry.detail == {"what": "bytes-differ", "stands": sha256(body), "came": sha256(b"other bytes")}


async def test_what_does_not_belong_there_is_told_and_moved_away(keep: Keep, tmp_path: Path) -> None:
    folder = keep.blobs.path(sha256(BYTES)).parent
    (folder / "notes.txt").write_text("mine")
    (folder / (folder.name + "0" * 62)).symlink_to("/etc/hostname")
    (folder.parent / "stray").write_text("mine too")
    keep.blobs.path(sha256(OTHER_BYTES)).chmod(0o664)
    found = await swept(keep)
    assert [(one.what, one.file) for one in found.damaged] == [
        ("foreign", folder.name + "0" * 62),
        ("foreign", "notes.txt"),
        ("foreign", "stray"),
    ]
    (notice,) = found.notices
    assert "permissions 0664" in notice
    assert all(one.repaired for one in (await swept(keep, repair=True)).damaged)
    again = await swept(keep)
    assert (again.damaged, again.notices) == ([], [])
    assert len(list((tmp_path / "data" / "damaged").iterdir())) == 3


async def hosted(keep: Keep, **told: Any) -> str:
    """A wheel of our own, of which the database may tell what is not true."""
    filename, body = wheel("lib", "1.0")
    filling = keep.blobs.filling()
    filling.write(body)
    await filling.keep()
    await filling.close()
    one = file(filename, source="acme", sha256=sha256(body), **({"size": len(body)} | told))
    assert await Uploads(keep.database, keep.ledger, keep._changes).add(one) is None
    return filename


async def test_what_a_row_tells_is_held_against_the_bytes(keep: Keep) -> None:
    body = wheel("lib", "1.0")[1]
    filename = await hosted(keep, size=7, digests={"md5": "0" * 32})
    for repair in (False, True):
        (damage,) = (await swept(keep, repair=repair)).damaged
        assert (damage.what, damage.file, damage.repaired) == ("row", filename, repair)
    assert (await swept(keep)).damaged == []
    (one,) = await keep.facts.hosted(SourceName("acme"), ProjectName("lib")) or []
    assert (one.size, one.digests["md5"]) == (len(body), hashlib.md5(body).hexdigest())


@pytest.mark.parametrize(
    "wrong",
    [
        KnownMetadata(sha256(b"Name: other"), b"Name: other", own=True),
        KnownMetadata(sha256(b"Name: other"), b"Name: othes", own=True),
    ],
)
async def test_metadata_that_is_not_the_files_own_is_read_anew(keep: Keep, wrong: KnownMetadata) -> None:
    one = file(NAME, sha256=sha256(BYTES))
    right = await keep.facts.metadata(SourceName("pypi"), NAME)
    await keep.facts.learn_metadata(one, wrong)
    if not wrong.right:
        # What is damaged is not given to anybody either.
        source = keep.sources[SourceName("pypi")]
        assert await keep.metadata.get(source, one, may_fetch=False) == (right.body if right else None)
        await keep.facts.learn_metadata(one, wrong)
    (damage,) = (await swept(keep, repair=True)).damaged
    assert (damage.what, damage.file, damage.repaired) == ("metadata", NAME, True)
    assert await keep.facts.metadata(SourceName("pypi"), NAME) == right
    assert (await swept(keep)).damaged == []


async def test_our_own_file_that_is_gone_is_lost(keep: Keep) -> None:
    filename = await hosted(keep)
    keep.blobs.path(sha256(wheel("lib", "1.0")[1])).unlink()
    (damage,) = (await swept(keep, repair=True)).damaged
    assert (damage.what, damage.file, damage.repaired) == ("missing", filename, False)
    assert "restore them from a backup" in damage.says


async def test_a_page_that_cannot_be_read_is_told(keep: Keep) -> None:
    async with keep.database.write() as connection:
        await connection.execute(update(pages).where(pages.c.project == "demo").values(body=b"no page"))
    (damage,) = (await swept(keep)).damaged
    assert (damage.what, damage.source) == ("page", "pypi")


async def test_what_the_policy_blocks_is_not_fetched_again(keep: Keep, outside: Outside) -> None:
    index = next(iter(keep.indexes.values()))
    index.policy.current = Policy([deny("demo")])  # type: ignore[misc]
    flip(keep, BYTES)
    before = len(outside.log)
    (damage,) = (await swept(keep, repair=True)).damaged
    assert not damage.repaired
    assert "the policy blocks it" in damage.says
    assert not [one for one in outside.log[before:] if one.path.endswith(".whl")]


async def test_it_goes_on_where_it_was_broken_off(keep: Keep) -> None:
    first = min(sha256(BYTES), sha256(OTHER_BYTES))
    states = sweep(keep, repair=False)
    async for state in states:
        if state.files == 1:
            break
    await states.aclose()  # type: ignore[attr-defined]
    flip(keep, BYTES if sha256(BYTES) == first else OTHER_BYTES)
    resumed = [state async for state in sweep(keep, repair=False, resume=True)][-1]
    assert (resumed.files, resumed.damaged) == (2, [])
    assert [damage.sha256 for damage in (await swept(keep)).damaged] == [first]


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    path = prepare(tmp_path)
    assert databases(tmp_path) == []
    body = bytearray(path.read_bytes())
    body[4096 * 3 : 4096 * 5] = os.urandom(4096 * 2)
    path.write_bytes(body)
    found = databases(tmp_path)
    assert found
    assert {(one.what, one.file) for one in found} == {("database", "wheelkeep.sqlite")}


def test_a_database_that_may_not_be_opened_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path)

    def refused(*_: object, **__: object) -> sqlite3.Connection:
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorcode = sqlite3.SQLITE_READONLY_CANTINIT
        raise error

    monkeypatch.setattr(sqlite3, "connect", refused)
    with pytest.raises(WheelkeepError, match="cannot be used: attempt to write"):
        databases(tmp_path)
