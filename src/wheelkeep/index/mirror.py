"""Files brought into the store before anybody asks for them: several at once, each tried again, none twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import File
from wheelkeep.index.keep import Keep
from wheelkeep.index.needed import Lacking

_TRIES = 4
_LONGEST_WAIT = 60.0
_WAITS = (1.0, 4.0, 15.0)


class Mirror(Struct, kw_only=True):
    """How far it is."""

    files: int
    """All that is needed."""
    bytes: int
    """All of them together, as far as pages or the store tell."""
    there: int = 0
    """Files that were in the store already."""
    there_bytes: int = 0
    fetched: int = 0
    fetched_bytes: int = 0
    lacking: list[Lacking] = []

    @property
    def done(self) -> int:
        """Files of which it is known how they went."""
        return self.there + self.fetched + len(self.lacking)


def planned(keep: Keep, files: Sequence[File]) -> tuple[Mirror, list[File]]:
    """What there is to do, and the files that are not in the store yet."""
    state, missing = Mirror(files=len(files), bytes=0), []
    for file in files:
        stored = keep.fetcher.stored(file)
        size = stored.size if stored is not None else file.size or 0
        state.bytes += size
        if stored is not None:
            state.there += 1
            state.there_bytes += size
        else:
            missing.append(file)
    return state, missing


async def mirror(keep: Keep, files: Sequence[File], *, at_once: int) -> AsyncIterator[Mirror]:
    """Brings files into the store; gives how far it is after each. What ended half-way goes on when it is run again."""
    state, missing = planned(keep, files)
    yield state
    waiting = iter(missing)
    running = {
        asyncio.create_task(_bring(keep, file)) for _, file in zip(range(at_once), waiting, strict=False)
    }
    try:
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                _note(state, task.result())
                if (file := next(waiting, None)) is not None:
                    running.add(asyncio.create_task(_bring(keep, file)))
            yield state
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _note(state: Mirror, how: int | Lacking) -> None:
    if isinstance(how, Lacking):
        state.lacking.append(how)
    else:
        state.fetched += 1
        state.fetched_bytes += how


async def _bring(keep: Keep, file: File) -> int | Lacking:
    """The file's size, once it is in the store, or why it is not."""
    why = ""
    for again in range(_TRIES):
        try:
            return (await keep.fetcher.whole(keep.source_of(file), file)).size
        except FileMissing as error:
            return Lacking(what=file.filename, why=str(error))
        except Unanswered as error:
            why = error.reason
            if again < _TRIES - 1:
                # As long as the origin asks for, so that a limit of its own is kept to.
                await asyncio.sleep(min(error.retry_after or _WAITS[again], _LONGEST_WAIT))
    return Lacking(what=file.filename, why=why)
