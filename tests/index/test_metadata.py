"""Metadata beside a wheel: told, or read out of it; and the wheel's own once its bytes are here."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from fakes.dists import metadata, sdist, wheel
from fakes.made import file
from fakes.sources import Scripted
from fakes.stores import Store
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName
from wheelkeep.core.pins import Incident
from wheelkeep.index.fetch import Fetcher, Stored
from wheelkeep.index.metadata import MetadataKeeper
from wheelkeep.sources.source import Source
from wheelkeep.store.facts import KnownMetadata

BLOB = random.Random(4).randbytes(300_000)
NAME, BYTES = wheel("demo", "1.0", files={"demo/data.bin": BLOB})
OWN = metadata("demo", "1.0").encode()
TOLD = b"Name: demo\nVersion: 1.0\n"
NONE = KnownMetadata("", b"", own=True)


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Reading:
    """A keeper of metadata beside a fetcher, as a keep has them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.source = Scripted()
        self.source.contents[NAME] = BYTES
        self.changed: list[ProjectName] = []
        self.incidents: list[Incident] = []
        self.fetcher = Fetcher(store.blobs, store.soundness, arrived=self._arrived, incident=self._incident)
        self.keeper = MetadataKeeper(
            store.facts, lambda: self.fetcher, changed=self.changed.append, incident=self._incident
        )

    def _incident(self, _: File, incident: Incident) -> None:
        self.incidents.append(incident)

    async def _arrived(self, _: Source, one: File, sha256: str, size: int, *, kept: bool) -> None:
        await self.keeper.arrived(one, Stored(self.store.blobs.path(sha256), size))

    async def get(self, one: File, *, may_fetch: bool = True) -> bytes | None:
        return await self.keeper.get(self.source, one, may_fetch=may_fetch)

    async def known(self, one: File) -> KnownMetadata | None:
        return await self.store.facts.metadata(one.source, one.filename)


@pytest_asyncio.fixture
async def reading(store: Store) -> AsyncIterator[Reading]:
    made = Reading(store)
    yield made
    await made.fetcher.close(5)


@pytest.fixture
def one() -> File:
    return file(NAME, sha256=sha256(BYTES), size=len(BYTES))


async def test_what_the_source_tells_is_given_and_kept(reading: Reading, one: File) -> None:
    one = replace(one, metadata=sha256(TOLD))
    reading.source.told[NAME] = TOLD
    assert await reading.get(one) == TOLD
    assert await reading.known(one) == KnownMetadata(sha256(TOLD), TOLD, own=False)
    del reading.source.told[NAME]
    assert await reading.get(one) == TOLD
    assert (reading.source.opened, reading.source.pieces, reading.changed) == ([], [], [])


@pytest.mark.parametrize(
    "told",
    [b"<!DOCTYPE html><h1>Log in</h1>", b"", OWN.replace(b"demo", b"evil"), OWN.replace(b"1.0", b"2.0")],
)
async def test_what_is_told_and_is_of_no_such_release_is_not_believed(
    reading: Reading, one: File, told: bytes
) -> None:
    reading.source.told[NAME] = told
    assert await reading.get(replace(one, metadata=True)) == OWN


async def test_else_it_is_read_by_ranges(reading: Reading, one: File) -> None:
    assert await reading.get(one) == OWN
    assert await reading.known(one) == KnownMetadata(sha256(OWN), OWN, own=False)
    assert reading.source.pieces == [(-24 * 1024, 0)]
    assert reading.source.opened == []
    assert reading.changed == ["demo"]
    assert await reading.get(one) == OWN
    assert len(reading.source.pieces) == 1


async def test_a_wheel_whose_metadata_lies_far_from_the_end_takes_a_few_pieces(
    reading: Reading, one: File
) -> None:
    many = {f"demo/{number}.py": b"" for number in range(1500)}
    reading.source.contents[NAME] = wheel("demo", "1.0", files={"demo/a.bin": BLOB, **many})[1]
    assert await reading.get(one) == OWN
    assert 1 < len(reading.source.pieces) <= 12
    assert reading.source.opened == []


async def test_else_the_whole_wheel_is_fetched(reading: Reading, one: File) -> None:
    reading.source.ranges = False
    assert await reading.get(one) == OWN
    assert reading.source.opened == [NAME]
    assert await reading.known(one) == KnownMetadata(sha256(OWN), OWN, own=True)


async def test_but_not_that_of_a_blocked_file(reading: Reading, one: File) -> None:
    reading.source.ranges = False
    with pytest.raises(Unanswered, match="without fetching the file"):
        await reading.get(one, may_fetch=False)
    assert reading.source.opened == []
    assert await reading.known(one) is None


async def test_who_may_fetch_is_not_refused_because_another_may_not(reading: Reading, one: File) -> None:
    reading.source.ranges = False
    blocked, admitted = await asyncio.gather(
        reading.get(one, may_fetch=False), reading.get(one), return_exceptions=True
    )
    # What the other one has learned by then is there for all.
    assert isinstance(blocked, Unanswered) or blocked == OWN
    assert admitted == OWN


async def test_what_is_in_the_store_needs_nobody(reading: Reading, one: File) -> None:
    await reading.store.keep(BYTES)
    reading.source.broken = Unanswered("it is away")
    assert await reading.get(one, may_fetch=False) == OWN
    known = await reading.known(one)
    assert known is not None
    assert known.own


async def test_one_question_however_many_ask(reading: Reading, one: File) -> None:
    assert await asyncio.gather(*(reading.get(one) for _ in range(10))) == [OWN] * 10
    assert len(reading.source.pieces) == 1


async def test_a_lie_is_replaced_by_the_wheel_s_own_once_its_bytes_came(reading: Reading, one: File) -> None:
    one = replace(one, metadata=sha256(TOLD))
    reading.source.told[NAME] = TOLD
    assert await reading.get(one) == TOLD
    await reading.fetcher.whole(reading.source, one)
    assert await reading.get(one) == OWN
    assert reading.incidents == [
        Incident(kind="metadata-differs", filename=NAME, first=sha256(TOLD), told=sha256(OWN))
    ]
    assert reading.changed == ["demo"]


async def test_the_truth_is_no_incident(reading: Reading, one: File) -> None:
    one = replace(one, metadata=sha256(OWN))
    reading.source.told[NAME] = OWN
    await reading.get(one)
    await reading.fetcher.whole(reading.source, one)
    known = await reading.known(one)
    assert known is not None
    assert known.own
    assert (reading.incidents, reading.changed) == ([], [])


async def test_bytes_that_come_first_tell_it_before_anybody_asks(reading: Reading, one: File) -> None:
    reading.source.told[NAME] = TOLD
    await reading.fetcher.whole(reading.source, one)
    assert await reading.known(one) == KnownMetadata(sha256(OWN), OWN, own=True)
    assert await reading.get(one) == OWN
    assert reading.incidents == []


async def test_a_wheel_without_metadata_has_none(reading: Reading, one: File) -> None:
    body = reading.source.contents[NAME] = b"no zip at all"
    bad = replace(one, sha256=sha256(body))
    assert await reading.get(bad) is None
    assert await reading.known(bad) == NONE
    assert reading.source.opened == [NAME]
    assert await reading.get(bad) is None
    assert reading.source.opened == [NAME]


async def test_metadata_that_the_wheel_does_not_have_is_a_lie_too(reading: Reading, one: File) -> None:
    body = reading.source.contents[NAME] = b"no zip at all"
    reading.source.told[NAME] = TOLD
    bad = replace(one, sha256=sha256(body), metadata=sha256(TOLD))
    assert await reading.get(bad) == TOLD
    await reading.fetcher.whole(reading.source, bad)
    assert await reading.get(bad) is None
    assert [incident.told for incident in reading.incidents] == [""]


async def test_pieces_of_a_file_that_changes_are_no_file(reading: Reading, one: File) -> None:
    """Sizes that differ between two pieces: the whole file, with its hash, decides."""
    many = {f"demo/{number}.py": b"" for number in range(1500)}
    body = reading.source.contents[NAME] = wheel("demo", "1.0", files={"demo/a.bin": BLOB, **many})[1]
    piece, sizes = reading.source.piece, iter(range(10))

    async def changing(told: File, start: int, end: int) -> tuple[bytes, int] | None:
        got = await piece(told, start, end)
        return (got[0], got[1] + next(sizes)) if got is not None else None

    reading.source.piece = changing  # type: ignore[method-assign]
    assert await reading.get(replace(one, sha256=sha256(body))) == OWN
    assert reading.source.opened == [NAME]


async def test_an_endless_row_of_pieces_ends(reading: Reading, one: File) -> None:
    async def crumbs(told: File, start: int, end: int) -> tuple[bytes, int] | None:
        got = BYTES[start:] if start < 0 else BYTES[start : start + 1]
        reading.source.pieces.append((start, end))
        return (got[-30:] if start < 0 else got), len(BYTES)

    reading.source.piece = crumbs  # type: ignore[method-assign]
    assert await reading.get(one) == OWN
    assert len(reading.source.pieces) <= 13
    assert reading.source.opened == [NAME]


@pytest.mark.parametrize("error", [Unanswered("it is away"), FileMissing("gone")])
async def test_an_outage_is_told_and_not_remembered(reading: Reading, one: File, error: Exception) -> None:
    reading.source.broken = error
    with pytest.raises(type(error)):
        await reading.get(one)
    assert await reading.known(one) is None
    reading.source.broken = None
    assert await reading.get(one) == OWN


async def test_sdists_have_no_metadata_beside_them(reading: Reading) -> None:
    name, body = sdist("demo", "1.0")
    one = file(name, sha256=sha256(body))
    reading.source.told[name] = TOLD
    reading.source.contents[name] = body
    assert await reading.get(one) is None
    await reading.fetcher.whole(reading.source, one)
    assert await reading.known(one) is None
