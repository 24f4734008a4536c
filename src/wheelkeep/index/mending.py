"""Healing what is damaged or missing: which file it was, and whether its origin may be asked for it again."""

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from zstandard import ZstdError

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.judge import judge
from wheelkeep.core.merge import Merged
from wheelkeep.core.model import File, Page, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.index.index import Index

if TYPE_CHECKING:
    from wheelkeep.index.keep import Keep

_AT_ONCE = 20
"""Pages after which others get a turn."""


class Mender:
    """Of one keep. What it fetches goes the way that a client's request goes: the same judgement, the same checks."""

    def __init__(self, keep: "Keep") -> None:
        self._keep = keep

    async def pages(self) -> AsyncIterator[tuple[SourceName, ProjectName, Page | None]]:
        """Every stored page; None for one that cannot be read."""
        for at, (source, project) in enumerate(await self._keep.pages.keys()):
            if at % _AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                stored = await self._keep.pages.get(source, project)
            except (ZstdError, msgspec.DecodeError):
                yield source, project, None
                continue
            if stored is not None and stored.page is not None:
                yield source, project, stored.page

    async def files_of(self, hashes: Collection[str]) -> dict[str, File]:
        """A file for each hash, as far as a hosted source or a stored page knows one."""
        found: dict[str, File] = {}
        async for one in self._keep.facts.every_hosted():
            if isinstance(one, File) and one.sha256 is not None and one.sha256 in hashes:
                found.setdefault(one.sha256, one)
        if len(found) < len(hashes):
            async for _, _, page in self.pages():
                for file in page.files if page is not None else ():
                    if file.sha256 is not None and file.sha256 in hashes:
                        found.setdefault(file.sha256, file)
        return found

    async def fetch(self, file: File) -> str | None:
        """Fetches the very bytes again from their source; why that cannot be done, or None: they are here."""
        source = self._keep.sources.get(file.source)
        if source is None:
            return f"its source {file.source} is no longer configured"
        # Our own uploads and folders are asked for nothing that anybody else would hear of.
        if source.remote and (why := await self._against(file)) is not None:
            return why
        try:
            await self._keep.fetcher.whole(source, replace(file, gone=False))
        except (Unanswered, FileMissing) as error:
            return f"it could not be fetched again: {error}"
        return None

    async def _against(self, file: File) -> str | None:
        """Why nobody may be given the file by any index, so that it is not asked for either; None: somebody may."""
        why = f"no index has the source {file.source}"
        for index in self._keep.indexes.values():
            if any(place.source.name == file.source for group in index.groups for place in group):
                if (against := await _judged(index, file)) is None:
                    return None
                why = against
        return why


async def _judged(index: Index, file: File) -> str | None:
    outcome = (await index.gather(file.project, patience=0)).outcome
    if isinstance(outcome, Unreachable):
        return f"it cannot be judged now: {outcome.source} does not answer: {outcome.reason}"
    if isinstance(outcome, Merged) and file.source not in outcome.owners:
        shown = any(other.source == file.source for other in outcome.page.files)
        if outcome.owners and not shown:
            return f"the name {file.project} belongs to {', '.join(outcome.owners)} in the index {index.name} now"
    # A file that left its origin is on no page once its bytes are not here: it is judged by itself.
    page = Page(project=file.project, files=(replace(file, gone=False),))
    policy = index.policy.current
    context = await index.context(policy, page, patience=5.0)
    against = judge(page, policy, replace(context, now=datetime.now(UTC))).decisions[0].against
    return (
        f"the policy blocks it, so it is not fetched again: {against.label}" if against is not None else None
    )
