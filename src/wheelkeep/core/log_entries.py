"""What the transparency log's entries say, and their bytes, which never change once they are in the log.

Every entry holds sixteen random bytes, so that its hash, which anybody may see, tells nothing of it.
"""

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec
from msgspec import Struct

SALT = 16
"""Random bytes in each entry."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


class Head(Struct, frozen=True):
    """The newest line of a chained book."""

    number: int
    """0: it has none."""
    link: str
    """Lower-case hex; see core/chain."""


class SeenFile(Struct, frozen=True, kw_only=True, tag="file", tag_field="type"):
    """The first sight of a file: from then on the file name has these bytes in its source, and no others."""

    at: str
    source: str
    project: str
    filename: str
    sha256: str
    salt: str
    """Lower-case hex."""


class Heads(Struct, frozen=True, kw_only=True, tag="heads", tag_field="type"):
    """How far the books were: no line up to these can be changed or taken out without being missed."""

    at: str
    ledger: Head
    fetches: Head
    salt: str


LogEntry: TypeAlias = SeenFile | Heads


_READER: msgspec.json.Decoder[LogEntry] = msgspec.json.Decoder(SeenFile | Heads)


def write_entry(entry: LogEntry) -> bytes:
    """The bytes of an entry: JSON without spaces, its keys in the order in which they stand above."""
    return msgspec.json.encode(entry)


def read_entry(body: bytes) -> LogEntry:
    """Reads an entry; raises ValueError for what is none."""
    try:
        return _READER.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(f"it is no entry of a log of wheelkeep: {error}") from None


def written_moment(microseconds: int) -> str:
    """A moment, in microseconds since the epoch, as entries have it."""
    return f"{_EPOCH + microseconds * _MICRO:%Y-%m-%dT%H:%M:%S.%fZ}"


def micro(moment: datetime) -> int:
    """A moment in microseconds since the epoch."""
    return (moment - _EPOCH) // _MICRO
