"""What a page says to a client, before it is spelt as JSON or HTML. One representation, two renderings."""

from msgspec import Struct

from wheelkeep.core.model import Status
from wheelkeep.core.names import ProjectName

API_VERSION = "1.4"
"""The version of the Simple API that both renderings declare and keep to (PEP 629; PEP 792 made it 1.4)."""


class ListedFile(Struct, frozen=True, kw_only=True):
    """One file as a client is to see it. Addresses are percent-encoded where needed, without a fragment."""

    filename: str
    url: str
    """Absolute or relative to the page."""
    hashes: dict[str, str] = {}
    """Lower-case hex by hashlib's name (PEP 691); may be empty."""
    size: int | None = None
    """Bytes (PEP 700)."""
    upload_time: str | None = None
    """As the origin gave it (PEP 700)."""
    requires_python: str | None = None
    """Unescaped (PEP 503)."""
    yanked: str | None = None
    """None: not yanked; else the reason, which may be empty (PEP 592)."""
    metadata: bool | str | None = None
    """Core metadata at ``<url>.metadata`` (PEP 658, 714): its sha256, True without one, None: not told."""
    provenance: str | None = None
    """Absolute URL of the attestations (PEP 740)."""


class Listing(Struct, frozen=True, kw_only=True):
    """One project's page."""

    name: ProjectName
    files: tuple[ListedFile, ...] = ()
    versions: tuple[str, ...] = ()
    """All versions, those without files too (PEP 700)."""
    status: Status | None = None
    """None where no source told one; clients take that as active (PEP 792)."""
