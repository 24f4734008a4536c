"""The pen for the ledger's lines that follow what happened: written in groups a moment later, and kept while the ledger
cannot be written.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from wheelkeep.core import measures
from wheelkeep.core.advisories import Trouble
from wheelkeep.core.asker import Asker
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.pins import Incident
from wheelkeep.core.rules import Rule
from wheelkeep.core.verdict import Verdict
from wheelkeep.index.audit import given
from wheelkeep.index.refusals import Refusals
from wheelkeep.logs import get_logger
from wheelkeep.store.fetches import Fetches, Which
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.tally import Tally

log = get_logger(__name__)
_MOST_NAMED = 100
RETRY = 1.0
"""Seconds until lines that could not be written are tried again."""
MOST_WAITING = 5_000
"""Lines that are kept in memory while the ledger cannot be written."""


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
        self._refusals = Refusals(self._put)
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
        # Wrong bytes come again with every request for them.
        self._refusals.note(_entry("incident", source, project, incident.filename, detail))

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
        self._refusals.note(_entry("blocked", file.source, file.project, file.filename, detail))

    def _add(
        self,
        kind: str,
        source: SourceName | None,
        project: ProjectName | None,
        filename: str | None,
        detail: dict[str, Any],
    ) -> None:
        self._put(_entry(kind, source, project, filename, detail))

    def _put(self, entry: Entry) -> None:
        self._entries.append(entry)
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
        self._refusals.close()
        self._closing.set()
        if self._writing is not None:
            await asyncio.wait([self._writing])


def _entry(
    kind: str,
    source: SourceName | None,
    project: ProjectName | None,
    filename: str | None,
    detail: dict[str, Any],
) -> Entry:
    at = datetime.now(UTC)
    return Entry(kind=kind, at=at, source=source, project=project, filename=filename, detail=detail)


def _lost(lines: int) -> Entry:
    return Entry(kind="lines lost", at=datetime.now(UTC), detail={"lines": lines})
