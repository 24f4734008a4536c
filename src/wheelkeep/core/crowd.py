"""Which connections are ended so that others find a place: limits for each client and for all of them.

A time limit by itself would be too short for the patient or too long for the crowded, so what may stay depends on how
many places are left. Imports next to nothing: the process that minds the workers needs it too.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

OWN_DESCRIPTORS = 64
"""Open files that a worker needs by itself: its databases, its log, and some for other indexes."""
EACH_DESCRIPTORS = 3
"""Open files that a connection may need: itself, a stored file, or a download and where it is written to."""
MOST_PLACES = 2048
"""Connections that a process takes at a time at most: a client that hardly reads may cost a third of a megabyte."""
IDLE = 0.5
"""Seconds of silence after which a connection without a request may be ended, when places are short."""
SLOW_AFTER = 15.0
"""Seconds from which on a client counts as slow, when places are short ..."""
SLOWEST = 16 * 1024
"""... if it takes fewer bytes a second than this."""
STALLED = 60.0
"""Seconds after which a client that takes nothing of its answer is given up, always."""


class Connection(NamedTuple):
    """One connection as the system sees it; times in seconds, sizes in bytes."""

    client: str
    """Its address, without a port."""
    port: int
    silent: float
    """Since the last byte, in either direction."""
    busy: bool
    """A request on it is being answered."""
    waiting: int
    """More than 0: something was sent by us that the client did not take yet."""
    taking: float
    """For how long the client was watched taking what is sent; 0 where nothing waits."""
    taken: int
    """What it took in that time."""


def places(limit: int) -> int:
    """How many connections a process takes at a time that may have ``limit`` files open."""
    return min(MOST_PLACES, max(8, (limit - OWN_DESCRIPTORS) // EACH_DESCRIPTORS))


def short(count: int, places: int) -> int:
    """How many of ``count`` connections are too many: a quarter of the places is kept free."""
    return max(0, count - places * 3 // 4)


def to_end(connections: Iterable[Connection], places: int, queue: int = 0) -> list[Connection]:
    """Those that are ended now, with ``queue`` more waiting for a place.

    Silent ones go before slow ones, and first those of whoever has the most.
    """
    living = list(connections)
    ended = [one for one in living if _stalled(one)]
    wanted = short(len(living), places) + queue - len(ended)
    if wanted <= 0:
        return ended
    held = Counter(one.client for one in living)
    idle = [one for one in living if not one.busy and not one.waiting and one.silent >= IDLE]
    idle.sort(key=lambda one: one.silent)
    slow = [one for one in living if _slow(one) and not _stalled(one)]
    slow.sort(key=lambda one: -one.taken / one.taking)
    for candidates in (idle, slow):
        chosen = _fairly(candidates, held, wanted)
        ended += chosen
        wanted -= len(chosen)
    return ended


def _fairly(candidates: list[Connection], held: Counter[str], wanted: int) -> list[Connection]:
    """So many of the candidates, each the last one of the client that has the most connections by then."""
    by_client: dict[str, list[Connection]] = {}
    for one in candidates:
        by_client.setdefault(one.client, []).append(one)
    chosen: list[Connection] = []
    while by_client and len(chosen) < wanted:
        client = max(by_client, key=lambda name: held[name])
        chosen.append(by_client[client].pop())
        held[client] -= 1
        if not by_client[client]:
            del by_client[client]
    return chosen


def _stalled(one: Connection) -> bool:
    return one.waiting > 0 and one.taken == 0 and one.taking >= STALLED


def _slow(one: Connection) -> bool:
    return one.waiting > 0 and one.taking >= SLOW_AFTER and one.taken < SLOWEST * one.taking
