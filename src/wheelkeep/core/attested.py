"""What is known of the attestations of a project's files (PEP 740): plain data, for the gate to judge by."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from packaging.version import Version

from wheelkeep.core import names
from wheelkeep.core.arrival import clock
from wheelkeep.core.model import File
from wheelkeep.core.names import SourceName

_NEVER = datetime.max.replace(tzinfo=UTC)
_ALWAYS = datetime.min.replace(tzinfo=UTC)


class Publisher(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who signed, by the certificate that the signature was made with; never by what anybody claims."""

    kind: str
    """``GitHub``, ``GitLab``, ``Google``; of any other the issuer's URL, as the certificate has it."""
    name: str
    """The repository (``acme/demo``), or where there is none the identity (an address, a URI)."""
    workflow: str = ""
    """The file that describes the build; shown, and not part of who it is."""
    number: str = ""
    """The forge's own number of the repository, which stays when it is renamed and does not come back."""

    def same(self, other: "Publisher") -> bool:
        """Whether both are one: by the number where both have one, else by name."""
        if self.kind != other.kind:
            return False
        if self.number and other.number:
            return self.number == other.number
        return self.name.casefold() == other.name.casefold()

    @property
    def words(self) -> str:
        return f"{self.kind} {self.name}"


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What verifying a file's attestations came to."""

    state: Literal["verified", "false", "foreign", "none"]
    """Foreign: signed with a certificate of an authority that no trust root has. None: there is no document."""
    publishers: tuple[Publisher, ...] = ()
    """Of the attestations that were verified, each once."""
    why: str = ""
    """Why it was not verified, as the end of a sentence."""


class Remembered(Struct, frozen=True, kw_only=True):
    """A fact about one file of one source, as it is kept."""

    source: SourceName
    filename: str
    version: str
    sha256: str
    fact: Fact
    came: datetime | None
    """When the file came, by the cooldown's clocks."""
    roots: str
    """The trust roots that it was held against, by their digest."""
    checked: datetime


class Standard(Struct, frozen=True, kw_only=True):
    """The first file of a project that is attested: what came later has to keep to it."""

    filename: str
    version: str
    came: datetime | None
    publishers: tuple[Publisher, ...] | None
    """None: the file says that it is attested, and that is not verified yet."""

    def before(self, file: File) -> bool:
        """Whether the file came after this one: by time, then by version. One of unknown time counts as later."""
        if file.filename == self.filename:
            return False
        mine = (self.came or _ALWAYS, names.version(self.version))
        return mine < (clock(file) or _NEVER, names.version(file.version))


class Provenance(Struct, frozen=True, kw_only=True):
    """All that the gate needs to know beside a file itself."""

    facts: Mapping[str, Fact] = {}
    """By file name; of a file that is not here nothing is known (yet)."""
    standard: Standard | None = None
    troubles: Mapping[str, str] = {}
    """By file name: why nothing could be learnt."""
    again: datetime | None = None
    """When more may be known."""


def find_standard(
    files: Iterable[File], facts: Mapping[str, Fact], remembered: Iterable[Remembered]
) -> Standard | None:
    """The first attested file, among those listed and those that once were. A claim that proved false is none."""
    found = [
        Standard(filename=one.filename, version=one.version, came=one.came, publishers=one.fact.publishers)
        for one in remembered
        if one.fact.state == "verified"
    ]
    known = {one.filename for one in found}
    for file in files:
        fact = facts.get(file.filename)
        if file.filename in known or not (file.provenance or fact) or (fact and fact.state != "verified"):
            continue
        publishers = fact.publishers if fact is not None else None
        found.append(
            Standard(filename=file.filename, version=file.version, came=clock(file), publishers=publishers)
        )
    return min(found, key=_place, default=None)


def _place(one: Standard) -> tuple[datetime, Version, str]:
    return one.came or _ALWAYS, names.version(one.version), one.filename
