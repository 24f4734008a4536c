"""The owners of hosted projects, as rows. What they may do is core/owners' to say."""

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import delete, insert, select

from wheelkeep.core.errors import NotOwned
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.owners import stranger
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.tables import hosted_owners

Names = tuple[str, ...]
"""Each once, in the order of their letters."""


class Owners:
    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def of(self, source: SourceName, project: ProjectName) -> Names:
        """The owners of one project; empty: nobody was named."""
        async with self._database.read() as connection:
            return await read_owners(connection, source, project)

    async def of_all(self, source: SourceName, projects: Sequence[ProjectName]) -> dict[ProjectName, Names]:
        """The owners of those among the projects that have some."""
        query = select(hosted_owners.c.project, hosted_owners.c.name).where(
            hosted_owners.c.source == source, hosted_owners.c.project.in_(projects)
        )
        found: dict[ProjectName, Names] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(query.order_by(hosted_owners.c.name)):
                name = ProjectName(row.project)
                found[name] = (*found.get(name, ()), row.name)
        return found

    async def change(
        self,
        source: SourceName,
        project: ProjectName,
        become: Callable[[Names], Collection[str]],
        noted: Callable[[Names, Names], Entry],
    ) -> tuple[Names, Names]:
        """Puts others in the place of the owners, with a line in the ledger; gives those before and those now.

        The look and the write are one transaction, so of two changes at once none is lost. ``become`` may raise.
        """
        async with self._database.write() as connection:
            before = await read_owners(connection, source, project)
            after = tuple(sorted(set(become(before))))
            if after != before:
                await drop_owners(connection, source, project)
                if after:
                    rows = [{"source": source, "project": project, "name": name} for name in after]
                    await connection.execute(insert(hosted_owners), rows)
                await self._ledger.write(connection, [noted(before, after)])
        return before, after


async def read_owners(connection: Connection, source: SourceName, project: ProjectName) -> Names:
    """The owners of one project, in a transaction of somebody else's."""
    query = select(hosted_owners.c.name).where(
        hosted_owners.c.source == source, hosted_owners.c.project == project
    )
    return tuple(row.name for row in await connection.execute(query.order_by(hosted_owners.c.name)))


async def need_owner(
    connection: Connection, source: SourceName, project: ProjectName, asker: str | None
) -> None:
    """In a transaction of somebody else's: raises NotOwned where the project has owners and ``asker`` is none of them.

    None: whoever asks may do everything.
    """
    if asker is None:
        return
    if (says := stranger(project, await read_owners(connection, source, project), asker)) is not None:
        raise NotOwned(says)


async def drop_owners(connection: Connection, source: SourceName, project: ProjectName) -> None:
    """A project without owners, in a transaction of somebody else's."""
    await connection.execute(
        delete(hosted_owners).where(hosted_owners.c.source == source, hosted_owners.c.project == project)
    )
