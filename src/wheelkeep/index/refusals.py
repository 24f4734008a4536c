"""Refused downloads and incidents for the ledger: the first of its kind at once, what repeats it as a number.

A build that tries again for ever would else fill the disk with one and the same line.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from msgspec.structs import replace

from wheelkeep.store.ledger import Entry

WINDOW = 600.0
"""Seconds after a line during which repeats are only counted."""
MOST = 5_000
"""Lines whose repeats are counted at a time; beyond that the oldest is written with what it has."""


class _Run:
    """What followed a line: how often the same came again, and the last of it."""

    __slots__ = ("count", "last", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.count = 0
        self.last: Entry | None = None


class Refusals:
    """One process's. A line with ``count`` stands for so many that came after the one written before it."""

    def __init__(
        self, write: Callable[[Entry], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._runs: OrderedDict[Hashable, _Run] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, entry: Entry) -> None:
        """A download was refused, or its source broke its word; all but the moment makes it the same as another."""
        self.settle()
        key = (entry.source, entry.project, entry.filename, *sorted(entry.detail.items()))
        run = self._runs.get(key)
        if run is not None:
            run.count, run.last = run.count + 1, entry
            self._arm()
            return
        self._write(entry)
        self._runs[key] = _Run(self._clock() + WINDOW)
        if len(self._runs) > MOST:
            self._end(next(iter(self._runs)))

    def settle(self) -> None:
        """Writes the counts whose time is over."""
        now = self._clock()
        while self._runs:
            key, run = next(iter(self._runs.items()))
            if run.until > now:
                return
            self._end(key)

    def close(self) -> None:
        """Writes every count."""
        if self._timer is not None:
            self._timer.cancel()
        while self._runs:
            self._end(next(iter(self._runs)))

    def _end(self, key: Hashable) -> None:
        run = self._runs.pop(key)
        if run.last is not None:
            self._write(replace(run.last, detail={**run.last.detail, "count": run.count}))

    def _arm(self) -> None:
        """Has the counts written also if nothing comes any more."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WINDOW, self._due)

    def _due(self) -> None:
        self._timer = None
        self.settle()
        if any(run.count for run in self._runs.values()):
            self._arm()
