"""How a hosted project stands as a whole: its status, and whether its name was given up. For transactions of others."""

from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.core.model import Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.connection import Connection
from wheelkeep.store.tables import hosted_projects


class Standing(Struct, frozen=True):
    """What was said of a project."""

    status: Status | None = None
    """PEP 792; None: active, without a word."""
    freed: bool = False
    """Without a file, the name is the source's no longer."""


async def read_standing(connection: Connection, source: SourceName, project: ProjectName) -> Standing:
    """How a project stands; one of which nothing was said is active and keeps its name."""
    query = select(hosted_projects).where(
        hosted_projects.c.source == source, hosted_projects.c.project == project
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return Standing()
    plain = row.status == "active" and not row.reason
    return Standing(None if plain else Status(row.status, row.reason), bool(row.freed))


async def write_standing(
    connection: Connection, source: SourceName, project: ProjectName, standing: Standing
) -> None:
    """Puts one in the place of what was said before."""
    status = standing.status or Status("active")
    values = {"status": status.status, "reason": status.reason, "freed": int(standing.freed)}
    statement = insert(hosted_projects).values(source=source, project=project, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["source", "project"], set_=values)
    )


async def registered(connection: Connection, source: SourceName, project: ProjectName) -> bool:
    """Whether the name is the source's by word alone: something was said of it."""
    query = select(hosted_projects.c.project).where(
        hosted_projects.c.source == source, hosted_projects.c.project == project
    )
    return (await connection.execute(query)).first() is not None


async def hold(connection: Connection, source: SourceName, project: ProjectName) -> None:
    """A file comes: a name that was given up is the source's again, and stays it when the file goes."""
    await connection.execute(
        update(hosted_projects)
        .where(hosted_projects.c.source == source, hosted_projects.c.project == project)
        .values(freed=0)
    )
