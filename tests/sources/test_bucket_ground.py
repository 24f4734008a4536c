"""A directory source on a bucket of a real S3 server: what is new is read once, an outage is never an absence."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.buckets import Buckets, shared
from fakes.dists import wheel
from fakes.stores import Store
from wheelkeep.core.buckets import Bucket
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import Absent, Answer, Found, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.pins import Incident
from wheelkeep.core.settings import S3Settings, Secret
from wheelkeep.sources.bucket_ground import BucketGround
from wheelkeep.sources.directory import Directory
from wheelkeep.store.shelves import open_shelf

DEMO = ProjectName("demo")
(NAME, BYTES), (SECOND, SECOND_BYTES) = wheel("demo", "1.0"), wheel("demo", "2.0+local")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BucketGround, "pause", 0.05)
    monkeypatch.setattr("wheelkeep.sources.directory._REST", 1)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "data") as opened:
        yield opened


class House:
    """A place in a bucket, and a source on it."""

    def __init__(self, store: Store, *, buckets: Buckets | None = None, place: Bucket | None = None) -> None:
        self.buckets = buckets or shared()
        self.place = place or Bucket("wheels", f"of/{os.urandom(6).hex()}")
        self.incidents: list[Incident] = []
        self.read: list[str] = []
        self._store = store
        self.source = self.made(self.buckets.settings)

    def made(self, settings: S3Settings) -> Directory:
        shelf = open_shelf(self.place, settings)
        opened, house = shelf.open, self

        def counted(name: str):  # type: ignore[no-untyped-def]
            house.read.append(name)
            return opened(name)

        shelf.open = counted  # type: ignore[method-assign]
        return Directory(
            SourceName("wheels"),
            BucketGround(lambda: shelf, self._store.blobs),
            facts=self._store.facts,
            pages=self._store.pages,
            changed=lambda _: None,
            incident=lambda _source, _project, incident: self.incidents.append(incident),
        )

    def put(self, name: str, content: bytes) -> None:
        self.buckets.make(self.place.name)
        path = f"/{self.place.name}/{self.place.prefix}/{name.replace('+', '%2B')}"
        assert self.buckets.send("PUT", path, content) == 200

    async def until(self, true: Callable[[Answer], bool]) -> Answer:
        while not true(answer := await self.source.page(DEMO)):
            await asyncio.sleep(0.02)
        return answer

    async def until_listed(self, *names: str) -> Found:
        def same(answer: Answer) -> bool:
            return isinstance(answer, Found) and {one.filename for one in answer.page.files} == set(names)

        answer = await self.until(same)
        assert isinstance(answer, Found)
        return answer


async def test_what_is_put_below_the_prefix_is_seen_and_read_once(store: Store) -> None:
    house = House(store)
    house.put(f"linux/x86/{NAME}", BYTES)
    house.put("notes.txt", b"no wheel")
    house.put(f".hidden/{SECOND}", SECOND_BYTES)
    house.buckets.send("PUT", f"/wheels/{house.place.prefix}-more/{SECOND.replace('+', '%2B')}", SECOND_BYTES)
    await house.source.start()
    found = await house.until_listed(NAME)
    (one,) = found.page.files
    assert (one.sha256, one.size) == (hashlib.sha256(BYTES).hexdigest(), len(BYTES))
    assert one.upload_time is not None and isinstance(one.metadata, str)
    assert await house.source.page(ProjectName("other")) == Absent(source=house.source.name)
    house.put(SECOND, SECOND_BYTES)
    await house.until_listed(NAME, SECOND)
    assert sorted(house.read) == sorted([f"linux/x86/{NAME}", SECOND])
    await house.source.close()
    # Another process on the same data reads nothing again.
    house.source = house.made(house.buckets.settings)
    await house.source.start()
    await house.until_listed(NAME, SECOND)
    assert len(house.read) == 2
    async with house.source.open(next(one for one in found.page.files)) as stream:
        assert b"".join([piece async for piece in stream.chunks()]) == BYTES
    house.buckets.send("DELETE", f"/wheels/{house.place.prefix}/linux/x86/{NAME}")
    await house.until_listed(SECOND)
    with pytest.raises(FileMissing):
        async with house.source.open(one):
            pass
    await house.source.close()
    assert not list((store.data / "tmp").iterdir())


async def test_changed_bytes_keep_the_first_hash(store: Store) -> None:
    house = House(store)
    house.put(NAME, BYTES)
    await house.source.start()
    first = await house.until_listed(NAME)
    house.put(NAME, wheel("demo", "1.0", files={"a.py": b"other"})[1])
    while not house.incidents:
        await asyncio.sleep(0.02)
    assert (await house.until_listed(NAME)).page.files[0].sha256 == first.page.files[0].sha256
    await house.source.close()


@pytest.fixture
def buckets(tmp_path: Path) -> Iterator[Buckets]:
    with Buckets(tmp_path / "buckets") as server:
        yield server


async def test_an_outage_is_never_an_absence(store: Store, buckets: Buckets) -> None:
    house = House(store, buckets=buckets)
    house.put(NAME, BYTES)
    await house.source.start()
    (one,) = (await house.until_listed(NAME)).page.files
    buckets.stop()
    answer = await house.until(lambda answer: isinstance(answer, Unreachable))
    assert answer == Unreachable(
        source=house.source.name,
        reason=f"its bucket cannot be read: {house.place}: the store does not answer",
    )
    assert isinstance(await house.source.page(ProjectName("other")), Unreachable)
    with pytest.raises(Unanswered):
        async with house.source.open(one):
            pass
    await asyncio.to_thread(buckets.start)
    await house.until_listed(NAME)
    await house.source.close()


@pytest.mark.parametrize(
    ("place", "secret", "says"),
    [
        (Bucket("nobodys-bucket"), "kept", "there is no such bucket"),
        (Bucket("wheels"), "wrong", "the store answered 403 (SignatureDoesNotMatch)"),
    ],
)
async def test_a_bucket_that_cannot_be_read_is_an_outage(
    store: Store, place: Bucket, secret: str, says: str
) -> None:
    house = House(store, place=place)
    settings = house.buckets.settings
    house.source = house.made(
        S3Settings(
            endpoint=settings.endpoint,
            region=settings.region,
            access_key=settings.access_key,
            secret_key=Secret(secret),
        )
    )
    await house.source.start()
    answer = await house.until(
        lambda answer: isinstance(answer, Unreachable) and "first" not in answer.reason
    )
    assert isinstance(answer, Unreachable)
    assert answer.reason == f"its bucket cannot be read: {place}: {says}"
    await house.source.close()


async def test_keys_come_from_the_usual_variables_where_none_are_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(store)
    house.put(NAME, BYTES)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "keep:keeper")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "kept")
    house.source = house.made(S3Settings(endpoint=house.buckets.endpoint, region="us-east-1"))
    await house.source.start()
    await house.until_listed(NAME)
    await house.source.close()
