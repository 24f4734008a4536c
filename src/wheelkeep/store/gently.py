"""Reading that leaves the disk and the processor to others: so many bytes a second, and the last in every queue."""

import contextlib
import ctypes
import os
import platform
import threading
import time

_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
"""The number of the system call; C libraries have no function for it (ioprio_set(2))."""
_WHO_PROCESS, _CLASS_IDLE, _CLASS_SHIFT = 1, 3, 13
_LONGEST_NAP = 0.2


class Stopped(Exception):
    """Raised into a thread that is to end."""


class Pace:
    """Told after each piece; waits until the rate allows the next one. Raises Stopped once ``stop`` was called."""

    def __init__(self, rate: int | None) -> None:
        """``rate``: bytes a second; None: as fast as it goes."""
        self._rate = rate
        self._stopped = threading.Event()
        self._free = 0.0

    def stop(self) -> None:
        self._stopped.set()

    def __call__(self, size: int) -> None:
        now = time.monotonic()
        if self._rate is not None:
            self._free = max(self._free, now) + size / self._rate
        while (left := self._free - now) > 0 and not self._stopped.is_set():
            self._stopped.wait(min(left, _LONGEST_NAP))
            now = time.monotonic()
        if self._stopped.is_set():
            raise Stopped


def step_back() -> None:
    """Gives the calling thread the lowest priority that the system has, for processor and disk; where it has any."""
    with contextlib.suppress(OSError, AttributeError):
        # Linux counts priorities by thread; elsewhere this would slow down the whole process.
        if platform.system() == "Linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
            number = _IOPRIO_SET.get(platform.machine())
            if number is not None:
                ctypes.CDLL(None).syscall(number, _WHO_PROCESS, 0, _CLASS_IDLE << _CLASS_SHIFT)
