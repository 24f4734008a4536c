"""Files brought here: as fast as their origin wants, with all of it told, and an origin that is away asked no more
than it must be.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from fakes.made import file, versions
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import File
from wheelkeep.index import mirror as mirroring
from wheelkeep.index.fetch import Stored
from wheelkeep.index.keep import Keep
from wheelkeep.index.mirror import Mirror, Pace, mirror

Give = Callable[[File], Awaitable[int]]
SIZE = 1000


class Origin:
    """A keep with nothing behind it but an origin that does what it is told; gives sizes, raises troubles."""

    def __init__(self, give: Give) -> None:
        self.fetcher = self
        self.here: dict[str, int] = {}
        self.asked: list[str] = []
        self.at_once = self.most = 0
        self._give = give

    def source_of(self, _: File) -> None: ...

    def stored(self, one: File) -> Stored | None:
        return Stored(Path(), self.here[one.filename]) if one.filename in self.here else None

    def coming(self, _: File) -> int:
        return 1

    async def whole(self, _: None, one: File) -> Stored:
        self.asked.append(one.filename)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(0)
            self.here[one.filename] = await self._give(one)
        finally:
            self.at_once -= 1
        return Stored(Path(), self.here[one.filename])

    async def run(self, files: list[File], *, at_once: int = 4) -> list[Mirror]:
        told: list[Mirror] = []
        async for state in mirror(cast(Keep, cast(Any, self)), files, at_once=at_once):
            assert state.done <= state.files and state.came >= 0
            told.append(state)
        return told


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "_WAITS", (0.0, 0.0, 0.0))


def some(count: int, **told: Any) -> list[File]:
    return [file(f"demo-{number}-py3-none-any.whl", **told) for number in range(count)]


async def sized(_: File) -> int:
    return SIZE


async def test_all_come_so_many_at_once_and_a_second_time_none() -> None:
    origin, files = Origin(sized), some(10, size=SIZE)
    *_, last = await origin.run(files, at_once=3)
    assert (last.fetched, last.fetched_bytes, last.bytes, last.coming) == (10, 10 * SIZE, 10 * SIZE, 0)
    assert origin.most == 3
    *_, last = await origin.run(files)
    assert (last.there, last.there_bytes, last.fetched, len(origin.asked)) == (10, 10 * SIZE, 0, 10)


async def test_sizes_that_nobody_told_are_known_once_the_files_are_here() -> None:
    origin, files = Origin(sized), [*some(2), file(size=SIZE + 1)]
    plan, _ = mirroring.planned(cast(Keep, cast(Any, origin)), files)
    assert (plan.bytes, plan.unsized) == (SIZE + 1, 2)
    *_, last = await origin.run(files)
    assert (last.bytes, last.came, last.unsized) == (3 * SIZE, 3 * SIZE, 0)


async def test_an_origin_that_bears_two_at_once_is_asked_by_fewer_and_loses_nothing() -> None:
    async def give(_: File) -> int:
        await asyncio.sleep(0)
        if origin.at_once > 2:
            raise Unanswered("HTTP 429", retry_after=0.01)
        return SIZE

    origin = Origin(give)
    *_, last = await origin.run(some(30), at_once=8)
    assert (last.fetched, last.lacking) == (30, [])


async def test_nobody_asks_before_the_moment_that_the_origin_named() -> None:
    clock, pace = asyncio.get_running_loop().time, Pace(8)
    until = clock() + 0.02
    pace.refused(Unanswered("HTTP 429", retry_after=0.02))

    async def ask() -> float:
        async with pace.turn():
            return clock()

    assert min(await asyncio.gather(*(ask() for _ in range(20)))) >= until


async def test_an_origin_that_wants_to_be_left_alone_for_long_is_asked_no_more() -> None:
    async def give(one: File) -> int:
        if one.source == "pypi":
            raise Unanswered("HTTP 429", retry_after=3600)
        return SIZE

    origin = Origin(give)
    *_, last = await origin.run([*some(30), *versions("1.0", "2.0", source="other")], at_once=4)
    assert last.fetched == 2
    assert len(origin.asked) <= 4 + 2
    assert {one.why for one in last.lacking} == {"HTTP 429, and it is to be left alone for 3600 s"}


async def test_an_origin_that_is_away_is_tried_as_often_as_may_be_for_the_first_files_alone() -> None:
    async def give(_: File) -> int:
        raise Unanswered("no connection")

    origin = Origin(give)
    *_, last = await origin.run(some(40), at_once=4)
    assert [one.why for one in last.lacking] == ["no connection"] * 40
    assert len(origin.asked) == 4 * 4 + 36


async def test_what_is_missing_is_told_and_asked_for_once() -> None:
    async def give(one: File) -> int:
        if one.filename.startswith("demo-3-"):
            raise FileMissing("HTTP 404")
        return SIZE

    origin = Origin(give)
    *_, last = await origin.run(some(5))
    assert [(one.what, one.why) for one in last.lacking] == [("demo-3-py3-none-any.whl", "HTTP 404")]
    assert (last.fetched, len(origin.asked)) == (4, 5)
