"""Sources: of which kind they are, and whether they answer."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from wheelkeep.core.names import SourceName
from wheelkeep.core.settings import DirectorySource, HostedSource, SourceSettings
from wheelkeep.sources.directory import Directory
from wheelkeep.sources.remote import Remote
from wheelkeep.web.api.operation import ADMIN, Call, Operation


class ShownSource(Struct, frozen=True, kw_only=True):
    """A source and how it does."""

    name: str
    kind: Literal["hosted", "directory", "remote"]
    names: tuple[str, ...]
    """What is reserved for it."""
    ready: bool
    """Its pages are complete."""
    trouble: str | None
    """Why it does not answer."""
    answered: datetime | None
    """When it last did; of a remote source."""
    failed: datetime | None
    """When it last did not; of a remote source."""


class SourceList(Struct, frozen=True, kw_only=True):
    """Every source, in the order of the configuration."""

    items: list[ShownSource]


async def _list(call: Call) -> SourceList:
    return SourceList(items=[await _shown(call, source) for source in call.keep.settings.sources.values()])


async def _show(call: Call) -> ShownSource:
    source = call.keep.settings.sources.get(SourceName(call.places["source"]))
    if source is None:
        raise call.not_found(f"no source is called {call.places['source']}")
    return await _shown(call, source)


async def _shown(call: Call, settings: SourceSettings) -> ShownSource:
    source = call.keep.sources[settings.name]
    answered = failed = trouble = None
    if isinstance(source, Remote):
        health = source.health
        answered, failed, trouble = health.answered, health.failed, health.reason
    elif isinstance(source, Directory):
        trouble = source.trouble
    return ShownSource(
        name=settings.name,
        kind="hosted"
        if isinstance(settings, HostedSource)
        else "directory"
        if isinstance(settings, DirectorySource)
        else "remote",
        names=settings.names,
        ready=await source.ready(),
        trouble=trouble,
        answered=answered,
        failed=failed,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/sources",
        name="listSources",
        says="Lists the sources and whether they answer.",
        needs=ADMIN,
        handle=_list,
        gives=SourceList,
    ),
    Operation(
        method="GET",
        path="/sources/{source}",
        name="showSource",
        says="Shows a source and whether it answers.",
        needs=ADMIN,
        handle=_show,
        gives=ShownSource,
    ),
)
