"""The herald: every alert at least once and in order, whatever the receiver does, and by one process alone."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from fakes.stores import Store
from wheelkeep.core import measures
from wheelkeep.index import herald as module
from wheelkeep.index.herald import Herald
from wheelkeep.sources.webhook import NotTaken
from wheelkeep.store.deliveries import Deliveries
from wheelkeep.store.ledger import Entry
from wheelkeep.store.turn import Turn


class Hand:
    """A receiver in memory."""

    origin = "https://alerts.acme.example"

    def __init__(self) -> None:
        self.trouble: dict[int, NotTaken] = {}
        """By entry; 0: for all."""
        self.tried: list[int] = []
        self.taken: list[int] = []
        self.last: Any = None

    async def send(self, number: int, body: bytes) -> None:
        self.tried.append(number)
        if (trouble := self.trouble.get(number) or self.trouble.get(0)) is not None:
            raise trouble
        self.taken.append(number)
        self.last = msgspec.json.decode(body)

    async def close(self) -> None: ...


class Speaker:
    """A herald on a clock that is set by hand."""

    def __init__(self, store: Store, hand: Hand) -> None:
        self.now = 0.0
        self.counted: list[int] = []
        self.herald = Herald(
            hand,
            ledger=store.ledger,
            deliveries=Deliveries(store.database),
            turn=Turn(store.data / "alerts.lock"),
            keep=None,
            count=self.counted.append,
            clock=lambda: self.now,
        )

    async def speak(self) -> None:
        """What one look at the ledger does, long after the one before."""
        while await self.herald.deliver():
            pass


@pytest.fixture
def hand() -> Hand:
    return Hand()


async def alerts(store: Store, count: int = 1) -> None:
    detail = {"advisory": "MAL-1", "severity": "critical", "holders": 0, "whom": ""}
    now, name = datetime.now(UTC), "demo-1.0.tar.gz"
    entry = Entry(kind="alert", at=now, source="outer", project="demo", filename=name, detail=detail)
    await store.ledger.append([entry] * count)


async def test_in_order_and_once_also_after_a_restart(store: Store, hand: Hand) -> None:
    await alerts(store, 2)
    await store.ledger.append([Entry(kind="blocked", at=datetime.now(UTC))])
    incident = {"what": "hash-changed", "stands": "ab", "came": "cd"}
    await store.ledger.append([Entry(kind="incident", at=datetime.now(UTC), detail=incident)])
    first = Speaker(store, hand)
    await first.speak()
    assert hand.taken == [1, 2, 4]
    assert (hand.last["kind"], hand.last["came"]) == ("hash-changed", "cd")
    await alerts(store)
    await Speaker(store, hand).speak()
    assert hand.taken == [1, 2, 4, 5]
    assert (hand.last["kind"], hand.last["version"]) == ("malware", "1.0")
    assert first.counted == [measures.ALERTS_DELIVERED] * 3


async def test_who_is_away_is_waited_for_with_growing_pauses(store: Store, hand: Hand) -> None:
    await alerts(store)
    hand.trouble[0] = NotTaken("no connection", refused=False)
    speaker = Speaker(store, hand)
    for _ in range(12):
        await speaker.speak()
    assert hand.tried == [1] * 12
    standing = await speaker.herald.standing()
    assert (standing.waiting, standing.refused, standing.tries) == (1, 0, 12)
    assert standing.reason == "no connection"
    assert 150 <= speaker.herald._again <= 300
    hand.trouble[0] = NotTaken("busy", refused=False, retry_after=900.0)
    await speaker.speak()
    assert speaker.herald._again == 900.0
    hand.trouble.clear()
    await speaker.speak()
    assert (hand.taken, (await speaker.herald.standing()).failing) == ([1], None)


async def test_one_that_is_never_answered_holds_up_no_other(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alerts(store, 3)
    hand.trouble[1] = NotTaken("no answer within 10 seconds", refused=False)
    speaker = Speaker(store, hand)
    for _ in range(6):
        await speaker.speak()
    assert hand.tried == [1, 1, 1, 2, 3]
    standing = await speaker.herald.standing()
    assert (standing.waiting, standing.refused, standing.failing) == (1, 1, None)
    # What comes later does not wait for it either, while it is tried again now and then.
    monkeypatch.setattr(module, "_ASIDE", module._ASIDE * 0)
    monkeypatch.setattr(module.Herald, "_next", due_first(speaker, 1))
    await speaker.speak()
    assert (hand.tried[5:], speaker.herald._again) == ([1], 0.0)
    monkeypatch.undo()
    await alerts(store)
    await speaker.speak()
    assert (hand.taken, (await speaker.herald.standing()).waiting) == ([2, 3, 4], 1)


def due_first(speaker: Speaker, number: int) -> Any:
    """Its turn came."""

    async def due(*_: object) -> Any:
        return await speaker.herald._ledger.next(module.ALERTS, number - 1)

    return due


async def test_who_is_away_gets_all_of_it_once_it_is_back(store: Store, hand: Hand) -> None:
    await alerts(store, 3)
    hand.trouble[0] = NotTaken("no connection", refused=False)
    speaker = Speaker(store, hand)
    for _ in range(8):
        await speaker.speak()
    assert hand.tried == [1, 1, 1, 2, 1, 2, 1, 2]
    assert ((await speaker.herald.standing()).waiting, hand.taken) == (3, [])
    hand.trouble.clear()
    await speaker.speak()
    assert hand.taken == [1, 2, 3]


async def test_an_answer_of_any_kind_tells_who_is_in_the_way(store: Store, hand: Hand) -> None:
    await alerts(store, 3)
    hand.trouble = {1: NotTaken("no answer", refused=False), 2: NotTaken("HTTP 400", refused=True)}
    speaker = Speaker(store, hand)
    for _ in range(9):
        await speaker.speak()
    assert hand.tried == [1, 1, 1, 2, 2, 2, 3]
    assert ((await speaker.herald.standing()).refused, hand.taken) == (2, [3])


async def test_one_that_is_refused_for_ever_holds_up_no_other(store: Store, hand: Hand) -> None:
    await alerts(store, 3)
    hand.trouble[1] = NotTaken("HTTP 400", refused=True)
    speaker = Speaker(store, hand)
    for _ in range(6):
        await speaker.speak()
    assert hand.tried == [1, 1, 1, 2, 3]
    standing = await speaker.herald.standing()
    assert (standing.waiting, standing.refused, standing.failing) == (1, 1, None)


async def test_all_that_is_refused_is_kept_and_comes_in_the_end(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ASIDE", module._ASIDE * 0)
    await alerts(store, 5)
    hand.trouble[0] = NotTaken("HTTP 404", refused=True)
    speaker = Speaker(store, hand)
    for _ in range(20):
        await speaker.speak()
    assert (await speaker.herald.standing()).waiting == 5
    hand.trouble.clear()
    await alerts(store)
    await speaker.speak()
    # A new one first; those that were refused follow.
    assert hand.taken[0] == 6
    assert sorted(hand.taken) == [1, 2, 3, 4, 5, 6]


async def test_one_process_speaks_until_it_ends(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK", 0.01)
    await alerts(store)
    one, two = Speaker(store, hand).herald, Speaker(store, hand).herald
    tasks = [asyncio.create_task(herald.run()) for herald in (one, two)]
    async with asyncio.timeout(30):
        while (await one.standing()).waiting:
            await asyncio.sleep(0.01)
        tasks[0].cancel()
        await one.close()
        await alerts(store)
        while len(hand.taken) < 2:
            await asyncio.sleep(0.01)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await two.close()
    assert hand.taken == [1, 2]


async def test_a_disk_that_takes_no_line_makes_no_flood(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alerts(store)
    speaker = Speaker(store, hand)

    async def full(*_: object) -> None:
        raise OSError(28, "full")

    with monkeypatch.context() as patched:
        patched.setattr(speaker.herald._deliveries, "took", full)
        with pytest.raises(OSError, match="full"):
            await speaker.speak()
    await speaker.speak()
    assert hand.taken == [1]
