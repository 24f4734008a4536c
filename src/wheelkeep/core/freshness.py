"""When a stored answer may be used, must be asked for again, or stands in for one that does not come."""

from datetime import datetime, timedelta
from enum import Enum


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
    age = now - checked
    if timedelta(0) <= age < fresh:
        return Plan.USE
    return Plan.REVALIDATE if has_page else Plan.ASK


def pause_after_failure(failures: int, fresh: timedelta) -> timedelta:
    """How long a source that failed ``failures`` times in a row for one name is left alone while a page stands in."""
    return min(timedelta(seconds=min(0.5 * 2.0 ** min(failures, 8), 60.0)), max(fresh, timedelta(seconds=1)))
