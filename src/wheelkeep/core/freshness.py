"""When a stored answer may be used, must be asked for again, or stands in for one that does not come."""

from datetime import datetime, timedelta
from enum import Enum

LONGEST_PAUSE = timedelta(minutes=1)
"""For which a thing that was not to be had is not asked for again, at most."""


class Plan(Enum):
    """What to do with what is stored."""

    USE = "use"
    """It is fresh."""
    REVALIDATE = "revalidate"
    """Ask again; if the answer is not there soon, use what is stored."""
    ASK = "ask"
    """Nothing that is stored may be used without asking."""


def plan(*, checked: datetime | None, has_page: bool, fresh: timedelta, now: datetime) -> Plan:
    """What to do about a name whose last answer came at ``checked`` (None: never asked).

    An absence is believed only while it is fresh: a name that was not there yesterday may be there now, and taking
    it from a lower source would be the very confusion that priorities are to prevent. A clock that was set back
    (``checked`` in the future) makes an answer old, never young.
    """
    if checked is None:
        return Plan.ASK
    if young(checked, now, fresh):
        return Plan.USE
    return Plan.REVALIDATE if has_page else Plan.ASK


def young(at: datetime, now: datetime, kept: timedelta) -> bool:
    """Whether what was learnt at ``at`` is younger than ``kept``; of a later moment than now it is not."""
    return timedelta(0) <= now - at < kept


def pauses(until: datetime, now: datetime) -> bool:
    """Whether a pause that was to end at ``until`` still holds. None is longer than a minute, so one of which more than
    that is left began before the clock was set back, and is over."""
    return now < until <= now + LONGEST_PAUSE


def pause_after_failure(failures: int, fresh: timedelta) -> timedelta:
    """How long a source that failed ``failures`` times in a row for one name is left alone while a page stands in."""
    longest = min(LONGEST_PAUSE, max(fresh, timedelta(seconds=1)))
    return min(timedelta(seconds=0.5 * 2.0 ** min(failures, 8)), longest)
