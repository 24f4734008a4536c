"""Whatever is done to the books behind the keep's back is found, and the first line of it named."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.made import NOW, file, page, sha
from fakes.stores import Store
from wheelkeep.index.log_book import LogBook
from wheelkeep.index.log_check import LogCheck, check
from wheelkeep.index.sequencer import Sequencer
from wheelkeep.store.fetches import Fetch
from wheelkeep.store.ledger import Entry
from wheelkeep.store.pages import StoredPage
from wheelkeep.store.turn import Turn


@pytest_asyncio.fixture
async def filled(store: Store) -> AsyncIterator[Store]:
    for number in range(1, 6):
        await store.ledger.append(
            [Entry(kind="incident", at=NOW, source="pypi", project=f"p{number}", detail={"n": number})] * 2
        )
        store.fetches.append([fetch(number, "ada"), fetch(number, "bob")])
    yield store


def fetch(number: int, who: str) -> Fetch:
    return Fetch(
        at=NOW,
        index="main",
        source="pypi",
        project="demo",
        version=f"{number}.0",
        filename=f"demo-{number}.0.tar.gz",
        sha256=sha(f"{number}"),
        who=who,
        address="10.0.0.1",
        tool="pip/25",
    )


class Books:
    """The store as a keep has it."""

    def __init__(self, store: Store) -> None:
        self.ledger, self.fetches = store.ledger, store.fetches
        self.pages, self.facts = store.pages, store.facts
        sequencer = Sequencer(
            store.leaves,
            store.log_files,
            ledger=self.ledger,
            fetches=self.fetches,
            pages=self.pages,
            facts=self.facts,
            turn=Turn(store.data / "log.lock"),
            public_url=None,
        )
        self.log = LogBook(store.leaves, store.log_files, sequencer)


async def checked(store: Store) -> LogCheck:
    state = LogCheck()
    async for found in check(Books(store)):
        state = found
    return state


async def logged(store: Store) -> None:
    """What there is by now is in the log, with the heads of the books."""
    sequencer = Books(store).log.sequencer
    sequencer.start()
    await sequencer.close()


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
        connection.commit()


async def test_books_as_they_were_written_are_good(filled: Store) -> None:
    found = await checked(filled)
    assert (found.ledger, found.fetches, found.findings, found.good) == (10, 10, [], True)


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE ledger SET detail = '{}' WHERE id = 4", 4),
        ("UPDATE ledger SET at = at + 1 WHERE id = 1", 1),
        ("UPDATE ledger SET source = NULL WHERE id = 10", 10),
        ("DELETE FROM ledger WHERE id = 4", 5),
        ("DELETE FROM ledger WHERE id < 4", 4),
        ("UPDATE ledger SET id = 99 WHERE id = 4", 5),
        ("UPDATE ledger SET link = NULL WHERE id = 4", 4),
        (
            "INSERT INTO ledger (id, at, kind, detail, link) "
            "SELECT 11, at, kind, detail, link FROM ledger WHERE id = 10",
            11,
        ),
    ],
)
async def test_a_changed_ledger(filled: Store, statement: str, number: int) -> None:
    change(filled.path, statement)
    found = (await checked(filled)).findings[0]
    assert (found.book, found.number) == ("ledger", number)


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE fetches SET at = at + 1 WHERE id = 4", 4),
        ("UPDATE fetches SET waived = '[]' WHERE id = 4", 4),
        ("DELETE FROM fetches WHERE id = 4", 5),
        ("UPDATE fetches SET by = 3 - by WHERE id = 7", 7),
        ("UPDATE fetched_by SET address = '10.0.0.2' WHERE who = 'bob'", 2),
        ("UPDATE fetched_files SET sha256 = 'x' WHERE version = '3.0'", 5),
        ("UPDATE fetched_files SET project = 'x' WHERE version = '3.0'", 5),
        ("DELETE FROM fetched_files WHERE version = '3.0'", 5),
        ("DELETE FROM fetched_by WHERE who = 'ada'", 1),
    ],
)
async def test_a_changed_book_of_fetches(filled: Store, statement: str, number: int) -> None:
    change(filled.data / "fetches.sqlite", statement)
    found = (await checked(filled)).findings[0]
    assert (found.book, found.number) == ("fetches", number)


async def test_who_writes_next_goes_on_from_what_is_there(filled: Store) -> None:
    async with Store(filled.data) as other:
        await other.ledger.append([Entry(kind="freed", at=NOW)])
        other.fetches.append([fetch(9, "eve"), fetch(1, "ada")])
    filled.fetches.append([fetch(9, "ada")])
    await filled.ledger.append([Entry(kind="freed", at=NOW)])
    found = await checked(filled)
    assert (found.ledger, found.fetches, found.findings) == (12, 13, [])
    assert (await filled.ledger.head())[0] == 12
    assert (await filled.fetches.chained.head())[0] == 13


async def test_much_damage_is_told_in_part(filled: Store) -> None:
    await filled.ledger.append([Entry(kind="freed", at=NOW)] * 50)
    change(filled.path, "UPDATE ledger SET at = at + 1")
    assert len((await checked(filled)).findings) == 20


async def test_the_lines_of_an_older_version_are_chained(filled: Store) -> None:
    path = filled.data / "fetches.sqlite"
    before = await filled.fetches.chained.head()
    change(path, "UPDATE fetches SET link = NULL")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE fetches DROP COLUMN link")
        connection.execute("PRAGMA user_version=1")
        connection.commit()
    async with Store(filled.data) as store:
        found = await checked(store)
        assert (found.fetches, found.findings) == (10, [])
        assert await store.fetches.chained.head() == before


@pytest_asyncio.fixture
async def logs(filled: Store) -> AsyncIterator[Store]:
    kept = page(*(file(f"demo-{at}.0.tar.gz") for at in range(300)))
    await filled.pages.change(
        kept.files[0].source, kept.project, lambda _: StoredPage(page=kept, checked=NOW)
    )
    await logged(filled)
    yield filled


async def test_a_log_as_it_was_written_is_good(logs: Store) -> None:
    found = await checked(logs)
    assert (found.ledger, found.fetches, found.leaves, found.files) == (10, 10, 301, 300)
    assert found.findings == []
    assert found.checkpoint is not None


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE leaves SET sha256 = zeroblob(32) WHERE id = 4", 3),
        ("UPDATE leaves SET at = at + 1 WHERE id = 4", 3),
        ("DELETE FROM leaves WHERE id = 4", 3),
        ("DELETE FROM leaves WHERE id > 299", 299),
    ],
)
async def test_a_changed_log(logs: Store, statement: str, number: int) -> None:
    change(logs.path, statement)
    found = (await checked(logs)).findings[0]
    assert (found.book, found.number) == ("log", number)


@pytest.mark.parametrize("table", ["ledger", "fetches"])
async def test_a_tail_that_was_cut_off_is_missed(logs: Store, table: str) -> None:
    change(
        logs.path if table == "ledger" else logs.data / "fetches.sqlite", f"DELETE FROM {table} WHERE id > 8"
    )
    found = (await checked(logs)).findings[0]
    assert (found.book, found.number) == (table, 10)


async def test_a_ledger_that_was_written_anew_with_a_true_chain(logs: Store) -> None:
    change(logs.path, "DELETE FROM ledger WHERE id > 4")
    await logs.ledger.append([Entry(kind="incident", at=NOW)] * 8)
    found = (await checked(logs)).findings
    assert [(one.book, one.number) for one in found] == [("ledger", 10)]


async def test_a_page_that_was_changed(logs: Store) -> None:
    other = page(file("demo-1.0.tar.gz", sha256=sha("forged")))
    await logs.pages.change(
        other.files[0].source, other.project, lambda _: StoredPage(page=other, checked=NOW)
    )
    found = await checked(logs)
    assert [one.book for one in found.findings] == ["pages"]
    assert "demo-1.0.tar.gz" in found.findings[0].says


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "checkpoint").unlink(),
        lambda folder: (folder / "key.pub").unlink(),
        lambda folder: (folder / "level-0").unlink(),
        lambda folder: (folder / "level-1").write_bytes(bytes(32)),
        lambda folder: (folder / "checkpoint").write_text("nothing"),
        lambda folder: (folder / "checkpoint").write_text(
            (folder / "checkpoint").read_text().replace("\n301\n", "\n300\n")
        ),
    ],
)
async def test_damaged_files_of_the_log(logs: Store, damage: Callable[[Path], object]) -> None:
    damage(logs.data / "log")
    assert (await checked(logs)).findings[0].book == "log"
