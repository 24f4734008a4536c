"""The table of what is wanted: several processes add to it, and it has an end."""

import asyncio

from core.test_wanted import MAIN, ask, tally
from fakes.made import NOW, later
from fakes.stores import Store
from wheelkeep.core.names import IndexName
from wheelkeep.core.wanted import Ask
from wheelkeep.store.wanted import WantedList


async def total(wanted: WantedList) -> int:
    return sum(one.count for one in await wanted.most_asked(MAIN)) + await wanted.beyond(MAIN)


async def test_counts_of_several_processes_are_one(store: Store) -> None:
    workers = [WantedList(store.database) for _ in range(3)]
    await asyncio.gather(
        *(
            worker.add(
                {
                    ask("demo"): tally(
                        2, seconds=at, sentence=f"at {at}", code="allow-unlisted", agent="pip"
                    ),
                    ask("demo", "token ci"): tally(1, seconds=at),
                    ask("rare", "token ci"): tally(1, seconds=9, free=later(days=1)),
                    Ask(MAIN, "demo", "1.0", "deny", "token ci"): tally(9, filename="demo-1.0.tar.gz"),
                }
            )
            for at, worker in enumerate(workers)
        )
    )
    await workers[0].add({})
    found = await workers[0].most_asked(MAIN)
    assert [(one.project, one.version, one.gate, one.count, one.askers) for one in found] == [
        ("demo", "1.0", "deny", 27, 1),
        ("demo", None, "allow", 9, 2),
        ("rare", None, "allow", 3, 1),
    ]
    assert (found[1].first, found[1].last) == (NOW, later(seconds=2))
    assert (found[1].free, found[2].free) == (None, later(days=1))
    assert [one.project for one in await workers[0].most_asked(MAIN, gate="deny")] == ["demo"]
    assert await workers[0].most_asked(IndexName("other")) == []
    who = await workers[0].askers(MAIN, ["demo", "rare"], most=1)
    assert [(one.kind, one.name, one.count, one.agent) for one, _ in who["demo", "", "allow"]] == [
        ("address", "::1", 6, "pip")
    ]
    assert who["demo", "1.0", "deny"][0][1].filename == "demo-1.0.tar.gz"
    assert len((await workers[0].askers(MAIN, ["demo"], most=9))["demo", "", "allow"]) == 2


async def test_one_asker_fills_no_more_than_a_share(store: Store) -> None:
    wanted = WantedList(store.database, most=1000, most_each=20)
    await wanted.add({ask("kept"): tally(5), ask("other", "token ci"): tally()})
    for start in range(0, 100, 10):
        await wanted.add({ask(f"n{at}"): tally(seconds=at) for at in range(start, start + 10)})
    names = {one.project for one in await wanted.most_asked(MAIN)}
    assert {"kept", "other", "n99"} <= names and "n0" not in names
    assert len(names) <= 22
    assert await total(wanted) == 106


async def test_many_askers_fill_no_more_than_the_whole(store: Store) -> None:
    wanted = WantedList(store.database, most=50, most_each=20)
    await wanted.add({ask("kept", "token ci"): tally(5)})
    for start in range(0, 200, 10):
        await wanted.add(
            {ask(f"n{at}", f"address {at}"): tally(seconds=at) for at in range(start, start + 10)}
        )
        # More than their share came from these at once, so some of it was never told apart.
        await wanted.add({Ask(MAIN, "", "", "", f"address {start}"): tally(3)})
    names = {one.project for one in await wanted.most_asked(MAIN)}
    assert {"kept", "n199"} <= names and "n0" not in names
    assert len(names) <= 60
    assert await total(wanted) == 265
