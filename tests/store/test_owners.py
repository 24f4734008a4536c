"""Owners as rows: changed in one transaction with a line in the ledger, and looked at where a file comes in."""

import asyncio

from fakes.made import DEMO, NOW, versions
from fakes.stores import Store
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.ledger import Entry
from wheelkeep.store.owners import Names, Owners
from wheelkeep.store.uploads import Owned

ACME = SourceName("acme")
ONE, TWO = versions("1.0", "2.0", source="acme")


def noted(before: Names, after: Names) -> Entry:
    return Entry(kind="owners", at=NOW, source=ACME, project=DEMO, detail={"from": before, "to": after})


async def test_a_change_is_kept_and_on_record(store: Store) -> None:
    owners = Owners(store.database, store.ledger)
    assert await owners.change(ACME, DEMO, lambda _: ["zoe", "ada", "zoe"], noted) == ((), ("ada", "zoe"))
    assert await owners.of(ACME, DEMO) == ("ada", "zoe")
    assert await owners.of(SourceName("stage"), DEMO) == ()
    assert await owners.change(ACME, DEMO, lambda before: before, noted) == (("ada", "zoe"), ("ada", "zoe"))
    assert await owners.change(ACME, DEMO, lambda _: [], noted) == (("ada", "zoe"), ())
    assert [entry.detail["to"] for entry in await store.ledger.last("owners")] == [[], ["ada", "zoe"]]


async def test_of_many_projects_those_that_have_some(store: Store) -> None:
    owners = Owners(store.database, store.ledger)
    other = ProjectName("other")
    await owners.change(ACME, DEMO, lambda _: ["zoe", "ada"], noted)
    assert await owners.of_all(ACME, [DEMO, other]) == {DEMO: ("ada", "zoe")}
    assert await owners.of_all(ACME, []) == {}


async def test_of_changes_at_once_none_is_lost(store: Store) -> None:
    async with Store(store.data) as second:
        each = [Owners(one.database, one.ledger) for one in (store, second)]
        await asyncio.gather(
            *(
                owners.change(ACME, DEMO, lambda before, name=f"{at}-{n}": {*before, name}, noted)  # type: ignore[misc]
                for at, owners in enumerate(each)
                for n in range(5)
            )
        )
    assert len(await each[0].of(ACME, DEMO)) == 10


async def test_a_stranger_brings_no_file(store: Store) -> None:
    owners = Owners(store.database, store.ledger)
    assert await store.uploads.add(ONE, by="ci") is None
    await owners.change(ACME, DEMO, lambda _: ["ada"], noted)
    assert await store.uploads.owners(ACME, DEMO) == ("ada",)
    assert await store.uploads.add(TWO, by="ci") == Owned(("ada",))
    assert await store.uploads.find(ACME, DEMO, TWO.filename) is None
    assert await store.uploads.add(TWO, by="ada") is None


async def test_a_name_that_is_given_up_has_none(store: Store) -> None:
    owners = Owners(store.database, store.ledger)
    await store.uploads.add(ONE)
    await owners.change(ACME, DEMO, lambda _: ["ada"], noted)
    gone = Entry(kind="deleted", at=NOW)
    await store.releases.remove(ACME, DEMO, lambda _: True, lambda _: gone)
    assert await owners.of(ACME, DEMO) == ("ada",)
    await store.releases.free(ACME, DEMO, Entry(kind="freed", at=NOW))
    assert await owners.of(ACME, DEMO) == ()
