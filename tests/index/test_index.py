"""The page flow: what is kept in memory, for how long, and who is asked once."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes.indexes import Pointed
from fakes.made import DEMO, FAR, file, found, page, sha
from fakes.stores import Store
from wheelkeep.core.gates import Context
from wheelkeep.core.judge import Judged, judge
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import Absent, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.offer import Selection
from wheelkeep.core.policy import Policy
from wheelkeep.index.view import Memo, View, expiry
from wheelkeep.store.facts import KnownMetadata

OTHER = ProjectName("other")


@pytest.fixture
def pointed(store: Store) -> Pointed:
    made = Pointed(store)
    made.pypi.says(found("pypi", "1.0"))
    return made


def soon(**passed: float) -> datetime:
    return datetime.now(UTC) + timedelta(**passed)


async def test_a_page_is_asked_for_once_and_then_recalled(pointed: Pointed) -> None:
    assert pointed.recalled() is None
    view = await pointed.view()
    assert view.project == DEMO
    assert list(view.by_name) == ["demo-1.0-py3-none-any.whl"]
    assert (view.owners, view.stale, view.unlisted) == (("pypi",), None, None)
    assert pointed.recalled() is view
    assert await pointed.view() is view
    assert len(pointed.pypi.asked) == 1


async def test_one_building_however_many_ask(pointed: Pointed) -> None:
    pointed.pypi.held = asyncio.Event()
    waiting = [asyncio.create_task(pointed.view()) for _ in range(10)]
    while not pointed.pypi.asked:
        await asyncio.sleep(0)
    waiting[0].cancel()
    pointed.pypi.held.set()
    views = await asyncio.gather(*waiting[1:])
    assert all(view is views[0] for view in views)
    assert len(pointed.pypi.asked) == 1


async def test_who_has_patience_does_not_wait_with_those_who_have_none(pointed: Pointed) -> None:
    pointed.pypi.held = asyncio.Event()
    waiting = [asyncio.create_task(pointed.view(patience=patience)) for patience in (0.5, 0, 0.5, 0)]
    while len(pointed.pypi.asked) < 2:
        await asyncio.sleep(0)
    pointed.pypi.held.set()
    await asyncio.gather(*waiting)
    assert sorted(patience for _, patience in pointed.pypi.asked) == [0, 0.5]


async def test_a_page_is_kept_no_longer_than_its_answers_are_good(pointed: Pointed) -> None:
    pointed.pypi.says(found("pypi", "1.0", good_until=soon(minutes=5)))
    view = await pointed.view()
    now = time.time()
    assert view.expires == pytest.approx(now + 300, abs=60)
    assert pointed.index.recall(DEMO, now + 200) is view
    assert pointed.index.recall(DEMO, now + 400) is None
    assert not view.alive


async def test_nor_longer_than_a_better_source_s_absence(pointed: Pointed) -> None:
    pointed.acme.says(Absent(source=pointed.acme.name, good_until=soon(seconds=30)))
    pointed.pypi.says(found("pypi", "1.0", good_until=soon(minutes=5)))
    assert (await pointed.view()).expires <= time.time() + 31


async def test_what_is_old_already_is_asked_for_each_time(pointed: Pointed) -> None:
    pointed.pypi.says(found("pypi", "1.0", stale="it is away", good_until=soon(seconds=-1)))
    assert (await pointed.view()).stale == "it is away"
    await pointed.view()
    assert len(pointed.pypi.asked) == 2


async def test_no_view_is_kept_longer_than_a_day(pointed: Pointed) -> None:
    assert (await pointed.view()).expires <= time.time() + 86_400
    assert expiry(None, now=5.0) == 86_405.0
    assert expiry(None, datetime.fromtimestamp(7, UTC), datetime.fromtimestamp(9, UTC), now=5.0) == 7.0


async def test_what_changed_is_forgotten(pointed: Pointed) -> None:
    pointed.pypi.says(found("pypi", file("other-1.0.tar.gz")), project="other")
    first, other = await pointed.view(), await pointed.view(OTHER)
    pointed.index.forget(DEMO)
    assert (first.alive, other.alive) == (False, True)
    assert pointed.recalled() is None
    assert pointed.recalled(OTHER) is other
    again = await pointed.view()
    pointed.index.forget(None)
    assert not again.alive
    assert not other.alive


async def test_a_change_while_a_page_is_built_is_not_missed(pointed: Pointed) -> None:
    pointed.pypi.held = asyncio.Event()
    building = asyncio.create_task(pointed.view())
    while not pointed.pypi.asked:
        await asyncio.sleep(0)
    pointed.index.forget(DEMO)
    pointed.pypi.held.set()
    await building
    assert pointed.recalled() is None


@pytest.mark.parametrize("outcome", ["nowhere", "unreachable"])
async def test_what_is_no_page_is_not_kept(pointed: Pointed, outcome: str) -> None:
    down = Unreachable(source=pointed.pypi.name, reason="it is away")
    pointed.pypi.says(down if outcome == "unreachable" else Absent(source=pointed.pypi.name))
    for _ in range(2):
        answer = await pointed.index.page(DEMO)
        assert answer == (down if outcome == "unreachable" else Nowhere())
    assert len(pointed.pypi.asked) == 2


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text('[allow]\npackages = ["other"]\n')
    return path


async def test_an_unlisted_name_is_a_page_that_says_so(store: Store, policy: Path) -> None:
    pointed = Pointed(store, policy=policy)
    view = await pointed.view()
    assert pointed.pypi.asked == []
    assert view.judged.page.files == ()
    status = view.judged.page.status
    assert status is not None
    assert status.status == "quarantined"
    assert status.reason is not None
    assert status.reason.startswith("wheelkeep: allow: demo is not on the allow list")
    assert view.unlisted is not None
    assert (view.unlisted.code, view.unlisted.admits) == ("allow-unlisted", False)
    assert pointed.recalled() is view


async def test_files_are_judged_by_the_policy(store: Store, policy: Path) -> None:
    policy.write_text('[deny]\npackages = ["demo<2"]\n')
    pointed = Pointed(store, policy=policy)
    pointed.pypi.says(found("pypi", "1.0", "2.0"))
    view = await pointed.view()
    assert {one.version: decision.admitted for one, decision in view.by_name.values()} == {
        "1.0": False,
        "2.0": True,
    }


async def test_a_view_ends_with_the_waiver_that_it_rests_on(store: Store, policy: Path) -> None:
    today = datetime.now(UTC).date()
    waiver = f'[[waiver]]\npackage = "demo"\ngates = ["deny"]\nreason = "r"\nby = "b"\nuntil = {today}\n'
    policy.write_text(f'[deny]\npackages = ["demo"]\n{waiver}')
    pointed = Pointed(store, policy=policy)
    pointed.pypi.says(found("pypi", "1.0"))
    view = await pointed.view()
    assert not view.judged.nothing_admitted
    end = datetime.combine(today, datetime.min.time(), UTC) + timedelta(days=1)
    assert view.expires <= end.timestamp()


async def test_a_page_judged_by_another_policy_is_not_kept(store: Store, policy: Path) -> None:
    policy.write_text("")
    pointed = Pointed(store, policy=policy)
    pointed.pypi.says(found("pypi", "1.0"))
    pointed.pypi.held = asyncio.Event()
    building = asyncio.create_task(pointed.view())
    while not pointed.pypi.asked:
        await asyncio.sleep(0)
    pointed.holder.current = Policy([])
    pointed.pypi.held.set()
    await building
    assert pointed.recalled() is None


async def test_metadata_that_was_learned_is_told(pointed: Pointed) -> None:
    wheel = file()
    await pointed.store.facts.learn_metadata(wheel, KnownMetadata(sha("m"), b"m", own=True))
    await pointed.store.facts.learn_metadata(file(source="acme"), KnownMetadata(sha("other"), b"o", own=True))
    assert (await pointed.view()).learned == {wheel.filename: sha("m")}


async def test_in_a_group_each_file_has_its_own_source_s(store: Store) -> None:
    pointed = Pointed(store, grouped=True)
    both, lower = file(source="acme"), file("demo-2.0-py3-none-any.whl", source="pypi")
    pointed.acme.says(found("acme", both))
    pointed.pypi.says(found("pypi", replace(both, source=pointed.pypi.name), lower))
    for one, text in ((both, "a"), (replace(both, source=pointed.pypi.name), "b"), (lower, "c")):
        await store.facts.learn_metadata(one, KnownMetadata(sha(text), text.encode(), own=True))
    assert (await pointed.view()).learned == {both.filename: sha("a"), lower.filename: sha("c")}


async def test_the_list_of_names(pointed: Pointed, store: Store) -> None:
    pointed.acme.listed = ["zeta", "acme-core", "demo"]
    pointed.pypi.listed = ["demo", "acme-core", "acme-evil", "other", "torch"]
    assert [name async for name in pointed.index.names()] == [
        "acme-core",
        "acme-evil",
        "demo",
        "other",
        "torch",
        "zeta",
    ]
    pointed.reserved = [(pointed.acme.name, ["acme-*"])]
    pointed.selections["pypi"] = Selection(None, ["torch"])
    pointed.index = pointed.made()
    assert [name async for name in pointed.index.names()] == ["acme-core", "demo", "other", "zeta"]
    pointed.pypi.listed = None
    assert [name async for name in pointed.index.names()] == ["acme-core", "demo", "zeta"]


async def test_names_that_the_allow_list_does_not_know_are_not_listed(store: Store, policy: Path) -> None:
    pointed = Pointed(store, policy=policy)
    pointed.acme.listed, pointed.pypi.listed = ["own"], ["demo", "other"]
    assert [name async for name in pointed.index.names()] == ["other", "own"]


async def test_a_long_list_of_names_lets_others_have_a_turn(store: Store, policy: Path) -> None:
    pointed = Pointed(store, policy=policy)
    pointed.pypi.listed = [f"name-{number}" for number in range(50_000)]
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert [name async for name in pointed.index.names()] == []
    task.cancel()
    assert turns >= 50


async def test_it_is_ready_when_all_its_sources_are(pointed: Pointed) -> None:
    assert await pointed.index.ready()
    pointed.acme.complete = False
    assert not await pointed.index.ready()


def a_view(name: str, *, files: int = 0, expires: float = FAR.toordinal() * 86_400.0) -> View:
    told = [file(f"{name}-{number}.tar.gz") for number in range(files)]
    judged: Judged = judge(page(*told, project=name), Policy([]), Context(now=datetime.now(UTC)))
    return View(judged, owners=(), stale=None, made=0.0, expires=expires, learned={})


def test_the_memo_holds_up_to_a_weight_and_keeps_what_is_asked_for() -> None:
    memo = Memo(7_000)
    views = {name: a_view(name) for name in ("a", "b", "c")}
    for view in views.values():
        memo.put(view)
    assert memo.get(ProjectName("a"), 0) is views["a"]
    memo.put(a_view("d"))
    assert [name for name, view in views.items() if view.alive] == ["a", "c"]
    large = a_view("large", files=50)
    memo.put(large)
    assert memo.get(ProjectName("large"), 0) is large
    assert not any(view.alive for view in views.values())


def test_renderings_weigh_too() -> None:
    memo = Memo(7_000)
    first, second = a_view("a"), a_view("b")
    memo.put(first)
    memo.put(second)
    memo.grew(second, 4_000)
    assert (first.alive, second.alive) == (False, True)
    memo.grew(first, 10**9)
    memo.put(a_view("c"))
    memo.drop(None)
    assert memo._weight == 0


def test_one_view_a_name() -> None:
    memo = Memo(100_000)
    first, second = a_view("a"), a_view("a")
    memo.put(first)
    memo.put(second)
    assert (first.alive, memo.get(ProjectName("a"), 0)) == (False, second)


def test_a_view_from_a_later_clock_is_dropped() -> None:
    """The clock was set forward, and back again: what was to hold until then would hold for as long as that."""
    memo = Memo(100_000)
    view = a_view("a")
    view.made = 1_000.0
    memo.put(view)
    assert memo.get(ProjectName("a"), 1_000.0) is view
    assert memo.get(ProjectName("a"), 999.0) is None
    assert not view.alive


def test_a_view_that_is_over_is_dropped() -> None:
    memo = Memo(100_000)
    view = a_view("a", expires=100.0)
    memo.put(view)
    assert memo.get(ProjectName("a"), 99.0) is view
    assert memo.get(ProjectName("a"), 100.0) is None
    assert not view.alive
