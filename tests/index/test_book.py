"""Lines that follow what happened are written a moment later, and kept while the ledger cannot be written."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from fakes.made import DEMO, file
from wheelkeep.core.names import SourceName
from wheelkeep.core.pins import Incident
from wheelkeep.index import book as module
from wheelkeep.index.book import Book
from wheelkeep.store.ledger import Entry

PYPI = SourceName("pypi")


class Ledger:
    """Refuses so many times."""

    def __init__(self, refuses: int = 0) -> None:
        self.refuses = refuses
        self.groups: list[list[Entry]] = []

    async def append(self, entries: list[Entry]) -> None:
        if self.refuses:
            self.refuses -= 1
            raise OSError("the disk is full")
        self.groups.append(entries)

    @property
    def names(self) -> list[str | None]:
        return [entry.filename for group in self.groups for entry in group]


def made(ledger: Ledger) -> Book:
    return Book(cast(Any, ledger), cast(Any, None), cast(Any, None))


def incidents(book: Book, *names: str) -> None:
    for name in names:
        book.of_file(file(name), Incident(kind="hash-changed", filename=name, first="a", told="b"))


NAMES = [f"demo-{at}.0.tar.gz" for at in range(6)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, object], None]:
    monkeypatch.setattr(module, "RETRY", 0.001)
    return lambda name, value: monkeypatch.setattr(module, name, value)


async def written(book: Book) -> None:
    assert book._writing is not None
    await book._writing


async def test_many_in_one_commit() -> None:
    ledger = Ledger()
    book = made(ledger)
    incidents(book, *NAMES)
    await written(book)
    assert [len(group) for group in ledger.groups] == [6]
    assert ledger.groups[0][0].project == DEMO


async def test_the_same_incident_again_is_a_number() -> None:
    ledger = Ledger()
    book = made(ledger)
    incidents(book, NAMES[0], NAMES[0], NAMES[1], NAMES[0])
    await book.close()
    lines = [(one.filename, one.detail.get("count")) for group in ledger.groups for one in group]
    assert lines == [(NAMES[0], None), (NAMES[1], None), (NAMES[0], 2)]
    assert {one.kind for group in ledger.groups for one in group} == {"incident"}


async def test_what_cannot_be_written_is_tried_again_in_its_order(quick: object) -> None:
    ledger = Ledger(refuses=3)
    book = made(ledger)
    incidents(book, *NAMES[:3])
    await written(book)
    incidents(book, *NAMES[3:])
    await written(book)
    assert ledger.names == NAMES


async def test_where_there_is_no_room_it_is_on_record_how_many_are_missing(
    quick: Callable[[str, object], None],
) -> None:
    quick("MOST_WAITING", 4)
    ledger = Ledger(refuses=1)
    book = made(ledger)
    incidents(book, *NAMES)
    await written(book)
    first, *others = ledger.groups[0]
    assert (first.kind, first.detail) == ("lines lost", {"lines": 2})
    assert [entry.filename for entry in others] == NAMES[:4]
    incidents(book, "demo-9.0.tar.gz")
    await written(book)
    assert ledger.names[-1:] == ["demo-9.0.tar.gz"]
    assert [entry.kind for group in ledger.groups for entry in group].count("lines lost") == 1


async def test_an_end_waits_for_one_last_try() -> None:
    for refuses, expected in ((0, NAMES), (9, [])):
        ledger = Ledger(refuses)
        book = made(ledger)
        incidents(book, *NAMES)
        await book.close()
        assert ledger.names == expected
