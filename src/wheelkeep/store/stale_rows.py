"""Rows that nobody needs any more: pages of sources that are no longer configured, metadata of files that are on no
page. What a hosted source has, or once had, is never among them.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select

from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.database import Database
from wheelkeep.store.tables import pages, wheel_metadata


class StaleRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def pages(
        self, configured: Collection[str], before: datetime
    ) -> list[tuple[SourceName, ProjectName]]:
        """The pages of other sources than these, that no answer was had for since a moment."""
        query = select(pages.c.source, pages.c.project).where(
            pages.c.source.not_in(list(configured)), pages.c.checked < before.timestamp()
        )
        async with self._database.read() as connection:
            return [(row.source, row.project) for row in await connection.execute(query)]

    async def metadata(self) -> dict[tuple[SourceName, ProjectName], list[str]]:
        """By source and project, the file names of which metadata is kept."""
        columns = (wheel_metadata.c.source, wheel_metadata.c.project, wheel_metadata.c.filename)
        found: dict[tuple[SourceName, ProjectName], list[str]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(select(*columns)):
                found.setdefault((row.source, row.project), []).append(row.filename)
        return found

    async def drop_pages(self, keys: Collection[tuple[SourceName, ProjectName]]) -> None:
        """Removes pages, in one commit."""
        async with self._database.write() as connection:
            for source, project in keys:
                await connection.execute(
                    delete(pages).where(pages.c.source == source, pages.c.project == project)
                )

    async def drop_metadata(self, keys: Collection[tuple[SourceName, str]]) -> None:
        """Removes metadata by source and file name, in one commit."""
        async with self._database.write() as connection:
            for source, filename in keys:
                await connection.execute(
                    delete(wheel_metadata).where(
                        wheel_metadata.c.source == source, wheel_metadata.c.filename == filename
                    )
                )
