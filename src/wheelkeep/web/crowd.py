"""The connections of this process, looked at from outside the server: Linux tells of each how long it is silent and
what waits in it (``TCP_INFO``, tcp(7)). Those that nobody uses are ended while others wait for a place.

The server itself has a limit for the head of a request only.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

import structlog

from wheelkeep.core.crowd import Connection, short, to_end

log = structlog.get_logger(__name__)

_EVERY = 0.25
_AT_LEAST_EVERY = 15.0
"""Seconds between two looks, where places are short and where they are not."""
# struct tcp_info of linux/tcp.h: eight bytes, 24 numbers of 32 bits, 4 of 64 bits, and some that are not all needed.
_TCP_INFO = struct.Struct("=8B24I4Q4I")
# Packets not acknowledged, milliseconds since data was sent and came, bytes acknowledged, received and not sent yet.
_UNACKED, _SENT, _RECEIVED, _ACKED, _CAME, _NOT_SENT = 12, 17, 19, 34, 35, 38
_LISTEN = 10
"""The first of those bytes, where no connection is but some may wait: the packets then count those (linux/tcp.h)."""
_OVER = frozenset({4, 5, 6, 7, 9, 11})
"""The same, where this side has ended it already: waiting for the other's word or for nothing (linux/tcp_states.h)."""
Peer: TypeAlias = tuple[str, int]


class Crowd:
    """Watches from a thread of its own. ``busy`` says whether a request of a peer (address, port) is being answered."""

    def __init__(self, port: int, places: int, *, busy: Callable[[Peer], bool]) -> None:
        self._port = port
        self._places = places
        self._busy = busy
        self._taking: dict[Peer, tuple[int, float]] = {}
        """Since when something waits for a peer, and how much it had taken by then."""
        self._looked = 0.0

    def watch(self) -> None:
        """Looks for ever, in the background."""
        threading.Thread(target=self._watch, name="crowd", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(_EVERY)
            try:
                # As many descriptors as that can only be connections, or nearly.
                crowded = short(len(os.listdir("/proc/self/fd")), self._places) > 0  # noqa: PTH208 - names alone
                if crowded or time.monotonic() - self._looked >= _AT_LEAST_EVERY:
                    self.look()
            except OSError as error:
                # Without a descriptor to look with: some will be there in a moment.
                log.warning("crowd_not_seen", why=str(error))

    def look(self) -> int:
        """Looks once and ends what is to be ended; gives how many that were."""
        self._looked = time.monotonic()
        found, queue = self._connections()
        ending = to_end(found, self._places, queue)
        for one in ending:
            _end(found[one], (one.client, one.port))
        if ending:
            log.warning("connections_ended", count=len(ending), of=len(found), queue=queue)
        return len(ending)

    def _connections(self) -> tuple[dict[Connection, int], int]:
        """Every connection of a client, with its descriptor; and how many more wait for a place."""
        now, taking = time.monotonic(), {}
        found: dict[Connection, int] = {}
        queue = 0
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
            seen = _info(int(name), self._port)
            if seen is None:
                continue
            peer, told = seen
            if peer is None:
                queue = max(queue, told[_UNACKED])
                continue
            waiting = told[_UNACKED] + told[_NOT_SENT]
            taken, since = self._taking.get(peer, (told[_ACKED], now))
            if waiting:
                taking[peer] = (taken, since)
            one = Connection(
                client=peer[0],
                port=peer[1],
                silent=min(told[_SENT], told[_RECEIVED]) / 1000,
                # Also who asked while it waited for its place, and is not answered yet.
                busy=self._busy(peer) or _asks(told),
                waiting=waiting,
                taking=now - since if waiting else 0.0,
                taken=told[_ACKED] - taken,
            )
            found[one] = int(name)
        self._taking = taking
        return found, queue


def _info(descriptor: int, port: int) -> tuple[Peer | None, tuple[int, ...]] | None:
    """Who is at the other end of a connection to ``port``, None where it is listened on, and what the system knows of
    it; None alone: it is something else, or over."""
    # Borrowed: the server owns it, and may have closed it by now.
    with contextlib.suppress(OSError, ValueError):
        borrowed = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=descriptor)
        try:
            if borrowed.getsockname()[1] != port:
                return None
            told = _TCP_INFO.unpack(borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size))
            if told[0] in _OVER:
                return None
            return (None if told[0] == _LISTEN else borrowed.getpeername()[:2]), told
        except (IndexError, TypeError, struct.error):
            return None  # a socket of another kind, or an older kernel
        finally:
            borrowed.detach()
    return None


def _asks(told: tuple[int, ...]) -> bool:
    """Whether something came that nothing was sent after. A beginning that nobody ends is the server's own to limit."""
    return told[_CAME] > 0 and (told[_ACKED] <= 1 or told[_RECEIVED] < told[_SENT])


def _end(descriptor: int, peer: Peer) -> None:
    """Ends a connection, if it is still the one that was looked at; the server then closes its descriptor."""
    with contextlib.suppress(OSError):
        own = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=os.dup(descriptor))
        with own:
            if own.getpeername()[:2] == peer:
                own.shutdown(socket.SHUT_RDWR)
