"""What a policy has to know of attestations (PEP 740): learnt when a page asks, kept, and given to the gate.

Documents are fetched and verified a few at a time: first the one that sets the standard, then the newest versions. A
page waits a moment for that and is then judged by what is known; the rest goes on by itself, and a file that is asked
for meanwhile is looked at at once. What is not known is never admitted.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from wheelkeep.core import freshness, names
from wheelkeep.core.arrival import clock
from wheelkeep.core.attested import Fact, Provenance, Remembered, find_standard
from wheelkeep.core.errors import Unanswered
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.provenance import ProvenanceGate
from wheelkeep.logs import get_logger
from wheelkeep.sources.source import Source
from wheelkeep.sources.verifier import Unverifiable, Verifier
from wheelkeep.store.attested import AttestedFiles
from wheelkeep.store.uploads import PROVENANCE

log = get_logger(__name__)

PATIENCE_KNOWN = 6.0
"""Seconds that a page may wait for what is to be learnt of its files."""
_PATIENCE_FILE = 10.0
_AT_ONCE = 16
_CHUNK = 64
"""Facts that are written together."""
_SOON = timedelta(seconds=2)
"""After which a page is judged again while more is being learnt."""
_PAUSE = timedelta(seconds=30)
"""After which a document is asked for again that was not to be had."""
_DOUBTED = timedelta(minutes=10)
"""How long it stands that a file is not attested: its page may come to offer a right document."""
_MOST_TROUBLES = 20_000
_MOST_STEPS = 8
"""Files that may prove false, one after the other, before the one that sets the standard is found."""
_PATIENCE_AGAIN = 1.0
"""Seconds that a page may wait for a project that others wait for already."""
_ENDLESS = datetime.max.replace(tzinfo=UTC)

Key = tuple[SourceName, str, str]


class Attestor:
    """Learns and remembers; one for all indexes."""

    def __init__(
        self,
        store: AttestedFiles,
        verifier: Verifier,
        sources: Mapping[SourceName, Source],
        *,
        changed: Callable[[ProjectName], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``changed`` is told of a project of which more is known."""
        self._store = store
        self._verifier = verifier
        self._sources = sources
        self._changed = changed
        self._now = now
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._asking: dict[Key, asyncio.Task[Fact | str]] = {}
        self._jobs: dict[ProjectName, asyncio.Task[None]] = {}
        self._troubles: OrderedDict[Key, tuple[datetime, str]] = OrderedDict()

    async def close(self) -> None:
        tasks = [*self._jobs.values(), *self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._verifier.close()

    def over(self, source: Source, staged: Collection[str]) -> "Attestor":
        """The same with another source in the place of one; what it learns of staged bytes, by sha256, it keeps to
        itself."""
        sources = {**self._sources, source.name: source}
        store = self._store.apart(staged)
        return Attestor(store, self._verifier, sources, changed=lambda _: None, now=self._now)

    async def known(
        self,
        gate: ProvenanceGate,
        page: Page,
        *,
        patience: float,
        first: str | None = None,
        lies_in: SourceName | None = None,
    ) -> Provenance:
        """What there is to know about a page's files. ``patience``: seconds that learning more may take.

        ``first``: the name of a file that has to be decided now. ``lies_in``: the source that has the documents,
        where it is another than the files say.
        """
        asked = [file for file in page.files if gate.asks(file)]
        if not asked:
            return Provenance()
        try:
            roots = self._verifier.digest
        except Unverifiable as error:
            return Provenance(troubles={file.filename: str(error) for file in asked})
        kept = await self._kept(page.project, asked)
        if unknown := _ordered(self._unknown(asked, kept, roots), standard_first=gate.ratchet):
            if first is None:
                await self._wait(page.project, unknown, roots, lies_in, patience)
            else:
                await self._settle(gate, page.project, asked, roots, lies_in, first)
            kept = await self._kept(page.project, asked)
        return self._told(gate, asked, kept, roots)

    async def _settle(
        self,
        gate: ProvenanceGate,
        project: ProjectName,
        asked: Sequence[File],
        roots: str,
        lies_in: SourceName | None,
        first: str,
    ) -> None:
        """Learns what decides on one file: its own attestations, and those of the file that sets the standard."""
        wanted = {first}
        for _ in range(_MOST_STEPS):
            unknown = self._unknown(asked, await self._kept(project, asked), roots)
            files = [file for file in unknown if file.filename in wanted]
            if files:
                await self._learn(project, files, roots, lies_in)
            told = self._told(gate, asked, await self._kept(project, asked), roots)
            standard = told.standard
            if standard is None or standard.publishers is not None or standard.filename in told.troubles:
                return
            wanted.add(standard.filename)

    def _unknown(self, asked: Sequence[File], kept: Sequence[Remembered], roots: str) -> list[File]:
        now = self._now()
        facts = _facts(asked, kept, roots, now)
        return [
            file
            for file in asked
            if file.provenance is not None
            and file.sha256 is not None
            and file.filename not in facts
            and not freshness.pauses(self._troubles.get(_key(file), (now, ""))[0], now)
        ]

    async def _kept(self, project: ProjectName, asked: Sequence[File]) -> list[Remembered]:
        return await self._store.of(project, {file.source for file in asked})

    def _told(
        self, gate: ProvenanceGate, asked: Sequence[File], kept: Sequence[Remembered], roots: str
    ) -> Provenance:
        now = self._now()
        facts = _facts(asked, kept, roots, now)
        troubles: dict[str, str] = {}
        moments = [_ENDLESS]
        for file in asked:
            if file.filename in facts or file.provenance is None:
                continue
            if file.sha256 is None:
                troubles[file.filename] = "its page tells no sha256"
            elif (trouble := self._troubles.get(_key(file))) is not None and freshness.pauses(
                trouble[0], now
            ):
                moments.append(trouble[0])
                troubles[file.filename] = trouble[1]
            else:
                moments.append(now + _SOON)
        moments += [
            row.checked + _DOUBTED
            for row in kept
            if row.fact.state != "verified" and row.checked + _DOUBTED > now
        ]
        again = min(moments)
        return Provenance(
            facts=facts,
            standard=find_standard(asked, facts, kept) if gate.ratchet else None,
            troubles=troubles,
            again=again if again is not _ENDLESS else None,
        )

    async def _wait(
        self, project: ProjectName, files: list[File], roots: str, lies_in: SourceName | None, patience: float
    ) -> None:
        """Lets the project be looked at for so long; it goes on afterwards."""
        job = self._jobs.get(project)
        if job is None:
            job = asyncio.create_task(self._job(project, files, roots, lies_in), name=f"attest {project}")
            self._jobs[project] = job
            job.add_done_callback(lambda _: self._jobs.pop(project, None))
        else:
            patience = min(patience, _PATIENCE_AGAIN)
        await asyncio.wait({job}, timeout=patience)

    async def _job(
        self, project: ProjectName, files: list[File], roots: str, lies_in: SourceName | None
    ) -> None:
        try:
            for at in range(0, len(files), _CHUNK):
                await self._learn(project, files[at : at + _CHUNK], roots, lies_in)
        except Exception:
            log.exception("attestations_not_verified", project=project)
        self._changed(project)

    async def _learn(
        self, project: ProjectName, files: Sequence[File], roots: str, lies_in: SourceName | None
    ) -> None:
        came = await asyncio.gather(*(self._once(file, lies_in) for file in files))
        now = self._now()
        learnt: list[Remembered] = []
        for file, fact in zip(files, came, strict=True):
            if isinstance(fact, str):
                self._trouble(file, now, fact)
                continue
            self._troubles.pop(_key(file), None)
            if fact.state != "verified":
                log.warning(
                    "attestation_not_verified",
                    source=file.source,
                    file=file.filename,
                    state=fact.state,
                    why=fact.why,
                )
            learnt.append(
                Remembered(
                    source=file.source,
                    filename=file.filename,
                    version=file.version,
                    sha256=file.sha256 or "",
                    fact=fact,
                    came=clock(file),
                    roots=roots,
                    checked=now,
                )
            )
        await self._store.learn(project, learnt)

    def _trouble(self, file: File, now: datetime, why: str) -> None:
        self._troubles[_key(file)] = (now + _PAUSE, why)
        while len(self._troubles) > _MOST_TROUBLES:
            self._troubles.popitem(last=False)

    async def _once(self, file: File, lies_in: SourceName | None) -> Fact | str:
        """One look at a file however many want it; the reason in words where nothing could be learnt."""
        key = _key(file)
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._look(file, lies_in))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _look(self, file: File, lies_in: SourceName | None) -> Fact | str:
        source = self._sources[lies_in or file.source]
        try:
            async with self._slots, asyncio.timeout(_PATIENCE_FILE):
                body = await source.document(PROVENANCE, file.filename, file.provenance)
                if body is None:
                    return Fact(state="none")
                return await self._verifier.judge(body, file.filename, file.sha256 or "")
        except Unanswered as error:
            return f"its provenance could not be had: {error.reason}"
        except TimeoutError:
            return "its provenance did not come in time"
        except Unverifiable as error:
            return str(error)
        except Exception:
            log.exception("attestation_not_looked_at", source=file.source, file=file.filename)
            return "it could not be looked at"


def _key(file: File) -> Key:
    return file.source, file.filename, file.sha256 or ""


def _facts(asked: Sequence[File], kept: Sequence[Remembered], roots: str, now: datetime) -> dict[str, Fact]:
    """What is known by file name. That a file is attested stays true of its bytes; anything else is looked at again."""
    files = {(file.source, file.filename): file.sha256 for file in asked}
    return {
        row.filename: row.fact
        for row in kept
        if files.get((row.source, row.filename)) == row.sha256
        and row.roots == roots
        and (row.fact.state == "verified" or freshness.young(row.checked, now, _DOUBTED))
    }


def _ordered(files: Sequence[File], *, standard_first: bool) -> list[File]:
    """The newest versions first, as installers want them; before them the earliest file, which all others go by."""
    ordered = sorted(files, key=lambda file: (names.version(file.version), file.filename), reverse=True)
    if not standard_first or not ordered:
        return ordered
    earliest = min(files, key=lambda file: (clock(file) or _ENDLESS, names.version(file.version)))
    return [earliest, *(file for file in ordered if file is not earliest)]
