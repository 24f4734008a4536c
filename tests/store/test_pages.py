"""Pages as they were last told, each changed in one step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fakes.made import DEMO, NOW, later, page, versions
from fakes.stores import Store
from wheelkeep.core.errors import Unwritable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store import pages as module
from wheelkeep.store.database import Database
from wheelkeep.store.pages import Pages, StoredPage

PYPI, VENDOR = SourceName("pypi"), SourceName("vendor")
FIRST = StoredPage(page=page(*versions("1.0"), told=("1.0",)), etag='"1"', checked=NOW)


async def put(pages: Pages, source: SourceName, stored: StoredPage, project: ProjectName = DEMO) -> None:
    await pages.change(source, project, lambda _: stored)


async def test_a_page_comes_back_as_it_was(store: Store) -> None:
    assert await store.pages.get(PYPI, DEMO) is None
    await put(store.pages, PYPI, FIRST)
    assert await store.pages.get(PYPI, DEMO) == FIRST
    assert await store.pages.get(VENDOR, DEMO) is None
    assert await store.pages.get(PYPI, ProjectName("other")) is None


async def test_that_a_source_does_not_have_a_name_is_known_too(store: Store) -> None:
    absent = StoredPage(page=None, checked=NOW)
    await put(store.pages, PYPI, absent)
    assert await store.pages.get(PYPI, DEMO) == absent


async def test_a_change_sees_what_was_there(store: Store) -> None:
    seen: list[StoredPage | None] = []

    def change(before: StoredPage | None) -> StoredPage:
        seen.append(before)
        return FIRST

    assert await store.pages.change(PYPI, DEMO, change) == FIRST
    await store.pages.change(PYPI, DEMO, change)
    assert seen == [None, FIRST]


async def test_a_change_to_nothing_leaves_the_page(store: Store) -> None:
    await put(store.pages, PYPI, FIRST)
    assert await store.pages.change(PYPI, DEMO, lambda _: None) == FIRST
    assert await store.pages.get(PYPI, DEMO) == FIRST
    assert await store.pages.change(VENDOR, DEMO, lambda _: None) is None
    assert await store.pages.get(VENDOR, DEMO) is None


async def test_a_change_that_raises_changes_nothing(store: Store) -> None:
    def broken(_: StoredPage | None) -> StoredPage:
        raise ValueError

    await put(store.pages, PYPI, FIRST)
    with pytest.raises(ValueError):
        await store.pages.change(PYPI, DEMO, broken)
    assert await store.pages.get(PYPI, DEMO) == FIRST


async def test_the_moment_and_the_etag_move_while_the_page_stands(store: Store) -> None:
    await put(store.pages, PYPI, FIRST)

    def touch(before: StoredPage | None) -> StoredPage:
        assert before is not None
        return StoredPage(page=before.page, etag='"2"', checked=later(hours=1))

    await store.pages.change(PYPI, DEMO, touch)
    assert await store.pages.get(PYPI, DEMO) == StoredPage(
        page=FIRST.page, etag='"2"', checked=later(hours=1)
    )


async def test_a_page_may_become_an_absence_and_the_other_way(store: Store) -> None:
    for stored in (FIRST, StoredPage(page=None, checked=NOW), FIRST):
        await put(store.pages, PYPI, stored)
        assert await store.pages.get(PYPI, DEMO) == stored


async def test_no_change_is_lost_between_two_keeps(store: Store) -> None:
    other = Database(store.path)

    def one_more(before: StoredPage | None) -> StoredPage:
        count = len(before.page.versions) if before and before.page else 0
        return StoredPage(page=page(told=tuple(map(str, range(count + 1)))), checked=NOW)

    await asyncio.gather(
        *(Pages(database).change(PYPI, DEMO, one_more) for database in (store.database, other) * 5)
    )
    after = await store.pages.get(PYPI, DEMO)
    assert after is not None
    assert after.page is not None
    assert len(after.page.versions) == 10
    await other.close()


async def test_all_pages_and_how_many(store: Store) -> None:
    other = ProjectName("other")
    await put(store.pages, PYPI, FIRST)
    await put(
        store.pages, PYPI, StoredPage(page=page(project="other"), checked=later(minutes=1)), project=other
    )
    await put(store.pages, VENDOR, StoredPage(page=None, checked=NOW))
    assert {each.project async for each in store.pages.all()} == {DEMO, other}
    assert await store.pages.counts() == {
        PYPI: (2, later(minutes=1).timestamp()),
        VENDOR: (0, NOW.timestamp()),
    }


async def test_ever_new_names_that_are_not_there_fill_no_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ABSENT", 5)
    monkeypatch.setattr(module, "_FORGET_EVERY", 10)
    await put(store.pages, PYPI, FIRST)
    await put(store.pages, VENDOR, StoredPage(page=None, checked=later(hours=-9)))
    for number in range(20):
        name = ProjectName(f"made-up-{number}")
        await put(store.pages, PYPI, StoredPage(page=None, checked=later(minutes=number)), project=name)
    known = [
        number
        for number in range(20)
        if await store.pages.get(PYPI, ProjectName(f"made-up-{number}")) is not None
    ]
    # It is looked at now and then, so there may be a few more.
    assert 5 <= len(known) <= 15
    assert known == list(range(20))[-len(known) :]
    # Pages stay, however old, and what other sources said.
    assert await store.pages.get(PYPI, DEMO) == FIRST
    assert await store.pages.get(VENDOR, DEMO) is not None


@pytest.fixture
def full(store: Store, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A disk that takes nothing."""

    @asynccontextmanager
    async def write() -> AsyncIterator[None]:
        raise Unwritable("the keep's disk cannot take it: database or disk is full")
        yield

    monkeypatch.setattr(store.database, "write", write)
    return monkeypatch


async def test_a_page_that_the_disk_does_not_take_is_remembered(
    store: Store, full: pytest.MonkeyPatch
) -> None:
    """What was seen first stays so, and is written once that can be done."""
    other = Pages(store.database)
    await put(store.pages, PYPI, FIRST)
    assert await store.pages.get(PYPI, DEMO) == FIRST
    assert await other.get(PYPI, DEMO) is None
    full.undo()
    seen: list[StoredPage | None] = []

    def same(before: StoredPage | None) -> StoredPage | None:
        seen.append(before)
        return before

    await store.pages.change(PYPI, DEMO, same)
    assert seen == [FIRST]
    assert await other.get(PYPI, DEMO) == FIRST


async def test_what_another_process_wrote_since_is_newer_than_what_is_remembered(
    store: Store, full: pytest.MonkeyPatch
) -> None:
    await put(store.pages, PYPI, FIRST)
    full.undo()
    newer = StoredPage(page=page(*versions("1.0", "2.0"), told=("1.0", "2.0")), checked=later(hours=1))
    await put(Pages(store.database), PYPI, newer)
    assert await store.pages.get(PYPI, DEMO) == newer


async def test_only_so_many_pages_are_remembered(store: Store, full: pytest.MonkeyPatch) -> None:
    full.setattr(module, "MOST_UNKEPT", 2)
    for number in range(3):
        await put(store.pages, PYPI, FIRST, ProjectName(f"project{number}"))
    known = [await store.pages.get(PYPI, ProjectName(f"project{number}")) for number in range(3)]
    assert known == [None, FIRST, FIRST]
