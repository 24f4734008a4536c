"""Noting fetches: one commit for all who wait, and nobody waits for a book that cannot be written."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from fakes.made import file
from wheelkeep.core.asker import Asker
from wheelkeep.core.names import IndexName
from wheelkeep.core.verdict import Decision
from wheelkeep.index import fetch_book
from wheelkeep.index.fetch_book import FetchBook
from wheelkeep.store.fetches import Fetch, Unwritable

ADMITTED = Decision(verdicts=())


class Paper:
    """A book of which the test says when it can be written."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.broken: Exception | None = None
        self.free = threading.Event()
        self.free.set()
        self.tries = 0

    def append(self, lines: Sequence[Fetch]) -> None:
        self.tries += 1
        self.free.wait(10)
        if self.broken is not None:
            raise self.broken
        self.groups.append([line.version for line in lines])

    async def close(self) -> None:
        """Nothing to close."""


class Pen(FetchBook):
    """The book under test, with what it was told to be lost."""

    def __init__(self, paper: Paper) -> None:
        self.lost: list[int] = []
        super().__init__(paper, lost=self._count)  # type: ignore[arg-type]

    async def _count(self, lines: int) -> None:
        self.lost.append(lines)

    async def write(self, version: str) -> None:
        told = file(f"demo-{version}-py3-none-any.whl")
        asker = Asker("ci", "10.0.0.1", "pip/25")
        await self.note(IndexName("main"), told, ADMITTED, asker, sha256=told.sha256, partial=False)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_book, "RETRY", 0.02)


async def until(what: object) -> None:
    assert callable(what)
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.005)


async def test_nobody_goes_on_before_the_line_is_written_and_many_wait_for_one_commit() -> None:
    paper = Paper()
    pen = Pen(paper)
    paper.free.clear()
    notes = [asyncio.create_task(pen.write(f"{number}.0")) for number in range(5)]
    await until(lambda: paper.tries == 1)
    assert not any(note.done() for note in notes)
    paper.free.set()
    await asyncio.gather(*notes)
    assert [version for group in paper.groups for version in group] == [f"{number}.0" for number in range(5)]
    assert len(paper.groups) <= 2
    await pen.close()


async def test_a_client_that_leaves_has_its_line_all_the_same() -> None:
    paper = Paper()
    pen = Pen(paper)
    paper.free.clear()
    note = asyncio.create_task(pen.write("1.0"))
    await until(lambda: paper.tries == 1)
    note.cancel()
    await asyncio.wait([note])
    paper.free.set()
    await pen.write("2.0")
    assert paper.groups == [["1.0"], ["2.0"]]
    await pen.close()


@pytest.mark.parametrize("broken", [Unwritable("disk full"), ValueError("never thought of")])
async def test_while_it_cannot_be_written_nobody_waits_and_nothing_is_lost(broken: Exception) -> None:
    paper = Paper()
    pen = Pen(paper)
    paper.broken = broken
    for version in ("1.0", "2.0", "3.0"):
        await pen.write(version)
    assert pen.behind
    paper.broken = None
    await until(lambda: not pen.behind)
    assert [version for group in paper.groups for version in group] == ["1.0", "2.0", "3.0"]
    assert pen.lost == []
    await pen.write("4.0")
    assert paper.groups[-1] == ["4.0"]
    await pen.close()


async def test_what_there_is_no_room_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_book, "MOST_WAITING", 3)
    paper = Paper()
    pen = Pen(paper)
    paper.broken = Unwritable("disk full")
    for number in range(10):
        await pen.write(f"{number}.0")
    paper.broken = None
    await until(lambda: not pen.behind)
    assert [version for group in paper.groups for version in group] == ["7.0", "8.0", "9.0"]
    assert pen.lost == [7]
    await pen.close()


async def test_a_disk_that_hangs_holds_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_book, "PATIENCE", 0.05)
    paper = Paper()
    pen = Pen(paper)
    paper.free.clear()
    await asyncio.gather(pen.write("1.0"), pen.write("2.0"))
    assert pen.behind
    assert paper.groups == []
    await pen.write("3.0")
    paper.free.set()
    await until(lambda: not pen.behind)
    assert [version for group in paper.groups for version in group] == ["1.0", "2.0", "3.0"]
    await pen.close()


async def test_the_end_writes_what_is_left() -> None:
    paper = Paper()
    pen = Pen(paper)
    paper.broken = Unwritable("disk full")
    await pen.write("1.0")
    paper.broken = None
    await pen.close()
    assert paper.groups == [["1.0"]]
    other = Pen(paper)
    paper.broken = Unwritable("disk full")
    await other.write("2.0")
    await other.close()
    assert paper.groups == [["1.0"]]
