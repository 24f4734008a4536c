"""When a file came: the one moment that every gate counts from. Nothing here asks what time it is."""

from datetime import UTC, datetime

from wheelkeep.core.model import File


def clock(file: File) -> datetime | None:
    """The later of its origin's upload time and, where its page was known before it, the moment this keep first saw
    it: a backdated file gains nothing. Aware, UTC; None where nothing is known."""
    uploaded = _moment(file.upload_time)
    if uploaded is None:
        return file.first_seen
    if file.late and file.first_seen is not None:
        return max(uploaded, file.first_seen)
    return uploaded


def _moment(text: str | None) -> datetime | None:
    """An upload time that was checked when it was read (PEP 700: UTC, with a Z)."""
    return datetime.fromisoformat(text).astimezone(UTC) if text is not None else None
