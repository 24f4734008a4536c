"""What lies in the folder of stored bytes: blobs under their names, and what does not belong there."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_FOLDER = re.compile(r"[0-9a-f]{2}", re.ASCII)
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
OUT_OF_SERVICE = stat.S_ISVTX
"""The permission bit of a blob that is being removed (``removal``): it lies there for who found it a moment ago."""


class Lying(Struct, frozen=True):
    """One thing in the folder."""

    path: Path
    sha256: str | None
    """Of a blob, its name; None: it is none."""
    size: int = 0
    mode: int = 0
    """Permission bits, of a blob."""
    says: str = ""
    """Why it is no blob, for a person."""


def look(root: Path) -> Iterator[Lying]:
    """Everything below the folder, blobs in the order of their names. Raises OSError where it cannot be read; what
    goes meanwhile is passed over."""
    for name in sorted(os.listdir(root)):  # noqa: PTH208 - names are all that is wanted
        folder = root / name
        if folder.is_symlink() or not folder.is_dir():
            yield Lying(folder, None, says="is neither a blob nor a folder of blobs")
        elif _FOLDER.fullmatch(name):
            yield from look_in(folder)
        elif name != "lost+found":  # a file system of its own has that
            yield Lying(folder, None, says="is not the name of a folder of blobs")


def look_in(folder: Path) -> Iterator[Lying]:
    """Everything in one folder of blobs, nothing where it is not there; see ``look``."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        path = Path(entry.path)
        try:
            state = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISREG(state.st_mode) and state.st_mode & OUT_OF_SERVICE:
            continue
        if not _NAME.fullmatch(entry.name):
            yield Lying(path, None, says="has a name that is no sha256")
        elif not entry.name.startswith(folder.name):
            yield Lying(path, None, says="lies in the wrong folder for its name")
        elif not stat.S_ISREG(state.st_mode):
            yield Lying(path, None, says="is not a plain file")
        else:
            yield Lying(path, entry.name, size=state.st_size, mode=stat.S_IMODE(state.st_mode))
