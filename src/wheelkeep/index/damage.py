"""What ``verify`` and the scrub tell: one thing that is not as it should be, and the outcome of a whole pass."""

from typing import Literal

from msgspec import Struct

What = Literal["bytes", "missing", "foreign", "row", "metadata", "page", "database", "ledger"]


class Damage(Struct, frozen=True, kw_only=True):
    """One thing that is not what it should be."""

    what: What = "bytes"
    """``bytes``: a blob is not what its name says. ``missing``: it is not there. ``foreign``: it lies in the folder of
    blobs and is none. ``row``, ``metadata``, ``page``: what the database says of a file is not true of its bytes, or
    cannot be read. ``database``: SQLite finds the file damaged. ``ledger``: the book contradicts itself."""
    sha256: str = ""
    found: str = ""
    """What its bytes hash to; ``unreadable`` when they cannot be read."""
    file: str = ""
    """The file name that it was kept for, where a page knows it."""
    source: str = ""
    repaired: bool = False
    says: str = ""


class Sweep(Struct, kw_only=True):
    """The outcome of ``verify``."""

    files: int = 0
    bytes: int = 0
    pages: int = 0
    damaged: list[Damage] = []
    notices: list[str] = []
    """What is not as this program leaves it, and harms nobody."""
    incidents: int = 0
    """Entries in the ledger of sources that broke their word; none of them was believed."""
    seconds: float = 0.0
    whole: bool = False
    """Whether everything was looked at."""

    @property
    def left(self) -> int:
        """Damage that stays."""
        return sum(not damage.repaired for damage in self.damaged)
