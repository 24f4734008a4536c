"""Our own uploads: pages from the database, bytes from the store. Uploads come in through the index, not here."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from wheelkeep.core.errors import FileMissing
from wheelkeep.core.model import Absent, Answer, File, Found, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.sources.source import PATIENCE_PAGE, UNADVISED, Advised, Bytes
from wheelkeep.store.facts import Facts
from wheelkeep.store.releases import Releases
from wheelkeep.store.uploads import PROVENANCE


class Hosted:
    """A source whose names never go back: what it once had stays its own until an operator frees it."""

    remote = False

    def __init__(self, name: SourceName, facts: Facts, releases: Releases) -> None:
        self.name = name
        self._facts = facts
        self._releases = releases

    async def start(self) -> None:
        """Nothing to do: the database is the source."""

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to do."""

    async def page(self, project: ProjectName, *, patience: float = PATIENCE_PAGE) -> Answer:
        holding = await self._releases.look(self.name, project)
        if holding is None or (holding.standing.freed and not holding.files):
            return Absent(source=self.name)
        status = holding.standing.status
        # PEP 792: a quarantined project offers no files; and as it keeps its name, nobody else's stand in for them.
        files = () if status is not None and status.status == "quarantined" else holding.files
        page = Page(project=project, files=files, status=status)
        return Found(source=self.name, page=page, claims=True)

    @asynccontextmanager
    async def open(self, file: File) -> AsyncIterator[Bytes]:
        # Its bytes are in the store or nowhere: there is no origin to fetch them from.
        raise FileMissing(
            f"{file.filename} was uploaded here, and its bytes are gone: restore them from a backup"
        )
        yield  # pragma: no cover - makes this a generator

    async def metadata(self, file: File) -> bytes | None:
        return None

    async def piece(self, file: File, start: int, end: int) -> tuple[bytes, int] | None:
        return None

    async def document(self, kind: str, key: str, url: str | None = None) -> bytes | None:
        if kind != PROVENANCE:
            return None
        found = await self._facts.document(self.name, kind, key)
        return found[0] if found is not None else None

    async def advisories(
        self,
        project: ProjectName,
        versions: Sequence[str],
        *,
        each: bool,
        patience: float | None = PATIENCE_PAGE,
    ) -> Advised:
        return UNADVISED

    async def known(self, project: ProjectName) -> Page | None:
        answer = await self.page(project)
        return answer.page if isinstance(answer, Found) else None

    async def names(self, *, patience: float = PATIENCE_PAGE) -> list[str] | None:
        return await self._facts.hosted_names(self.name)
