"""Another index: its pages are kept, asked for again when they are old, and only ever grow."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from wheelkeep.core import freshness, pins
from wheelkeep.core.errors import FileMissing, NotAPage, Unanswered
from wheelkeep.core.freshness import Plan
from wheelkeep.core.model import Absent, Answer, File, Found, Page, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.read_html import read_html
from wheelkeep.core.read_json import read_json
from wheelkeep.logs import get_logger
from wheelkeep.sources.advisories import OriginAdvisories
from wheelkeep.sources.client import Client, Reply
from wheelkeep.sources.documents import ACCEPT, REFRESH_LIMIT, OriginDocuments, retry_after_of, why
from wheelkeep.sources.source import PATIENCE_FIRST, PATIENCE_PAGE, Advised, Bytes, Changed
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.facts import Facts, Health
from wheelkeep.store.pages import Pages, StoredPage

log = get_logger(__name__)

_STRUGGLES = timedelta(seconds=5)
_SIZES_AT_ONCE = 8
_MOST_SIZES = 400
_SIZES_LIMIT = 4.0


class Remote:
    """One remote index."""

    remote = True

    def __init__(
        self,
        name: SourceName,
        *,
        url: str,
        fresh: timedelta,
        client: Client,
        pages: Pages,
        facts: Facts,
        blobs: Blobs,
        changed: Changed,
        incident: Callable[[SourceName, ProjectName, pins.Incident], None],
        left: Callable[[SourceName, Page, Sequence[File]], None] = lambda *_: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``left`` is told of a page's files that are here and that the origin no longer has."""
        self.name = name
        self._url = url
        self._fresh = fresh
        self._client = client
        self._pages = pages
        self._facts = facts
        self._blobs = blobs
        self._changed = changed
        self._incident = incident
        self._left = left
        self._now = now
        self._refreshing: dict[ProjectName, asyncio.Task[StoredPage]] = {}
        self._failures: dict[ProjectName, tuple[int, datetime, str]] = {}
        self._documents = OriginDocuments(name, url=url, fresh=fresh, client=client, facts=facts, now=now)
        self._advisories = OriginAdvisories(
            name,
            url=url,
            fresh=fresh,
            client=client,
            documents=self._documents,
            facts=facts,
            changed=changed,
            now=now,
        )
        self.health = Health()
        self._background: set[asyncio.Task[object]] = set()

    async def start(self) -> None:
        self.health = (await self._facts.health()).get(self.name, Health())

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        tasks = [*self._refreshing.values(), *self._background]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._advisories.close()
        await self._documents.close()
        await self._client.close()

    async def page(self, project: ProjectName, *, patience: float = PATIENCE_PAGE) -> Answer:
        stored = await self._pages.get(self.name, project)
        now = self._now()
        has_page = stored is not None and stored.page is not None
        plan = freshness.plan(
            checked=stored.checked if stored else None, has_page=has_page, fresh=self._fresh, now=now
        )
        if plan is Plan.USE:
            assert stored is not None
            return self._answer(stored)
        if stored is not None and has_page:
            failed = self._failures.get(project)
            if failed is not None and freshness.pauses(failed[1], now):
                return self._stale(stored, failed[2], failed[1])
        refresh = self._refresh_once(project)
        if self.health.reason is not None and self.health.failed is not None:
            # It failed a moment ago for another name: known pages need not wait for it one by one.
            patience = patience if now - self.health.failed > _STRUGGLES else 0.0
        await asyncio.wait({refresh}, timeout=patience if has_page else PATIENCE_FIRST)
        if refresh.done() and not refresh.cancelled():
            error = refresh.exception()
            if error is None:
                return self._answer(refresh.result())
            reason, retry_after = why(error)
        else:
            reason, retry_after = "it has not answered yet", 2.0
        if stored is None or stored.page is None:
            return Unreachable(source=self.name, reason=reason, retry_after=retry_after)
        failed = self._failures.get(project)
        again = failed[1] if failed is not None else self._now() + timedelta(seconds=0.5)
        return self._stale(stored, reason, again)

    def _answer(self, stored: StoredPage) -> Answer:
        good_until = stored.checked + self._fresh
        if stored.page is None:
            return Absent(source=self.name, good_until=good_until)
        return Found(
            source=self.name, page=self._shown(stored.page), checked=stored.checked, good_until=good_until
        )

    def _stale(self, stored: StoredPage, reason: str, again: datetime) -> Found:
        assert stored.page is not None
        return Found(
            source=self.name,
            page=self._shown(stored.page),
            checked=stored.checked,
            stale=reason,
            good_until=again,
        )

    def _shown(self, page: Page) -> Page:
        """The stored page less the files that left the origin and whose bytes are not here."""
        if not any(file.gone for file in page.files):
            return page
        files = tuple(
            f for f in page.files if not f.gone or (f.sha256 is not None and self._blobs.has(f.sha256))
        )
        return pins.suspected(replace(page, files=files))

    def _refresh_once(self, project: ProjectName) -> asyncio.Task[StoredPage]:
        """One question to the origin however many wait for it; it goes on when they stop waiting."""
        task = self._refreshing.get(project)
        if task is None:
            task = asyncio.create_task(self._refresh(project), name=f"refresh {self.name}/{project}")
            self._refreshing[project] = task
            task.add_done_callback(lambda done: self._refreshed(project, done))
        return task

    def _refreshed(self, project: ProjectName, task: asyncio.Task[StoredPage]) -> None:
        self._refreshing.pop(project, None)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._failures.pop(project, None)
            self._note_health(None)
        else:
            reason, _ = why(error)
            if len(self._failures) > 10_000:
                self._failures.clear()
            count = self._failures.get(project, (0, self._now(), ""))[0] + 1
            again = self._now() + freshness.pause_after_failure(count, self._fresh)
            self._failures[project] = (count, again, reason)
            self._note_health(reason)
            if isinstance(error, Unanswered | NotAPage):
                log.warning("source_unreachable", source=self.name, project=project, reason=reason)
            else:
                log.error("source_refresh_failed", source=self.name, project=project, exc_info=error)
        self._changed(project)

    async def _refresh(self, project: ProjectName) -> StoredPage:
        async with asyncio.timeout(REFRESH_LIMIT):
            stored = await self._pages.get(self.name, project)
            headers = {"Accept": ACCEPT}
            if stored is not None and stored.page is not None and stored.etag:
                headers["If-None-Match"] = stored.etag
            reply = await self._client.get(f"{self._url}{project}/", headers=headers)
            if reply.status == 304 and "If-None-Match" in headers:
                return await self._keep(project, lambda old: old.page if old else None, reply)
            if reply.status == 404:
                return await self._keep(project, _gone, reply)
            if reply.status != 200:
                raise Unanswered(f"it answered {reply.status}", retry_after=retry_after_of(reply))
            page = await asyncio.to_thread(self._read, reply, project)
            if page.unread and stored is not None and stored.page is not None and _lists(stored.page):
                raise NotAPage("of the files that it lists now none can be read")
            page = await self._with_sizes(page, stored.page if stored else None)
            # A page that is new here, or was lost, may name files that are not: what was seen first stands.
            known = stored.page if stored else None
            firsts = await self._pages.firsts(self.name, page) if known is None else {}
            return await self._overlay(project, page, reply, firsts)

    def _read(self, reply: Reply, project: ProjectName) -> Page:
        kind = reply.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind.endswith("+json") or kind == "application/json":
            return read_json(reply.body, url=reply.url, project=project, source=self.name)
        if kind in ("text/html", "application/vnd.pypi.simple.v1+html", "application/xhtml+xml"):
            return read_html(reply.body, url=reply.url, project=project, source=self.name)
        raise NotAPage(f"it answered with {kind[:60] or 'no content type'} instead of a page")

    async def _overlay(
        self, project: ProjectName, page: Page, reply: Reply, firsts: dict[str, str]
    ) -> StoredPage:
        incidents: list[pins.Incident] = []

        def lay(old: StoredPage | None) -> Page:
            incidents.clear()
            before = old.page if old else None
            laid, found = pins.overlay(before, page, self._now(), old.checked if old else None, firsts)
            incidents.extend(found)
            return before if before is not None and laid == before else laid

        after = await self._keep(project, lay, reply)
        for incident in incidents:
            self._incident(self.name, project, incident)
        return after

    async def _keep(
        self, project: ProjectName, lay: Callable[[StoredPage | None], Page | None], reply: Reply
    ) -> StoredPage:
        etag = reply.headers.get("etag") if reply.status == 200 else None

        departed: list[File] = []

        def change(old: StoredPage | None) -> StoredPage:
            page = lay(old)
            departed[:] = pins.departed(old.page if old else None, page)
            kept = etag if reply.status == 200 else (old.etag if old and reply.status == 304 else None)
            return StoredPage(page=page, etag=kept, checked=self._now())

        after = await self._pages.change(self.name, project, change)
        assert after is not None
        if held := [file for file in departed if file.sha256 is not None and self._blobs.has(file.sha256)]:
            assert after.page is not None
            self._left(self.name, after.page, held)
        return after

    async def _with_sizes(self, page: Page, stored: Page | None) -> Page:
        """Fills in sizes that the origin's page does not tell (HTML has none; PEP 700 wants them)."""
        known = {file.filename: file.size for file in stored.files} if stored else {}
        without = [f for f in page.files if f.size is None and known.get(f.filename) is None][:_MOST_SIZES]
        if not without:
            return page
        sizes: dict[str, int] = {}
        gate = asyncio.Semaphore(_SIZES_AT_ONCE)

        async def ask(file: File) -> None:
            async with gate:
                size = await self._client.head_size(file.url)
            if size is not None:
                sizes[file.filename] = size

        tasks = [asyncio.create_task(ask(file)) for file in without]
        _, late = await asyncio.wait(tasks, timeout=_SIZES_LIMIT)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return replace(
            page,
            files=tuple(
                replace(f, size=sizes[f.filename]) if f.size is None and f.filename in sizes else f
                for f in page.files
            ),
        )

    @asynccontextmanager
    async def open(self, file: File) -> AsyncIterator[Bytes]:
        if file.silent:
            raise FileMissing(f"{file.filename} is not here, and its name belongs to another source now")
        async with self._client.stream(file.url) as stream:
            yield stream

    async def metadata(self, file: File) -> bytes | None:
        if not file.metadata or file.silent:
            return None
        reply = await self._client.get(f"{file.url}.metadata")
        if reply.status != 200:
            return None
        if isinstance(file.metadata, str) and hashlib.sha256(reply.body).hexdigest() != file.metadata:
            told = hashlib.sha256(reply.body).hexdigest()
            self._incident(
                self.name,
                file.project,
                pins.Incident(
                    kind="metadata-differs", filename=file.filename, first=file.metadata, told=told
                ),
            )
            return None
        return reply.body

    async def piece(self, file: File, start: int, end: int) -> tuple[bytes, int] | None:
        if file.silent:
            return None
        async with self._client.stream(file.url, start=start, end=end - 1 if start >= 0 else None) as stream:
            if stream.status != 206 or stream.total is None:
                return None
            body = bytearray()
            async for chunk in stream.chunks():
                body += chunk
            return bytes(body), stream.total

    async def document(self, kind: str, key: str, url: str | None = None) -> bytes | None:
        return await self._documents.get(kind, key, url)

    async def advisories(
        self,
        project: ProjectName,
        versions: Sequence[str],
        *,
        each: bool,
        patience: float | None = PATIENCE_PAGE,
    ) -> Advised:
        return await self._advisories.of(project, versions, each=each, patience=patience)

    async def known(self, project: ProjectName) -> Page | None:
        stored = await self._pages.get(self.name, project)
        return self._shown(stored.page) if stored is not None and stored.page is not None else None

    async def names(self, *, patience: float = PATIENCE_PAGE) -> list[str] | None:
        return await self._documents.names(patience)

    def _note_health(self, reason: str | None) -> None:
        """Remembers whether the source answers; written at most every few seconds, or when it turns."""
        now = self._now()
        before = self.health
        if reason is None:
            self.health = Health(answered=now, failed=before.failed, reason=None)
        else:
            self.health = Health(answered=before.answered, failed=now, reason=reason)
        last = max(
            (moment for moment in (before.answered, before.failed) if moment is not None), default=None
        )
        if last is None or (before.reason is None) != (reason is None) or now - last > timedelta(seconds=5):
            task = asyncio.get_running_loop().create_task(self._facts.learn_health(self.name, self.health))
            self._background.add(task)
            task.add_done_callback(self._background.discard)


def _lists(page: Page) -> bool:
    return any(not file.gone for file in page.files)


def _gone(old: StoredPage | None) -> Page | None:
    return pins.all_gone(old.page) if old is not None and old.page is not None else None
