"""What is known beside a page: source and dumps together, asked only where a gate wants it; alerts, once."""

from pathlib import Path

import pytest

from fakes.indexes import Pointed
from fakes.made import DEMO, NOW, file, found, later
from fakes.osv import LOW, record
from fakes.stores import Store
from wheelkeep.core.advisories import Told, Trouble
from wheelkeep.core.advisory import Advisory
from wheelkeep.core.model import File
from wheelkeep.core.read_advisories import read_osv
from wheelkeep.index.advisor import Advisor
from wheelkeep.index.index import Index
from wheelkeep.sources.source import Advised
from wheelkeep.store.advisories import Dump
from wheelkeep.store.pages import StoredPage

ONE = "demo-1.0-py3-none-any.whl"


class Advising(Pointed):
    """An index whose policy has the gate, with alerts that are noted."""

    def __init__(self, store: Store, policy: Path) -> None:
        self.alerts: list[tuple[str, str]] = []
        super().__init__(store, policy=policy)

    def made(self, advisor: Advisor | None = None) -> Index:
        async def alert(one: File, trouble: Trouble) -> None:
            self.alerts.append((one.filename, trouble.ids[0]))

        store = self.store
        self.advisor = advisor or Advisor(
            store.advisories, blobs=store.blobs, pages=store.pages, facts=store.facts, alert=alert
        )
        return super().made(self.advisor)

    async def admitted(self) -> list[str]:
        self.index.forget(None)
        view = await self.view()
        return [one.version for one, decision in view.by_name.values() if decision.admitted]


@pytest.fixture
def advising(store: Store, tmp_path: Path) -> Advising:
    (tmp_path / "policy.toml").write_text('[advisories]\nseverity = "medium"\n')
    advising = Advising(store, tmp_path / "policy.toml")
    advising.pypi.says(found("pypi", "1.0", "2.0"))
    return advising


def bad(*fixed: str) -> Advised:
    told = Told(newest="2.0", advisories=(Advisory(id="PYSEC-1", project=DEMO, fixed=fixed),))
    return Advised(told=told, good_until=later(minutes=10))


async def test_nobody_is_asked_where_no_gate_wants_to_know(store: Store, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("")
    advising = Advising(store, tmp_path / "policy.toml")
    advising.pypi.says(found("pypi", "1.0"))
    assert await advising.admitted() == ["1.0"]
    assert advising.pypi.advised == []


async def test_malware_is_blocked_and_told_of_without_a_table_and_without_a_question(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text("")
    advising = Advising(store, tmp_path / "policy.toml")
    kept = file(ONE, sha256=await store.keep(b"bytes"))
    advising.pypi.says(found("pypi", kept, "2.0", "3.0"))
    told = Advisory(id="GHSA-9", aliases=("MAL-2026-8",), project=DEMO)
    advising.pypi.advice = Advised(told=Told(newest="3.0", own={"3.0": (told,)}))
    only = record("MAL-2026-9", events=[{"introduced": "0"}, {"fixed": "2.0"}], vector=None)
    await store.advisories.take([read_osv(only), read_osv(record("GHSA-1", events=[]))])
    assert await advising.admitted() == ["2.0"]
    assert advising.pypi.advised == []
    assert advising.alerts == [(ONE, "MAL-2026-9")]
    by = '[[waiver]]\npackage = "demo==1.0"\ngates = ["advisories"]\nreason = "why"\nby = "who"\nuntil = 2999-12-31\n'
    (tmp_path / "policy.toml").write_text(by)
    advising.holder.refresh()
    assert advising.holder.refresh()
    assert await advising.admitted() == ["1.0", "2.0"]


async def test_a_source_that_tells_nothing_blocks(advising: Advising) -> None:
    assert await advising.admitted() == []
    assert advising.pypi.advised == [("demo", True)]


async def test_a_page_is_good_until_its_knowledge_is_old(advising: Advising) -> None:
    advising.pypi.advice = bad("2.0")
    assert await advising.admitted() == ["2.0"]
    assert (await advising.view()).expires == later(minutes=10).timestamp()


async def test_a_whole_dump_knows_of_every_version(advising: Advising, store: Store) -> None:
    await store.advisories.take([read_osv(record(events=[{"introduced": "1.5"}]))])
    await store.advisories.note_dump(Dump(at=NOW, name="all.zip", whole=True, records=1))
    assert await advising.admitted() == ["1.0"]
    assert advising.pypi.advised == [("demo", False)]
    assert [trouble.ids for trouble in await advising.index.against(await advising.view(), "2.0")] == [
        ("GHSA-1",)
    ]


async def test_an_alert_for_what_is_stored_and_once(advising: Advising, store: Store) -> None:
    sha256 = await store.keep(b"bytes")
    kept = file(ONE, sha256=sha256)
    advising.pypi.says(found("pypi", kept, "2.0"))
    advising.pypi.advice = bad()
    assert await advising.admitted() == []
    assert await advising.admitted() == []
    assert advising.alerts == [(ONE, "PYSEC-1")]
    # Another keep on the same data, or this one after a restart, does not tell it again.
    advising.index = advising.made()
    assert await advising.admitted() == []
    assert len(advising.alerts) == 1


async def test_what_a_dump_says_of_stored_files(advising: Advising, store: Store) -> None:
    sha256 = await store.keep(b"bytes")
    page = found("pypi", file(ONE, sha256=sha256), "1.5").page
    await store.pages.change(advising.pypi.name, DEMO, lambda _: StoredPage(page=page, checked=NOW))
    await store.advisories.take([read_osv(record(vector=LOW)), read_osv(record("GHSA-2", "other"))])
    listed = [one async for one in advising.advisor.affecting()]
    assert [(one.file.filename, one.troubles[0].ids) for one in listed] == [(ONE, ("GHSA-1",))]
    assert [one async for one in advising.advisor.affecting({"other"})] == []
    assert await advising.advisor.alarm({DEMO}) == 1
    assert await advising.advisor.alarm({DEMO}) == 0
    assert advising.alerts == [(ONE, "GHSA-1")]
