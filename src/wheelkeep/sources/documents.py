"""Documents of a remote index beside its pages: its root list, a project's legacy JSON, a file's attestations."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from wheelkeep.core.attestations import LARGEST
from wheelkeep.core.errors import InvalidName, NotAPage, Unanswered
from wheelkeep.core.freshness import young
from wheelkeep.core.names import SourceName
from wheelkeep.core.names import project as project_name
from wheelkeep.core.read_root import read_root_html, read_root_json
from wheelkeep.logs import get_logger
from wheelkeep.sources.client import Client, Reply
from wheelkeep.sources.source import PATIENCE_FIRST
from wheelkeep.store.facts import Facts

log = get_logger(__name__)

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""JSON first, HTML understood (PEP 691)."""
REFRESH_LIMIT = 40.0
"""Seconds that one question to an origin may take with all its retries."""
_NAMES_KEPT = timedelta(days=1)
_NAMES_LIMIT = 240.0
_NAMES_LARGEST = 192 * 1024 * 1024


class OriginDocuments:
    """Asked for once however many wait, kept for a while, and given as they were last told when the origin is away."""

    def __init__(
        self,
        name: SourceName,
        *,
        url: str,
        fresh: timedelta,
        client: Client,
        facts: Facts,
        now: Callable[[], datetime],
    ) -> None:
        self._name = name
        self._url = url
        self._fresh = fresh
        self._client = client
        self._facts = facts
        self._now = now
        self._asking: dict[tuple[str, str], asyncio.Task[bytes | None]] = {}

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def get(self, kind: str, key: str, url: str | None) -> bytes | None:
        """``json`` of a project, or ``provenance`` of a file at ``url``; None: there is none. Raises Unanswered."""
        try:
            return await self.fetch(kind, key, url, patience=PATIENCE_FIRST)
        except (Unanswered, NotAPage, TimeoutError) as error:
            known = await self._facts.document(self._name, kind, key)
            if known is not None:
                return known[0]
            reason, retry_after = why(error)
            raise Unanswered(reason, retry_after=retry_after) from None

    async def fetch(self, kind: str, key: str, url: str | None, *, patience: float) -> bytes | None:
        """The same, but nothing old stands in; raises also NotAPage and TimeoutError. It goes on after ``patience``."""
        if kind == "json":
            if not self._url.endswith("/simple/"):
                return None
            url = f"{self._url.removesuffix('simple/')}pypi/{key}/json"
        assert url is not None
        task = self._once(kind, key, url, self._fresh)
        return await asyncio.wait_for(asyncio.shield(task), patience)

    async def names(self, patience: float) -> list[str] | None:
        """The origin's own list, fetched whole in the background and kept for a day; None: not known (yet)."""
        task = self._once("names", "", self._url, _NAMES_KEPT)
        await asyncio.wait({task}, timeout=patience)
        known = await self._facts.document(self._name, "names", "")
        return known[0].decode().split("\n") if known is not None and known[0] else None

    def _once(self, kind: str, key: str, url: str, kept: timedelta) -> asyncio.Task[bytes | None]:
        task = self._asking.get((kind, key))
        if task is None:
            task = asyncio.create_task(self._ask(kind, key, url, kept))
            self._asking[kind, key] = task
            task.add_done_callback(lambda done: self._asked(kind, key, done))
        return task

    def _asked(self, kind: str, key: str, task: asyncio.Task[bytes | None]) -> None:
        self._asking.pop((kind, key), None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("document_not_had", source=self._name, kind=kind, key=key, reason=why(error)[0])

    async def _ask(self, kind: str, key: str, url: str, kept: timedelta) -> bytes | None:
        known = await self._facts.document(self._name, kind, key)
        if known is not None and young(known[1], self._now(), kept):
            return known[0]
        headers = {"Accept": ACCEPT if kind == "names" else "application/json, */*;q=0.1"}
        etag = await self._facts.document_etag(self._name, kind, key) if known is not None else None
        if etag:
            headers["If-None-Match"] = etag
        # A whole list of names is tens of megabytes, and nobody waits for it.
        limit = _NAMES_LIMIT if kind == "names" else REFRESH_LIMIT
        largest = {"names": _NAMES_LARGEST, "provenance": LARGEST}.get(kind)
        reply = await self._client.get(url, headers=headers, deadline=limit, largest=largest)
        if reply.status == 404:
            return None
        if reply.status == 304 and etag and known is not None:
            await self._facts.learn_document(self._name, kind, key, known[0], self._now(), etag=etag)
            return known[0]
        if reply.status != 200:
            raise Unanswered(f"it answered {reply.status}", retry_after=retry_after_of(reply))
        body = reply.body
        if kind == "names":
            body = await asyncio.to_thread(_root_names, reply)
        else:
            _require_json(body, whole=kind == "provenance")
        told = reply.headers.get("etag")
        await self._facts.learn_document(self._name, kind, key, body, self._now(), etag=told)
        return body


def _require_json(body: bytes, *, whole: bool) -> None:
    """Raises Unanswered unless it is an object of JSON in UTF-8 (RFC 8259 8.1), nested no deeper than anybody can read.

    ``whole``: also of what is in its fields everything can be read; of others each field is for itself.
    """
    try:
        body.decode()
        msgspec.json.decode(body, type=dict[str, Any] if whole else dict[str, msgspec.Raw])
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise Unanswered("its answer is not JSON") from None


def _root_names(reply: Reply) -> bytes:
    """The names of a root list in normal form, one a line, in order."""
    is_json = "json" in reply.headers.get("content-type", "")
    told = read_root_json(reply.body) if is_json else read_root_html(reply.body)
    found: set[str] = set()
    for text in told:
        try:
            found.add(project_name(text))
        except InvalidName:
            continue
    return "\n".join(sorted(found)).encode()


def why(error: BaseException) -> tuple[str, float | None]:
    """The reason in words that may be shown to anyone, and when to come back."""
    if isinstance(error, Unanswered):
        return error.reason, error.retry_after
    if isinstance(error, NotAPage):
        return f"its answer is not a page: {error}", None
    if isinstance(error, TimeoutError):
        return "it did not answer in time", None
    return "its answer could not be dealt with; the log says why", None


def retry_after_of(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() and len(text) < 6 else None
