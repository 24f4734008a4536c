"""Bytes of files that are staged and not published: in DATA/staged/SESSION, never in the store of blobs.

They come there whole and synced, and leave with their session.
"""

import os
import shutil
import time
from pathlib import Path

from wheelkeep.store.blobs import sync_folder
from wheelkeep.store.trust import Trust

_YOUNG = 3600.0
"""Seconds for which bytes that nobody knows of are left alone: their row may be on its way."""


class StagedBytes:
    """The folder of staged bytes."""

    def __init__(self, data: Path) -> None:
        self._root = data / "staged"
        self._trust = Trust()

    def make(self) -> None:
        """Makes the folder. Raises OSError."""
        if not self._root.exists():
            self._root.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self._root.parent)

    def path(self, session: str, name: str) -> Path:
        return self._root / session / name

    def new(self, session: str) -> Path:
        """A place for bytes that nothing else is ever put in."""
        return self.path(session, os.urandom(12).hex())

    def trusted(self, session: str, name: str) -> bool:
        """Whether the bytes were held against their hash in this process, and nobody touched them since."""
        path = str(self.path(session, name))
        return self._trust.holds(path, path)

    def check(self, session: str, name: str, sha256: str) -> bool:
        """Reads the bytes and holds them against their hash; for a thread. Raises OSError where that cannot be done."""
        path = self.path(session, name)
        return self._trust.check(str(path), path, sha256).good

    def remove(self, session: str, name: str) -> None:
        """Removes one file's bytes, if they are there."""
        self.path(session, name).unlink(missing_ok=True)

    def remove_all(self, session: str) -> None:
        """Removes a session's bytes, if there are any. Raises OSError where they stay."""
        folder = self._root / session
        if folder.exists():
            shutil.rmtree(folder)

    def sessions(self) -> list[str]:
        """The sessions of which bytes lie here."""
        return [folder.name for folder in self._root.iterdir()] if self._root.exists() else []

    def clear(self, session: str, known: set[str]) -> None:
        """Removes what a crash left: bytes that no row names, and that are not just being put there."""
        for path in (self._root / session).iterdir():
            if path.name not in known and time.time() - path.stat().st_mtime > _YOUNG:
                path.unlink(missing_ok=True)
