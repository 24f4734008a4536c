"""Names: of projects, files, sources and indexes. One normal form decides everything (PEP 503); nothing is repaired."""

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from math import prod
from typing import Literal, NewType

from msgspec import Struct
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from wheelkeep.core.errors import InvalidName

ProjectName = NewType("ProjectName", str)
SourceName = NewType("SourceName", str)
IndexName = NewType("IndexName", str)
Kind = Literal["wheel", "sdist"]

# pip's list of archives (PEP 625 makes .tar.gz the only new one, but indexes are full of the others).
SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tbz", ".txz", ".tar")
# The first parts of the addresses that the server itself answers.
RESERVED_INDEX_NAMES = frozenset(
    {"simple", "api", "log", "healthz", "readyz", "metrics", "static", "_", "favicon.ico", "robots.txt"}
)

_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_RUNS = re.compile(r"[-_.]+")
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", re.ASCII)
_MOST_TAGS = 500
_LONGEST_PROJECT = 200
_LONGEST_FILENAME = 250  # file systems stop at 255 bytes, and ``.metadata`` is not stored under this name


def project(text: str) -> ProjectName:
    """The normal form of a project's name (PEP 503); raises InvalidName outside PEP 508's ASCII grammar."""
    if len(text) > _LONGEST_PROJECT or not _PROJECT.fullmatch(text):
        raise InvalidName(
            f"{text[:80]!r} is not a project name: ASCII letters, digits, '.', '_' and '-' only"
        )
    return ProjectName(_RUNS.sub("-", text).lower())


def source(text: str) -> SourceName:
    """A source's name as the configuration spells it; raises InvalidName."""
    if not _LABEL.fullmatch(text):
        raise InvalidName(f"{text!r} is not a source name: it must match [a-z0-9][a-z0-9-]{{0,63}}")
    return SourceName(text)


def index(text: str) -> IndexName:
    """An index's name as the configuration spells it; raises InvalidName, also for the server's own words."""
    if not _LABEL.fullmatch(text):
        raise InvalidName(f"{text!r} is not an index name: it must match [a-z0-9][a-z0-9-]{{0,63}}")
    if text in RESERVED_INDEX_NAMES:
        raise InvalidName(
            f"{text!r} is not free for an index: it is the first part of an address of the server"
        )
    return IndexName(text)


class ParsedFilename(Struct, frozen=True):
    """What a distribution's file name tells: its kind, and its version as text in the file's own spelling."""

    kind: Kind
    version: str


@lru_cache(maxsize=65536)
def filename(text: str, owner: ProjectName) -> ParsedFilename:
    """Reads the file name of a wheel (PEP 427) or sdist (PEP 625, and older spellings) of the project ``owner``.

    Raises InvalidName for everything else: other projects' files, paths, unknown endings, versions outside PEP 440.
    """
    if len(text) > _LONGEST_FILENAME or not _PLAIN.fullmatch(text):
        raise InvalidName(f"{text[:80]!r} is not a plain distribution file name")
    if text.endswith(".whl"):
        return _wheel(text, owner)
    for suffix in SDIST_SUFFIXES:
        if text.endswith(suffix):
            return _sdist(text, text[: -len(suffix)], owner)
    raise InvalidName(f"{text!r} is neither a wheel nor an sdist")


def _wheel(text: str, owner: ProjectName) -> ParsedFilename:
    # Compressed tags stand for the product of their parts (PEP 425): a short name must not be long work.
    if prod(part.count(".") + 1 for part in text[: -len(".whl")].split("-")[-3:]) > _MOST_TAGS:
        raise InvalidName(f"{text!r} stands for more tags than any wheel fits")
    try:
        name, version, _, _ = parse_wheel_filename(text)
    except (InvalidWheelFilename, InvalidVersion) as error:
        raise InvalidName(str(error)) from None
    if str(name) != owner:
        raise InvalidName(f"{text!r} is not a file of {owner}")
    return ParsedFilename("wheel", str(version))


def _sdist(text: str, stem: str, owner: ProjectName) -> ParsedFilename:
    """Old sdists have dashes in name and version, so the owner decides where the name ends (as pip reads links)."""
    for at, letter in enumerate(stem):
        # Not by a pattern made of the owner's name: to make one takes a thousand times as long as to use it.
        if letter == "-" and _RUNS.sub("-", stem[:at]).lower() == owner:
            try:
                return ParsedFilename("sdist", str(Version(stem[at + 1 :])))
            except InvalidVersion:
                break
    raise InvalidName(f"{text!r} is not an sdist of {owner} with a PEP 440 version") from None


def owner_of(text: str) -> ProjectName | None:
    """The project whose distribution a file name is; None for what is no distribution's name.

    The dashes of an old sdist's name leave a choice. It falls on the shortest name that a whole version follows: were
    it the longest, a part of a private file's version (``ours-1.0-1.tar.gz``) would make a name to ask others for.
    """
    if len(text) > _LONGEST_FILENAME or not _PLAIN.fullmatch(text):
        return None
    ends = [at for at, letter in enumerate(text) if letter == "-"]
    suffix = next((one for one in SDIST_SUFFIXES if text.endswith(one)), "")
    for end in ends[:1] if not suffix else ends:
        # The version first, as it costs next to nothing: a name can be nothing but dashes.
        if suffix and not _is_version(text[end + 1 : -len(suffix)]):
            continue
        try:
            owner = project(text[:end])
            filename(text, owner)
        except InvalidName:
            continue
        return owner
    return None


def _is_version(text: str) -> bool:
    try:
        version(text)
    except InvalidVersion:
        return False
    return True


def matches(pattern: str, name: ProjectName) -> bool:
    """Whether a glob (``acme-*``) matches a normalised name; the pattern's letters are compared normalised too."""
    return fnmatchcase(name, normal_glob(pattern))


@lru_cache(maxsize=4096)
def normal_glob(pattern: str) -> str:
    """A glob with its literal parts in normal form, so that ``Acme_*`` means ``acme-*``."""
    return _RUNS.sub("-", pattern).lower()


@lru_cache(maxsize=131072)
def version(text: str) -> Version:
    """A parsed version, kept: the same few thousand strings come again with every page.

    Raises InvalidVersion, also for one that is longer than a file's name may be.
    """
    if len(text) > _LONGEST_FILENAME:
        raise InvalidVersion(f"a version has at most {_LONGEST_FILENAME} characters")
    return Version(text)
