"""One download however many ask, and no byte given as a whole file that is not the file."""

import asyncio
import errno
import hashlib
import os
import random
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio
from msgspec.structs import replace

from fakes.made import file
from fakes.sources import Scripted
from fakes.stores import Store
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import File
from wheelkeep.core.pins import Incident
from wheelkeep.index import fill
from wheelkeep.index.fetch import Fetcher, Stored
from wheelkeep.index.fill import HELD_BACK, NotKept, Reader
from wheelkeep.sources.source import Source
from wheelkeep.store import blobs, trust
from wheelkeep.store.blobs import Mismatch

NAME = "demo-1.0-py3-none-any.whl"
BIG = random.Random(3).randbytes(600_000)
SMALL = b"small"


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Fetching:
    """A fetcher with a source that does what it is told."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.source = Scripted()
        self.arrived: list[tuple[str, str, int]] = []
        self.kept: list[bool] = []
        self.incidents: list[Incident] = []
        self.refuse: Exception | None = None
        self.fetcher = Fetcher(
            store.blobs,
            store.soundness,
            arrived=self._arrived,
            incident=lambda _, told: self.incidents.append(told),
        )

    async def _arrived(self, source: Source, file: File, sha256: str, size: int, *, kept: bool) -> None:
        assert source is self.source
        self.arrived.append((file.filename, sha256, size))
        self.kept.append(kept)
        if self.refuse is not None:
            raise self.refuse

    def lists(self, content: bytes, **told: object) -> File:
        self.source.contents[NAME] = content
        return file(NAME, **({"sha256": sha256(content), "size": len(content)} | told))

    async def reader(self, one: File) -> Reader:
        got = await self.fetcher.get(self.source, one)
        assert isinstance(got, Reader)
        return got

    async def read(self, one: File) -> bytes:
        got = await self.fetcher.get(self.source, one)
        if isinstance(got, Stored):
            return got.path.read_bytes()
        try:
            return b"".join([piece async for piece in got.chunks()])
        finally:
            await got.close()

    def leftovers(self) -> list[str]:
        return [path.name for path in (self.store.data / "tmp").iterdir()]


@pytest_asyncio.fixture
async def fetching(store: Store) -> AsyncIterator[Fetching]:
    made = Fetching(store)
    yield made
    made.source.go_on.set()
    await made.fetcher.close(5)
    assert made.leftovers() == []


async def quiet(fetching: Fetching) -> None:
    """Waits until no download is under way."""
    while fetching.fetcher._tasks:
        await asyncio.sleep(0)


async def test_a_file_is_fetched_once_and_then_comes_from_the_store(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    assert fetching.fetcher.stored(one) is None
    assert await fetching.read(one) == BIG
    stored = fetching.fetcher.stored(one)
    assert stored == Stored(fetching.store.blobs.path(sha256(BIG)), len(BIG))
    assert await fetching.read(one) == BIG
    assert await fetching.fetcher.whole(fetching.source, one) == stored
    assert fetching.source.opened == [NAME]
    assert fetching.arrived == [(NAME, sha256(BIG), len(BIG))]


@pytest.mark.parametrize("content", [b"", SMALL, BIG[:HELD_BACK], BIG[: HELD_BACK + 1], BIG])
async def test_files_of_any_size(fetching: Fetching, content: bytes) -> None:
    one = fetching.lists(content)
    assert await fetching.read(one) == content
    assert (await fetching.fetcher.whole(fetching.source, one)).path.read_bytes() == content


async def test_one_download_for_many_askers(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    asked = [fetching.read(one) for _ in range(20)]
    whole = [fetching.fetcher.whole(fetching.source, one) for _ in range(3)]
    *bodies, _, _, _ = await asyncio.gather(*asked, *whole)
    assert all(body == BIG for body in bodies)
    assert fetching.source.opened == [NAME]


async def test_who_comes_later_gets_it_from_the_first_byte(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    fetching.source.stop_at = 400_000
    first = await fetching.reader(one)
    pieces = first.chunks()
    got = b""
    while len(got) < 300_000:
        got += await anext(pieces)
    second = asyncio.create_task(fetching.read(one))
    fetching.source.go_on.set()
    assert await second == BIG
    assert got + b"".join([piece async for piece in pieces]) == BIG
    await first.close()
    assert fetching.source.opened == [NAME]


async def test_the_last_piece_is_held_back_until_the_hash_is_right(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    fetching.source.stop_at = 500_000
    reader = await fetching.reader(one)
    got = 0

    async def take() -> None:
        nonlocal got
        async for piece in reader.chunks():
            got += len(piece)

    taking = asyncio.create_task(take())
    while got < 400_000:
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    assert got <= 500_000 + 16 * 1024 - HELD_BACK
    assert reader.length == len(BIG)
    fetching.source.go_on.set()
    await taking
    assert got == len(BIG)
    await reader.close()


async def test_a_wrong_hash_gives_nobody_the_whole_and_leaves_nothing(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    wrong = fetching.source.contents[NAME] = BIG[:-1] + bytes([BIG[-1] ^ 1])
    given = 0
    reader = await fetching.reader(one)
    with pytest.raises(Unanswered, match="hash to"):
        async for piece in reader.chunks():
            given += len(piece)
    await reader.close()
    assert 0 < given <= len(BIG) - HELD_BACK
    assert fetching.fetcher.stored(one) is None
    assert list(fetching.store.blobs.all()) == []
    assert fetching.arrived == []
    assert fetching.incidents == [
        Incident(kind="bytes-differ", filename=NAME, first=sha256(BIG), told=sha256(wrong))
    ]
    # And the next one who asks begins anew.
    fetching.source.contents[NAME] = BIG
    assert await fetching.read(one) == BIG
    assert fetching.source.opened == [NAME, NAME]


async def test_a_small_wrong_file_gives_not_a_byte(fetching: Fetching) -> None:
    one = fetching.lists(SMALL)
    fetching.source.contents[NAME] = b"wrong"
    for ask in (fetching.fetcher.get, fetching.fetcher.whole):
        with pytest.raises(Unanswered):
            await ask(fetching.source, one)
    assert list(fetching.store.blobs.all()) == []


async def test_a_file_that_breaks_off_leaves_nothing(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    fetching.source.break_at = 300_000
    results = await asyncio.gather(*(fetching.read(one) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, Unanswered) for result in results)
    assert list(fetching.store.blobs.all()) == []
    assert fetching.incidents == []
    fetching.source.break_at = None
    assert await fetching.read(one) == BIG


async def test_what_is_missing_or_away_is_told_as_such(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    del fetching.source.contents[NAME]
    with pytest.raises(FileMissing):
        await fetching.read(one)
    for error in (Unanswered("it is away", retry_after=3), FileMissing("gone")):
        fetching.source.broken = error
        for ask in (fetching.fetcher.get, fetching.fetcher.whole):
            with pytest.raises(type(error)) as caught:
                await ask(fetching.source, one)
            assert caught.value is error
    fetching.source.broken = ZeroDivisionError("a defect")
    with pytest.raises(Unanswered, match="ZeroDivisionError"):
        await fetching.read(one)


async def test_a_client_that_leaves_does_not_stop_the_filling(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    fetching.source.stop_at = 300_000
    leaving = await fetching.reader(one)
    async with aclosing(leaving.chunks()) as pieces:
        await anext(pieces)
    await leaving.close()
    await leaving.close()
    fetching.source.go_on.set()
    await quiet(fetching)
    assert fetching.fetcher.stored(one) is not None
    assert await fetching.read(one) == BIG
    assert fetching.source.opened == [NAME]


async def test_nor_does_one_that_leaves_before_the_first_byte(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    fetching.source.stop_at = 0
    leaving = asyncio.create_task(fetching.fetcher.get(fetching.source, one))
    waiting = asyncio.create_task(fetching.fetcher.whole(fetching.source, one))
    await asyncio.sleep(0.01)
    for task in (leaving, waiting):
        task.cancel()
    await asyncio.gather(leaving, waiting, return_exceptions=True)
    fetching.source.go_on.set()
    await quiet(fetching)
    assert fetching.fetcher.stored(one) is not None


async def test_a_slow_reader_reads_on_after_the_end(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    reader = await fetching.reader(one)
    pieces = reader.chunks()
    got = await anext(pieces)
    await quiet(fetching)
    assert fetching.fetcher.stored(one) is not None
    got += b"".join([piece async for piece in pieces])
    assert got == BIG
    await reader.close()


async def test_the_hash_of_a_file_without_one_is_learned(fetching: Fetching) -> None:
    one = fetching.lists(BIG, sha256=None, size=None)
    fetching.source.lengths = False
    reader = await fetching.reader(one)
    assert reader.length is None
    assert b"".join([piece async for piece in reader.chunks()]) == BIG
    await reader.close()
    assert fetching.arrived == [(NAME, sha256(BIG), len(BIG))]
    stored = await fetching.fetcher.whole(fetching.source, one)
    assert stored.path.read_bytes() == BIG


@pytest.mark.parametrize("name", ["md5", "sha1", "sha512", "blake2b"])
async def test_without_a_sha256_the_other_digests_are_held_to(fetching: Fetching, name: str) -> None:
    right = hashlib.new(name, BIG).hexdigest()
    one = fetching.lists(BIG, sha256=None, digests={name: right})
    assert await fetching.read(one) == BIG
    wrong = fetching.lists(BIG, sha256=None, digests={name: hashlib.new(name, b"x").hexdigest()})
    with pytest.raises(Unanswered):
        await fetching.read(wrong)
    assert len(fetching.arrived) == 1
    assert [incident.kind for incident in fetching.incidents] == ["bytes-differ"]


async def test_a_sha256_that_came_later_does_not_lift_the_digests_before_it(fetching: Fetching) -> None:
    other = hashlib.sha512(b"first").hexdigest()
    with pytest.raises(Unanswered, match="sha512"):
        await fetching.read(fetching.lists(BIG, digests={"sha512": other}))
    assert fetching.arrived == []
    assert [incident.first for incident in fetching.incidents] == [f"sha512:{other}"]


async def test_other_bytes_than_those_that_were_first_are_cut_off(fetching: Fetching) -> None:
    """Who is told of new bytes may know that others came first: the last piece is given to nobody."""
    one = fetching.lists(BIG, sha256=None)
    fetching.refuse = Mismatch(sha256(b"first"), sha256(BIG))
    given = 0
    reader = await fetching.reader(one)
    with pytest.raises(Unanswered):
        async for piece in reader.chunks():
            given += len(piece)
    await reader.close()
    assert given <= len(BIG) - HELD_BACK
    assert fetching.incidents == [
        Incident(kind="bytes-differ", filename=NAME, first=sha256(b"first"), told=sha256(BIG))
    ]


async def test_more_bytes_than_the_page_says_are_not_taken(fetching: Fetching) -> None:
    one = fetching.lists(BIG, size=100_000)
    fetching.source.lengths = False
    with pytest.raises(Unanswered, match="longer than its page says"):
        await fetching.read(one)
    assert list(fetching.store.blobs.all()) == []
    # The origin puts right what it told: the hash decides what the bytes are.
    assert await fetching.read(replace(one, resized=len(BIG))) == BIG


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A disk that takes the first 256 KiB of a file, or so."""
    write, took = os.write, [0]

    def some(descriptor: int, piece: bytes) -> int:
        took[0] += len(piece)
        if took[0] > 256 * 1024:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, piece)

    monkeypatch.setattr(blobs.os, "write", some)
    return monkeypatch


async def test_a_full_disk_stops_keeping_and_not_giving(fetching: Fetching, full: pytest.MonkeyPatch) -> None:
    one = fetching.lists(BIG)
    assert await asyncio.gather(*(fetching.read(one) for _ in range(3))) == [BIG] * 3
    assert await fetching.read(one) == BIG
    assert fetching.kept == [False, False]
    # Who needs it in the store, and not as it comes, is told why that cannot be.
    with pytest.raises(NotKept, match="No space left") as caught:
        await fetching.fetcher.whole(fetching.source, one)
    assert caught.value.retry_after == 30
    assert list(fetching.store.blobs.all()) == [] and fetching.leftovers() == []
    full.undo()
    assert await fetching.read(one) == BIG
    assert list(fetching.store.blobs.all())


async def test_a_wrong_file_is_cut_off_on_a_full_disk_too(
    fetching: Fetching, full: pytest.MonkeyPatch
) -> None:
    one = fetching.lists(BIG)
    fetching.source.contents[NAME] = BIG[:-1] + b"!"
    with pytest.raises(Unanswered):
        await fetching.read(one)


async def test_memory_is_bounded_by_the_slowest_reader_and_that_one_by_patience(
    fetching: Fetching, full: pytest.MonkeyPatch
) -> None:
    """What the disk does not take waits in memory for a while, then goes on without whoever takes nothing."""
    full.setattr(fill, "_MOST_PENDING", 100_000)
    full.setattr(fill, "PATIENCE_READER", 0.05)
    huge = random.Random(4).randbytes(4_000_000)
    one = fetching.lists(huge)
    asleep = await fetching.reader(one)
    assert await fetching.read(one) == huge
    with pytest.raises(Unanswered, match="too slowly"):
        async for _ in asleep.chunks():
            pass
    await asleep.close()


async def test_who_comes_when_the_first_bytes_are_gone_begins_anew(
    fetching: Fetching, full: pytest.MonkeyPatch
) -> None:
    full.setattr(fill, "_MOST_PENDING", 100_000)
    huge = random.Random(4).randbytes(4_000_000)
    one = fetching.lists(huge)
    first = await fetching.reader(one)
    came = b""
    async with aclosing(first.chunks()) as chunks:
        async for piece in chunks:
            came += piece
            if len(came) > 2_000_000:
                break
        assert await fetching.read(one) == huge
        assert len(fetching.source.opened) == 2
        async for piece in chunks:
            came += piece
    await first.close()
    assert came == huge


async def test_a_disk_that_takes_not_even_a_note(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    one = fetching.lists(BIG)
    (fetching.store.data / "tmp").rmdir()
    assert await fetching.read(one) == BIG
    assert fetching.kept == [False]
    (fetching.store.data / "tmp").mkdir()


async def test_another_process_that_fetches_it_is_waited_for(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    claim = fetching.store.blobs.claim(f"pypi/{NAME}/{one.sha256}")
    assert claim is not None
    asking = [asyncio.create_task(fetching.read(one)) for _ in range(2)]
    await asyncio.sleep(0.12)
    assert fetching.source.opened == []
    await fetching.store.keep(BIG)
    claim.release()
    assert await asyncio.gather(*asking) == [BIG, BIG]
    assert fetching.source.opened == []


async def test_what_another_process_gave_up_is_fetched(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    claim = fetching.store.blobs.claim(f"pypi/{NAME}/{one.sha256}")
    assert claim is not None
    asking = asyncio.create_task(fetching.read(one))
    await asyncio.sleep(0.01)
    claim.release()
    assert await asking == BIG


async def test_closing_lets_downloads_finish_for_a_while(store: Store) -> None:
    fetching = Fetching(store)
    one = fetching.lists(BIG)
    fetching.source.stop_at = 300_000
    reading = asyncio.create_task(fetching.read(one))
    await asyncio.sleep(0.01)
    closing = asyncio.create_task(fetching.fetcher.close(5))
    await asyncio.sleep(0.01)
    fetching.source.go_on.set()
    assert await reading == BIG
    await closing


async def test_closing_ends_what_does_not_finish(store: Store) -> None:
    fetching = Fetching(store)
    one = fetching.lists(BIG)
    fetching.source.stop_at = 300_000
    reading = asyncio.create_task(fetching.read(one))
    await asyncio.sleep(0.01)
    await fetching.fetcher.close(0.01)
    with pytest.raises(Unanswered, match="being stopped"):
        await reading
    assert fetching.leftovers() == []


async def test_damage_is_found_when_it_is_first_read_after_a_start(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    await fetching.store.keep(BIG)
    path = fetching.store.blobs.path(sha256(BIG))
    path.chmod(0o644)
    path.write_bytes(BIG[:-1] + bytes([BIG[-1] ^ 1]))
    assert await asyncio.gather(*(fetching.read(one) for _ in range(5))) == [BIG] * 5
    assert fetching.source.opened == [NAME]
    assert path.read_bytes() == BIG
    assert (fetching.store.data / "damaged" / sha256(BIG)).exists()


async def test_and_when_somebody_touched_it(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    assert await fetching.read(one) == BIG
    path = fetching.store.blobs.path(sha256(BIG))
    path.chmod(0o644)
    path.write_bytes(BIG[:1000])
    assert await fetching.read(one) == BIG
    assert fetching.source.opened == [NAME, NAME]


async def test_what_cannot_be_read_just_now_is_an_error_and_stays_where_it_is(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = fetching.lists(BIG)
    await fetching.store.keep(BIG)

    def too_many(*_: object, **__: object) -> tuple[dict[str, str], int]:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(trust, "hash_all", too_many)
        for ask in (fetching.fetcher.get, fetching.fetcher.whole):
            with pytest.raises(Unanswered, match="Too many open files"):
                await ask(fetching.source, one)
    assert fetching.store.blobs.path(sha256(BIG)).read_bytes() == BIG
    assert await fetching.read(one) == BIG
    assert fetching.source.opened == []


async def test_damage_in_the_store_is_healed_by_fetching_again(fetching: Fetching) -> None:
    one = fetching.lists(BIG)
    await fetching.read(one)
    fetching.store.blobs.set_aside(sha256(BIG))
    assert await fetching.read(one) == BIG
    assert fetching.source.opened == [NAME, NAME]
