"""The process that holds the listening socket and minds the workers; ``serve`` becomes it. Kept small on purpose:
it imports the server and next to nothing else, so that a keep's memory is its workers'.
"""

import contextlib
import http.client
import json
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from wheelkeep.core.crowd import places

_PATIENCE = 120.0
"""Seconds that the first answer may take before the ready line is given up."""
_LONGEST_HEAD = 64 * 1024
"""Bytes of one request's head that are read at least; hyper takes up to twice as many before it says 431."""
_HEAD = 15_000
"""Milliseconds that the head of a request may take, from the connection's beginning or the end of the answer before."""
_WAITING = 4096
"""Connections that the system holds while every place is taken; it may allow fewer (net.core.somaxconn)."""
_DESCRIPTORS = 16_384
"""Open files that a process asks the system for, as far as it is allowed to."""


class Lines(logging.Formatter):
    """What the server itself has to say, one JSON object a line like every other line of the log."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"event": "server", "level": record.levelname.lower(), "what": record.getMessage()})


def news(record: logging.LogRecord) -> bool:
    """Whether a record tells more than that an answer was cut off, which the web face logs with its reason."""
    return "CutOffError" not in record.getMessage()


_LOGS = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": Lines}},
    "filters": {"news": {"()": lambda: news}},
    "handlers": {
        "console": {
            "formatter": "line",
            "filters": ["news"],
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
}


def run(host: str, port: int, workers: int) -> None:
    """Serves until SIGTERM or SIGINT; what is being downloaded then may finish."""
    server = Granian(
        "wheelkeep.worker:asgi",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        factory=True,
        loop=Loops.uvloop,
        # What HTTP/2 would begin with has no time limit there, and no client of an index speaks it without TLS.
        http=HTTPModes.http1,
        websockets=False,
        runtime_threads=1,
        runtime_mode=RuntimeModes.mt,
        backlog=_WAITING,
        # Places for connections, in spite of its name. Who comes later waits, and nobody's file fails to open.
        backpressure=places(descriptors()),
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=_LOGS,
        # Longer than the keep itself gives downloads to finish.
        workers_kill_timeout=40,
        respawn_failed_workers=workers > 1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD, max_buffer_size=_LONGEST_HEAD),
    )
    os.register_at_fork(after_in_child=mortal)
    forked = lambda: len(server.wrks) == workers  # noqa: E731 - named for what it says
    threading.Thread(target=announce, args=(forked, host, port), daemon=True).start()
    server.serve()


def descriptors() -> int:
    """How many files this process and its workers may have open, once it asked for as many as it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft >= wanted:
        return soft
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def mortal() -> None:
    """A worker that is not serving yet ends when it is told to. The handler that it inherits would only note the wish,
    in a process that has nobody to read the note, and the end would wait for the worker until it is killed."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def announce(forked: Callable[[], bool], host: str, port: int) -> None:
    """Says that the server is ready once it answers a real request. ``forked``: whether every worker was started."""
    # Nothing before that: a lock that this thread held at the moment of a fork, such as that of a module being
    # imported, would stay locked in the worker for ever.
    while not forked():
        time.sleep(0.02)
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(asked, port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                shown = f"[{host}]" if ":" in host else host
                # One write: the workers log to the same place.
                os.write(2, f"wheelkeep: ready on http://{shown}:{port}\n".encode())
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
