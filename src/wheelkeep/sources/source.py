"""What a source is to the index: pages of names, bytes of files. Remote, directory and hosted ones all are this."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from wheelkeep.core.advisories import Told
from wheelkeep.core.model import Answer, File, Page
from wheelkeep.core.names import ProjectName, SourceName

Changed = Callable[[ProjectName | None], None]
"""Told when what a source shows of a name changed; None: of any name."""

PATIENCE_PAGE = 0.5
"""Seconds that a known but old page is worth waiting for a new one; then it is served as stale."""
PATIENCE_FIRST = 10.0
"""Seconds that a name of which nothing is known may take; then the source counts as unreachable."""
PATIENCE_FILE = 12.0
"""Seconds that a client may wait for a file's first bytes, less than installers do; the download itself goes on."""


class Bytes(Protocol):
    """A file on its way in."""

    length: int | None
    """Bytes to come, where the other side says so."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in order; raises Unanswered when they break off."""
        ...


class Advised(Struct, frozen=True, kw_only=True):
    """What a source tells against a project."""

    told: Told | None = None
    """None: it does not tell."""
    why: str = ""
    """Why it does not, in words for anyone."""
    good_until: datetime | None = None
    """The moment from which it should be asked again; aware, UTC."""


UNADVISED = Advised(why="its source is not a remote index, and no dump is imported")


class Source(Protocol):
    """Somewhere pages and files come from."""

    name: SourceName
    remote: bool
    """Asking it tells somebody else which name is asked for."""

    async def start(self) -> None:
        """Makes it ready to be asked; returns at once, see ``ready``."""
        ...

    async def ready(self) -> bool:
        """Whether its pages are complete."""
        ...

    async def close(self) -> None: ...

    async def page(self, project: ProjectName, *, patience: float = PATIENCE_PAGE) -> Answer:
        """What it has of a name; never raises. ``patience``: seconds that a stored page may wait for a newer one."""
        ...

    async def known(self, project: ProjectName) -> Page | None:
        """What it is known to have of a name, without telling anybody that the name was asked for."""
        ...

    def open(self, file: File) -> AbstractAsyncContextManager[Bytes]:
        """The bytes of one of its files; raises FileMissing or Unanswered."""
        ...

    async def metadata(self, file: File) -> bytes | None:
        """The core metadata that it offers beside a wheel (PEP 658); None where it offers none. Raises Unanswered."""
        ...

    async def piece(self, file: File, start: int, end: int) -> tuple[bytes, int] | None:
        """Some bytes of a file and the file's whole size, without fetching the rest; None where it cannot.

        A negative ``start`` counts from the end, and ``end`` is then not looked at (RFC 9110 14.1.2).
        """
        ...

    async def document(self, kind: str, key: str, url: str | None = None) -> bytes | None:
        """A further document: ``json`` of a project, ``provenance`` of a file at ``url``. None: it has none."""
        ...

    async def advisories(
        self,
        project: ProjectName,
        versions: Sequence[str],
        *,
        each: bool,
        patience: float | None = PATIENCE_PAGE,
    ) -> Advised:
        """What it tells against a project; never raises for what an origin does.

        ``versions``: those on the page, in normal form; ``each``: each one's own document is wanted as well;
        ``patience``: seconds that what is kept may wait for something newer, None: nobody is asked at all.
        """
        ...

    async def names(self, *, patience: float = PATIENCE_PAGE) -> list[str] | None:
        """The names that it has, as far as it tells them; ``patience``: seconds that a list may take to come."""
        ...
