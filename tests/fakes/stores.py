"""A data folder with all that lies in it, opened as a keep opens it."""

from pathlib import Path
from typing import Self

from fakes.blank import blank
from wheelkeep.core.model import File
from wheelkeep.index.soundness import Soundness
from wheelkeep.store.advisories import Advisories
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.changes import Changes
from wheelkeep.store.database import Database
from wheelkeep.store.facts import Facts
from wheelkeep.store.fetches import Fetches
from wheelkeep.store.leaves import Leaves
from wheelkeep.store.ledger import Ledger
from wheelkeep.store.log_files import LogFiles
from wheelkeep.store.pages import Pages
from wheelkeep.store.prepare import prepare
from wheelkeep.store.releases import Releases
from wheelkeep.store.uploads import Uploads


class Store:
    """An async context manager; opened again on the same folder it is a keep after a restart."""

    def __init__(self, data: Path) -> None:
        self.data = data
        blank(data)
        self.path = prepare(data)
        self.database = Database(self.path)
        self.pages = Pages(self.database)
        self.facts = Facts(self.database)
        self.advisories = Advisories(self.database)
        self.ledger = Ledger(self.database)
        self.fetches = Fetches(data)
        self.leaves = Leaves(self.database)
        self.log_files = LogFiles(data)
        changes = Changes(data)
        self.uploads = Uploads(self.database, self.ledger, changes)
        self.releases = Releases(self.database, self.ledger, changes)
        self.blobs = Blobs(data)
        self.soundness = Soundness(self.blobs, lambda *damage: self.damaged.append(damage))
        self.damaged: list[tuple[str, str, File | None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.soundness.close()
        await self.fetches.close()
        await self.database.close()

    async def keep(self, content: bytes) -> str:
        """Puts bytes into the store; gives their sha256."""
        filling = self.blobs.filling()
        filling.write(content)
        try:
            return await filling.keep()
        finally:
            await filling.close()
