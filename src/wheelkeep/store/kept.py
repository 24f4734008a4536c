"""Which blobs were ever kept. What is in here and not on the disk is missing, unless it was removed on purpose."""

import time
from collections.abc import AsyncIterator, Collection

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from wheelkeep.core.errors import Unwritable
from wheelkeep.store.database import Database
from wheelkeep.store.tables import kept_blobs

_AT_ONCE = 500


class KeptBlobs:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, hashes: Collection[str]) -> bool:
        """Notes blobs that are in the store, in one commit; those that are noted already stay as they are.

        False: the disk did not take it. That is made up for when the blobs are next read as a whole.
        """
        if not hashes:
            return True
        rows = [{"sha256": sha256, "at": time.time()} for sha256 in hashes]
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(kept_blobs).on_conflict_do_nothing(), rows)
        except (SQLAlchemyError, Unwritable):
            return False
        return True

    async def drop(self, hashes: Collection[str]) -> None:
        """Forgets blobs that are removed on purpose, in one commit."""
        every = list(hashes)
        async with self._database.write() as connection:
            for at in range(0, len(every), _AT_ONCE):
                await connection.execute(
                    delete(kept_blobs).where(kept_blobs.c.sha256.in_(every[at : at + _AT_ONCE]))
                )

    async def all(self) -> AsyncIterator[str]:
        """The names of all."""
        query = select(kept_blobs.c.sha256)
        async with self._database.read() as connection:
            async for row in connection.stream(query, 10 * _AT_ONCE):
                yield row.sha256
