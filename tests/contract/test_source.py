"""What every source promises, whatever it is: one suite, run on the four real ones and on the fake that stands in."""

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest

from fakes.buckets import shared
from fakes.dists import wheel
from fakes.made import file as made_file
from fakes.made import found
from fakes.outside import Outside
from fakes.sources import Scripted
from fakes.stores import Store
from wheelkeep.core.buckets import Bucket
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import Absent, File, Found
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.sources.bucket_ground import BucketGround
from wheelkeep.sources.client import Client
from wheelkeep.sources.directory import Directory
from wheelkeep.sources.folder_ground import FolderGround
from wheelkeep.sources.ground import Ground
from wheelkeep.sources.hosted import Hosted
from wheelkeep.sources.remote import Remote
from wheelkeep.sources.source import Source
from wheelkeep.store.shelves import open_shelf

NAME = SourceName("wheels")
DEMO = ProjectName("demo")
CONTENTS = dict(wheel("demo", version) for version in ("1.0", "2.0"))
Maker: TypeAlias = Callable[[Path, Store, AsyncExitStack], "Source"]


def _ignore(*_: object) -> None: ...


def directory(folder: Path, store: Store, _: AsyncExitStack) -> Source:
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    return standing(FolderGround(folder), store)


def standing(ground: Ground, store: Store) -> Source:
    return Directory(NAME, ground, facts=store.facts, pages=store.pages, changed=_ignore, incident=_ignore)


def bucket(_: Path, store: Store, __: AsyncExitStack) -> Source:
    place = Bucket("contract", f"of/{os.urandom(6).hex()}")
    buckets = shared()
    buckets.make(place.name)
    for name, content in CONTENTS.items():
        assert buckets.send("PUT", f"/{place.name}/{place.prefix}/linux/{name}", content) == 200
    return standing(BucketGround(lambda: open_shelf(place, buckets.settings), store.blobs), store)


def remote(_: Path, store: Store, stack: AsyncExitStack) -> Source:
    outside = stack.enter_context(Outside())
    for name, content in CONTENTS.items():
        outside.add(name, content)
    return Remote(
        NAME,
        url=outside.url,
        fresh=timedelta(minutes=1),
        client=Client(url=outside.url),
        pages=store.pages,
        facts=store.facts,
        blobs=store.blobs,
        changed=_ignore,
        incident=_ignore,
    )


def hosted(_: Path, store: Store, __: AsyncExitStack) -> Source:
    return Hosted(NAME, store.facts, store.releases)


def scripted(_: Path, __: Store, ___: AsyncExitStack) -> Source:
    fake = Scripted(NAME)
    fake.says(found(NAME, *listed()))
    fake.contents = dict(CONTENTS)
    fake.listed = ["demo"]
    return fake


def listed() -> list[File]:
    return [
        made_file(name, source=NAME, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for name, content in CONTENTS.items()
    ]


@asynccontextmanager
async def opened(make: Maker, tmp_path: Path) -> AsyncIterator[Source]:
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    async with Store(tmp_path / "data") as store, AsyncExitStack() as stack:
        if make is hosted:
            for one in listed():
                await store.uploads.add(one)
        source = make(folder, store, stack)
        await source.start()
        try:
            yield source
        finally:
            await source.close()


every = pytest.mark.parametrize("make", [remote, directory, bucket, hosted, scripted])


@every
async def test_a_page_has_all_files_of_the_name_with_their_hashes(make: Maker, tmp_path: Path) -> None:
    async with opened(make, tmp_path) as source:
        answer = await source.page(DEMO, patience=10)
        assert isinstance(answer, Found)
        assert answer.source == source.name
        told = {one.filename: one.sha256 for one in answer.page.files}
        assert told == {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
        assert {one.source for one in answer.page.files} == {source.name}
        assert await source.ready()


@every
async def test_a_name_that_it_never_had_is_cleanly_absent(make: Maker, tmp_path: Path) -> None:
    async with opened(make, tmp_path) as source:
        answer = await source.page(ProjectName("nobody"), patience=10)
        assert isinstance(answer, Absent)
        assert answer.source == source.name


@every
async def test_what_is_known_of_a_name_is_its_page_or_nothing(make: Maker, tmp_path: Path) -> None:
    async with opened(make, tmp_path) as source:
        assert await source.known(ProjectName("nobody")) is None
        await source.page(DEMO, patience=10)
        known = await source.known(DEMO)
        assert known is not None
        assert {one.filename for one in known.files} == set(CONTENTS)


@every
async def test_its_names_are_those_that_it_has(make: Maker, tmp_path: Path) -> None:
    async with opened(make, tmp_path) as source:
        assert await source.names(patience=10) == ["demo"]


@every
async def test_bytes_are_the_files_own_or_a_stated_lack(make: Maker, tmp_path: Path) -> None:
    async with opened(make, tmp_path) as source:
        answer = await source.page(DEMO, patience=10)
        assert isinstance(answer, Found)
        for one in answer.page.files:
            if make is hosted:
                # Its bytes are in the store or nowhere.
                with pytest.raises(FileMissing):
                    await whole(source, one)
            else:
                assert await whole(source, one) == CONTENTS[one.filename]


@every
async def test_a_file_that_it_does_not_have_is_missing(make: Maker, tmp_path: Path) -> None:
    async with opened(make, tmp_path) as source:
        answer = await source.page(DEMO, patience=10)
        assert isinstance(answer, Found)
        first = answer.page.files[0]
        url = first.url.replace("demo-", "nobody-")
        absent = made_file("nobody-1.0-py3-none-any.whl", source=NAME, url=url)
        with pytest.raises(FileMissing):
            await whole(source, absent)


@every
async def test_a_piece_is_exactly_those_bytes_or_none(make: Maker, tmp_path: Path) -> None:
    async with opened(make, tmp_path) as source:
        answer = await source.page(DEMO, patience=10)
        assert isinstance(answer, Found)
        one = answer.page.files[0]
        content = CONTENTS[one.filename]
        for start, end, expected in ((3, 10, content[3:10]), (-7, 0, content[-7:])):
            assert await source.piece(one, start, end) in (None, (expected, len(content)))


@every
async def test_documents_that_it_does_not_have_are_none(make: Maker, tmp_path: Path) -> None:
    async with opened(make, tmp_path) as source:
        try:
            assert await source.document("json", "nobody") is None
        except Unanswered:
            pytest.fail("a clean lack is no outage")


async def whole(source: Source, one: File) -> bytes:
    body = b""
    async with source.open(one) as stream:
        async for piece in stream.chunks():
            body += piece
        assert stream.length in (None, len(body))
    return body
