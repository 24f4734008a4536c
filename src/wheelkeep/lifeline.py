"""A worker ends with the process that started it: killed, that one can tell nobody, and its workers would go on
serving on a socket that the next start wants.
"""

import ctypes
import os
import signal
import sys
import threading
import time

_LOOK = 0.2
"""Seconds between two looks for the parent, where the system does not tell."""
_PR_SET_PDEATHSIG = 1


def tie(parent: int) -> None:
    """Ties this process to its parent, by the parent's id. What is half-written by then is what any crash leaves."""
    if sys.platform == "linux":
        # prctl(2). Fails in sandboxes that forbid it: looking is enough then.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os.kill(os.getpid(), signal.SIGKILL)
