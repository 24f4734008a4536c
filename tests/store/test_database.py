"""Transactions: whole or not at all, readers beside writers, writers one after the other."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from fakes.stores import Store
from wheelkeep.core.errors import Unwritable
from wheelkeep.store import database as module
from wheelkeep.store.database import Database
from wheelkeep.store.tables import source_health


async def names(database: Database) -> list[str]:
    async with database.read() as connection:
        return [row[0] for row in await connection.execute(select(source_health.c.source))]


async def test_a_block_that_ends_is_kept_and_one_that_raises_is_not(store: Store) -> None:
    async with store.database.write() as connection:
        await connection.execute(insert(source_health).values(source="a"))
    with pytest.raises(RuntimeError):
        async with store.database.write() as connection:
            await connection.execute(insert(source_health).values(source="b"))
            raise RuntimeError
    with pytest.raises(IntegrityError):
        async with store.database.write() as connection:
            await connection.execute(insert(source_health).values(source="c"))
            await connection.execute(insert(source_health).values(source="a"))
    assert await names(store.database) == ["a"]


async def test_a_disk_that_takes_nothing_is_told_as_such(store: Store) -> None:
    async with store.database.write() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar()
    with pytest.raises(Unwritable, match="full"):
        async with store.database.write() as connection:
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            for number in range(100):
                await connection.execute(insert(source_health).values(source=f"{number}", reason="x" * 9000))
    assert await names(store.database) == []


async def test_readers_see_one_state_while_others_write(store: Store) -> None:
    async with store.database.read() as reading:
        assert (await reading.execute(select(source_health))).all() == []
        async with store.database.write() as connection:
            await connection.execute(insert(source_health).values(source="a"))
        assert (await reading.execute(select(source_health))).all() == []
    assert await names(store.database) == ["a"]


async def test_writers_of_several_keeps_take_turns(store: Store) -> None:
    """The lock is taken at the beginning, so that what was read still stands when it is written."""
    other = Database(store.path)

    async def count(database: Database) -> None:
        async with database.write() as connection:
            rows = (await connection.execute(select(source_health))).all()
            await asyncio.sleep(0.005)
            await connection.execute(insert(source_health).values(source=str(len(rows))))

    await asyncio.gather(*(count(database) for database in (store.database, other) for _ in range(5)))
    assert sorted(await names(store.database)) == [str(number) for number in range(10)]
    await other.close()


async def test_a_task_that_is_ended_in_a_write_leaves_nothing_and_blocks_nobody(store: Store) -> None:
    begun = asyncio.Event()

    async def stuck() -> None:
        async with store.database.write() as connection:
            await connection.execute(insert(source_health).values(source="a"))
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stuck())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with store.database.write() as connection:
        await connection.execute(insert(source_health).values(source="b"))
    assert await names(store.database) == ["b"]


async def test_a_commit_is_on_the_disk(store: Store) -> None:
    async with store.database.write() as connection:
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar() == "wal"
        await connection.execute(insert(source_health).values(source="a"))
    with closing(sqlite3.connect(store.path)) as elsewhere:
        assert elsewhere.execute("SELECT source FROM source_health").fetchall() == [("a",)]


async def test_a_program_that_keeps_others_from_writing_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PRAGMAS", ("PRAGMA busy_timeout=10",))
    path = tmp_path / "held.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        opened = Database(path)
        with pytest.raises(Unwritable, match=r"another program holds held\.sqlite: database is locked"):
            async with opened.write():
                pass
        await opened.close()
