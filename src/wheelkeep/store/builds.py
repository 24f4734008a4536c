"""The book of builds: each wheel that was built here, of what, and the signed statement about it. Rows stay."""

import msgspec
from msgspec import Struct
from sqlalchemy import insert, select, update

from wheelkeep.core.built import Built
from wheelkeep.core.names import ProjectName
from wheelkeep.core.statement import Envelope
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.packed import squeeze, unsqueeze
from wheelkeep.store.tables import builds

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Built)


class Stated(Struct, frozen=True):
    """A build with what the keep signed about it."""

    built: Built
    envelope: Envelope


class Builds:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, built: Built, envelope: Envelope) -> None:
        """Keeps a build; its wheel must be in the store."""
        row = {
            "id": built.id,
            "at": built.ended.timestamp(),
            "sdist": built.sdist.sha256,
            "python": built.tools.python,
            "platform": built.tools.platform,
            "project": built.sdist.project,
            "sha256": built.sha256,
            "body": squeeze(_encoder.encode(built)),
            "envelope": squeeze(msgspec.json.encode(envelope)),
        }
        async with self._database.write() as connection:
            await connection.execute(insert(builds).values(**row))

    async def of_sdist(self, sha256: str, python: str, platform: str) -> list[Built]:
        """What was built of an sdist by such a Python, the newest first, less wheels that were deleted since."""
        query = select(builds.c.body).where(
            builds.c.sdist == sha256,
            builds.c.python == python,
            builds.c.platform == platform,
            builds.c.gone == 0,
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(builds.c.at.desc(), builds.c.id))
            return [_decoder.decode(unsqueeze(row.body)) for row in rows]

    async def of_project(self, project: ProjectName) -> list[Stated]:
        """Every build of a project, the newest first."""
        query = select(builds).where(builds.c.project == project)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(builds.c.at.desc(), builds.c.id))
            return [
                Stated(
                    _decoder.decode(unsqueeze(row.body)),
                    msgspec.json.decode(unsqueeze(row.envelope), type=Envelope),
                )
                for row in rows
            ]

    async def wheels(self, project: ProjectName) -> dict[str, str]:
        """The sha256 of each wheel of a project that was built here, with the id of its newest build."""
        query = select(builds.c.sha256, builds.c.id).where(builds.c.project == project)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(builds.c.at, builds.c.id))
            return {row.sha256: row.id for row in rows}

    async def needed(self) -> set[str]:
        """The sha256 of every wheel that was built here and not deleted since, and of what each was built of."""
        query = select(builds.c.sha256, builds.c.sdist).where(builds.c.gone == 0)
        async with self._database.read() as connection:
            return {sha256 for row in await connection.execute(query) for sha256 in row}


async def forget(connection: Connection, sha256: str) -> None:
    """A wheel was deleted for good: no build's result is taken from the store any more, in a transaction of somebody
    else's."""
    await connection.execute(update(builds).where(builds.c.sha256 == sha256).values(gone=1))
