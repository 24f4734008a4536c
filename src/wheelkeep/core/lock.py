"""A lock as data, whatever tool wrote it: which files of which projects, by hash. How each format is read lives in
the ``lock_…`` modules, and which format a text has in ``lockfiles``.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct
from packaging.version import InvalidVersion

from wheelkeep.core import checked, names
from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.names import ProjectName

LockFormat = Literal["requirements.txt", "pylock.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"]
Origin = Literal["index", "url", "path", "git", "editable", "virtual"]
Read: TypeAlias = Callable[[str], bytes]
"""A file's path to its bytes, at most ``MOST_BYTES`` and one; raises OSError. Core opens nothing itself."""

MOST_BYTES = 100_000_000
MOST_FILES = 500_000
"""Files, or hashes, in one lock with all that it includes."""

_HASH = re.compile(r"([a-z0-9_]+)[:=]([0-9A-Fa-f]+)", re.ASCII)
_WHY: Mapping[Origin, str] = {
    "url": "is taken from an address of its own, which no index answers for",
    "path": "is a file or folder beside the lock, which no index has",
    "git": "is taken from a repository, which no index has",
    "editable": "is a folder of source beside the lock, which no index has",
    "virtual": "is the locked project itself, which is not installed from anywhere",
}
_MOST_WARNINGS = 20


class LockedFile(Struct, frozen=True, kw_only=True):
    """One file that a lock admits to: by its bytes, and as far as the format tells by its name and place."""

    sha256: str | None = None
    """Lower-case hex; without one, no file can be told to be this."""
    digests: dict[str, str] = {}
    """Other digests, lower-case hex by hashlib's name."""
    filename: str | None = None
    url: str | None = None
    """Without user information or fragment."""
    size: int | None = None
    """Bytes."""
    upload_time: str | None = None
    """``yyyy-mm-ddThh:mm:ss[.ffffff]Z``."""


class Locked(Struct, frozen=True, kw_only=True):
    """One entry of a lock: a project at a version, with its files."""

    project: ProjectName | None
    """None where the entry is a folder or address that does not tell its project."""
    version: str | None = None
    """PEP 440, in normal form; None where the lock does not pin one."""
    files: tuple[LockedFile, ...] = ()
    origin: Origin = "index"
    source: str | None = None
    """Where it comes from as the lock says: an index's address or name, a repository, a path."""
    marker: str = ""
    """The environments that it is for (PEP 508)."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """The dependency groups that it belongs to, where the format keeps them."""

    @property
    def unservable(self) -> str:
        """Why no index can serve it; empty for what comes from one."""
        return "" if self.origin == "index" else f"{self.project or 'an entry'} {_WHY[self.origin]}"


class Lock(Struct, frozen=True, kw_only=True):
    """A whole lock."""

    path: str
    format: LockFormat
    entries: tuple[Locked, ...]
    """In written order, included files at their place."""
    read: tuple[str, ...]
    """Every file that it was read from."""
    warnings: tuple[Mistake, ...] = ()
    """Entries that can never be admitted by hash."""


class Draft:
    """A lock while it is read: entries, and every mistake with its place."""

    def __init__(self, path: str, form: LockFormat) -> None:
        self._path = path
        self._form = form
        self._entries: list[Locked] = []
        self._warnings: list[Mistake] = []
        self._unhashed = 0
        self._left = MOST_FILES
        self.mistakes: list[Mistake] = []

    def add(self, entry: Locked, place: Callable[[str], Mistake]) -> None:
        """Takes an entry in; ``place`` makes a mistake that stands where the entry does. Raises ConfigError."""
        self._left -= 1 + len(entry.files)
        if self._left < 0:
            raise ConfigError([place(f"is beyond the {MOST_FILES} files that a lock may have")])
        self._entries.append(entry)
        if entry.origin == "index" and (said := _unhashed(entry)):
            self._unhashed += 1
            if self._unhashed <= _MOST_WARNINGS:
                self._warnings.append(place(said))

    def done(self, read: Iterable[str] = ()) -> Lock:
        """The lock; raises ConfigError with every mistake."""
        if self.mistakes:
            raise ConfigError(self.mistakes)
        if (more := self._unhashed - _MOST_WARNINGS) > 0:
            self._warnings.append(Mistake(self._path, None, "", f"{more} more have no sha256 either"))
        return Lock(
            path=self._path,
            format=self._form,
            entries=tuple(self._entries),
            read=tuple(read) or (self._path,),
            warnings=tuple(self._warnings),
        )


def _unhashed(entry: Locked) -> str:
    lacking = sum(file.sha256 is None for file in entry.files)
    if entry.files and not lacking:
        return ""
    what = f"{entry.project} {entry.version}" if entry.version else f"{entry.project}"
    if not entry.files:
        return f"{what} has no hash, so no file of it is admitted: lock it anew with hashes"
    return f"{lacking} of {len(entry.files)} files of {what} have no sha256, so they are not admitted"


def read_hash(text: str) -> tuple[str, str]:
    """``sha256:hex`` as algorithm and lower-case hex; raises ValueError with a sentence."""
    found = _HASH.fullmatch(text.strip())
    if found is not None:
        sha256, others = checked.hashes([(found[1], found[2])])
        if sha256 is not None:
            return "sha256", sha256
        if others:
            return next(iter(others.items()))
    raise ValueError(f'"{text[:80]}" is not a hash: write "sha256:" and 64 hex digits')


def locked_file(
    hashes: Iterable[tuple[str, str]],
    *,
    filename: str | None = None,
    url: str | None = None,
    size: object = None,
    upload_time: object = None,
) -> LockedFile:
    """A file of checked parts; its name is the last part of its address where nothing else tells it."""
    sha256, digests = checked.hashes(hashes)
    return LockedFile(
        sha256=sha256,
        digests=digests,
        filename=filename or (last_part(url) if url else None),
        url=bare(url) if url else None,
        size=checked.size(size),
        upload_time=checked.upload_time(upload_time),
    )


def normal_version(text: str | None) -> str | None:
    """A version in PEP 440's normal form; None for what is none."""
    if text is None:
        return None
    try:
        return str(names.version(text))
    except InvalidVersion:
        return None


def last_part(url: str) -> str | None:
    """The file name at the end of an address or path."""
    try:
        path = unquote(urlsplit(url).path) if "://" in url else url.replace("\\", "/")
    except ValueError:
        return None
    return PurePosixPath(path).name or None


def bare(url: str) -> str:
    """An address without user information and fragment: a lock may hold somebody's password, and this goes on."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
