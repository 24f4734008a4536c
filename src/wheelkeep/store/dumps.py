"""Reading dumps of advisories from disk: a zip, a folder, or one file. One record in memory at a time."""

import os
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError

_LARGEST_RECORD = 16 * 1024 * 1024
_LARGEST_FILE = 64 * 1024 * 1024
_LARGEST_UNPACKED = 16 * 1024 * 1024 * 1024
_MOST_RECORDS = 1_000_000
_WORST_RATIO = 200


class Read(Struct, frozen=True):
    """One record as it lies there: ``value`` is JSON, or None where it cannot be read, and ``why``."""

    name: str
    value: Any
    why: str = ""


def whole(path: Path) -> bool:
    """Whether a dump stands for all of what is known: a zip or a folder does, a single file only for its records."""
    return path.is_dir() or zipfile.is_zipfile(path)


def imported(data: Path) -> bool:
    """Whether a whole dump was ever imported into a data folder; asked without making one, and without an engine."""
    try:
        with closing(sqlite3.connect(f"file:{data / 'wheelkeep.sqlite'}?mode=ro", uri=True)) as connection:
            query = "SELECT 1 FROM advisory_dumps WHERE whole = 1 LIMIT 1"
            return connection.execute(query).fetchone() is not None
    except sqlite3.Error:
        return False


def read_dump(path: Path) -> Iterator[Read]:
    """Every record below a path, in the order of names. Raises WheelkeepError where there is nothing to read."""
    try:
        if path.is_dir():
            yield from _folder(path)
        elif not path.exists():
            raise WheelkeepError(f"there is no {path}")
        elif zipfile.is_zipfile(path):
            yield from _zip(path)
        elif path.stat().st_size > _LARGEST_FILE:
            raise WheelkeepError(f"{path} is larger than any list of advisories: give the zip or the folder")
        else:
            yield from _listed(path.name, path.read_bytes())
    except OSError as error:
        raise WheelkeepError(f"{path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise WheelkeepError(f"{path} is a damaged zip: {error}") from None


def _folder(path: Path) -> Iterator[Read]:
    for folder, below, files in os.walk(path):
        below.sort()
        for name in sorted(files):
            file = Path(folder, name)
            if name.startswith(".") or file.suffix.lower() != ".json":
                continue
            shown = str(file.relative_to(path))
            if not file.is_file():
                continue
            if file.stat().st_size > _LARGEST_RECORD:
                yield Read(shown, None, "it is larger than any record")
                continue
            try:
                body = file.read_bytes()
            except OSError as error:
                yield Read(shown, None, f"it cannot be read: {error.strerror}")
                continue
            yield from _listed(shown, body)


def _zip(path: Path) -> Iterator[Read]:
    with zipfile.ZipFile(path) as archive:
        members = [one for one in archive.infolist() if one.filename.lower().endswith(".json")]
        unpacked = sum(one.file_size for one in members)
        # What a member says of its size is held against what comes; here it is only to refuse before work begins.
        if (
            len(members) > _MOST_RECORDS
            or unpacked > _LARGEST_UNPACKED
            or unpacked > _LARGEST_FILE + _WORST_RATIO * path.stat().st_size
        ):
            raise WheelkeepError(f"{path} unpacks to more than any dump has: it was not read")
        for member in members:
            if member.file_size > _LARGEST_RECORD:
                yield Read(member.filename, None, "it is larger than any record")
                continue
            try:
                with archive.open(member) as file:
                    body = file.read(member.file_size + 1)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
                yield Read(member.filename, None, f"the zip is damaged there: {error}")
                continue
            except Exception as error:
                if type(error).__name__ not in ("error", "LZMAError"):  # zlib's and lzma's own
                    raise
                yield Read(member.filename, None, f"the zip is damaged there: {error}")
                continue
            yield from _listed(member.filename, body)


def _listed(name: str, body: bytes) -> Iterator[Read]:
    """One record, or a list of records."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield Read(name, None, f"it is not JSON: {error}")
        return
    if not isinstance(value, list):
        yield Read(name, value)
        return
    for at, one in enumerate(value):
        yield Read(f"{name}[{at}]", one)
