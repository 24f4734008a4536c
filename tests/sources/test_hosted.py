"""Our own uploads: what was once ours stays ours."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import update

from fakes.made import DEMO, file
from fakes.stores import Store
from wheelkeep.core.errors import FileMissing
from wheelkeep.core.merge import has
from wheelkeep.core.model import Absent, Found
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.sources.hosted import Hosted
from wheelkeep.sources.source import Source
from wheelkeep.store.tables import hosted_files

ACME = SourceName("acme")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "data") as opened:
        yield opened


async def test_it_is_a_source_that_asks_nobody(store: Store) -> None:
    source: Source = Hosted(ACME, store.facts)
    await source.start()
    assert (source.name, source.remote, await source.ready()) == (ACME, False, True)
    await source.close()


async def test_a_name_that_was_never_uploaded_is_absent(store: Store) -> None:
    source = Hosted(ACME, store.facts)
    await store.uploads.add(file("other-1.0.tar.gz", source="acme"))
    await store.uploads.add(file(source="elsewhere"))
    assert await source.page(DEMO) == Absent(source=ACME)
    assert await source.known(DEMO) is None


async def test_what_was_uploaded_is_found_and_claimed(store: Store) -> None:
    source = Hosted(ACME, store.facts)
    own = [file(source="acme"), file("demo-2.0.tar.gz", source="acme")]
    for one in own:
        await store.uploads.add(one)
    answer = await source.page(DEMO, patience=0)
    assert isinstance(answer, Found)
    assert (list(answer.page.files), answer.claims, answer.good_until) == (own, True, None)
    assert await source.known(DEMO) == answer.page
    assert await source.names() == ["demo"]


async def test_a_name_stays_with_its_source_when_its_last_file_is_deleted(store: Store) -> None:
    source = Hosted(ACME, store.facts)
    await store.uploads.add(file(source="acme"))
    async with store.database.write() as connection:
        await connection.execute(update(hosted_files).values(file=None))
    answer = await source.page(DEMO)
    assert isinstance(answer, Found)
    assert (answer.page.files, answer.claims) == ((), True)
    assert has(answer)
    assert await source.names() == []


async def test_its_bytes_are_in_the_store_or_nowhere(store: Store) -> None:
    source = Hosted(ACME, store.facts)
    own = file(source="acme")
    with pytest.raises(FileMissing, match="backup"):
        async with source.open(own):
            pass
    assert await source.metadata(own) is None
    assert await source.piece(own, 0, 10) is None
    assert await source.document("json", "demo") is None
    assert await source.page(ProjectName("nothing")) == Absent(source=ACME)
