"""A page as it was at a moment, from what is known of it now. Nothing is guessed: what no page tells is left out.

A file is there from its upload time on. One that claims to be older than a look at its page that did not find it counts
from the moment it was first seen, as what is backdated is not to be found in the past. One whose origin tells no time
counts from first sight. A file that was yanked when it was first seen is shown so before, as nothing tells since when.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.arrival import clock
from wheelkeep.core.model import File, Page, Status

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-5][0-9])",
    re.ASCII,
)
_LEAP = re.compile(r"(?<=:[0-9]{2}):60(?:\.[0-9]+)?", re.ASCII)
"""A leap second (RFC 3339 5.7), which no clock here has: it is the end of its minute."""
_LOOKS_LIKE_ONE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*", re.ASCII)


class Removed(Struct, frozen=True):
    """A file that was taken away, as it was then."""

    file: File
    at: datetime


def is_moment(text: str) -> bool:
    """Whether a text is meant as a date or moment, well-formed or not: no snapshot is called so."""
    return _LOOKS_LIKE_ONE.fullmatch(text) is not None


def read_moment(text: str, now: datetime) -> datetime:
    """A date, which stands for the end of that day in UTC, or a moment with its offset (RFC 3339 5.6); aware, UTC.

    The day that is not over yet stands for now. Raises ValueError with a sentence, also for what is still to come.
    """
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            end = datetime.combine(day, time(), UTC) + timedelta(days=1, microseconds=-1)
            moment = now if day == now.date() else end
        elif _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(_LEAP.sub(":59.999999", text.upper())).astimezone(UTC)
            if _LEAP.search(text) and (moment + timedelta(seconds=1)).time() >= time(0, 0, 1):
                raise ValueError  # there is one at the end of a day only
        else:
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text[:60]} is no date such as 2026-11-01 and no moment such as 2026-11-01T12:00:00Z (RFC 3339)"
        ) from None
    if moment > now:
        raise ValueError(f"{text} is still to come: an index can be seen as it was, not as it will be")
    return moment


def appeared(file: File) -> datetime | None:
    """When a file came to its page; None where nothing tells. Aware, UTC."""
    if file.upload_time is None or file.absent is None:
        return clock(file)
    uploaded = datetime.fromisoformat(file.upload_time).astimezone(UTC)
    if uploaded > file.absent:
        return uploaded
    return file.first_seen if file.late else file.absent


def page_at(page: Page, when: datetime, removed: Sequence[Removed] = (), *, elsewhere: bool = False) -> Page:
    """What of a page was there at a moment, each file as it was then; ``removed``: what is on it no more.

    ``elsewhere``: the page is another index's, of which nothing is known but by looks. Where a file is missing only
    because nothing tells how old it is, and where the moment is before the first look, the page's status says so
    (PEP 792).
    """
    there = {file.filename for file in page.files}
    files = [_was(file, when) for file in page.files if _came(file, when)]
    files += [
        _was(one.file, when)
        for one in removed
        if one.file.filename not in there and when < one.at and _came(one.file, when)
    ]
    status = page.status
    unknown = [
        *_untold(page, when),
        *(_unseen([*page.files, *(one.file for one in removed)], when) if elsewhere else ()),
    ]
    if unknown and (status is None or status.reason is None):
        status = Status(status.status if status is not None else "active", "; ".join(unknown))
    if (
        len(files) == len(page.files)
        and status is page.status
        and all(one is other for one, other in zip(files, page.files, strict=True))
    ):
        return page
    had = {file.version for file in files} | ({*page.versions} - {file.version for file in page.files})
    return replace(
        page, files=tuple(files), versions=tuple(one for one in page.versions if one in had), status=status
    )


def _untold(page: Page, when: datetime) -> Iterator[str]:
    untold = sum(not _came(file, when) for file in page.files if file.upload_time is None)
    if untold:
        many = f"{untold} file{'s' * (untold != 1)}"
        yield f"{many} not shown: no page tells when they were uploaded, and they were first seen after this moment"


def _unseen(files: Iterable[File], when: datetime) -> Iterator[str]:
    first = min((file.first_seen for file in files if file.first_seen is not None), default=None)
    if first is not None and when < first:
        yield f"first looked at on {first:%Y-%m-%d}: what was yanked or deleted before is not known here"


def _came(file: File, when: datetime) -> bool:
    moment = appeared(file)
    return moment is not None and moment <= when


def _was(file: File, when: datetime) -> File:
    if file.left == "quarantined":  # nobody is newly led to it, by no date
        return file
    was = next((one for one in file.before if when < one.until), None)
    return file if was is None or was.yanked == file.yanked else replace(file, yanked=was.yanked)
