"""A stage: an index as it would be with a session's files published (PEP 694, "Staged Previews").

The same merge and the same policy, over the same sources; only the one that the session publishes to shows more.
"""

from contextlib import AbstractAsyncContextManager

from msgspec.structs import replace

from wheelkeep.core.model import Answer, File, Found, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.upload_rules import same_file
from wheelkeep.index.gather import Place
from wheelkeep.index.index import Index
from wheelkeep.sources.source import PATIENCE_PAGE, Bytes, Source
from wheelkeep.store.sessions import Session, Staged


class Stage:
    """One session's stage, for as long as a request takes."""

    def __init__(self, session: Session, index: Index, path: str) -> None:
        """``path``: what stands before its addresses, such as ``main/stage/TOKEN``."""
        self.session = session
        self._files = {
            staged.filename: staged for staged in session.live if staged.state == "completed" and staged.file
        }
        files = tuple(staged.file for staged in self._files.values() if staged.file is not None)

        def over(place: Place) -> Place:
            if place.source.name != session.source:
                return place
            return replace(place, source=_Over(place.source, session.project, files))

        self.index = index.seen_from(path, over)

    def file(self, filename: str) -> Staged | None:
        """A completed file of the session."""
        return self._files.get(filename)


class _Over:
    """A hosted source with files that are not its own yet."""

    remote = False

    def __init__(self, source: Source, project: ProjectName, files: tuple[File, ...]) -> None:
        self.name: SourceName = source.name
        self._source = source
        self._project = project
        self._files = files

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
        return await self._source.document(kind, key, url)

    async def names(self, *, patience: float = PATIENCE_PAGE) -> list[str] | None:
        names = await self._source.names(patience=patience)
        return sorted({*(names or ()), self._project}) if self._files else names
