"""What a directory source stands on: a folder, or a place in a bucket. Nothing here knows what a wheel is."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from wheelkeep.sources.source import Bytes


class Mark(NamedTuple):
    """A file as one look sees it."""

    stamp: str
    """While it stands, so does the hash."""
    changed: float
    """Seconds since the epoch when anything about the file last changed; 0 where files only ever appear whole."""


class Local(NamedTuple):
    """A file that lies on this machine for a moment, read whole."""

    path: Path
    sha256: str
    size: int
    modified: float
    """Seconds since the epoch."""


class Ground(Protocol):
    kind: str
    """What people call it: ``folder`` or ``bucket``."""
    pause: float
    """Seconds between two looks, at least."""

    async def look(self) -> dict[str, Mark]:
        """Every file by its relative path. Raises OSError or Unavailable: whatever may be there is not known then."""

    def local(self, path: str, stamp: str) -> AbstractAsyncContextManager[Local | None]:
        """A file's bytes; None where it is gone or changed since it had that stamp. Raises as ``look``."""

    def open(self, path: str) -> AbstractAsyncContextManager[Bytes]:
        """A file's bytes as they are now. Raises FileMissing, Unanswered."""

    async def close(self) -> None:
        """Lets go of what is held."""
