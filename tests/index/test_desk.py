"""The desk: what is listed, what may be answered, and that policies go by it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from core.test_wanted import MAIN, tally
from fakes.indexes import Pointed
from fakes.made import DEMO, found
from fakes.stores import Store
from wheelkeep.core.answers import REFUSED
from wheelkeep.core.wanted import Ask
from wheelkeep.index.desk import Desk, Unfit
from wheelkeep.store.answers import AnswerBook
from wheelkeep.store.changes import Changes
from wheelkeep.store.wanted import WantedList

POLICY = '[allow]\npackages = ["listed"]\n[deny]\npackages = ["bad"]\n[cooldown]\nage = "7d"\n'
TODAY = datetime.now(UTC).date()
SOON = TODAY + timedelta(days=7)


class Office:
    def __init__(self, store: Store, policy: Path) -> None:
        policy.write_text(POLICY)
        self.pointed = Pointed(store, policy=policy)
        self.store = store
        self.wanted = WantedList(store.database)
        self.book = AnswerBook(store.database, store.ledger, Changes(store.data))
        self.desk = Desk(self.wanted, self.book, {MAIN: self.pointed.index})

    async def asked(self, project: str, version: str = "", gate: str = "allow", count: int = 1) -> None:
        ask = Ask(MAIN, project, version, gate, "token ci")
        await self.wanted.add({ask: tally(count, sentence=f"{project} no", filename="f" * bool(version))})

    async def open(self) -> list[str]:
        found = await self.desk.open(MAIN)
        return [f"{one.project} {one.version or '*'} {one.gate}" for one in found.wanted]

    async def approve(self, *what: str, **more: object) -> list[str]:
        told = {"reason": "we need it", "by": "ada"} | more
        given = await self.desk.approve(MAIN, what, **told)  # type: ignore[arg-type]
        return [f"{answer.requirement} {answer.gate}" for answer in given]


@pytest_asyncio.fixture
async def office(store: Store, tmp_path: Path) -> Office:
    return Office(store, tmp_path / "policy.toml")


async def test_the_list_is_what_waits_for_an_answer(office: Office) -> None:
    await office.asked("demo", count=3)
    await office.asked("demo", "1.0", "cooldown", count=5)
    await office.asked("listed", count=9)
    await office.asked("other", "2.0", count=2)
    assert await office.open() == ["demo 1.0 cooldown", "demo * allow", "other 2.0 allow"]
    told = await office.desk.open(MAIN, limit=1)
    assert (told.index, told.more, told.beyond) == ("main", 2, 0)
    one = told.wanted[0]
    assert (one.sentence, one.filename, one.count) == ("demo no", "f", 5)
    assert [(who.kind, who.name) for who in one.who] == [("token", "ci")]
    assert len((await office.desk.open(MAIN, gate="cooldown")).wanted) == 1
    await office.desk.refuse(MAIN, ["Other >= 2"], reason="no", by="ada")
    await office.approve("demo")
    assert await office.open() == ["demo 1.0 cooldown"]


async def test_which_gate_is_meant_where_none_is_named(office: Office) -> None:
    await office.asked("demo")
    await office.asked("demo", "1.0", "cooldown")
    await office.asked("demo", "2.0", "deny")
    assert await office.approve("unasked", "Demo") == ["unasked allow", "demo allow"]
    assert await office.approve("demo<2", until=SOON) == ["demo<2 cooldown"]
    await office.asked("demo", "0.5", "cooldown")
    await office.asked("demo", "0.5", "hashes")
    assert await office.approve("demo==0.5", until=SOON) == ["demo==0.5 hashes"]
    assert await office.approve("demo==3.0") == ["demo==3.0 allow"]
    await office.asked("held", "1.0", "cooldown")
    with pytest.raises(Unfit, match="lifts the gate cooldown needs its last day"):
        await office.approve("other", "held==1.0")
    await office.asked("bad", "1.0", "deny")
    with pytest.raises(Unfit, match="not known which gate"):
        await office.approve("bad==1.0", until=SOON)
    assert await office.approve("bad==1.0", until=SOON, gates=["deny"]) == ["bad==1.0 deny"]


@pytest.mark.parametrize(
    ("what", "more", "says"),
    [
        ([], {}, "no requirement"),
        (["a b"], {}, "no range"),
        (["demo-*"], {}, "one project is meant"),
        (["demo"], {"reason": " "}, "a reason is one line"),
        (["demo"], {"by": "a\nb"}, "who answers is one line"),
        (["demo"], {"gates": ["alow"]}, 'did you mean "allow"'),
        (["demo"], {"gates": ["licences"]}, "has no gate licences"),
        (["demo"], {"gates": ["hashes"]}, "needs its last day"),
        (["demo"], {"until": date(2020, 1, 1)}, "is over"),
    ],
)
async def test_what_is_no_answer(office: Office, what: list[str], more: dict[str, object], says: str) -> None:
    with pytest.raises(Unfit, match=says):
        await office.approve("good", *what, **more) if what else await office.approve(**more)
    assert await office.desk.answers(MAIN) == []
    assert await office.store.ledger.counts() == {}


async def test_the_policy_goes_by_the_answers_kept(office: Office) -> None:
    office.pointed.pypi.says(found("pypi", "1.0"))
    assert (await office.pointed.view()).unlisted is not None
    await office.approve("demo")
    assert office.pointed.recalled() is not None
    await office.desk.hear()
    view = await office.pointed.view()
    assert (view.unlisted, list(view.by_name)) == (None, ["demo-1.0-py3-none-any.whl"])
    # Edits of the file and answers stand side by side.
    assert office.pointed.holder.path is not None
    office.pointed.holder.path.write_text(POLICY + "[formats]\nwheels_only = true\n")
    office.pointed.holder.refresh()
    assert office.pointed.holder.refresh()
    await office.pointed.view()
    await office.desk.hear()
    assert office.pointed.recalled() is not None, "nothing changed"
    policy = office.pointed.holder.current
    assert len(policy.gates) == 6 and policy.refusal(DEMO, "") is None
    assert policy.waiver(DEMO, "1.0", "allow", datetime.now(UTC)) is not None
    gone = await office.desk.withdraw(MAIN, ["demo"], reason="a mistake", by="bob")
    assert [answer.gate for answer in gone] == ["allow"]
    assert await office.desk.withdraw(MAIN, ["demo"], reason="a mistake", by="bob") == []
    await office.desk.hear()
    assert office.pointed.recalled() is None
    assert office.pointed.holder.current.waivers == ()
    entry = (await office.store.ledger.last("withdrawn"))[0]
    assert entry.project == "demo"
    assert entry.detail == {
        "index": "main",
        "requirement": "demo",
        "gate": "allow",
        "until": None,
        "reason": "a mistake",
        "by": "bob",
    }


async def test_of_answers_that_cannot_be_read_none_is_in_force(office: Office) -> None:
    await office.approve("demo")
    await office.desk.hear()
    assert office.pointed.holder.current.waivers
    broken = await office.desk.refuse(MAIN, ["other"], reason="no", by="ada")
    assert broken[0].gate == REFUSED
    async with office.store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE answers SET gate = 'of-tomorrow' WHERE gate = ''")
    await office.desk.hear()
    assert office.pointed.holder.current.waivers == ()
