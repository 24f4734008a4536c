"""Our own uploads: what was once ours stays ours."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from fakes.made import DEMO, NOW, file, versions
from fakes.stores import Store
from wheelkeep.core.errors import FileMissing
from wheelkeep.core.merge import has
from wheelkeep.core.model import Absent, Found, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.sources.hosted import Hosted
from wheelkeep.sources.source import Source
from wheelkeep.store.ledger import Entry
from wheelkeep.store.tables import hosted_files

ACME = SourceName("acme")
SAID = Entry(kind="status", at=NOW, source="acme", project="demo")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "data") as opened:
        yield opened


async def test_it_is_a_source_that_asks_nobody(store: Store) -> None:
    source: Source = Hosted(ACME, store.facts, store.releases)
    await source.start()
    assert (source.name, source.remote, await source.ready()) == (ACME, False, True)
    await source.close()


async def test_a_name_that_was_never_uploaded_is_absent(store: Store) -> None:
    source = Hosted(ACME, store.facts, store.releases)
    await store.uploads.add(file("other-1.0.tar.gz", source="acme"))
    await store.uploads.add(file(source="elsewhere"))
    assert await source.page(DEMO) == Absent(source=ACME)
    assert await source.known(DEMO) is None


async def test_what_was_uploaded_is_found_and_claimed(store: Store) -> None:
    source = Hosted(ACME, store.facts, store.releases)
    own = [file(source="acme"), file("demo-2.0.tar.gz", source="acme")]
    for one in own:
        await store.uploads.add(one)
    answer = await source.page(DEMO, patience=0)
    assert isinstance(answer, Found)
    assert (list(answer.page.files), answer.claims, answer.good_until) == (own, True, None)
    assert await source.known(DEMO) == answer.page
    assert await source.names() == ["demo"]


async def test_a_name_stays_with_its_source_when_its_last_file_is_deleted(store: Store) -> None:
    source = Hosted(ACME, store.facts, store.releases)
    await store.uploads.add(file(source="acme"))
    async with store.database.write() as connection:
        await connection.execute(update(hosted_files).values(file=None))
    answer = await source.page(DEMO)
    assert isinstance(answer, Found)
    assert (answer.page.files, answer.claims) == ((), True)
    assert has(answer)
    assert await source.names() == []


async def test_its_bytes_are_in_the_store_or_nowhere(store: Store) -> None:
    source = Hosted(ACME, store.facts, store.releases)
    own = file(source="acme")
    with pytest.raises(FileMissing, match="backup"):
        async with source.open(own):
            pass
    assert await source.metadata(own) is None
    assert await source.piece(own, 0, 10) is None
    assert await source.document("json", "demo") is None
    assert await source.page(ProjectName("nothing")) == Absent(source=ACME)


@pytest.mark.parametrize("word", ["deprecated", "archived", "quarantined"])
async def test_a_projects_status_is_on_its_page(store: Store, word: Any) -> None:
    source, status = Hosted(ACME, store.facts, store.releases), Status(word, "INC-7")
    own = file(source="acme")
    await store.uploads.add(own)
    await store.releases.set_status(ACME, DEMO, status, SAID)
    answer = await source.page(DEMO)
    assert isinstance(answer, Found)
    assert (answer.page.status, answer.claims) == (status, True)
    assert answer.page.files == (() if word == "quarantined" else (own,))


async def test_a_name_that_was_given_up_is_absent_until_the_next_file(store: Store) -> None:
    source = Hosted(ACME, store.facts, store.releases)
    await store.uploads.add(file(source="acme"))
    await store.releases.remove(ACME, DEMO, lambda _: True, lambda _: SAID)
    await store.releases.free(ACME, DEMO, SAID)
    assert await source.page(DEMO) == Absent(source=ACME)
    (new,) = versions("2.0", source="acme")
    await store.uploads.add(new)
    answer = await source.page(DEMO)
    assert isinstance(answer, Found)
    assert (answer.page.files, answer.claims) == ((new,), True)
