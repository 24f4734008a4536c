"""What a remote index tells against its projects: its documents, asked seldom, used while it is away."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fakes import faults
from fakes.dists import wheel
from fakes.made import DEMO, NOW
from fakes.outside import Outside
from fakes.stores import Store
from wheelkeep.core.advisories import Told
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.sources import advisories
from wheelkeep.sources.advisories import OriginAdvisories
from wheelkeep.sources.client import Client
from wheelkeep.sources.documents import OriginDocuments
from wheelkeep.sources.limits import Limits
from wheelkeep.sources.source import Advised

FRESH = timedelta(minutes=10)
VERSIONS = ["1.0", "1.5", "2.0", "2.5", "3.0"]
BAD = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["2.0"], "details": "x" * 9000, "withdrawn": None}


class Asker:
    """What is told by an origin, with a clock of its own."""

    def __init__(self, outside: Outside, store: Store, url: str | None = None) -> None:
        self.now: datetime = NOW
        self.changed: list[ProjectName | None] = []
        self.client = Client(url=outside.url, limits=Limits(pause=0.01, patience=0.01))
        told: dict[str, Any] = {"url": url or outside.url, "fresh": FRESH, "client": self.client}
        told |= {"facts": store.facts, "now": lambda: self.now}
        self.documents = OriginDocuments(SourceName("pypi"), **told)
        self.asked = OriginAdvisories(
            SourceName("pypi"), documents=self.documents, changed=self.changed.append, **told
        )

    async def of(self, *, each: bool = True) -> Advised:
        return await self.asked.of(DEMO, VERSIONS, each=each, patience=0.5)

    async def told(self, *, each: bool = True) -> Told:
        advised = await self.of(each=each)
        assert advised.told is not None, advised
        return advised.told

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    async def close(self) -> None:
        await self.asked.close()
        await self.documents.close()
        await self.client.close()


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "data") as opened:
        yield opened


@pytest_asyncio.fixture
async def asker(outside: Outside, store: Store) -> AsyncIterator[Asker]:
    for version in VERSIONS:
        outside.add(*wheel("demo", version))
    asker = Asker(outside, store)
    yield asker
    await asker.close()


def documents(outside: Outside) -> list[str]:
    return [entry.path for entry in outside.asked("/pypi/")]


async def test_the_project_s_document_is_asked_once_while_it_is_fresh(outside: Outside, asker: Asker) -> None:
    outside.vulnerabilities["demo"] = [BAD]
    advised = await asker.of(each=False)
    assert advised.told is not None
    assert (advised.told.newest, [one.id for one in advised.told.advisories]) == ("3.0", ["PYSEC-1"])
    assert advised.good_until == NOW + FRESH
    assert (await asker.of(each=False)) == advised
    assert documents(outside) == ["/pypi/demo/json"]
    asker.wait(hours=1)
    outside.vulnerabilities["demo"] = []
    assert (await asker.told(each=False)).advisories == ()


async def test_the_versions_are_asked_too_where_that_is_wanted(outside: Outside, asker: Asker) -> None:
    outside.faults["/pypi/demo/1.5/json"] = faults.says(
        b'{"info": {"version": "1.5"}, "vulnerabilities": [{"id": "PYSEC-9", "fixed_in": []}]}',
        "application/json",
    )
    told = await asker.told()
    assert told.waiting == frozenset()
    assert {version: [one.id for one in own] for version, own in told.own.items()} == {
        "1.0": [], "1.5": ["PYSEC-9"], "2.0": [], "2.5": []
    }  # fmt: skip
    assert documents(outside)[:2] == ["/pypi/demo/json", "/pypi/demo/2.5/json"]
    assert len(documents(outside)) == 5
    asker.wait(hours=1)
    await asker.told()
    assert len(documents(outside)) == 6
    asker.wait(days=1)
    assert await asker.told() == told
    assert len(documents(outside)) == 11


async def test_a_source_that_has_documents_of_projects_alone(outside: Outside, asker: Asker) -> None:
    for version in VERSIONS:
        outside.faults[f"/pypi/demo/{version}/"] = faults.status(404)
    told = await asker.told()
    assert (told.own, told.waiting) == ({}, frozenset())
    count = len(documents(outside))
    assert count == 4  # the project's, and three to be sure
    assert await asker.told() == told
    assert len(documents(outside)) == count


async def test_versions_that_cannot_be_asked_are_waited_for(outside: Outside, asker: Asker) -> None:
    for version in ("1.0", "1.5"):
        outside.faults[f"/pypi/demo/{version}/"] = faults.status(500)
    advised = await asker.of()
    assert advised.told is not None
    told = advised.told
    assert told.waiting == {"1.0"} | {"1.5"}
    assert advised.good_until == NOW + timedelta(seconds=10)
    assert asker.changed == [DEMO]
    outside.faults.clear()
    assert (await asker.told()).waiting == told.waiting
    asker.wait(seconds=11)
    assert (await asker.told()).waiting == frozenset()


async def test_what_was_known_is_used_while_the_source_is_away(outside: Outside, asker: Asker) -> None:
    outside.vulnerabilities["demo"] = [BAD]
    told = await asker.told()
    outside.stop()
    asker.wait(days=2)
    advised = await asker.of()
    assert advised.told == told
    assert advised.good_until is not None
    assert advised.good_until <= asker.now + timedelta(seconds=11)
    # Also once the origin has no such project any more.
    outside.start()
    for version in VERSIONS:
        outside.remove(f"demo-{version}-py3-none-any.whl")
    asker.wait(days=2)
    assert (await asker.told(each=False)).advisories == told.advisories


async def test_a_source_that_offers_none(outside: Outside, store: Store, asker: Asker) -> None:
    outside.faults["/pypi/"] = faults.status(404)
    advised = await asker.of()
    assert advised.told is None
    assert "no pypi/…/json" in advised.why
    outside.faults["/pypi/"] = faults.status(503)
    asker.wait(hours=1)
    assert "does not tell now" in (await asker.of()).why
    outside.faults["/pypi/"] = faults.says(b'{"info": {}}', "application/json")
    asker.wait(hours=1)
    assert "no list of vulnerabilities" in (await asker.of()).why
    elsewhere = Asker(outside, store, f"{outside.origin}/root/+pages/")
    assert "does not end in simple/" in (await elsewhere.of()).why
    await elsewhere.close()


async def test_what_is_known_of_a_version_stays_when_too_many_newer_ones_come(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await asker.told()).waiting == frozenset()
    monkeypatch.setattr(advisories, "_MOST_VERSIONS", 2)
    assert (await asker.told()).waiting == frozenset()
    asker.wait(days=2)
    assert (await asker.told()).own.keys() == {"1.0", "1.5", "2.0", "2.5"}
    more = await asker.asked.of(DEMO, [*VERSIONS, "0.9"], each=True, patience=0.5)
    assert more.told is not None
    assert more.told.waiting == {"0.9"}
