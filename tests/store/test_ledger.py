"""The book: entries are added, and read back from the newest on."""

from fakes.made import NOW, later
from fakes.stores import Store
from wheelkeep.store.ledger import Entry, Ledger


def entry(kind: str, project: str, **detail: object) -> Entry:
    return Entry(
        kind=kind, at=NOW, source="pypi", project=project, filename=f"{project}-1.tar.gz", detail=detail
    )


async def test_entries_come_back_as_they_were_the_newest_first(store: Store) -> None:
    told = [
        entry("incident", "a", what="hash-changed"),
        entry("incident", "b", deep={"list": [1, None, "ü"]}),
    ]
    await store.ledger.append(told)
    await store.ledger.append([Entry(kind="incident", at=later(seconds=-9))])
    assert await store.ledger.last("incident") == [Entry(kind="incident", at=later(seconds=-9)), *told[::-1]]


async def test_by_kind_and_by_project(store: Store) -> None:
    told = [entry("incident", "a", n=1), entry("blocked", "a", n=2), entry("incident", "b", n=3)]
    await store.ledger.append(told)
    assert await store.ledger.last("incident", project="a") == [told[0]]
    assert await store.ledger.last("blocked") == [told[1]]
    assert await store.ledger.last("incident", limit=1) == [told[2]]
    assert await store.ledger.last("else") == []
    assert await store.ledger.counts() == {"incident": 2, "blocked": 1}


async def test_nothing_to_add_is_nothing_added(store: Store) -> None:
    await store.ledger.append([])
    assert await store.ledger.counts() == {}


async def test_the_book_outlives_the_keep(store: Store) -> None:
    await store.ledger.append([entry("incident", "a")])
    async with Store(store.data) as again:
        assert await Ledger(again.database).last("incident") == [entry("incident", "a")]


async def test_pages_by_number_kind_source_and_project(store: Store) -> None:
    told = [entry("incident", "a", n=1), entry("blocked", "a", n=2), entry("incident", "b", n=3)]
    await store.ledger.append(told)
    assert await store.ledger.page(limit=2) == [(3, told[2]), (2, told[1])]
    assert await store.ledger.page(before=2, limit=2) == [(1, told[0])]
    assert await store.ledger.page(limit=9, kind="incident", project="a") == [(1, told[0])]
    assert await store.ledger.page(limit=9, source="acme") == []


async def test_who_brought_a_file_last(store: Store) -> None:
    await store.ledger.append(
        [entry("published", "a", by="ci"), entry("yanked", "a", by="eve"), entry("promoted", "a", by="ada")]
    )
    assert await store.ledger.brought("pypi", "a") == {"a-1.tar.gz": "ada"}
    assert await store.ledger.brought("acme", "a") == {}


async def test_a_policy_is_noted_when_it_is_another_one(store: Store) -> None:
    told = [("main", "a"), ("main", "a"), ("other", "a"), ("main", "b"), ("main", "a"), ("other", "a")]
    noted = [await store.ledger.note_policy(index, sha256, NOW) for index, sha256 in told]
    assert noted == [True, False, True, True, True, False]
    assert [entry.detail["sha256"] for entry in await store.ledger.last("policy")] == ["a", "b", "a", "a"]
