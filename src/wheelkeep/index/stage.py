"""A stage: an index as it would be with a session's files published (PEP 694, "Staged Previews").

The same merge and the same policy, over the same sources; only the one that the session publishes to shows more.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from msgspec.structs import replace

from wheelkeep.core.model import Answer, File, Found, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.upload_rules import same_file
from wheelkeep.index.index import Index
from wheelkeep.index.sessions import Stager
from wheelkeep.sources.source import PATIENCE_PAGE, Advised, Bytes, Source
from wheelkeep.store.sessions import Session, Staged
from wheelkeep.store.uploads import PROVENANCE


class Stage:
    """One session's stage, for as long as a request takes."""

    def __init__(self, stager: Stager, session: Session, index: Index, source: Source, path: str) -> None:
        """``source``: the one that the session publishes to; ``path``: what stands before the stage's addresses, such
        as ``main/stage/TOKEN``."""
        self.session = session
        self._files = {
            staged.filename: staged for staged in session.live if staged.state == "completed" and staged.file
        }
        over = _Over(source, stager, session.project, self._files)
        sha256s = [staged.sha256 for staged in self._files.values() if staged.sha256 is not None]
        self.index = index.with_source(over, path, sha256s)

    def file(self, filename: str) -> Staged | None:
        """A completed file of the session."""
        return self._files.get(filename)


class _Over:
    """A hosted source with files that are not its own yet."""

    remote = False

    def __init__(
        self, source: Source, stager: Stager, project: ProjectName, staged: Mapping[str, Staged]
    ) -> None:
        self.name: SourceName = source.name
        self._source = source
        self._stager = stager
        self._project = project
        self._staged = staged
        self._files = tuple(one.file for one in staged.values() if one.file is not None)

    async def start(self) -> None:
        """Nothing to do: what lies below is started already."""

    async def ready(self) -> bool:
        return await self._source.ready()

    async def close(self) -> None:
        """Nothing to do: what lies below serves others."""

    async def page(self, project: ProjectName, *, patience: float = PATIENCE_PAGE) -> Answer:
        answer = await self._source.page(project, patience=patience)
        if project != self._project or not self._files:
            return answer
        if not isinstance(answer, Found):
            return Found(source=self.name, page=Page(project=project, files=self._files), claims=True)
        status = answer.page.status
        if status is not None and status.status == "quarantined":
            return answer
        there = {same_file(file.filename, project) for file in answer.page.files}
        more = [file for file in self._files if same_file(file.filename, project) not in there]
        files = sorted((*answer.page.files, *more), key=lambda file: file.filename)
        return replace(answer, page=replace(answer.page, files=tuple(files)))

    async def known(self, project: ProjectName) -> Page | None:
        answer = await self.page(project)
        return answer.page if isinstance(answer, Found) else None

    def open(self, file: File) -> AbstractAsyncContextManager[Bytes]:
        return self._source.open(file)

    async def metadata(self, file: File) -> bytes | None:
        return await self._source.metadata(file)

    async def piece(self, file: File, start: int, end: int) -> tuple[bytes, int] | None:
        return await self._source.piece(file, start, end)

    async def document(self, kind: str, key: str, url: str | None = None) -> bytes | None:
        if kind == PROVENANCE and (staged := self._staged.get(key)) is not None:
            # What is published of that name is on the page instead of it, and so is its document.
            published = await self._source.document(kind, key, url)
            return published or (await self._stager.beside(staged)).provenance
        return await self._source.document(kind, key, url)

    async def advisories(
        self,
        project: ProjectName,
        versions: Sequence[str],
        *,
        each: bool,
        patience: float | None = PATIENCE_PAGE,
    ) -> Advised:
        return await self._source.advisories(project, versions, each=each, patience=patience)

    async def names(self, *, patience: float = PATIENCE_PAGE) -> list[str] | None:
        names = await self._source.names(patience=patience)
        return sorted({*(names or ()), self._project}) if self._files else names
