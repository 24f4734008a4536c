"""A clock that can be set: Python loads this before the server, from a folder that the fault suite alone names.

The file of OFFSET holds how many seconds the clock is wrong by, and is read each time. Python's own clock alone: files'
times, the server's transport and timers stay true, as do the monotonic clocks.
"""

import ctypes
import datetime
import gc
import os
import time

_OFFSET = os.environ["FAULTS_CLOCK"]
_time, _time_ns = time.time, time.time_ns


def _offset() -> int:
    try:
        with open(_OFFSET) as file:
            return int(file.read() or 0)
    except OSError:
        return 0


def _now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> datetime.datetime:
    return cls.fromtimestamp(time.time(), tz)


time.time = lambda: _time() + _offset()
time.time_ns = lambda: _time_ns() + _offset() * 1_000_000_000
# The class itself, and no other one in its place: libraries ask of a moment whether it is of exactly that class. Its
# attributes are shown as read-only; what is shown is a dict.
gc.get_referents(datetime.datetime.__dict__)[0]["now"] = classmethod(_now)
ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
