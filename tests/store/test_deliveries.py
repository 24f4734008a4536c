"""How far alerts were delivered: kept over a restart, and nothing refused is forgotten."""

from datetime import datetime, timedelta

from fakes.made import NOW, later
from fakes.stores import Store
from wheelkeep.store.deliveries import Deliveries, failing
from wheelkeep.store.ledger import Entry


async def written(store: Store, *kinds: str, at: datetime = NOW) -> None:
    await store.ledger.append([Entry(kind=kind, at=at, project="demo") for kind in kinds])


async def test_the_first_time_reaches_back_some_days_and_then_goes_on(store: Store) -> None:
    await written(store, "alert", "blocked", at=later(days=-9))
    await written(store, "blocked", "incident", at=later(days=-1))
    deliveries = Deliveries(store.database)
    assert (await deliveries.standing()).waiting == 2
    assert await deliveries.done(since=later(days=-7)) == 1
    assert await deliveries.done(since=later(days=7)) == 1
    assert (await deliveries.standing()).waiting == 1
    await deliveries.took(4, NOW)
    standing = await Deliveries(store.database).standing()
    assert (standing.waiting, standing.taken, standing.failing, standing.tries) == (0, NOW, None, 0)


async def test_what_is_refused_is_tried_again_and_does_not_hold_up(store: Store) -> None:
    await written(store, "alert", "alert", "alert")
    deliveries = Deliveries(store.database)
    assert failing(store.data) is None
    await deliveries.done(since=NOW)
    await deliveries.failed("no connection", NOW)
    await deliveries.refused(1, "HTTP 400", later(seconds=30), later(seconds=1))
    assert failing(store.data) == (NOW, "HTTP 400")
    standing = await deliveries.standing()
    assert (standing.waiting, standing.refused, standing.tries) == (3, 1, 2)
    assert await deliveries.done(since=NOW) == 1
    await deliveries.took(2, NOW)
    assert failing(store.data) is None
    assert await deliveries.due(NOW) is None
    assert await deliveries.due(later(seconds=30)) == 1
    await deliveries.refused(1, "HTTP 400", later(minutes=9), later(seconds=30))
    assert await deliveries.refusals(1) == 2
    assert await deliveries.done(since=NOW) == 2
    assert await deliveries.due(later(minutes=9) + timedelta(seconds=1)) == 1
    await deliveries.took(1, later(minutes=9))
    assert await deliveries.done(since=NOW) == 2
    assert ((await deliveries.standing()).waiting, await deliveries.refusals(1)) == (1, 0)
