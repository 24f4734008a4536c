"""Noting what was asked for and blocked: counted in memory, and written in groups so that no answer waits for it."""

import asyncio
import contextlib
from datetime import UTC, datetime

from wheelkeep.core.names import IndexName
from wheelkeep.core.verdict import Verdict
from wheelkeep.core.wanted import Ask, Counts, asked
from wheelkeep.logs import get_logger
from wheelkeep.store.wanted import WantedList

log = get_logger(__name__)
_EVERY = 1.0
_LONGEST_WAIT = 60.0


class Asks:
    """One process's counts; ``every``: seconds from the first ask to the writing."""

    def __init__(self, wanted: WantedList, *, every: float = _EVERY) -> None:
        self._wanted = wanted
        self._every = every
        self._counts = Counts()
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def note(
        self,
        index: IndexName,
        project: str,
        version: str,
        verdict: Verdict,
        *,
        who: str,
        filename: str = "",
        agent: str = "",
    ) -> None:
        """One ask more. ``version``: empty where a name was asked for; ``who``: as ``Ask.who``."""
        tally = asked(verdict, datetime.now(UTC), filename=filename, agent=agent)
        self._counts.add(Ask(index, project, version, verdict.gate, who), tally)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        wait = self._every
        while self._counts and not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), wait)
            wait = self._every if await self._flush() else min(wait * 2, _LONGEST_WAIT)

    async def _flush(self) -> bool:
        taken = self._counts.take()
        try:
            await self._wanted.add(taken)
        except Exception as error:
            # A disk that is full stops writes, not reads: what was counted is counted on.
            self._counts.give_back(taken)
            log.warning("wanted_not_noted", asks=len(taken), why=type(error).__name__)
            return False
        return True

    async def close(self) -> None:
        """Writes what is left."""
        self._closing.set()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if self._counts:
            await self._flush()
