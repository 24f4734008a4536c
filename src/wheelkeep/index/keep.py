"""The keep: every index, the sources under them and what they share. The only writer of the ledger."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from wheelkeep.core import measures, pins
from wheelkeep.core.advisories import Trouble
from wheelkeep.core.asker import Asker
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.pins import Incident
from wheelkeep.core.rules import Rule
from wheelkeep.core.settings import HostedSource, Settings
from wheelkeep.core.verdict import Verdict
from wheelkeep.index.advisor import Advisor
from wheelkeep.index.arrivals import Arrivals
from wheelkeep.index.asks import Asks
from wheelkeep.index.attestor import Attestor
from wheelkeep.index.audit import given
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
from wheelkeep.store.changes import Changes
from wheelkeep.store.database import Database
from wheelkeep.store.facts import Facts
from wheelkeep.store.fetches import Fetches, Which
from wheelkeep.store.kept import KeptBlobs
from wheelkeep.store.ledger import OF_PAGES, Entry, Ledger
from wheelkeep.store.pages import Pages, StoredPage
from wheelkeep.store.tally import Tally
from wheelkeep.store.tokens import Tokens

_MOST_NAMED = 100
RETRY = 1.0
"""Seconds until lines that could not be written are tried again."""
MOST_WAITING = 5_000
"""Lines that are kept in memory while the ledger cannot be written."""
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


class Book:
    """Entries for the ledger, written in groups a moment later so that nobody waits for them."""

    def __init__(self, ledger: Ledger, fetches: Fetches, tally: Tally) -> None:
        self._ledger = ledger
        self._fetches = fetches
        self._tally = tally
        self._entries: list[Entry] = []
        self._dropped = 0
        self._closing = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def incident(self, source: SourceName, project: ProjectName, incident: Incident) -> None:
        log.error(
            "incident",
            kind=incident.kind,
            source=source,
            file=incident.filename,
            stands=incident.first,
            came=incident.told,
        )
        detail = {"what": incident.kind, "stands": incident.first, "came": incident.told}
        self._add("incident", source, project, incident.filename, detail)

    def of_file(self, file: File, incident: Incident) -> None:
        self.incident(file.source, file.project, incident)

    def damaged(self, sha256: str, found: str, file: File | None) -> None:
        """Stored bytes that were no longer what their name says were taken out of service."""
        named = file.filename if file is not None else None
        log.error("blob_damaged", sha256=sha256, found=found, file=named, now="set aside")
        self._tally.add(measures.DAMAGED)
        source, project = (file.source, file.project) if file is not None else (None, None)
        detail = {"what": "blob-damaged", "stands": sha256, "came": found}
        self._add("incident", source, project, named, detail)

    async def alert(self, file: File, trouble: Trouble) -> None:
        """An advisory is known of a file that the store holds: who has it is told with it."""
        self._tally.add(measures.ALERTS)
        which = Which(source=file.source, filename=file.filename)
        whom = [one.words for them in (await given(self._fetches, which)).values() for one in them]
        log.warning(
            "alert",
            advisory=trouble.ids[0],
            severity=trouble.severity or "not told",
            source=file.source,
            file=file.filename,
            holders=len(whom),
        )
        detail = {
            "advisory": trouble.ids[0],
            "aliases": ", ".join(trouble.ids[1:]),
            "severity": trouble.severity or "",
            "fixed": ", ".join(trouble.fixed),
            "sha256": file.sha256 or "",
            "holders": len(whom),
            "whom": ", ".join(whom[:_MOST_NAMED]),
        }
        self._add("alert", file.source, file.project, file.filename, detail)

    def left(self, source: SourceName, page: Page, files: Sequence[File]) -> None:
        """Files that are kept here left their origin, all in one way."""
        how = files[0].left or "file"
        log.warning("left", how=how, source=source, project=page.project, files=len(files))
        shown = ", ".join(file.filename for file in files[:_MOST_NAMED])
        self._add("left", source, page.project, None, {"how": how, "count": str(len(files)), "files": shown})
        if how == "quarantined":
            task = asyncio.get_running_loop().create_task(self._quarantined(source, page, shown))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _quarantined(self, source: SourceName, page: Page, files: str) -> None:
        """Somebody at the origin suspects what is kept here: people are told, with who has it."""
        self._tally.add(measures.ALERTS)
        rule = Rule(page.project, "", page.project)
        had = await given(self._fetches, Which(source=source, rule=rule))
        whom = list(dict.fromkeys(one.words for them in had.values() for one in them))
        why = page.status.reason if page.status is not None else None
        log.warning("alert", quarantine=page.project, source=source, reason=why, holders=len(whom))
        detail = {
            "what": "quarantine",
            "reason": why or "",
            "files": files,
            "holders": len(whom),
            "whom": ", ".join(whom[:_MOST_NAMED]),
        }
        self._add("alert", source, page.project, None, detail)

    async def lost(self, lines: int) -> None:
        """So many lines of the book of fetches were never written."""
        await self._ledger.append([Entry(kind="fetches lost", at=datetime.now(UTC), detail={"lines": lines})])

    def blocked(self, index: IndexName, file: File, verdict: Verdict, asker: Asker) -> None:
        """A download that was asked for and refused."""
        detail = {
            "index": index,
            "gate": verdict.gate,
            "code": verdict.code,
            "sentence": verdict.sentence,
            "version": file.version,
            "sha256": file.sha256,
            "by": asker.who,
            "from": asker.address,
            "tool": asker.tool,
        }
        self._add("blocked", file.source, file.project, file.filename, detail)

    def _add(
        self,
        kind: str,
        source: SourceName | None,
        project: ProjectName | None,
        filename: str | None,
        detail: dict[str, Any],
    ) -> None:
        self._entries.append(
            Entry(
                kind=kind,
                at=datetime.now(UTC),
                source=source,
                project=project,
                filename=filename,
                detail=detail,
            )
        )
        self._drop()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """Writes what waits; while that cannot be done it is kept, as much as there is room for, and tried again."""
        tried = 0
        while self._entries:
            await self._pause(RETRY if tried else 0.02)
            last = self._closing.is_set()
            entries, self._entries = self._entries, []
            lost = [_lost(self._dropped)] if self._dropped else []
            try:
                await self._ledger.append([*lost, *entries])
            except Exception as error:
                # A disk that is full or cannot be written stops writes, not reads.
                if not tried:
                    told = [f"{one.kind} {one.filename}" for one in entries[:_MOST_NAMED]]
                    log.error("ledger_not_written", why=str(error), entries=told, now="they are tried again")
                tried += 1
                self._entries[:0] = entries
                self._drop()
                if last:
                    log.error("ledger_lines_lost", lines=len(self._entries) + self._dropped)
                    return
            else:
                self._dropped -= lost[0].detail["lines"] if lost else 0

    def _drop(self) -> None:
        """The newest go where there is no room: what began it all says more than what followed."""
        self._dropped += max(0, len(self._entries) - MOST_WAITING)
        del self._entries[MOST_WAITING:]

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    async def close(self) -> None:
        """Writes what is left, with one last try where it could not be written before."""
        await asyncio.gather(*self._telling, return_exceptions=True)
        self._closing.set()
        if self._writing is not None:
            await asyncio.wait([self._writing])


def _lost(lines: int) -> Entry:
    return Entry(kind="lines lost", at=datetime.now(UTC), detail={"lines": lines})


class Keep:
    """A running keep, without its web face."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        blobs: Blobs,
        kept: KeptBlobs,
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
        sources: Mapping[SourceName, Source],
        indexes: Mapping[IndexName, Index],
    ) -> None:
        self.settings = settings
        self.blobs, self.soundness = blobs, soundness
        self.kept, self._arrivals = kept, Arrivals(kept)
        self.pages, self.facts = pages, facts
        self.ledger, self.tokens = ledger, tokens
        self.book, self.asks, self.desk = book, asks, desk
        self.fetches, self.tally = fetches, tally
        self.fetch_book = FetchBook(fetches, lost=book.lost)
        self.receiver = receiver
        self._attestor, self._licenser = attestor, licenser
        self.steward = steward
        self.mint = mint
        """None where no publisher is configured."""
        self.advisor = advisor
        self.stager = stager
        """None: publishing sessions are not switched on."""
        self.herald = herald
        """None where no webhook is configured."""
        self.log = log_book
        self.sources = sources
        self.indexes = indexes
        self.database = database
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
        also keeps the transparency log."""
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
        if self.herald is not None:
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
        except Exception:
            # A disk that is full or cannot be written stops writes, not reads.
            log.exception("policy_not_noted", index=index.name)

    async def _arrived(self, source: Source, file: File, sha256: str, size: int) -> None:
        """A file's bytes are in the store: its page learns a hash or size that nobody had told (first seen)."""
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
        try:
            await self.metadata.arrived(file, Stored(self.blobs.path(sha256), size))
        except Exception:
            # The file itself is whole and kept; its metadata can be read again when it is asked for.
            log.exception("metadata_not_read", file=file.filename)


def _first_hash(stored: StoredPage | None, filename: str) -> str | None:
    files = stored.page.files if stored is not None and stored.page is not None else ()
    return next((file.sha256 for file in files if file.filename == filename), None)
