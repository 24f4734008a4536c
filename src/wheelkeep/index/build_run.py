"""Many builds in a row, or a few at once: each result is published before the next one is told, so that what was done
stays done.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.built import Built
from wheelkeep.core.errors import Unwritable
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName
from wheelkeep.index.build_attempt import Failed
from wheelkeep.index.builder import Builder
from wheelkeep.index.keep import Keep
from wheelkeep.index.needed import Lacking, Needed
from wheelkeep.index.publish_built import publish
from wheelkeep.index.receive import Kept


class Finished(Struct, frozen=True, kw_only=True):
    """What became of one sdist."""

    sdist: File
    failed: Failed | None = None
    built: Built | None = None
    before: bool = False
    """An earlier run built it."""
    there: bool = False
    """The source had these very bytes already."""
    refused: tuple[str, ...] = ()
    """Why it was not published, as sentences."""


async def run(
    keep: Keep,
    builder: Builder,
    sdists: Sequence[File],
    into: SourceName | None,
    *,
    at_once: int,
    begun: Callable[[File], None],
) -> AsyncIterator[Finished]:
    """Builds and, where ``into`` says where, publishes; gives each as it is done. ``begun``: told before that.

    Raises NoSandbox.
    """
    turn = asyncio.Semaphore(at_once)

    async def one(sdist: File) -> Finished:
        async with turn:
            begun(sdist)
            try:
                return await _finished(keep, builder, sdist, into)
            except (OSError, Unwritable) as error:
                # A disk that is full: the next may be smaller, and what was done stays done.
                why = f"this machine's disk or memory does not take it: {getattr(error, 'strerror', None) or error}"
                return Finished(sdist=sdist, failed=Failed(sdist=sdist.filename, why=why))

    running = [asyncio.create_task(one(sdist)) for sdist in sdists]
    try:
        for task in asyncio.as_completed(running):
            yield await task
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _finished(keep: Keep, builder: Builder, sdist: File, into: SourceName | None) -> Finished:
    if into is not None and (no := await keep.receiver.no_room(into, sdist.project)) is not None:
        return Finished(sdist=sdist, refused=no.problems)
    made = await builder.build(sdist)
    if isinstance(made, Failed):
        return Finished(sdist=sdist, failed=made)
    there, refused = False, tuple[str, ...]()
    if into is not None:
        outcome = await publish(keep, into, made.built)
        there = isinstance(outcome, Kept) and not outcome.new
        refused = () if isinstance(outcome, Kept) else outcome.problems
    return Finished(sdist=sdist, built=made.built, before=made.before, there=there, refused=refused)


def with_wheels(needed: Needed, done: Sequence[Finished]) -> Needed:
    """What is needed with wheels in the place of the sdists that they were built of, and what could not be built."""
    made = {(one.sdist.project, one.sdist.version): one for one in done}
    choices = []
    for choice in needed.choices:
        found = made.get((choice.project, choice.version))
        if found is None:
            choices.append(choice)
            continue
        files = [file for file in choice.files if file.kind == "wheel"]
        notes = choice.notes
        if found.built is not None:
            files.append(_file(found.sdist, found.built))
            notes = (
                *notes,
                f"built here from {found.built.sdist.filename} sha256:{found.built.sdist.sha256}",
            )
        choices.append(replace(choice, files=tuple(files), notes=notes))
    failed = [Lacking(what=one.failed.sdist, why=one.failed.why) for one in done if one.failed is not None]
    return replace(needed, choices=tuple(choices), lacking=(*needed.lacking, *failed))


def _file(sdist: File, built: Built) -> File:
    """A wheel that was built here, as if it lay beside its sdist."""
    return File(
        filename=built.filename,
        project=sdist.project,
        kind="wheel",
        version=sdist.version,
        source=sdist.source,
        url=built.filename,
        sha256=built.sha256,
        size=built.size,
        requires_python=built.requires_python,
    )
