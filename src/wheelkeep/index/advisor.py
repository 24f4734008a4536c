"""What is known against the files of a page, from sources and dumps together; and the alerts about stored ones."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from wheelkeep.core.advisories import Knowledge, Trouble, only_malware
from wheelkeep.core.merge import earliest
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.sources.source import PATIENCE_PAGE, UNADVISED, Advised, Source
from wheelkeep.store.advisories import Advisories, Dumped
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.facts import Facts
from wheelkeep.store.pages import Pages

_AT_ONCE = 50_000
"""Advisories times versions, up to which laying them out takes a few milliseconds."""


class Affected(Struct, frozen=True):
    """A stored file against which something is known."""

    file: File
    troubles: tuple[Trouble, ...]
    """The worst first."""


class Advisor:
    """Made for all indexes of a keep."""

    def __init__(
        self,
        rows: Advisories,
        *,
        blobs: Blobs,
        pages: Pages,
        facts: Facts,
        alert: Callable[[File, Trouble], Awaitable[None]],
    ) -> None:
        self.rows = rows
        self._blobs = blobs
        self._pages = pages
        self._facts = facts
        self._alert = alert
        self._alerted: set[tuple[str, str, str]] = set()

    async def known(
        self, page: Page, sources: Sequence[Source], *, patience: float | None = PATIENCE_PAGE
    ) -> tuple[dict[SourceName, Knowledge], datetime | None]:
        """By source, and the moment until which it is good; ``patience``: see ``Source.advisories``.

        A stored file that turns out to be affected is told of, once.
        """
        if not sources:
            return {}, None
        dumped = await self.rows.known(page.project)
        versions = _versions(page, sources)
        answers = await asyncio.gather(
            *(
                source.advisories(
                    page.project, versions[source.name], each=not dumped.complete, patience=patience
                )
                for source in sources
            )
        )
        found = {
            source.name: await _laid(versions[source.name], answer, dumped)
            for source, answer in zip(sources, answers, strict=True)
        }
        await self._tell(_affected(page.files, found, self._stored))
        return found, earliest(answer.good_until for answer in answers)

    async def malware(self, page: Page, sources: Sequence[Source]) -> dict[SourceName, Knowledge]:
        """By source what is known of malware, where there is some: from dumps, and from what a source once told.

        Nobody is asked. A stored file that turns out to be malware is told of, once.
        """
        if not sources:
            return {}
        dumped = (await self.rows.known(page.project)).advisories
        bad = tuple(one for one in dumped if one.malware)
        versions, found = _versions(page, sources), {}
        for source in sources:
            answer = await source.advisories(page.project, versions[source.name], each=True, patience=None)
            told = only_malware(answer.told)
            if bad or told is not None:
                found[source.name] = Knowledge(versions[source.name], told=told, dumped=bad)
        await self._tell(_affected(page.files, found, self._stored))
        return found

    async def affecting(self, projects: Collection[str] | None = None) -> AsyncIterator[Affected]:
        """The stored files against which the dumps know something; ``projects``: only those of these names."""
        named = await self.rows.projects()
        named = named if projects is None else named & set(projects)
        for page in await self._stored_pages(named):
            dumped = await self.rows.known(page.project)
            sources = {file.source for file in page.files}
            found = {
                source: _knowledge([f.version for f in page.files if f.source == source], UNADVISED, dumped)
                for source in sources
            }
            for one in _affected(page.files, found, self._stored):
                yield one

    async def alarm(self, projects: Collection[ProjectName]) -> int:
        """Tells of stored files of some projects that are affected and of which nobody was told yet; how many."""
        return await self._tell([one async for one in self.affecting(projects)])

    async def _stored_pages(self, named: set[str]) -> list[Page]:
        found: list[Page] = []
        for source, project in await self._pages.keys():
            if project in named:
                stored = await self._pages.get(source, project)
                if stored is not None and stored.page is not None:
                    found.append(stored.page)
        for source, project in await self._facts.hosted_keys():
            if project in named:
                files = await self._facts.hosted(source, project) or ()
                found.append(Page(project=project, files=tuple(files)))
        return found

    def _stored(self, file: File) -> bool:
        return file.sha256 is not None and self._blobs.has(file.sha256)

    async def _tell(self, affected: Sequence[Affected]) -> int:
        pairs = [
            (one.file, trouble)
            for one in affected
            for trouble in one.troubles
            if (one.file.source, one.file.filename, trouble.ids[0]) not in self._alerted
        ]
        if not pairs:
            return 0
        named = [(file, trouble.ids[0]) for file, trouble in pairs]
        fresh = {
            (file.source, file.filename, identity)
            for file, identity in await self.rows.alert_once(named, datetime.now(UTC))
        }
        for file, trouble in pairs:
            key = (file.source, file.filename, trouble.ids[0])
            if key in fresh:
                await self._alert(file, trouble)
            if len(self._alerted) < 50_000:
                self._alerted.add(key)
        return len(fresh)


def _versions(page: Page, sources: Sequence[Source]) -> dict[SourceName, list[str]]:
    """By source, the versions of which it has a file on the page."""
    return {
        source.name: list(dict.fromkeys(f.version for f in page.files if f.source == source.name))
        for source in sources
    }


async def _laid(versions: Sequence[str], answer: Advised, dumped: Dumped) -> Knowledge:
    """In a thread where there is so much of it that others would wait."""
    many = len(dumped.advisories) + (len(answer.told.advisories) if answer.told is not None else 0)
    if many * len(versions) < _AT_ONCE:
        return _knowledge(versions, answer, dumped)
    return await asyncio.to_thread(_knowledge, versions, answer, dumped)


def _knowledge(versions: Sequence[str], answer: Advised, dumped: Dumped) -> Knowledge:
    return Knowledge(
        versions, told=answer.told, dumped=dumped.advisories, complete=dumped.complete, why=answer.why
    )


def _affected(
    files: Sequence[File], known: dict[SourceName, Knowledge], stored: Callable[[File], bool]
) -> list[Affected]:
    return [
        Affected(file, tuple(against))
        for file in files
        if file.source in known and (against := known[file.source].against(file.version)) and stored(file)
    ]
