"""The nouns: File, Page, and what a source answers. Plain frozen data."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from wheelkeep.core.names import Kind, ProjectName, SourceName

Departure = Literal["file", "project", "quarantined"]
"""How a file left its origin: by itself; with its project, of which a clean 404 tells; into quarantine (PEP 792)."""
StatusWord = Literal["active", "archived", "deprecated", "quarantined"]


class Was(Struct, frozen=True, kw_only=True):
    """How a file was until a moment, in what sources may change their word about (PEP 592)."""

    until: datetime
    """When it was first seen to be otherwise; aware, UTC."""
    yanked: str | None = None


class File(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One wheel or sdist as a source vouches for it. Read only from checked data: see read_json and read_html."""

    filename: str
    """Plain file name (PEP 427, PEP 625), already parsed with ``names.filename``."""
    project: ProjectName
    kind: Kind
    version: str
    """PEP 440, in normal form."""
    source: SourceName
    url: str
    """Where the source has the bytes: an absolute URL, or a path inside a directory source. Never from a client."""
    sha256: str | None = None
    """Lower-case hex; the first that was stated for, or seen of, this file name in this source."""
    digests: dict[str, str] = {}
    """Other digests that the page stated (PEP 691 ``hashes``), lower-case hex by hashlib's name."""
    size: int | None = None
    """Bytes (PEP 700)."""
    resized: int | None = None
    """The bytes that the source tells now, where that is another number than ``size``; never shown."""
    upload_time: str | None = None
    """As the origin gave it (PEP 700): ``yyyy-mm-ddThh:mm:ss[.ffffff]Z``."""
    requires_python: str | None = None
    """Unescaped (PEP 503)."""
    yanked: str | None = None
    """None: not yanked; else the reason, which may be empty (PEP 592)."""
    metadata: bool | str | None = None
    """Core metadata beside the file (PEP 658, 714): its sha256 in hex, True without one, None where not told."""
    provenance: str | None = None
    """The origin's absolute URL of the attestations (PEP 740)."""
    first_seen: datetime | None = None
    """When this keep first saw the file on a page of its source; aware, UTC."""
    late: bool = False
    """Its page was already known when the file was first seen on it."""
    absent: datetime | None = None
    """The last moment at which it is known not to have been on its page; None where none is known. Aware, UTC."""
    before: tuple[Was, ...] = ()
    """What it was earlier, the oldest first."""
    gone: bool = False
    """The source no longer lists it; it is shown while its bytes are here."""
    left: Departure | None = None
    """How it went, where it is gone and that was seen."""
    silent: bool = False
    """The name is not its source's today, which is asked for nothing: it is shown while its bytes are here."""
    unstated: bool = False
    """No page ever told a sha256: the one here is of the bytes that came first."""
    changed: str | None = None
    """The sha256 that the source told later, in breach of the first: an incident, never used."""


class Status(Struct, frozen=True):
    """Project status (PEP 792)."""

    status: StatusWord
    reason: str | None = None


class Page(Struct, frozen=True, kw_only=True):
    """The files that one project has, from one source or merged."""

    project: ProjectName
    files: tuple[File, ...] = ()
    versions: tuple[str, ...] = ()
    """Versions that the source told beside its files' (PEP 700: there may be versions without files)."""
    status: Status | None = None
    unread: bool = False
    """Its source lists something for the name, and nothing of it can be read as a file of the project."""


class Found(Struct, frozen=True, kw_only=True):
    """The source has an answer about the name."""

    source: SourceName
    page: Page
    claims: bool = False
    """The name is the source's even without a file: it is reserved for it, or it once had it and keeps it."""
    checked: datetime | None = None
    """When the source last said so; aware, UTC. None for sources that are always current."""
    stale: str | None = None
    """Why an older answer stands in for a new one, where it does."""
    good_until: datetime | None = None
    """The moment from which the source should be asked again; None: until it tells of a change."""


class Absent(Struct, frozen=True, kw_only=True):
    """The source says cleanly that it does not have the name."""

    source: SourceName
    good_until: datetime | None = None


class Unreachable(Struct, frozen=True, kw_only=True):
    """The source gave no usable answer, so it might have the name."""

    source: SourceName
    reason: str
    retry_after: float | None = None


class Unasked(Struct, frozen=True, kw_only=True):
    """The source was not asked, because a gate knows beforehand that nothing of the name could be admitted."""

    source: SourceName
    gate: str
    sentence: str


Answer: TypeAlias = Found | Absent | Unreachable | Unasked
