"""A source in memory: it says what a test tells it to, when it is let to, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import Absent, Answer, File, Found, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.sources.source import PATIENCE_PAGE, UNADVISED, Advised, Bytes


class Scripted:
    """Fulfils ``sources.source.Source``.

    Knobs: ``answers`` (by project; a list is used up from the front, its last stays), ``held`` (while set, pages
    wait for it), ``contents`` (by file name), ``told`` (metadata beside a file),
    ``documents`` (further ones, by key), ``ranges``, ``lengths`` (whether
    a download tells its length), ``stop_at`` and ``go_on`` (a download waits there), ``break_at`` (it ends there),
    ``broken`` (raised by everything about files).
    """

    def __init__(self, name: str = "pypi", *, remote: bool = True) -> None:
        self.name = SourceName(name)
        self.remote = remote
        self.answers: dict[str, list[Answer]] = {}
        self.held: asyncio.Event | None = None
        self.contents: dict[str, bytes] = {}
        self.told: dict[str, bytes] = {}
        self.documents: dict[str, bytes] = {}
        self.documents_asked: list[str] = []
        self.ranges = True
        self.lengths = True
        self.stop_at: int | None = None
        self.go_on = asyncio.Event()
        self.break_at: int | None = None
        self.broken: Exception | None = None
        self.asked: list[tuple[str, float]] = []
        self.opened: list[str] = []
        self.pieces: list[tuple[int, int]] = []
        self.complete = True
        self.listed: list[str] | None = None
        self.advice = UNADVISED
        self.advised: list[tuple[str, bool]] = []

    def says(self, *answers: Answer, project: str = "demo") -> None:
        self.answers[project] = list(answers)

    async def start(self) -> None: ...

    async def ready(self) -> bool:
        return self.complete

    async def close(self) -> None: ...

    async def page(self, project: ProjectName, *, patience: float = PATIENCE_PAGE) -> Answer:
        self.asked.append((project, patience))
        if self.held is not None:
            await self.held.wait()
        answers = self.answers.get(project, [Absent(source=self.name)])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def known(self, project: ProjectName) -> Page | None:
        answer = self.answers.get(project, [None])[0]
        return answer.page if isinstance(answer, Found) else None

    @asynccontextmanager
    async def open(self, file: File) -> AsyncIterator[Bytes]:
        self.opened.append(file.filename)
        yield _Flow(self, self._content(file))

    def _content(self, file: File) -> bytes:
        if self.broken is not None:
            raise self.broken
        if file.filename not in self.contents:
            raise FileMissing(f"{file.filename}: HTTP 404")
        return self.contents[file.filename]

    async def metadata(self, file: File) -> bytes | None:
        if self.broken is not None:
            raise self.broken
        return self.told.get(file.filename)

    async def piece(self, file: File, start: int, end: int) -> tuple[bytes, int] | None:
        content = self._content(file)
        if not self.ranges:
            return None
        self.pieces.append((start, end))
        return (content[start:] if start < 0 else content[start:end]), len(content)

    async def document(self, kind: str, key: str, url: str | None = None) -> bytes | None:
        self.documents_asked.append(key)
        if self.broken is not None:
            raise self.broken
        return self.documents.get(key)

    async def advisories(
        self,
        project: ProjectName,
        versions: Sequence[str],
        *,
        each: bool,
        patience: float | None = PATIENCE_PAGE,
    ) -> Advised:
        if patience is not None:
            self.advised.append((project, each))
        return self.advice

    async def names(self, *, patience: float = PATIENCE_PAGE) -> list[str] | None:
        return self.listed


class _Flow:
    def __init__(self, source: Scripted, content: bytes) -> None:
        self._source = source
        self._content = content
        self.length = len(content) if source.lengths else None

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._content), 16 * 1024):
            if self._source.stop_at is not None and at >= self._source.stop_at:
                await self._source.go_on.wait()
            if self._source.break_at is not None and at >= self._source.break_at:
                raise Unanswered("the file broke off")
            yield self._content[at : at + 16 * 1024]
            await asyncio.sleep(0)
