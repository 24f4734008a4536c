"""Files that leave the keep for a folder or a bucket, on record like those that clients are given.

Each file has its own line in the book of fetches, about 80 bytes, so that who asks for a version finds the places where
it lies; those that are noted together share a commit.
"""

from pathlib import Path

from wheelkeep import __version__
from wheelkeep.core.asker import Asker
from wheelkeep.core.buckets import is_bucket
from wheelkeep.core.model import File
from wheelkeep.core.verdict import Decision
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.view import View
from wheelkeep.store.shelf import Shelf

_LONGEST = 300


class Departure:
    """One run of a command that writes files of an index to a place."""

    def __init__(self, keep: Keep, index: Index, command: str, shelf: Shelf) -> None:
        self._keep = keep
        self._index = index
        self._asker = Asker(_called(command, str(shelf)), "", f"wheelkeep/{__version__}")

    async def note(self, file: File, decision: Decision | None = None) -> None:
        """To be awaited before the file is written there. ``decision``: what let it in; None: to be looked up."""
        if decision is None:
            view = await self._index.decided(file.project, file.filename)
            entry = view.by_name.get(file.filename) if isinstance(view, View) else None
            # A wheel that was built a moment ago may be in no page yet.
            decision = entry[1] if entry is not None else Decision(verdicts=())
        await self._keep.fetch_book.note(
            self._index.name, file, decision, self._asker, sha256=file.sha256, partial=False
        )


def _called(command: str, place: str) -> str:
    """How the book names it: one line, and nothing of how the place is reached."""
    told = place if is_bucket(place) else str(Path(place).absolute())
    return "".join(letter if letter.isprintable() else "?" for letter in f"{command} to {told}")[:_LONGEST]
