"""Times, moments and sizes as people write them: ``7d``, ``2026-11-22``, ``500MB``."""

import re
from datetime import UTC, datetime, timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"([0-9]{1,12})([smhdw])", re.ASCII)
_DURATION = re.compile(r"(?:[0-9]{1,12}[smhdw])+", re.ASCII)
# A longer one is a slip of the pen, and a date plus it would leave the calendar.
_LONGEST = timedelta(days=36525)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)

_BYTES: dict[str, int] = {"b": 1}
_BYTES |= {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)}
_BYTES |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)}
_SIZE = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,6}))? ?([A-Za-z]+)", re.ASCII)


def read_duration(text: str) -> timedelta:
    """A time such as ``10m``, ``7d`` or ``1h30m`` (s, m, h, d, w), more than zero; raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(
            f'"{text[:40]}" is not a time: write a number and one of s, m, h, d, w, such as "10m" or "7d"'
        )
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds == 0:
        raise ValueError(f'"{text[:40]}" is no time at all: it must be more than zero')
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f'"{text[:40]}" is longer than a hundred years')
    return timedelta(seconds=seconds)


def read_moment(text: str, now: datetime, *, end: bool = False) -> datetime:
    """A moment in UTC: a day, a moment as RFC 3339 writes it (UTC where it tells no zone), or a time before ``now``
    such as ``7d``. A day is its beginning, or with ``end`` its end. Raises ValueError.
    """
    if _DURATION.fullmatch(text):
        return now - read_duration(text)
    if _DAY.fullmatch(text) or _MOMENT.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text.upper())
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
            return moment + timedelta(days=1) if end and _DAY.fullmatch(text) else moment
        except (ValueError, OverflowError):
            pass  # the form is right, and no calendar has it
    raise ValueError(
        f'"{text[:40]}" is no moment: write a day ("2026-11-22"), a moment ("2026-11-22T08:00:00Z"), '
        'or how long ago ("7d")'
    )


def read_size(text: str) -> int:
    """A size such as ``500MB`` in bytes (KB is 1,000, KiB 1,024), more than zero; raises ValueError."""
    found = _SIZE.fullmatch(text)
    if found is None or (unit := _BYTES.get(found[3].lower())) is None:
        raise ValueError(
            f'"{text[:40]}" is not a size: write a number and one of KB, MB, GB or KiB, MiB, GiB'
        )
    fraction = found[2] or "0"
    size: int = int(found[1]) * unit + int(fraction) * unit // 10 ** len(fraction)
    if size == 0:
        raise ValueError(f'"{text[:40]}" is no size at all: it must be more than zero')
    return size


def size_words(size: int) -> str:
    """A size in bytes as people read it: ``4 GiB``, ``1.5 MiB``, ``900 bytes``."""
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if size >= 1024**power:
            return f"{round(size / 1024**power, 1):g} {unit}"
    return f"{size} bytes"


def time_words(seconds: float) -> str:
    """A span of time as people read it: ``30 min``, ``1.5 s``."""
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:g} s"
