"""Noting who is given which file: before the first byte leaves, and many requests in one commit."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeAlias

from wheelkeep.core.asker import Asker
from wheelkeep.core.errors import Unwritable
from wheelkeep.core.model import File
from wheelkeep.core.names import IndexName
from wheelkeep.core.verdict import Decision
from wheelkeep.logs import get_logger
from wheelkeep.store.fetches import Fetch, Fetches, Waived

log = get_logger(__name__)

PATIENCE = 5.0
"""Seconds that a client waits for its line to be written before it is served without."""
RETRY = 1.0
"""Seconds until lines that could not be written are tried again."""
MOST_WAITING = 20_000
"""Lines that are kept in memory while the book cannot be written."""
_MOST_AT_ONCE = 2_000
_Waiting: TypeAlias = "tuple[Fetch, asyncio.Future[None] | None]"
"""A line, and who waits until it is written."""


class FetchBook:
    """One process's pen. While the book cannot be written files are served all the same, and their lines kept for
    later: stopping a build would not bring the disk back."""

    def __init__(self, fetches: Fetches, *, lost: Callable[[int], Awaitable[None]]) -> None:
        """``lost`` is told how many lines there was no room for, once the book can be written again."""
        self._fetches = fetches
        self._lost = lost
        self._lines: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fetches")
        self._dropped = 0
        self._closing = asyncio.Event()
        self.behind = False
        """Whether files go out before their lines are written."""

    async def note(
        self,
        index: IndexName,
        file: File,
        decision: Decision,
        asker: Asker,
        *,
        sha256: str | None,
        partial: bool,
    ) -> None:
        """Comes back once the line is durable; while that cannot be done, at once."""
        line = _line(index, file, decision, asker, sha256=sha256, partial=partial)
        loop = asyncio.get_running_loop()
        written = None if self.behind else loop.create_future()
        self._lines.append((line, written))
        if len(self._lines) > MOST_WAITING:
            _release([self._lines.popleft()])
            self._dropped += 1
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        if written is not None:
            await written

    async def close(self) -> None:
        """Writes what is left, with one last try where it could not be written before."""
        self._closing.set()
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=2 * PATIENCE)
        if self._lines:
            log.error("fetches_lost", lines=len(self._lines) + self._dropped)
        self._thread.shutdown(wait=False)
        await self._fetches.close()

    async def _write(self) -> None:
        while self._lines:
            group = [self._lines.popleft() for _ in range(min(len(self._lines), _MOST_AT_ONCE))]
            last = self._closing.is_set()
            try:
                await self._append(group)
                _release(group)
                await self._caught_up()
            except Exception as error:
                self._fall_behind(group, str(error))
                if not isinstance(error, Unwritable):
                    log.exception("fetches_not_written")
                room = MOST_WAITING - len(self._lines)
                self._dropped += max(0, len(group) - room)
                self._lines.extendleft(reversed(group[max(0, len(group) - room) :]))
                if last:
                    return
                await self._pause()

    async def _append(self, group: list[_Waiting]) -> None:
        """One commit. A disk that hangs holds nobody for longer than PATIENCE."""
        lines = [line for line, _ in group]
        job = asyncio.get_running_loop().run_in_executor(self._thread, self._fetches.append, lines)
        done, _ = await asyncio.wait([job], timeout=PATIENCE)
        if not done:
            self._fall_behind(group, "it takes too long")
        await job

    def _fall_behind(self, group: list[_Waiting], why: str) -> None:
        if not self.behind:
            now = "files are served, and their lines kept for later"
            log.error("fetches_not_written", lines=len(group) + len(self._lines), why=why, now=now)
        self.behind = True
        _release(group)
        _release(self._lines)

    async def _caught_up(self) -> None:
        if not self.behind or self._lines:
            return
        self.behind = False
        dropped, self._dropped = self._dropped, 0
        log.warning("fetches_written_again", lost=dropped)
        if dropped:
            try:
                await self._lost(dropped)
            except Unwritable as error:
                log.error("loss_not_noted", lines=dropped, why=str(error))
            except Exception:
                log.exception("loss_not_noted", lines=dropped)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), RETRY)
        except TimeoutError:
            return


def _release(lines: Iterable[_Waiting]) -> None:
    for _, written in lines:
        if written is not None and not written.done():
            written.set_result(None)


def _line(
    index: IndexName, file: File, decision: Decision, asker: Asker, *, sha256: str | None, partial: bool
) -> Fetch:
    return Fetch(
        at=datetime.now(UTC),
        index=index,
        source=file.source,
        project=file.project,
        version=file.version,
        filename=file.filename,
        sha256=sha256,
        who=asker.who,
        address=asker.address,
        tool=asker.tool,
        waived=tuple(
            Waived(
                gate=verdict.gate,
                code=verdict.code,
                package=waiver.package,
                reason=waiver.reason,
                by=waiver.by,
                until=waiver.until.isoformat(),
            )
            for verdict, waiver in decision.waived
        ),
        partial=partial,
    )
