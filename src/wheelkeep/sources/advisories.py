"""What a remote index tells against its projects: the ``vulnerabilities`` of its legacy JSON.

The project's document speaks of the newest version alone, each version's document of that version (so does the public
index). So where no whole dump is known, the versions are asked too: some at a time, the newest first, once a day.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from wheelkeep.core import freshness, names
from wheelkeep.core.advisories import Told
from wheelkeep.core.errors import InvalidName, NotAPage, Unanswered
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.read_advisories import read_told
from wheelkeep.logs import get_logger
from wheelkeep.sources.client import Client
from wheelkeep.sources.documents import OriginDocuments, why
from wheelkeep.sources.source import PATIENCE_FIRST, Advised, Changed
from wheelkeep.store.facts import Facts

log = get_logger(__name__)

_KIND = "vulnerabilities"
_KEPT = timedelta(days=1)
_AGAIN = timedelta(seconds=1)
_PAUSE = timedelta(seconds=10)
_AT_ONCE = 8
_PROBES = 3
_WRITTEN_AFTER = 40
_MOST_VERSIONS = 300
_PATIENCE_VERSIONS = 5.0
_LIMIT = 20.0
_LONGEST_DETAILS = 400


class _Version(Struct, omit_defaults=True):
    """What a version's own document said, as it is kept."""

    at: float
    """Seconds since the epoch."""
    etag: str | None = None
    told: Any = None
    """Its ``vulnerabilities``; None: there is no such document, or no such list in it."""


class _Info(Struct):
    version: Any = None


class _Document(Struct):
    info: _Info = msgspec.field(default_factory=_Info)
    vulnerabilities: Any = None


_decoder = msgspec.json.Decoder(_Document)
_kept = msgspec.json.Decoder(dict[str, _Version])


class OriginAdvisories:
    """Asked for when a gate wants to know; kept, and used as they were last told while the origin is away."""

    def __init__(
        self,
        name: SourceName,
        *,
        url: str,
        fresh: timedelta,
        client: Client,
        documents: OriginDocuments,
        facts: Facts,
        changed: Changed,
        now: Callable[[], datetime],
    ) -> None:
        self._name = name
        self._base = f"{url.removesuffix('simple/')}pypi/" if url.endswith("/simple/") else None
        self._fresh = fresh
        self._client = client
        self._documents = documents
        self._facts = facts
        self._changed = changed
        self._now = now
        self._paused: dict[ProjectName, tuple[datetime, str]] = {}
        self._asking: dict[ProjectName, asyncio.Task[None]] = {}

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def of(
        self, project: ProjectName, versions: Sequence[str], *, each: bool, patience: float | None
    ) -> Advised:
        """What is told of a project: see ``Source.advisories``."""
        if self._base is None:
            return Advised(why="its source's address does not end in simple/, so no pypi/…/json is beside it")
        stale = await self._refresh(project, patience) if patience is not None else None
        known = await self._facts.document(self._name, "json", project)
        again = self._now() + (self._fresh if stale is None else _AGAIN)
        if known is None:
            reason = stale or "its source has no pypi/…/json of the project, and no dump is imported"
            return Advised(why=reason, good_until=again)
        if stale is None:
            again = known[1] + self._fresh
        newest, told = await asyncio.to_thread(_read, known[0])
        advisories = read_told(told, project)
        if advisories is None:
            reason = "its source's pypi/…/json has no list of vulnerabilities that can be read, and no dump is imported"
            return Advised(why=reason, good_until=again)
        if not each:
            return Advised(told=Told(newest=newest, advisories=advisories), good_until=again)
        own, waiting, soon = await self._versions(
            project, [text for text in versions if text != newest], patience
        )
        return Advised(
            told=Told(
                newest=newest,
                advisories=advisories,
                own={
                    text: found for text, one in own.items() if (found := read_told(one, project)) is not None
                },
                waiting=waiting,
            ),
            good_until=again if soon is None else min(again, self._now() + soon),
        )

    async def _refresh(self, project: ProjectName, patience: float) -> str | None:
        """Asks for the project's document where it is old; why it could not be had, where it could not."""
        known = await self._facts.document(self._name, "json", project)
        now = self._now()
        if known is not None and freshness.young(known[1], now, self._fresh):
            return None
        paused = self._paused.get(project)
        if paused is not None and freshness.pauses(paused[0], now):
            return paused[1]
        if known is None:
            patience = PATIENCE_FIRST
        try:
            await self._documents.fetch("json", project, None, patience=patience)
        except TimeoutError:
            return "its source has not answered yet"
        except (Unanswered, NotAPage) as error:
            return self._pause(project, error)
        self._paused.pop(project, None)
        return None

    def _pause(self, project: ProjectName, error: Exception) -> str:
        if len(self._paused) > 10_000:
            self._paused.clear()
        reason = f"its source does not tell now: {why(error)[0]}"
        self._paused[project] = (self._now() + _PAUSE, reason)
        return reason

    async def _versions(
        self, project: ProjectName, versions: Sequence[str], patience: float | None
    ) -> tuple[dict[str, Any], frozenset[str], timedelta | None]:
        """What their own documents told, the versions of which that is not known, and how soon more may be."""
        wanted = sorted(versions, key=names.version, reverse=True)
        asked = wanted[:_MOST_VERSIONS]
        known = await self._kept(project)
        now = self._now()
        paused = self._paused.get(project)
        due = [text for text in asked if not _young(known.get(text), now)]
        if (
            patience is not None
            and due
            and not _young(known.get(""), now)
            and (paused is None or not freshness.pauses(paused[0], now))
        ):
            task = self._asking.get(project)
            if task is None:
                task = asyncio.create_task(self._ask(project, due), name=f"advisories {self._name}/{project}")
                self._asking[project] = task
                task.add_done_callback(lambda done: self._asked(project, done))
            missing = any(text not in known for text in due)
            await asyncio.wait({task}, timeout=_PATIENCE_VERSIONS if missing else patience)
            known = await self._kept(project)
        # Also of those that newer ones have pushed out of what is asked: nothing known is forgotten.
        told = {text: known[text].told for text in wanted if text in known}
        if "" in known:
            return told, frozenset(), None
        soon = _AGAIN if project in self._asking else _PAUSE
        late = any(text not in known for text in asked)
        return told, frozenset(text for text in wanted if text not in known), soon if late else None

    async def _kept(self, project: ProjectName) -> dict[str, _Version]:
        found = await self._facts.document(self._name, _KIND, project)
        return _kept.decode(found[0]) if found is not None else {}

    def _asked(self, project: ProjectName, task: asyncio.Task[None]) -> None:
        self._asking.pop(project, None)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            reason = self._pause(project, error if isinstance(error, Exception) else RuntimeError())
            log.info("advisories_not_had", source=self._name, project=project, reason=reason)
        self._changed(project)

    async def _ask(self, project: ProjectName, due: Sequence[str]) -> None:
        """Asks for documents of versions; if the first few are not there, the source has none of them."""
        gate = asyncio.Semaphore(_AT_ONCE)
        known = await self._kept(project)

        async def ask(version: str) -> tuple[str, _Version]:
            async with gate:
                return version, await self._of_version(project, version, known.get(version))

        many, rest, size = len(due) > _PROBES, list(due), _PROBES
        while rest:
            some, rest, size = rest[:size], rest[size:], _WRITTEN_AFTER
            answers = await asyncio.gather(*(ask(text) for text in some), return_exceptions=True)
            came = dict(one for one in answers if not isinstance(one, BaseException))
            failed = next((one for one in answers if isinstance(one, BaseException)), None)
            known |= came
            if many and failed is None and all(one.told is None for one in known.values()):
                await self._keep(project, {"": came[some[0]]})
                return
            await self._keep(project, came)
            if failed is not None:
                raise failed

    async def _of_version(self, project: ProjectName, version: str, known: _Version | None) -> _Version:
        headers = {"Accept": "application/json, */*;q=0.1"}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        reply = await self._client.get(
            f"{self._base}{project}/{version}/json", headers=headers, deadline=_LIMIT
        )
        at = self._now().timestamp()
        if reply.status == 304 and known is not None:
            return _Version(at=at, etag=known.etag, told=known.told)
        if reply.status == 404:
            return _Version(at=at)
        if reply.status != 200:
            raise Unanswered(f"it answered {reply.status}")
        _, told = await asyncio.to_thread(_read, reply.body)
        return _Version(at=at, etag=reply.headers.get("etag"), told=_lean(told))

    async def _keep(self, project: ProjectName, came: dict[str, _Version]) -> None:
        known = await self._kept(project) | came
        if "" not in came:
            known.pop("", None)
        await self._facts.learn_document(self._name, _KIND, project, msgspec.json.encode(known), self._now())


def _young(known: _Version | None, now: datetime) -> bool:
    return known is not None and 0 <= now.timestamp() - known.at < _KEPT.total_seconds()


def _read(body: bytes) -> tuple[str | None, Any]:
    """The version that a legacy JSON document is about, and its list as it came."""
    try:
        document = _decoder.decode(body)
        text = document.info.version
        newest = str(names.version(text)) if isinstance(text, str) and len(text) < 250 else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, None
    except (InvalidName, ValueError):
        newest = None
    return newest, document.vulnerabilities


def _lean(told: Any) -> Any:
    """Without the long texts, which nobody is shown."""
    if not isinstance(told, list):
        return None
    return [
        {key: value[:_LONGEST_DETAILS] if isinstance(value, str) else value for key, value in one.items()}
        for one in told
        if isinstance(one, dict)
    ]
