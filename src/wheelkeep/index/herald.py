"""The herald: tells the webhook of every alert and incident in the ledger, one after the other, at least once each.

Whoever writes an alert, a worker or a command, only adds it to the ledger; one process of a server reads on from
there. So nothing is lost with a process, and however long a receiver is away, nothing waits in memory.
"""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from wheelkeep.core import measures
from wheelkeep.core.errors import Unwritable
from wheelkeep.core.notice import Notice, notice
from wheelkeep.index.audit import version_of
from wheelkeep.sources.webhook import NotTaken
from wheelkeep.store.deliveries import Deliveries, Delivery
from wheelkeep.store.ledger import ALERTS, Entry, Ledger
from wheelkeep.store.turn import Turn

log = structlog.get_logger(__name__)

LOOK = 1.0
"""Seconds between two looks at the ledger."""
_LONGEST = 300.0
"""Seconds that a receiver in trouble is left alone at most, unless it asks for more."""
_LONGEST_ASKED = 3600.0
_PATIENCE = 3
"""Tries after which an alert that the receiver refuses, or never answers, no longer stands before the others."""
_ASIDE = timedelta(seconds=30)
_LONGEST_ASIDE = timedelta(hours=1)
_FIRST = timedelta(days=7)
"""How far back the first delivery reaches."""


class Receiver(Protocol):
    """Where notices go; see ``sources.webhook``."""

    origin: str

    async def send(self, number: int, body: bytes) -> None: ...

    async def close(self) -> None: ...


class Herald:
    """One process's herald; of a server's processes that one speaks which has the ``turn``."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        ledger: Ledger,
        deliveries: Deliveries,
        turn: Turn,
        keep: str | None,
        count: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``keep``: what it calls itself; ``count`` is told of places among the measures."""
        self.receiver = receiver
        self._ledger = ledger
        self._deliveries = deliveries
        self._turn = turn
        self._keep = keep
        self._count = count
        self._clock = clock
        self._again = 0.0
        """On the clock: the next try."""
        self._vain = 0
        """Tries in vain, one after the other."""
        self._head = (0, 0)
        """The entry that stands before the others, and how often it was refused."""
        self._stuck: tuple[int, str] | None = None
        """The entry before the others that was tried in vain last without an answer of its own, and why."""
        self._taken = 0
        """The last entry that was taken, for when that cannot be written."""

    async def run(self) -> None:
        """Delivers for ever. What goes wrong is logged, and tried again."""
        while True:
            try:
                while self._turn.take() and self._clock() >= self._again and await self.deliver():
                    pass
            except (OSError, Unwritable) as error:
                # A disk that takes nothing: the ledger keeps what is to be told.
                self._pause(None)
                log.error("alerts_not_delivered", why=str(error))
            except Exception:
                self._pause(None)
                log.exception("alerts_not_delivered")
            await asyncio.sleep(LOOK)

    async def close(self) -> None:
        self._turn.give_back()
        await self.receiver.close()

    async def standing(self) -> Delivery:
        return await self._deliveries.standing()

    async def deliver(self) -> bool:
        """Tries one entry; whether another may follow at once."""
        now = datetime.now(UTC)
        found = await self._next(now)
        if found is None:
            return False
        number, entry = found
        body = msgspec.json.encode(_notice(number, entry, self._keep))
        try:
            await self.receiver.send(number, body)
        except NotTaken as trouble:
            await self._in_vain(number, trouble, now)
            return False
        self._count(measures.ALERTS_DELIVERED)
        self._vain, self._again = 0, 0.0
        await self._step_over(number, now)
        self._taken = max(self._taken, number)
        await self._deliveries.took(number, now)
        return True

    async def _next(self, now: datetime) -> tuple[int, Entry] | None:
        done = max(await self._deliveries.done(since=now - _FIRST), self._taken)
        found = await self._ledger.next(ALERTS, done)
        stuck = self._stuck is not None and found is not None and found[0] == self._stuck[0]
        if stuck and found is not None and self._vain >= _PATIENCE and self._vain % 2:
            # The receiver may be away, or choke on this one alone: the one behind it tells, every other time.
            found = await self._ledger.next(ALERTS, found[0]) or found
        if found is None and (due := await self._deliveries.due(now)) is not None:
            found = await self._ledger.next(ALERTS, due - 1)
        return found

    async def _step_over(self, number: int, now: datetime) -> None:
        """The receiver answered to an entry: one before it that it did not answer to stands aside."""
        stuck, self._stuck = self._stuck, None
        if stuck is not None and number > stuck[0]:
            await self._aside(*stuck, now)

    async def _aside(self, number: int, reason: str, now: datetime) -> None:
        before = await self._deliveries.refusals(number)
        again = now + min(_ASIDE * 2 ** min(before, 20), _LONGEST_ASIDE)
        await self._deliveries.refused(number, reason, again, now)

    async def _in_vain(self, number: int, trouble: NotTaken, now: datetime) -> None:
        self._count(measures.ALERTS_FAILED)
        aside = await self._deliveries.refusals(number) > 0
        if aside and not trouble.refused:
            # It has a time of its own, and the others do not wait for it.
            self._again = self._clock() + min(trouble.retry_after or 0.0, _LONGEST_ASKED)
        else:
            self._pause(trouble.retry_after)
        if self._vain == 1:
            log.warning("alerts_not_taken", why=trouble.reason, now="tried again, and none is lost")
        if trouble.refused:
            await self._step_over(number, now)
        seen = self._head[1] if self._head[0] == number else 0
        self._head = (number, seen + trouble.refused)
        if aside or self._head[1] >= _PATIENCE:
            await self._aside(number, trouble.reason, now)
            return
        if not trouble.refused and (self._stuck is None or number <= self._stuck[0]):
            self._stuck = (number, trouble.reason)
        await self._deliveries.failed(trouble.reason, now)

    def _pause(self, asked: float | None) -> None:
        self._vain += 1
        wait = min(2.0 ** min(self._vain - 1, 20), _LONGEST) * random.uniform(0.5, 1)  # noqa: S311 (jitter)
        self._again = self._clock() + max(wait, min(asked or 0.0, _LONGEST_ASKED))


def _notice(number: int, entry: Entry, keep: str | None) -> Notice:
    return notice(
        number,
        incident=entry.kind == "incident",
        at=entry.at,
        source=entry.source,
        project=entry.project,
        version=version_of(entry),
        filename=entry.filename,
        detail=entry.detail,
        keep=keep,
    )
