"""What verifying files' attestations came to, kept for ever: also of files that their source no longer lists."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.core.attested import Fact, Remembered
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.database import Database
from wheelkeep.store.tables import attested_files

_decoder = msgspec.json.Decoder(Fact)


class AttestedFiles:
    def __init__(self, database: Database) -> None:
        self._database = database

    def apart(self, staged: Collection[str]) -> "AttestedFiles":
        """The same, but what is learnt of these bytes, by sha256, is kept in memory alone."""
        return _Apart(self._database, staged)

    async def of(self, project: ProjectName, sources: Collection[SourceName]) -> list[Remembered]:
        """All that is known of a project's files in these sources."""
        query = select(attested_files).where(
            attested_files.c.project == project, attested_files.c.source.in_(sources)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Remembered(
                source=SourceName(row.source),
                filename=row.filename,
                version=row.version,
                sha256=row.sha256,
                fact=_decoder.decode(row.fact),
                came=datetime.fromtimestamp(row.came, UTC) if row.came is not None else None,
                roots=row.roots,
                checked=datetime.fromtimestamp(row.checked, UTC),
            )
            for row in rows
        ]

    async def learn(self, project: ProjectName, learnt: Sequence[Remembered]) -> None:
        """Keeps facts; a newer one takes the place of an older one about the same file."""
        rows = [
            {
                "source": one.source,
                "filename": one.filename,
                "project": project,
                "version": one.version,
                "sha256": one.sha256,
                "fact": msgspec.json.encode(one.fact).decode(),
                "came": one.came.timestamp() if one.came is not None else None,
                "roots": one.roots,
                "checked": one.checked.timestamp(),
            }
            for one in learnt
        ]
        if not rows:
            return
        statement = insert(attested_files)
        changed = {name: statement.excluded[name] for name in rows[0] if name not in ("source", "filename")}
        async with self._database.write() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["source", "filename"], set_=changed), rows
            )


class _Apart(AttestedFiles):
    def __init__(self, database: Database, staged: Collection[str]) -> None:
        super().__init__(database)
        self._staged = frozenset(staged)
        self._learnt: dict[tuple[SourceName, str], Remembered] = {}

    async def of(self, project: ProjectName, sources: Collection[SourceName]) -> list[Remembered]:
        kept = await super().of(project, sources)
        return [
            *(one for one in kept if (one.source, one.filename) not in self._learnt),
            *self._learnt.values(),
        ]

    async def learn(self, project: ProjectName, learnt: Sequence[Remembered]) -> None:
        self._learnt |= {(one.source, one.filename): one for one in learnt if one.sha256 in self._staged}
        await super().learn(project, [one for one in learnt if one.sha256 not in self._staged])
