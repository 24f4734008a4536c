"""Uploaded archives: what is wrong with one, and what every archive's paths must be. Reads files, changes nothing.

The formats live in zips and tars, what a wheel or an sdist must hold in wheels and sdists. The aim is one meaning:
whatever two installers could read differently is refused here.
"""

import re
import unicodedata

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError

MOST_MEMBERS = 100_000
LONGEST_PATH = 1024
"""Characters of a member's path."""
LARGEST_UNPACKED = 64 * 1024**3
"""Bytes of all members together."""
UNSUSPECTED = 64 * 1024**2
"""Bytes up to which nobody asks how well an archive is packed."""
MOST_RATIO = 100
"""How many times larger than the file all members together may be, above that."""
LARGEST_METADATA = 4 * 1024**2
"""Bytes of METADATA or PKG-INFO."""
READ_AT_ONCE = 256 * 1024
_SHOWN = 10

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")


class BadArchive(WheelkeepError):
    """The archive is not one that may be kept; ``problems`` are sentences for whoever made it."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Contents(Struct, frozen=True):
    """What was read out of a good archive."""

    metadata: bytes
    """METADATA of a wheel, PKG-INFO of an sdist: core metadata as it lies there."""


class Paths:
    """The paths of an archive, each checked and held against the ones before it."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, path: str, *, folder: bool) -> None:
        """Takes one more path, without a slash at its end. Raises BadArchive."""
        if (says := path_problem(path)) is not None:
            raise BadArchive(f"the member {shown(path)} {says}")
        # Some file systems keep one form only, and there two spellings of a letter would be one file (UAX 15).
        path = unicodedata.normalize("NFC", path)
        if path in self._files or (path in self._folders and not folder):
            raise BadArchive(f"the member {shown(path)} is there twice")
        parent = path.rpartition("/")[0]
        while parent and parent not in self._folders:
            if parent in self._files:
                raise BadArchive(
                    f"the member {shown(path)} lies below {shown(parent)}, which is not a folder"
                )
            self._folders.add(parent)
            parent = parent.rpartition("/")[0]
        (self._folders if folder else self._files).add(path)
        if len(self._files) + len(self._folders) > 2 * MOST_MEMBERS:
            raise BadArchive(f"it has more than {MOST_MEMBERS} members")


def path_problem(path: str) -> str | None:
    """Why a member's path would not mean the same place on every system, as the end of a sentence; else None."""
    if len(path) > LONGEST_PATH:
        return f"has a path of more than {LONGEST_PATH} characters"
    if _CONTROL.search(path):
        return "has a control character in its path"
    if "\\" in path:
        return "has a backslash in its path, which is a folder's end on some systems"
    if path.startswith("/"):
        return "has an absolute path"
    if _DRIVE.match(path):
        return "has a path that begins with a drive"
    parts = path.split("/")
    if ".." in parts:
        return 'has ".." in its path'
    if "" in parts or "." in parts:
        return "has an empty part in its path"
    return None


def too_large(unpacked: int, packed: int) -> str | None:
    """Why an archive of ``packed`` bytes may not unpack to so many; None where it may."""
    if unpacked > LARGEST_UNPACKED:
        return f"it unpacks to more than {LARGEST_UNPACKED // 1024**3} GiB"
    if unpacked > UNSUSPECTED and unpacked > MOST_RATIO * packed:
        return f"it unpacks to more than {MOST_RATIO} times its size, as only an archive made to fill a disk does"
    return None


def shown(text: str) -> str:
    """A member's path as a sentence may show it: in quotes, printable, not long."""
    return ascii(text if len(text) <= 120 else f"{text[:60]}…{text[-50:]}")


def some(problems: list[str]) -> list[str]:
    """The first few of many problems, and how many more there are."""
    if len(problems) <= _SHOWN:
        return problems
    return [*problems[:_SHOWN], f"and {len(problems) - _SHOWN} more of this kind"]
