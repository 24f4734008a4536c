"""Who is asked, who is not, and that nobody below learns what belongs above."""

import asyncio

import pytest

from fakes.made import DEMO, NOW, allow, deny, found, later, page, versions
from fakes.sources import Scripted
from wheelkeep.core.merge import Merged, Nowhere
from wheelkeep.core.model import Absent, Found, Unasked, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.policy import Policy
from wheelkeep.core.settings import MergeMode
from wheelkeep.index.gather import Gathered, Place, Rule, gather
from wheelkeep.sources.source import PATIENCE_FIRST

EVERYTHING = Selection(None, [])


class World:
    """Three sources: acme and vendor above pypi."""

    def __init__(self) -> None:
        self.acme = Scripted("acme", remote=False)
        self.vendor, self.pypi = Scripted("vendor"), Scripted("pypi")
        self.groups = [[self.acme], [self.vendor], [self.pypi]]
        self.selections: dict[str, Selection] = {}
        self.reserved: list[tuple[str, list[str]]] = []
        self.policy = Policy([])
        self.mode: MergeMode = "strict"

    async def ask(self, project: str = "demo", *, patience: float = 0.5, told: bool = True) -> Gathered:
        places = [
            [Place(source, self.selections.get(source.name, EVERYTHING)) for source in group]
            for group in self.groups
        ]
        return await gather(
            ProjectName(project),
            places,
            Rule(self.mode),
            Reservations(self.reserved),  # type: ignore[arg-type]
            self.policy,
            now=NOW,
            patience=patience,
            told=told,
        )

    def asked(self) -> list[str]:
        return [source.name for source in (self.acme, self.vendor, self.pypi) if source.asked]


def shown(gathered: Gathered) -> list[tuple[str, str]]:
    assert isinstance(gathered.outcome, Merged)
    return [(one.source, one.version) for one in gathered.outcome.page.files]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_lower_source_is_not_asked_once_a_better_one_has_the_name(world: World) -> None:
    world.vendor.says(found("vendor", "1.0"))
    world.pypi.says(found("pypi", "9.0"))
    assert shown(await world.ask()) == [("vendor", "1.0")]
    assert world.asked() == ["acme", "vendor"]


async def test_all_are_asked_before_a_name_is_nowhere(world: World) -> None:
    world.pypi.says(Absent(source=world.pypi.name, good_until=later(minutes=1)))
    gathered = await world.ask()
    assert gathered.outcome == Nowhere(good_until=later(minutes=1))
    assert world.asked() == ["acme", "vendor", "pypi"]


async def test_an_outage_above_is_not_told_below(world: World) -> None:
    down = Unreachable(source=world.vendor.name, reason="it answered 503")
    world.vendor.says(down)
    world.pypi.says(found("pypi", "9.0"))
    assert (await world.ask()).outcome == down
    assert world.asked() == ["acme", "vendor"]


async def test_a_group_is_asked_at_once(world: World) -> None:
    world.groups = [[world.vendor, world.pypi]]
    world.vendor.held = world.pypi.held = asyncio.Event()
    world.vendor.says(found("vendor", "1.0"))
    world.pypi.says(found("pypi", "1.0", "2.0"))
    task = asyncio.create_task(world.ask())
    while len(world.asked()) < 2:
        await asyncio.sleep(0)
    world.vendor.held.set()
    assert shown(await task) == [("vendor", "1.0"), ("pypi", "2.0")]


@pytest.mark.parametrize("mode", ["strict", "floor", "pinned", "unsafe-blend"])
async def test_a_reserved_name_is_told_to_nobody_but_its_owner(world: World, mode: MergeMode) -> None:
    world.mode = mode
    world.reserved = [("acme", ["acme-*", "Acme_Lib"])]
    world.pypi.says(found("pypi", "9.0"), project="acme-core")
    for project in ("acme-core", "acme-lib"):
        gathered = await world.ask(project)
        assert shown(gathered) == []
        assert gathered.owners == {"acme"}
    assert world.asked() == ["acme"]


async def test_nor_where_its_owner_is_not_in_the_index(world: World) -> None:
    world.reserved = [("elsewhere", ["acme-*"])]
    assert isinstance((await world.ask("acme-core")).outcome, Nowhere)
    assert world.asked() == []


async def test_nor_where_its_owner_may_not_offer_it(world: World) -> None:
    world.reserved = [("acme", ["demo"])]
    world.selections["acme"] = Selection(None, ["demo"])
    assert isinstance((await world.ask()).outcome, Nowhere)
    assert world.asked() == []


async def test_nor_while_its_owner_is_away(world: World) -> None:
    world.reserved = [("vendor", ["demo"])]
    down = Unreachable(source=world.vendor.name, reason="it is away")
    world.vendor.says(down)
    assert (await world.ask()).outcome == down
    assert world.asked() == ["vendor"]


async def test_a_reserved_name_holds_with_the_files_that_there_are(world: World) -> None:
    world.reserved = [("vendor", ["demo"])]
    world.vendor.says(found("vendor", "1.0"))
    gathered = await world.ask()
    assert shown(gathered) == [("vendor", "1.0")]
    (answer,) = [answer for group in gathered.answers for answer in group]
    assert isinstance(answer, Found)
    assert answer.claims


async def test_a_source_that_may_not_have_the_name_is_neither_asked_nor_missed(world: World) -> None:
    world.selections["vendor"] = Selection(["torch*"], [])
    world.vendor.says(Unreachable(source=world.vendor.name, reason="it is away"))
    world.pypi.says(found("pypi", "1.0"))
    assert shown(await world.ask()) == [("pypi", "1.0")]
    assert world.asked() == ["acme", "pypi"]


async def test_what_a_better_source_excludes_does_not_stand_before_a_worse_one(world: World) -> None:
    world.selections["vendor"] = Selection(None, ["demo<2"])
    world.vendor.says(found("vendor", "1.0"))
    world.pypi.says(found("pypi", "1.5"))
    assert shown(await world.ask()) == [("pypi", "1.5")]
    world.vendor.says(found("vendor", "1.0", "2.0"))
    assert shown(await world.ask()) == [("vendor", "2.0")]


async def test_a_remote_is_not_asked_for_what_the_allow_list_does_not_know(world: World) -> None:
    world.policy = Policy([deny("x"), allow("other", sources=("vendor", "pypi"))])
    gathered = await world.ask()
    assert gathered.outcome == Unasked(
        source=world.vendor.name, gate="allow", sentence="demo is not on the allow list"
    )
    assert world.asked() == ["acme"]


async def test_our_own_folders_are_asked_all_the_same(world: World) -> None:
    world.policy = Policy([allow("other", sources=("acme", "vendor", "pypi"))])
    world.acme.says(found("acme", "1.0"))
    assert shown(await world.ask()) == [("acme", "1.0")]


async def test_an_old_page_of_which_nothing_is_left_is_waited_for_longer(world: World) -> None:
    """Else a slow answer would read as "it does not have the name", and the source below would be asked."""
    world.selections["vendor"] = Selection(None, ["demo<2"])
    old = found("vendor", "1.0", stale="it has not answered yet")
    world.vendor.says(old, found("vendor", "1.0", "2.0"))
    world.pypi.says(found("pypi", "9.0"))
    assert shown(await world.ask(patience=0)) == [("vendor", "2.0")]
    assert [patience for _, patience in world.vendor.asked] == [0, PATIENCE_FIRST]
    assert not world.pypi.asked


@pytest.mark.parametrize("left", [Selection(None, ["demo<2"]), EVERYTHING])
async def test_an_old_page_of_which_nothing_is_left_is_an_outage(world: World, left: Selection) -> None:
    world.selections["vendor"] = left
    told = versions("1.0", source="vendor") if left is not EVERYTHING else []
    world.vendor.says(Found(source=world.vendor.name, page=page(*told), stale="it answered 503"))
    world.pypi.says(found("pypi", "9.0"))
    assert (await world.ask()).outcome == Unreachable(source=world.vendor.name, reason="it answered 503")
    assert not world.pypi.asked


async def test_an_old_page_that_shows_something_is_asked_for_once(world: World) -> None:
    world.vendor.says(found("vendor", "1.0", stale="it answered 503"))
    gathered = await world.ask(patience=0.25)
    assert isinstance(gathered.outcome, Merged)
    assert (shown(gathered), gathered.outcome.stale) == ([("vendor", "1.0")], "it answered 503")
    assert world.vendor.asked == [(DEMO, 0.25)]


async def test_the_other_modes_ask_all_and_miss_all(world: World) -> None:
    world.mode = "unsafe-blend"
    world.vendor.says(found("vendor", "1.0"))
    world.pypi.says(found("pypi", "2.0"))
    assert shown(await world.ask()) == [("vendor", "1.0"), ("pypi", "2.0")]
    down = Unreachable(source=world.pypi.name, reason="it is away")
    world.pypi.says(down)
    assert (await world.ask()).outcome == down


async def test_what_is_known_is_gathered_without_telling_anybody(world: World) -> None:
    world.vendor.says(Unreachable(source=world.vendor.name, reason="it is away"))
    world.pypi.says(found("pypi", "1.0"))
    assert shown(await world.ask(told=False)) == [("pypi", "1.0")]
    assert world.asked() == ["acme"]
    world.reserved = [("vendor", ["demo"])]
    assert shown(await world.ask(told=False)) == []
    world.selections["pypi"] = Selection(None, ["other"])
    world.pypi.says(found("pypi", "1.0"), project="other")
    assert isinstance((await world.ask("other", told=False)).outcome, Nowhere)
    assert world.asked() == ["acme"]
