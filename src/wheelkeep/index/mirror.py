"""Files brought into the store before anybody asks for them: several at once, each tried again, none twice, and no
faster than their origins want.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec import Struct

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import File
from wheelkeep.index.keep import Keep
from wheelkeep.index.needed import Lacking

_TRIES = 4
_LONGEST_WAIT = 60.0
"""Seconds; an origin that wants to be left alone for longer is asked no more."""
_WAITS = (1.0, 4.0, 15.0)
_TOLD_EVERY = 0.25
"""Seconds after which is told how far it is, though no file came to its end."""


class Mirror(Struct, kw_only=True):
    """How far it is."""

    files: int
    """All that is needed."""
    bytes: int
    """All of them together, as far as pages or the store tell."""
    unsized: int = 0
    """Files that are not here and of which no page tells a size."""
    there: int = 0
    """Files that were in the store already."""
    there_bytes: int = 0
    fetched: int = 0
    fetched_bytes: int = 0
    coming: int = 0
    """Bytes of files that are on their way."""
    lacking: list[Lacking] = []

    @property
    def done(self) -> int:
        """Files of which it is known how they went."""
        return self.there + self.fetched + len(self.lacking)

    @property
    def came(self) -> int:
        """Bytes that are here by now."""
        return self.there_bytes + self.fetched_bytes + self.coming


def planned(keep: Keep, files: Sequence[File]) -> tuple[Mirror, list[File]]:
    """What there is to do, and the files that are not in the store yet."""
    state, missing = Mirror(files=len(files), bytes=0), []
    for file in files:
        stored = keep.fetcher.stored(file)
        size = stored.size if stored is not None else file.size
        state.bytes += size or 0
        if stored is not None:
            state.there += 1
            state.there_bytes += stored.size
        else:
            state.unsized += size is None
            missing.append(file)
    return state, missing


async def mirror(keep: Keep, files: Sequence[File], *, at_once: int) -> AsyncIterator[Mirror]:
    """Brings files into the store; gives how far it is, after each and now and then. What ended half-way goes on
    when it is run again."""
    state, missing = planned(keep, files)
    yield state
    paces = {file.source: Pace(at_once) for file in missing}
    waiting, running = iter(missing), dict[asyncio.Task[int | Lacking], File]()

    def start() -> None:
        for file in waiting:
            running[asyncio.create_task(_bring(keep, file, paces[file.source]))] = file
            if len(running) >= at_once:
                break

    start()
    try:
        while running:
            done, _ = await asyncio.wait(running, timeout=_TOLD_EVERY, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                _note(state, running.pop(task), task.result())
            start()
            state.coming = sum(keep.fetcher.coming(file) for file in running.values())
            yield state
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _note(state: Mirror, file: File, how: int | Lacking) -> None:
    if isinstance(how, Lacking):
        state.lacking.append(how)
        return
    state.fetched += 1
    state.fetched_bytes += how
    state.bytes += how - (file.size or 0)
    state.unsized -= file.size is None


async def _bring(keep: Keep, file: File, pace: "Pace") -> int | Lacking:
    """The file's size, once it is in the store, or why it is not."""
    tried, before = 0, pace.came
    while True:
        async with pace.turn():
            if pace.closed is not None:
                return Lacking(what=file.filename, why=pace.closed)
            try:
                size = (await keep.fetcher.whole(keep.source_of(file), file)).size
            except FileMissing as error:
                return Lacking(what=file.filename, why=str(error))
            except Unanswered as error:
                trouble = error
            else:
                pace.went_well()
                return size
        pace.refused(trouble)
        if trouble.retry_after is not None and pace.came > before:
            tried, before = 0, pace.came  # it has a limit, and gives: that is no trouble with this file
        tried += 1
        if tried >= (1 if pace.away else _TRIES) or pace.closed is not None:
            pace.away = pace.came == before
            return Lacking(what=file.filename, why=pace.closed or trouble.reason)
        if trouble.retry_after is None:
            await asyncio.sleep(_WAITS[tried - 1])


class Pace:
    """How fast one source is asked: half as many at once after each refusal, and more again as files come."""

    def __init__(self, at_once: int) -> None:
        self.came = 0
        """Files, so far."""
        self.away = False
        """Whether a file was tried in vain as often as may be while no other came: the next are tried once."""
        self.closed: str | None = None
        """Why it is asked no more."""
        self._most = at_once
        self._width = float(at_once)
        self._running = 0
        self._from = 0.0
        self._free = asyncio.Event()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits until the source may be asked once more."""
        clock = asyncio.get_running_loop().time
        while self.closed is None:
            if (early := self._from - clock()) > 0:
                await asyncio.sleep(early)
            elif self._running >= int(self._width):
                self._free.clear()
                await self._free.wait()
            else:
                break
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._free.set()

    def went_well(self) -> None:
        self.came += 1
        self.away = False
        self._width = min(self._most, self._width + 1 / self._width)

    def refused(self, error: Unanswered) -> None:
        """Nobody asks before the moment that the origin named (RFC 9110, section 10.2.3)."""
        now = asyncio.get_running_loop().time()
        if now >= self._from:  # of those that were refused together, one is enough
            self._width = max(1.0, self._width / 2)
        wait = error.retry_after or 0.0
        if wait > _LONGEST_WAIT:
            self.closed = f"{error.reason}, and it is to be left alone for {wait:.0f} s"
            self._free.set()
        else:
            self._from = max(self._from, now + wait)
