"""What one backup holds, as lines of JSON: a head, an entry for each file, an end. Nothing here opens a file.

The whole text has a sha256, and the name of the backup (its generation) ends with the beginning of it: who has the
name can tell whether anything was changed since, in the list or in a file.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec
from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError

FORMAT = 1
"""Counts up when an older wheelkeep could no longer restore what a newer one wrote."""
NOT_A_BACKUPS = frozenset({"blobs", "tmp", "tally", "damaged", "removed", "changes", "lock", "restoring"})
"""What lies in a data folder under these names is stored otherwise, or belongs to the processes that run there."""

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_GENERATION = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{32}", re.ASCII)
_LONGEST_PATH = 1000
_FORM = "%Y%m%dT%H%M%S.%fZ"


class NotABackup(WheelkeepError):
    """What lies there is no backup, or not the one that was written."""


class Head(Struct, frozen=True, kw_only=True, tag="backup", tag_field="what", forbid_unknown_fields=True):
    """The first line."""

    format: int
    made: str
    """RFC 3339, UTC."""
    wheelkeep: str
    """The version that wrote it."""


class Kept(Struct, frozen=True, kw_only=True, tag="file", tag_field="what", forbid_unknown_fields=True):
    """A file of the data folder, cut into parts; a database is a consistent copy."""

    path: str
    """Relative to the data folder, with slashes."""
    mode: int
    size: int
    sha256: str
    """Of the whole."""
    parts: tuple[str, ...]
    """The sha256 of each, in order; put together they are the file."""


class Setting(Struct, frozen=True, kw_only=True, tag="setting", tag_field="what", forbid_unknown_fields=True):
    """A file of the configuration, as the operator wrote it."""

    path: str
    """Relative to the configuration file's folder, or below ``elsewhere/`` where it does not lie in it."""
    was: str
    """Where it lay."""
    mode: int
    size: int
    sha256: str
    """Of the one part that it is."""


class Stored(Struct, frozen=True, kw_only=True, tag="blob", tag_field="what", forbid_unknown_fields=True):
    """A file of the store."""

    sha256: str
    size: int


class End(Struct, frozen=True, kw_only=True, tag="end", tag_field="what", forbid_unknown_fields=True):
    """The last line: what came before it, counted."""

    entries: int
    bytes: int


Entry: TypeAlias = Kept | Setting | Stored
Line: TypeAlias = Head | Kept | Setting | Stored | End
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def name(made: datetime, sha256: str) -> str:
    """What the generation is called whose text has this hash: later ones sort later."""
    return f"{made.astimezone(UTC).strftime(_FORM)}-{sha256[:32]}"


def is_name(text: str) -> bool:
    return _GENERATION.fullmatch(text) is not None


def vouches(generation: str, sha256: str) -> bool:
    """Whether the text with this hash is the one that the generation was named after."""
    return is_name(generation) and generation.endswith(f"-{sha256[:32]}")


def write(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def read(lines: Iterable[bytes]) -> Iterator[Head | Entry]:
    """The head and each entry of a text; raises NotABackup where the text is not whole or says what it may not."""
    entries = size = 0
    ended = begun = False
    for raw in lines:
        if ended:
            raise NotABackup("the list of the backup goes on after its end")
        try:
            line = _decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise NotABackup("the list of the backup cannot be read") from None
        if isinstance(line, Head) is begun:
            raise NotABackup("the list of the backup has no head, or two")
        if isinstance(line, Head):
            if line.format != FORMAT:
                raise NotABackup(
                    f"the backup has the format {line.format}: this wheelkeep reads {FORMAT} only"
                )
            begun = True
            yield line
        elif isinstance(line, End):
            if (line.entries, line.bytes) != (entries, size):
                raise NotABackup("the list of the backup lacks entries")
            ended = True
        else:
            _check(line)
            entries, size = entries + 1, size + line.size
            yield line
    if not ended:
        raise NotABackup("the list of the backup has no end")


def _check(entry: Entry) -> None:
    hashes = [entry.sha256, *(entry.parts if isinstance(entry, Kept) else ())]
    if entry.size < 0 or not all(_SHA256.fullmatch(one) for one in hashes):
        raise NotABackup("the list of the backup has an entry without size or hash")
    if not isinstance(entry, Stored):
        if not plain(entry.path):
            raise NotABackup(
                f"the list of the backup names a place that no file may have: {entry.path[:80]!r}"
            )
        if isinstance(entry, Kept) and entry.path.split("/")[0] in NOT_A_BACKUPS:
            raise NotABackup(f"the list of the backup names a place that no backup has: {entry.path[:80]!r}")


def plain(path: str) -> bool:
    """Whether a relative path leads down and nowhere else, on any system."""
    parts = path.split("/")
    return (
        0 < len(path) <= _LONGEST_PATH
        and path.isprintable()
        and "\\" not in path
        and all(part not in ("", ".", "..") for part in parts)
    )


def moment(text: str) -> datetime | None:
    """When a generation was made, by its name; None for what is no generation's name."""
    if not is_name(text):
        return None
    try:
        return datetime.strptime(text.partition("-")[0], _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
