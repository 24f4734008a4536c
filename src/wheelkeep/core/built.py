"""A wheel that was built here: of what, by what, and whether building it again gave the same bytes."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from wheelkeep.core.model import File
from wheelkeep.core.names import IndexName, ProjectName, SourceName

Reproducible = Literal["yes", "no", "untold"]
"""The same inputs gave the same bytes again; they gave others; it was built once and is compared with nothing."""


class Material(Struct, frozen=True, kw_only=True, order=True):
    """A file that a build is made of."""

    project: ProjectName
    version: str
    filename: str
    sha256: str
    source: SourceName
    """The source that vouches for it."""

    @classmethod
    def of(cls, file: File, sha256: str) -> "Material":
        """A file whose bytes are here, under the hash that they have."""
        return cls(
            project=file.project,
            version=file.version,
            filename=file.filename,
            sha256=sha256,
            source=file.source,
        )


class Tools(Struct, frozen=True, kw_only=True):
    """What builds."""

    python: str
    """Implementation and version, such as ``cpython 3.11.7``."""
    platform: str
    """The narrowest platform tag that this Python's wheels may have (PEP 425)."""
    uv: str
    wheelkeep: str
    sandboxed: bool


class Built(Struct, frozen=True, kw_only=True):
    """One wheel, and how it came to be."""

    id: str
    """Of the run that built it: a UUID in the form of RFC 9562."""
    index: IndexName
    """Where what builds it came from."""
    path: str
    """The same as it was named, such as ``main@2026-11-01`` where the index was used as it was then."""
    sdist: Material
    requirements: tuple[Material, ...]
    """What the build fetched, in order."""
    tools: Tools
    epoch: int
    """``SOURCE_DATE_EPOCH``, in seconds."""
    began: datetime
    ended: datetime
    """Aware, UTC."""
    filename: str
    sha256: str
    size: int
    requires_python: str | None = None
    reproducible: Reproducible = "untold"
    differences: tuple[str, ...] = ()
    """What differed, where it is not reproducible: a bounded list of sentences."""

    @property
    def hashes(self) -> frozenset[str]:
        """The sha256 of what the build fetched."""
        return frozenset(one.sha256 for one in self.requirements)
