"""Advisories in the database: the newest state of a record wins, in whatever order the dumps come."""

from typing import Any

from fakes.made import DEMO, NOW, file
from fakes.osv import record
from fakes.stores import Store
from wheelkeep.core.names import ProjectName
from wheelkeep.core.read_advisories import read_osv
from wheelkeep.store.advisories import Dump

OTHER = ProjectName("other")


async def take(store: Store, *told: dict[str, Any]) -> tuple[int, int, set[str]]:
    taken = await store.advisories.take([read_osv(one) for one in told])
    return taken.new, taken.same, set(taken.projects)


async def ids(store: Store, project: ProjectName = DEMO) -> list[str]:
    return [one.id for one in (await store.advisories.known(project)).advisories]


async def test_a_record_is_kept_once_for_each_project(store: Store) -> None:
    both = record("GHSA-1")
    both["affected"] += record("GHSA-1", "other")["affected"]
    assert await take(store, both, record("GHSA-2")) == (2, 0, {"demo", "other"})
    assert await take(store, both, record("GHSA-2")) == (0, 2, set())
    assert (await ids(store), await ids(store, OTHER)) == (["GHSA-1", "GHSA-2"], ["GHSA-1"])
    assert (await store.advisories.known(DEMO)).advisories[0] == read_osv(both).advisories[0]
    assert await store.advisories.counts() == (2, 2)
    assert await store.advisories.projects() == {"demo", "other"}


async def test_the_later_state_stands(store: Store) -> None:
    await take(store, record("GHSA-1", modified="2026-02-01T00:00:00Z"))
    # An older dump changes nothing, even if it says otherwise.
    assert await take(store, record("GHSA-1", "other")) == (0, 1, set())
    later = record("GHSA-1", "other", modified="2026-03-01T00:00:00Z")
    assert await take(store, later) == (1, 0, {"demo", "other"})
    assert (await ids(store), await ids(store, OTHER)) == ([], ["GHSA-1"])
    # One that was withdrawn is not brought back by a dump from before.
    gone = record("GHSA-1", "other", modified="2026-04-01T00:00:00Z", withdrawn="2026-04-01T00:00:00Z")
    assert await take(store, gone) == (1, 0, {"other"})
    assert await take(store, later) == (0, 1, set())
    assert await ids(store, OTHER) == []


async def test_of_two_in_one_batch_the_later_one_counts(store: Store) -> None:
    later = record("GHSA-1", "other", modified="2026-03-01T00:00:00Z")
    assert await take(store, later, record("GHSA-1")) == (1, 1, {"other"})
    assert await ids(store) == []


async def test_only_a_whole_dump_makes_silence_mean_something(store: Store) -> None:
    assert not (await store.advisories.known(DEMO)).complete
    await store.advisories.note_dump(Dump(at=NOW, name="one.json", whole=False, records=1))
    assert not (await store.advisories.known(DEMO)).complete
    whole = Dump(at=NOW, name="all.zip", whole=True, records=2)
    await store.advisories.note_dump(whole)
    assert (await store.advisories.known(DEMO)).complete
    assert (await store.advisories.dumps())[0] == whole


async def test_an_alert_is_given_once(store: Store) -> None:
    one, two = file(), file("demo-2.0-py3-none-any.whl")
    assert await store.advisories.alert_once([(one, "GHSA-1"), (two, "GHSA-1")], NOW) == [
        (one, "GHSA-1"),
        (two, "GHSA-1"),
    ]
    assert await store.advisories.alert_once([(one, "GHSA-1"), (one, "GHSA-2")], NOW) == [(one, "GHSA-2")]
