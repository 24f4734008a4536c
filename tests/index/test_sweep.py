"""Every kept byte is read again: what is not what its name says is found, and healed where it came from."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.dists import wheel
from fakes.made import file
from fakes.outside import Outside
from wheelkeep import compose
from wheelkeep.core.names import SourceName
from wheelkeep.core.read_settings import read_settings
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.sweep import Damage, Sweep, sweep
from wheelkeep.index.view import View
from wheelkeep.store import blobs as module
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
    assert await swept(keep) == Sweep(files=2, bytes=len(BYTES) + len(OTHER_BYTES))


async def test_an_empty_keep_is_well(keep: Keep) -> None:
    for body in (BYTES, OTHER_BYTES):
        keep.blobs.set_aside(sha256(body))
    assert await swept(keep, repair=True) == Sweep()


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
    uploads = Uploads(keep._database, keep.ledger, keep._changes)
    assert await uploads.add(file("acme-1.0.tar.gz", source="acme", sha256=sha256(own))) is None
    assert (await swept(keep)).damaged == []
    flip(keep, own)
    (damage,) = (await swept(keep, repair=True)).damaged
    assert (damage.file, damage.repaired) == ("acme-1.0.tar.gz", False)
    assert "restore them from a backup" in damage.says


async def test_what_cannot_be_read_is_damage(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> tuple[str, int]:
        if path.name == sha256(BYTES):
            raise OSError(5, "Input/output error")
        return module.hash_file(path)

    monkeypatch.setattr("wheelkeep.index.sweep.hash_file", broken)
    found = await swept(keep, repair=True)
    assert [(damage.file, damage.found, damage.repaired) for damage in found.damaged] == [
        (NAME, "unreadable", True)
    ]
    assert found.files == 2


async def test_what_leaves_meanwhile_is_no_damage(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(path: Path) -> tuple[str, int]:
        path.unlink()
        return module.hash_file(path)

    monkeypatch.setattr("wheelkeep.index.sweep.hash_file", late)
    assert await swept(keep, repair=True) == Sweep()


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
