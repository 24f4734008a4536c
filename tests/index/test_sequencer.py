"""The log follows what the database holds, and never signs two trees of one size."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes.made import NOW, file, later, page, sha
from fakes.stores import Store
from wheelkeep.core import merkle, tiles
from wheelkeep.core.checkpoint import Checkpoint, read_signed
from wheelkeep.core.log_entries import Heads, SeenFile
from wheelkeep.core.model import Page
from wheelkeep.core.names import SourceName
from wheelkeep.index.sequencer import LogBroken, Sequencer
from wheelkeep.store.ledger import Entry
from wheelkeep.store.pages import StoredPage
from wheelkeep.store.turn import Turn

PYPI = SourceName("pypi")


def sequencer(store: Store) -> Sequencer:
    return Sequencer(
        store.leaves,
        store.log_files,
        ledger=store.ledger,
        fetches=store.fetches,
        pages=store.pages,
        facts=store.facts,
        turn=Turn(store.data / "log.lock"),
        public_url="https://keep.example",
    )


async def keep_page(store: Store, kept: Page, seconds: float = 0) -> None:
    await store.pages.change(
        PYPI, kept.project, lambda _: StoredPage(page=kept, checked=later(seconds=seconds))
    )


def signed(store: Store) -> Checkpoint:
    """The checkpoint, verified, with a tree that its hashes prove."""
    found, key = store.log_files.checkpoint(), store.log_files.public_key()
    assert found is not None
    assert key is not None
    _, checkpoint = read_signed(str(found[0]), key)
    growing = merkle.Frontier()
    for leaf in store.log_files.hashes(0, 0, checkpoint.size):
        growing.add(leaf)
    assert (growing.size, growing.root()) == (checkpoint.size, checkpoint.root)
    assert merkle.root(checkpoint.size, tiles.nodes_in(store.log_files.hashes)) == checkpoint.root
    return checkpoint


async def entries(store: Store) -> list[SeenFile | Heads]:
    return [leaf.entry async for group in store.leaves.span(0, 10_000) for leaf in group]


async def test_first_sights_become_leaves_in_their_order(store: Store) -> None:
    log = sequencer(store)
    assert await log.once()
    assert signed(store).size == 0
    await keep_page(store, page(file("a-1.0.tar.gz", sha256=sha("a1")), project="a"))
    await keep_page(store, page(file("b-1.0.tar.gz", sha256=None), project="b"))
    assert await log.once()
    assert signed(store).size == 1
    # A hash that is told, or seen, later; a page that only grew; a hash that is known.
    await keep_page(store, page(file("b-1.0.tar.gz", sha256=sha("b1")), project="b"), 5)
    await keep_page(
        store,
        page(file("a-1.0.tar.gz", sha256=sha("a1")), file("a-2.0.tar.gz", sha256=sha("a2")), project="a"),
    )
    await keep_page(
        store,
        page(file("a-1.0.tar.gz", sha256=sha("a1")), file("a-2.0.tar.gz", sha256=sha("a2")), project="a"),
    )
    assert await log.once()
    assert signed(store).size == 3
    told = [entry for entry in await entries(store) if isinstance(entry, SeenFile)]
    assert [(one.filename, one.sha256) for one in told] == [
        ("a-1.0.tar.gz", sha("a1")),
        ("b-1.0.tar.gz", sha("b1")),
        ("a-2.0.tar.gz", sha("a2")),
    ]
    assert len({one.salt for one in told}) == 3


async def test_a_name_stays_with_the_hash_that_was_seen_first(store: Store) -> None:
    await keep_page(store, page(file("a-1.0.tar.gz", sha256=sha("a1")), project="a"))
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DELETE FROM pages")
        connection.commit()
    await keep_page(store, page(file("a-1.0.tar.gz", sha256=sha("other")), project="a"))
    assert await store.leaves.seen("pypi", ["a-1.0.tar.gz", "b"]) == {"a-1.0.tar.gz": sha("a1")}
    other = SourceName("other")
    await store.leaves.add_seen([replace(file("a-1.0.tar.gz", sha256=sha("other")), source=other)], NOW)
    assert [leaf.index for leaf in await store.leaves.of_file("a-1.0.tar.gz")] == [0, 1]
    assert [leaf.index for leaf in await store.leaves.of_sha256(sha("other"))] == [1]


async def test_many_tiles(store: Store) -> None:
    log = sequencer(store)
    for start, end in ((0, 300), (300, 513), (513, 70_000)):
        files = [file(f"a-{at}.0.tar.gz", sha256=sha(f"{at}")) for at in range(start, end)]
        await store.leaves.add_seen(files, NOW)
        assert await log.once()
        assert signed(store).size == end
    assert len(store.log_files.hashes(1, 0, 1000)) == 273
    assert len(store.log_files.hashes(2, 0, 1000)) == 1


async def test_the_heads_of_the_books_are_noted_where_they_moved(store: Store) -> None:
    for _ in range(2):
        log = sequencer(store)
        log.start()
        await log.close()
    await store.ledger.append([Entry(kind="freed", at=NOW)])
    log = sequencer(store)
    log.start()
    await log.close()
    assert signed(store).size == 2
    first, second = await entries(store)
    assert isinstance(first, Heads)
    assert isinstance(second, Heads)
    assert (first.ledger.number, second.ledger.number) == (0, 1)
    assert second.ledger.link == (await store.ledger.head())[1].hex()


async def test_one_process_at_a_time(store: Store) -> None:
    turn = Turn(store.data / "log.lock")
    assert turn.take()
    assert not await sequencer(store).once()
    turn.give_back()
    assert await sequencer(store).once()


async def test_a_log_that_begins_late_has_what_was_seen_before(store: Store) -> None:
    await keep_page(
        store, page(file("a-1.0.tar.gz", sha256=sha("a1")), file("a-2.0.tar.gz", sha256=None), project="a")
    )
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DELETE FROM leaves")
        connection.execute("DELETE FROM sqlite_sequence WHERE name = 'leaves'")
        connection.commit()
    assert await sequencer(store).once()
    assert await sequencer(store).once()
    assert [entry.filename for entry in await entries(store) if isinstance(entry, SeenFile)] == [
        "a-1.0.tar.gz"
    ]


async def test_a_crash_between_hashes_and_checkpoint_changes_nothing(store: Store) -> None:
    log = sequencer(store)
    await store.leaves.add_seen([file(f"a-{at}.0.tar.gz", sha256=sha(f"{at}")) for at in range(300)], NOW)
    await log.once()
    before = store.log_files.checkpoint()
    assert before is not None
    await store.leaves.add_seen([file("b-1.0.tar.gz", sha256=sha("b"))], NOW)
    await log.once()
    after = signed(store)
    store.log_files.write_checkpoint(before[0])
    await sequencer(store).once()
    assert signed(store) == after


@pytest.mark.parametrize("damage", [b"", b"\x00" * 9_000, None])
async def test_lost_hashes_are_made_anew(store: Store, damage: bytes | None) -> None:
    await store.leaves.add_seen([file(f"a-{at}.0.tar.gz", sha256=sha(f"{at}")) for at in range(300)], NOW)
    await sequencer(store).once()
    path = store.data / "log" / "level-0"
    path.unlink() if damage is None else path.write_bytes(damage)
    await sequencer(store).once()
    assert signed(store).size == 300


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaves SET sha256 = x'00' WHERE id = 3",
        "DELETE FROM leaves WHERE id = 3",
        "DELETE FROM leaves WHERE id = 5",
    ],
)
async def test_nothing_is_signed_over_a_changed_past(store: Store, statement: str) -> None:
    await store.leaves.add_seen([file(f"a-{at}.0.tar.gz", sha256=sha(f"{at}")) for at in range(5)], NOW)
    await sequencer(store).once()
    before = signed(store)
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute(statement)
        connection.commit()
    (store.data / "log" / "level-0").unlink()
    with pytest.raises(LogBroken):
        await sequencer(store).once()
    found = store.log_files.checkpoint()
    assert found is not None
    assert found[1] == before


async def test_a_broken_log_is_on_record(store: Store) -> None:
    await store.leaves.add_seen([file("a-1.0.tar.gz", sha256=sha("a"))], NOW)
    await sequencer(store).once()
    async with store.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM leaves")
    (store.data / "log" / "level-0").unlink()
    running = sequencer(store)
    running.start()
    for _ in range(500):
        if found := await store.ledger.last("incident"):
            break
        await asyncio.sleep(0.01)
    await running.close()
    [entry] = found
    assert entry.detail["what"] == "log-broken"
    assert entry.detail["reason"]


async def test_the_key_and_the_name_stay(store: Store) -> None:
    await sequencer(store).once()
    key = store.log_files.public_key()
    assert key is not None
    assert key.name == "keep.example/log"
    kept: Path = store.data / "log" / "key"
    assert kept.stat().st_mode & 0o777 == 0o600
    (store.data / "log" / "key.pub").unlink()
    await sequencer(store).once()
    assert store.log_files.public_key() == key
