"""The keep: every index, the sources under them and what they share. The only writer of the ledger."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from wheelkeep.core import pins
from wheelkeep.core.errors import Unwritable
from wheelkeep.core.model import File
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.settings import HostedSource, Settings
from wheelkeep.index.advisor import Advisor
from wheelkeep.index.arrivals import Arrivals
from wheelkeep.index.asks import Asks
from wheelkeep.index.attestor import Attestor
from wheelkeep.index.book import Book
from wheelkeep.index.desk import Desk
from wheelkeep.index.fetch import Fetcher, Stored
from wheelkeep.index.fetch_book import FetchBook
from wheelkeep.index.herald import Herald
from wheelkeep.index.index import Index
from wheelkeep.index.licenser import Licenser
from wheelkeep.index.log_book import LogBook
from wheelkeep.index.metadata import MetadataKeeper
from wheelkeep.index.mint import Mint
from wheelkeep.index.receive import Receiver
from wheelkeep.index.releases import Steward
from wheelkeep.index.sessions import Stager
from wheelkeep.index.soundness import Soundness
from wheelkeep.index.views import Views
from wheelkeep.logs import get_logger
from wheelkeep.sources.source import Source
from wheelkeep.store.blobs import Blobs, Mismatch
from wheelkeep.store.builds import Builds
from wheelkeep.store.carriage import Carriage
from wheelkeep.store.changes import Changes
from wheelkeep.store.database import Database
from wheelkeep.store.facts import Facts
from wheelkeep.store.fetches import Fetches
from wheelkeep.store.kept import KeptBlobs
from wheelkeep.store.ledger import OF_PAGES, Entry, Ledger
from wheelkeep.store.pages import Pages, StoredPage
from wheelkeep.store.tally import Tally
from wheelkeep.store.tokens import Tokens

log = get_logger(__name__)


class Announcer:
    """Passes on that a source's pages changed; made before the indexes that want to hear of it."""

    def __init__(self, views: Views) -> None:
        self.indexes: Sequence[Index] = ()
        self.views = views

    def __call__(self, project: ProjectName | None) -> None:
        for index in self.indexes:
            index.forget(project)
        self.views.forget(project)


class Keep:
    """A running keep, without its web face."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        blobs: Blobs,
        kept: KeptBlobs,
        builds: Builds,
        soundness: Soundness,
        pages: Pages,
        facts: Facts,
        ledger: Ledger,
        tokens: Tokens,
        book: Book,
        asks: Asks,
        desk: Desk,
        fetches: Fetches,
        tally: Tally,
        announcer: Announcer,
        changes: Changes,
        receiver: Receiver,
        attestor: Attestor,
        licenser: Licenser,
        steward: Steward,
        mint: Mint | None,
        advisor: Advisor,
        stager: Stager | None,
        herald: Herald | None,
        log_book: LogBook,
        carriage: Carriage,
        sources: Mapping[SourceName, Source],
        indexes: Mapping[IndexName, Index],
    ) -> None:
        self.settings = settings
        self.blobs, self.soundness = blobs, soundness
        self.kept, self.builds, self._arrivals = kept, builds, Arrivals(kept)
        self.pages, self.facts = pages, facts
        self.ledger, self.tokens = ledger, tokens
        self.book, self.asks, self.desk = book, asks, desk
        self.fetches, self.tally = fetches, tally
        self.fetch_book = FetchBook(fetches, lost=book.lost)
        self.receiver, self.advisor = receiver, advisor
        self._attestor, self._licenser = attestor, licenser
        self.steward, self.mint = steward, mint
        """None where no publisher is configured."""
        self.stager = stager
        """None: publishing sessions are not switched on."""
        self.herald = herald
        """None where no webhook is configured."""
        self.log, self.carriage = log_book, carriage
        self.sources, self.indexes, self.database = sources, indexes, database
        self._announcer = announcer
        self._changes = changes
        self._seen, self._newest = changes.stamp, 0
        announcer.indexes = tuple(indexes.values())
        self.fetcher = Fetcher(blobs, soundness, arrived=self._arrived, incident=book.of_file)
        self.metadata = MetadataKeeper(facts, lambda: self.fetcher, changed=announcer, incident=book.of_file)
        licenser.metadata = self.metadata
        self._tasks: list[asyncio.Task[None]] = []
        self._started = False

    async def start(self, *, serving: bool = False) -> None:
        """Makes every source ready to be asked, and watches the policies; once, however often it is called. A server
        also keeps the transparency log and tells the webhook."""
        if self._started:
            return
        self._started = True
        self._seen = self._changes.stamp
        await self.desk.hear()
        self._newest = await self.ledger.newest()
        for source in self.sources.values():
            await source.start()
        for index in self.indexes.values():
            self._tasks.append(asyncio.create_task(self._watch(index)))
        if self.stager is not None:
            self._tasks.append(asyncio.create_task(self.stager.tend()))
        if serving and self.herald is not None:
            self._tasks.append(asyncio.create_task(self.herald.run()))
        if serving:
            self.log.sequencer.start()

    async def close(self, *, seconds: float = 25.0) -> None:
        """Ends everything; downloads that run may finish for so many seconds."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.fetcher.close(seconds)
        await self._attestor.close()
        await self._licenser.close()
        self.receiver.close()
        self.soundness.close()
        if self.mint is not None:
            await self.mint.close()
        if self.herald is not None:
            await self.herald.close()
        for source in self.sources.values():
            with contextlib.suppress(Exception):
                await source.close()
        await self.fetch_book.close()
        await self.book.close()
        await self.asks.close()
        await self._arrivals.close()
        # The last writer: what the others wrote is in the log then.
        await self.log.sequencer.close()
        await self.fetches.close()
        await self.database.close()

    def source_of(self, file: File) -> Source:
        return self.sources[file.source]

    async def owners_of(self, project: ProjectName, sources: Sequence[SourceName]) -> tuple[str, ...]:
        """Who owns a project in those of its sources that are hosted."""
        hosted = [name for name in sources if isinstance(self.settings.sources[name], HostedSource)]
        found = [await self.steward.owners(name, project) for name in hosted]
        return tuple(sorted({owner for owners in found for owner in owners}))

    @property
    def views(self) -> Views:
        """The indexes as they were."""
        return self._announcer.views

    @property
    def current(self) -> bool:
        """Whether no hosted page and no answer changed, by whatever process, since this one last caught up. No I/O."""
        return self._changes.stamp == self._seen

    async def catch_up(self) -> None:
        """Forgets the pages that other processes changed; to be awaited before a page in memory is used."""
        seen = self._changes.stamp
        projects, self._newest = await self.ledger.since(OF_PAGES, self._newest)
        for project in projects:
            self._announcer(project)
        await self.desk.hear()
        self._seen = seen

    async def advised(self, detail: dict[str, Any]) -> None:
        """Other advisories are known now: that is on record, and every process forgets its pages."""
        await self.ledger.append([Entry(kind="advisories", at=datetime.now(UTC), detail=detail)])
        self._changes.mark()

    async def ready(self) -> bool:
        """Whether every source's pages are complete."""
        return all([await source.ready() for source in self.sources.values()])

    async def _watch(self, index: Index) -> None:
        def changed() -> None:
            index.forget(None)
            self.views.forget(None)
            running = [task for task in self._tasks if not task.done()]
            self._tasks = [*running, asyncio.create_task(self.note_policy(index))]

        await index.policy.watch(changed)

    async def note_policy(self, index: Index) -> None:
        """Has it on record which policy is in force in an index, where the newest line says another."""
        if index.policy.digest is None:
            return
        try:
            await self.ledger.note_policy(index.name, index.policy.digest, datetime.now(UTC))
        except Unwritable as error:
            # A disk that is full or cannot be written stops writes, not reads.
            log.error("policy_not_noted", index=index.name, why=str(error))
        except Exception:
            log.exception("policy_not_noted", index=index.name)

    async def _arrived(self, source: Source, file: File, sha256: str, size: int, *, kept: bool) -> None:
        """A file's bytes came: its page learns a hash or size that nobody had told (first seen)."""
        if kept:
            self._arrivals.note(sha256)
        if source.remote and (file.sha256 is None or file.size != size):

            def learn(stored: StoredPage | None) -> StoredPage | None:
                if stored is None or stored.page is None:
                    return None
                page = pins.learned(stored.page, file.filename, sha256=sha256, size=size)
                return StoredPage(page=page, etag=stored.etag, checked=stored.checked)

            after = await self.pages.change(file.source, file.project, learn)
            self._announcer(file.project)
            first = _first_hash(after, file.filename)
            if first is not None and first != sha256:
                # Whoever asked did not know it yet; another request, or another process, brought other bytes.
                raise Mismatch(first, sha256)
        if not kept:
            return
        try:
            await self.metadata.arrived(file, Stored(self.blobs.path(sha256), size))
        except Exception:
            # The file itself is whole and kept; its metadata can be read again when it is asked for.
            log.exception("metadata_not_read", file=file.filename)


def _first_hash(stored: StoredPage | None, filename: str) -> str | None:
    files = stored.page.files if stored is not None and stored.page is not None else ()
    return next((file.sha256 for file in files if file.filename == filename), None)
