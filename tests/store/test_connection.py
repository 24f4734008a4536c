"""What a statement answers, and who may give up waiting for it."""

import asyncio
import threading

import pytest
from sqlalchemy import delete, event, insert, select, update
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

from fakes.stores import Store
from wheelkeep.store.tables import source_health

NAMES = [{"source": name} for name in "abc"]


async def test_rows_are_there_when_the_transaction_is_over(store: Store) -> None:
    async with store.database.write() as connection:
        assert (await connection.execute(insert(source_health), NAMES)).all() == ()
        changed = await connection.execute(update(source_health).values(source=source_health.c.source + "!"))
        assert changed.rowcount == 3
    async with store.database.read() as connection:
        found = await connection.execute(select(source_health.c.source).order_by(source_health.c.source))
    assert [row.source for row in found] == [row[0] for row in found.all()] == ["a!", "b!", "c!"]
    assert list(found.scalars()) == ["a!", "b!", "c!"]
    assert found.scalar() == "a!" and found.first() == ("a!",)
    with pytest.raises(MultipleResultsFound):
        found.one()


async def test_one_row_or_none(store: Store) -> None:
    async with store.database.write() as connection:
        await connection.execute(insert(source_health), NAMES)
        one = await connection.execute(select(source_health.c.source).where(source_health.c.source == "b"))
        assert one.one() == ("b",) and one.scalar_one() == one.scalar_one_or_none() == "b"
        none = await connection.execute(select(source_health).where(source_health.c.source == "d"))
        assert none.first() is none.one_or_none() is none.scalar() is none.scalar_one_or_none() is None
        assert list(none.scalars()) == []
        with pytest.raises(NoResultFound):
            none.one()
        gone = delete(source_health).where(source_health.c.source != "b").returning(source_health.c.source)
        assert sorted((await connection.execute(gone)).scalars()) == ["a", "c"]


async def test_a_stream_may_be_left(store: Store) -> None:
    async with store.database.write() as connection:
        await connection.execute(insert(source_health), NAMES)
    async with store.database.read() as connection:
        query = select(source_health.c.source).order_by(source_health.c.source)
        assert [row.source async for row in connection.stream(query, 2)] == ["a", "b", "c"]
        async for row in connection.stream(query, 1):
            assert row.source == "a"
            break
    async with store.database.write() as connection:
        assert (await connection.execute(delete(source_health))).rowcount == 3


async def test_who_is_cancelled_while_a_statement_runs_leaves_nothing_and_blocks_nobody(store: Store) -> None:
    """The statement cannot be stopped: the end of the transaction waits for it, and then takes it back."""
    running, go_on = threading.Event(), threading.Event()

    async def slow() -> None:
        async with store.database.write() as connection:

            def wait(*_: object) -> None:
                running.set()
                assert go_on.wait(30)

            event.listen(connection._using(), "before_cursor_execute", wait, once=True)
            await connection.execute(insert(source_health).values(source="a"))

    task = asyncio.create_task(slow())
    assert await asyncio.to_thread(running.wait, 30)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.database.write() as connection:
        await connection.execute(insert(source_health).values(source="b"))
    async with store.database.read() as connection:
        assert (await connection.execute(select(source_health.c.source))).all() == [("b",)]


async def test_what_was_closed_can_be_used_again(store: Store) -> None:
    for name in "ab":
        async with store.database.write() as connection:
            await connection.execute(insert(source_health).values(source=name))
        await store.database.close()
    async with store.database.read() as connection:
        assert len((await connection.execute(select(source_health))).all()) == 2
