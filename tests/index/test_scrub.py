"""Every stored byte is read again by and by, by one worker, and what is damaged is healed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.dists import wheel
from fakes.outside import Outside
from wheelkeep import compose
from wheelkeep.core.names import ProjectName
from wheelkeep.core.read_settings import read_settings
from wheelkeep.core.settings import ScrubSettings
from wheelkeep.index.keep import Keep
from wheelkeep.index.scrub import FOLDERS, Scrub, standing
from wheelkeep.index.view import View

NAME, BYTES = wheel("demo", "1.0")
SHA256 = hashlib.sha256(BYTES).hexdigest()
CONFIG = """
data = "data"
[sources.pypi]
kind = "remote"
url = "{url}"
"""
PASS = 256_000.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        server.add(NAME, BYTES)
        yield server


@pytest_asyncio.fixture
async def keep(tmp_path: Path, outside: Outside) -> AsyncIterator[Keep]:
    """A keep that gave one file before."""
    read = read_settings(
        CONFIG.format(url=outside.url),
        file="wheelkeep.toml",
        base=tmp_path,
        secret=lambda _: "",
        pypi_url="https://upstream.example/",
    )
    made = compose.build(read)
    await made.start()
    view = await next(iter(made.indexes.values())).page(ProjectName("demo"))
    assert isinstance(view, View)
    for one, _ in view.by_name.values():
        await made.fetcher.whole(made.source_of(one), one)
    yield made
    await made.close(seconds=5)


def scrubbing(keep: Keep, clock: Clock) -> Scrub:
    return Scrub(keep, settings=ScrubSettings(every=timedelta(seconds=PASS)), now=clock)


async def through(scrub: Scrub, clock: Clock, folders: int = FOLDERS) -> None:
    while folders:
        waits = await scrub.step()
        clock.now += waits
        folders -= not waits


def flip(keep: Keep) -> None:
    path = keep.blobs.path(SHA256)
    path.chmod(0o644)
    path.write_bytes(bytes([BYTES[0] ^ 1]) + BYTES[1:])


async def test_a_pass_takes_its_time_and_goes_on_after_a_restart(keep: Keep) -> None:
    clock = Clock()
    began = clock.now
    assert standing(keep.settings.data) == {"scrub": None, "verify": None}
    scrub = scrubbing(keep, clock)
    assert await scrub.step() == 0
    assert await scrub.step() == PASS / FOLDERS
    await through(scrub, clock, 127)
    await scrub.close()
    half = standing(keep.settings.data)["scrub"]
    assert (half["percent"], half["last"]) == (50, None)
    # A day of another machine's making later: what is due is done, and nothing twice.
    again = scrubbing(keep, clock)
    await through(again, clock, 128)
    assert clock.now - began == pytest.approx(PASS * 255 / 256)
    told = standing(keep.settings.data)["scrub"]
    assert (told["percent"], told["files"]) == (0, 0)
    assert (told["last"]["files"], told["last"]["bytes"], told["last"]["damaged"]) == (1, len(BYTES), 0)
    assert await again.step() == pytest.approx(PASS / FOLDERS)
    await again.close()
    assert [one async for one in keep.kept.all()] == [SHA256]


async def test_damage_is_found_told_and_healed(keep: Keep, tmp_path: Path) -> None:
    clock = Clock()
    scrub = scrubbing(keep, clock)
    flip(keep)
    await through(scrub, clock)
    await scrub.close()
    assert keep.blobs.path(SHA256).read_bytes() == BYTES
    assert (tmp_path / "data" / "damaged" / SHA256).exists()
    last = standing(keep.settings.data)["scrub"]["last"]
    assert (last["damaged"], last["healed"]) == (1, 1)
    await keep.book.close()
    (entry,) = await keep.ledger.last("incident")
    assert (entry.filename, entry.detail["what"], entry.detail["stands"]) == (NAME, "blob-damaged", SHA256)


async def test_what_cannot_be_healed_is_out_of_service(keep: Keep, outside: Outside) -> None:
    clock = Clock()
    scrub = scrubbing(keep, clock)
    flip(keep)
    outside.stop()
    await through(scrub, clock)
    await scrub.close()
    assert not keep.blobs.has(SHA256)
    last = standing(keep.settings.data)["scrub"]["last"]
    assert (last["damaged"], last["healed"]) == (1, 0)


async def test_a_clock_that_is_put_back_or_far_ahead_stops_nothing(keep: Keep) -> None:
    clock = Clock()
    scrub = scrubbing(keep, clock)
    await through(scrub, clock, 10)
    clock.now -= 10 * PASS
    assert await scrub.step() == 0
    clock.now += 100 * PASS
    for _ in range(20):
        assert await scrub.step() == 0
    await scrub.close()


async def test_a_place_that_cannot_be_read_is_the_beginning(keep: Keep) -> None:
    for text in ("{", "[]", '{"folder": "x"}', '{"folder": 999, "began": 1}', '{"last": 7}'):
        (keep.settings.data / "scrub.json").write_text(text)
        scrub = scrubbing(keep, Clock())
        assert await scrub.step() == 0
        await scrub.close()


async def test_it_ends_when_it_is_told_to_and_not_at_all_where_it_is_off(keep: Keep) -> None:
    scrub = Scrub(keep, settings=ScrubSettings(every=None))
    scrub.start()
    await scrub.close()
    assert standing(keep.settings.data)["scrub"] is None
    slow = Scrub(keep, settings=ScrubSettings(every=timedelta(milliseconds=1), rate=1))
    slow.start()
    while not slow._turn._descriptor:
        await asyncio.sleep(0.01)
    await slow.close()
