"""What a source says of a file, field by field, read as if it meant harm. Shared by read_json and read_html.

Each function takes a value as it came and gives it back checked, or says that nothing usable was told. A
field that cannot be read is left out; it never takes its file along, and a file never its page.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from email.parser import HeaderParser
from functools import lru_cache
from math import prod
from typing import Any

from packaging.version import InvalidVersion, Version

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName, NotAPage
from wheelkeep.core.links import absolute
from wheelkeep.core.model import Status, StatusWord
from wheelkeep.core.names import ParsedFilename, ProjectName

MOST_FILES = 100_000
"""Files, and versions, on one page. The largest pages of the public index have some ten thousand."""

_LONGEST_REASON = 2000
_LONGEST_SPECIFIER = 1000
_LONGEST_VERSION = 250
_MOST_TAGS = 500
_MOST_TAGS_ON_A_PAGE = 300_000
_MOST_DASHES_IN_A_VERSION = 4
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z", re.ASCII)
_API_VERSION = re.compile(r"([0-9]{1,9})(?:\.[0-9]{1,9})?", re.ASCII)
# Hex digits of the digests that hashlib gives by these names (PEP 691 allows those of guaranteed algorithms).
_DIGITS = {
    "sha512": 128,
    "sha384": 96,
    "sha224": 56,
    "sha3_512": 128,
    "sha3_384": 96,
    "sha3_256": 64,
    "sha3_224": 56,
    "blake2b": 128,
    "blake2s": 64,
    "sha1": 40,
    "md5": 32,
}
_STATUS_WORDS: dict[str, StatusWord] = {
    "active": "active",
    "archived": "archived",
    "deprecated": "deprecated",
    "quarantined": "quarantined",
}


class FileNames:
    """Reads the file names of one page, and keeps a page of costly ones cheap.

    A name can be made costly: a wheel's compressed tags (PEP 425) multiply, and an sdist's dashes are each tried as
    the end of the project's name. What no real file has is turned away before it is read.
    """

    def __init__(self, owner: ProjectName) -> None:
        self._owner = owner
        # The project's name in any spelling (PEP 503), a dash, and how every version begins (PEP 440).
        spelling = owner.replace("-", "[-_.]+")
        self._start = re.compile(rf"{spelling}-v?[0-9]", re.IGNORECASE | re.ASCII).match
        self._tags_left = _MOST_TAGS_ON_A_PAGE

    def read(self, text: str) -> ParsedFilename | None:
        """What a file name tells (see ``names.filename``); None for one that is no file of the project.

        Raises NotAPage when the wheels of the page have more tags than any page could need.
        """
        start = self._start(text)
        if start is None:
            return None
        if text.endswith(".whl"):
            if text.count(".") > 6 and not self._affordable(text):
                return None
        elif text.count("-", start.end()) > _MOST_DASHES_IN_A_VERSION:
            return None
        try:
            return names.filename(text, self._owner)
        except InvalidName:
            return None

    def meant(self, text: str) -> bool:
        """Whether a name begins as a file of the project does, readable or not."""
        return self._start(text) is not None

    def _affordable(self, text: str) -> bool:
        tags = prod(part.count(".") + 1 for part in text[:-4].split("-")[-3:])
        if tags > _MOST_TAGS:
            return False
        self._tags_left -= tags
        if self._tags_left < 0:
            raise NotAPage(f"the page of {self._owner} names more than {_MOST_TAGS_ON_A_PAGE} tags of wheels")
        return True


def hashes(told: Iterable[tuple[str, Any]]) -> tuple[str | None, dict[str, str]]:
    """The sha256, if one is told, and other digests by hashlib's name (PEP 503, 691); lower-case hex."""
    sha256 = None
    others = {}
    for name, value in told:
        if name == "sha256":
            sha256 = _hex(value, 64) or sha256
        elif (digits := _DIGITS.get(name)) and (digest := _hex(value, digits)):
            others[name] = digest
    return sha256, others


def _hex(value: object, digits: int) -> str | None:
    if not isinstance(value, str) or len(value) != digits:
        return None
    try:
        # ``fromhex`` skips spaces, so the length is to be checked on both sides.
        return value.lower() if len(bytes.fromhex(value)) * 2 == digits else None
    except ValueError:
        return None


def size(value: object) -> int | None:
    """Bytes (PEP 700): a whole number, not negative."""
    return value if type(value) is int and 0 <= value < 1 << 63 else None


def upload_time(value: object) -> str | None:
    """The very text, if it is a moment in PEP 700's form and in UTC; else None."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value


def requires_python(value: object) -> str | None:
    """The text as it is, for clients to judge (PEP 345): one line, at most 1,000 characters; else None."""
    if not isinstance(value, str) or not value or len(value) > _LONGEST_SPECIFIER:
        return None
    return value if value.isprintable() else None


def reason(value: object) -> str | None:
    """A sentence for people: one line of at most 2,000 characters, what cannot be printed made a space."""
    if not isinstance(value, str):
        return None
    text = value[:_LONGEST_REASON]
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text.strip()


def metadata(value: object) -> bool | str | None:
    """Core metadata beside the file (PEP 658, 714): its sha256, True or False; None where not told."""
    if isinstance(value, dict):
        if "sha256" in value:
            return _hex(value["sha256"], 64)
        # A digest of another kind still says that there is metadata.
        return True if value else None
    return value if isinstance(value, bool) else None


def describes(body: bytes, project: ProjectName, version: str) -> bool:
    """Whether a text is core metadata (PEP 566) of a release, by the name and version in it; ``version`` is normal."""
    told = HeaderParser().parsestr(body.partition(b"\n\n")[0].decode("utf-8", "replace"))
    try:
        owner, release = names.project(str(told["Name"]).strip()), names.version(str(told["Version"]).strip())
    except (InvalidName, InvalidVersion):
        return False
    return owner == project and str(release) == version


def provenance(value: object) -> str | None:
    """The absolute http(s) URL of the attestations (PEP 740), or None."""
    return absolute(value) if isinstance(value, str) else None


def status(word: object, why: object) -> Status | None:
    """A project's status (PEP 792); None for words that the specification does not have."""
    known = _STATUS_WORDS.get(word.strip().lower()) if isinstance(word, str) else None
    return None if known is None else Status(known, reason(why) or None)


def versions(told: Iterable[object]) -> tuple[str, ...]:
    """The versions told (PEP 700) in PEP 440's normal form, each once, in order; what is none is left out."""
    texts = (_normal(text) for text in told if isinstance(text, str) and len(text) <= _LONGEST_VERSION)
    return tuple(dict.fromkeys(text for text in texts if text is not None))


@lru_cache(maxsize=65536)
def _normal(text: str) -> str | None:
    try:
        return str(Version(text))
    except InvalidVersion:
        return None


def require_version_one(told: object, *, url: str) -> None:
    """Raises NotAPage unless the API version is 1.x (PEP 629: other major versions are not read)."""
    read = _API_VERSION.fullmatch(told.strip()) if isinstance(told, str) else None
    if read is None:
        raise NotAPage(f"{shown(url)} does not tell the version of the Simple API that it speaks")
    if int(read[1]) != 1:
        raise NotAPage(f"{shown(url)} speaks version {read[0]} of the Simple API; only 1.x is known")


def shown(url: str) -> str:
    """A page's address for a sentence: short, on one line, without user information or query."""
    bare = re.sub(r"//[^/@]*@", "//", url.partition("?")[0].partition("#")[0])
    return (reason(bare) or "")[:200]
