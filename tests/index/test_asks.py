"""Noting asks: no answer waits for the writing, and nothing counted is lost."""

import asyncio

import pytest

from core.test_wanted import MAIN
from fakes.stores import Store
from wheelkeep.core.verdict import Outcome, Verdict
from wheelkeep.index.asks import Asks
from wheelkeep.store.wanted import WantedList

BLOCKED = Verdict(gate="allow", outcome=Outcome.BLOCKED, code="allow-unlisted", sentence="no")


async def counted(wanted: WantedList) -> dict[str, int]:
    return {one.project: one.count for one in await wanted.most_asked(MAIN)}


async def test_asks_are_written_in_groups(store: Store) -> None:
    wanted = WantedList(store.database)
    asks = Asks(wanted, every=0.05)
    for _ in range(500):
        asks.note(MAIN, "demo", "", BLOCKED, who="token ci", agent="pip")
    assert await counted(wanted) == {}
    for _ in range(100):
        await asyncio.sleep(0.02)
        if await counted(wanted):
            break
    assert await counted(wanted) == {"demo": 500}
    asks.note(MAIN, "demo", "", BLOCKED, who="token ci")
    await asks.close()
    assert await counted(wanted) == {"demo": 501}


async def test_what_is_not_written_yet_is_written_at_the_end(store: Store) -> None:
    wanted = WantedList(store.database)
    asks = Asks(wanted, every=3600)
    asks.note(MAIN, "demo", "", BLOCKED, who="")
    await asyncio.sleep(0)
    await asyncio.wait_for(asks.close(), 20)
    assert await counted(wanted) == {"demo": 1}
    await Asks(wanted).close()


async def test_what_cannot_be_written_is_counted_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = WantedList(store.database)
    asks = Asks(wanted, every=0.01)

    async def full(_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(wanted, "add", full)
        asks.note(MAIN, "demo", "", BLOCKED, who="")
        await asyncio.sleep(0.05)
        asks.note(MAIN, "demo", "", BLOCKED, who="")
    await asks.close()
    assert await counted(wanted) == {"demo": 2}
