"""``policy diff``: another policy replayed over what was served, kept or refused, and what locks name."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from wheelkeep.core import names
from wheelkeep.core.lock import Lock
from wheelkeep.core.merge import Merged, Nowhere
from wheelkeep.core.model import File, Page, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.policy import Policy, decide
from wheelkeep.core.verdict import Verdict
from wheelkeep.index.audit import Holder, given
from wheelkeep.index.index import Index
from wheelkeep.store.blobs import Blobs
from wheelkeep.store.fetches import Fetches, Which
from wheelkeep.store.ledger import Ledger
from wheelkeep.store.pages import Pages

_MOST_BLOCKS = 100_000
_AT_ONCE = 8
_PATIENCE = 60.0
"""Seconds that what a policy has to know of a project may take to learn."""
Locks = Sequence[tuple[str, Lock]]


class Changed(Struct, frozen=True, kw_only=True):
    """A file that one policy admits and the other does not, with what the stricter one says."""

    filename: str
    project: str
    version: str
    source: str
    gate: str
    code: str
    sentence: str
    until: datetime | None = None
    why: tuple[str, ...] = ()
    """What makes it matter: ``served``, ``kept``, ``asked for``, ``in LOCK``."""
    whom: tuple[str, ...] = ()
    """Who was given it in the time that counts."""


class PolicyDiff(Struct, frozen=True, kw_only=True):
    """The whole outcome, as ``--json`` prints it."""

    index: str
    judged: int
    """Files that were held against both policies."""
    blocked: tuple[Changed, ...]
    """Admitted now, and no longer by the new policy."""
    freed: tuple[Changed, ...]
    unknown: tuple[str, ...]
    """What locks name and could not be judged, and why."""


async def diff(
    index: Index,
    new: Policy,
    *,
    blobs: Blobs,
    pages: Pages,
    ledger: Ledger,
    fetches: Fetches,
    locks: Locks = (),
    days: int,
) -> PolicyDiff:
    """Judges by both policies. ``days``: how far back downloads count. Asks sources for locks' projects."""
    old, now = index.policy.current, datetime.now(UTC)
    kept = await asyncio.to_thread(lambda: {sha256 for sha256, _ in blobs.all()})
    asked = await _asked_for(ledger, index, now - timedelta(days=days))
    served = await given(fetches, Which(index=index.name, since=now - timedelta(days=days)))
    here = frozenset(
        place.source.name for group in index.groups for place in group if not place.source.remote
    )
    named = _named(locks)
    found, unknown = await _ask_for(index, named, old, new)
    reached = set(found)
    for project in (
        (await _known_projects(pages, index, kept)) | {name for name, _ in asked} | _owners(served)
    ):
        if project not in found and (page := await index.known(project)) is not None:
            found[project] = page
    blocked: list[Changed] = []
    freed: list[Changed] = []
    judged = 0
    for project, page in found.items():
        ask = project in reached
        knows = [await index.context(policy, page, patience=_PATIENCE, ask=ask) for policy in (old, new)]
        for file in page.files:
            lock = named.get(file.project, {}).get(file.sha256 or "")
            had = served.get((file.source, file.filename), ())
            told = [
                ("served", bool(had)),
                ("kept", file.source in here or file.sha256 in kept),
                ("asked for", (file.project, file.filename) in asked),
                (f"in {lock[0] if lock else ''}", lock is not None),
            ]
            why = tuple(word for word, is_so in told if is_so)
            if not why:
                continue
            judged += 1
            before, after = decide(old, file, knows[0]), decide(new, file, knows[1])
            if before.against is None and after.against is not None:
                blocked.append(_changed(file, after.against, why, had))
            elif before.against is not None and after.against is None:
                freed.append(_changed(file, before.against, why, had))
    unknown += _missing(named, found)
    return PolicyDiff(
        index=index.name,
        judged=judged,
        blocked=tuple(sorted(blocked, key=_order)),
        freed=tuple(sorted(freed, key=_order)),
        unknown=tuple(sorted(unknown)),
    )


async def _asked_for(ledger: Ledger, index: Index, since: datetime) -> set[tuple[ProjectName, str]]:
    """Downloads that this index refused."""
    return {
        (ProjectName(entry.project), entry.filename)
        for entry in await ledger.last("blocked", limit=_MOST_BLOCKS)
        if entry.at >= since and entry.project and entry.filename and entry.detail.get("index") == index.name
    }


def _owners(served: Iterable[tuple[str, str]]) -> set[ProjectName]:
    """The projects of served files."""
    return {owner for _, filename in served if (owner := names.owner_of(filename)) is not None}


async def _known_projects(pages: Pages, index: Index, kept: set[str]) -> set[ProjectName]:
    """Those of which something is kept in a source of the index."""
    sources = {place.source.name: place.source for group in index.groups for place in group}
    found: set[ProjectName] = set()
    async for page in pages.all():
        if any(file.source in sources and file.sha256 in kept for file in page.files):
            found.add(page.project)
    for source in sources.values():
        if not source.remote:
            found |= {ProjectName(name) for name in await source.names() or ()}
    return found


def _named(locks: Locks) -> dict[ProjectName, dict[str, tuple[str, str]]]:
    """By project: each sha256 with the lock's name and words for the file."""
    found: dict[ProjectName, dict[str, tuple[str, str]]] = {}
    for name, lock in locks:
        for entry in lock.entries:
            for file in entry.files if entry.project is not None and not entry.unservable else ():
                assert entry.project is not None
                if file.sha256 is not None:
                    words = (
                        file.filename or f"{entry.project} {entry.version or ''} sha256:{file.sha256[:12]}…"
                    )
                    found.setdefault(entry.project, {}).setdefault(file.sha256, (name, words))
    return found


async def _ask_for(
    index: Index, named: Iterable[ProjectName], old: Policy, new: Policy
) -> tuple[dict[ProjectName, Page], list[str]]:
    """What the index has of the locks' projects; each is asked for if either policy would let it be."""
    pages: dict[ProjectName, Page] = {}
    unknown: list[str] = []
    turn = asyncio.Semaphore(_AT_ONCE)

    async def ask(project: ProjectName) -> None:
        async with turn:
            for policy in (old, new):
                outcome = (await index.gather(project, patience=10.0, policy=policy)).outcome
                if isinstance(outcome, Merged):
                    pages[project] = outcome.page
                    return
                if isinstance(outcome, Unreachable):
                    unknown.append(f"{project}: {outcome.source} might have it, but {outcome.reason}")
                    return
                if isinstance(outcome, Nowhere):
                    unknown.append(f"{project}: no source of this index has it")
                    return
            unknown.append(f"{project}: neither policy lets it be asked for")

    await asyncio.gather(*(ask(project) for project in named))
    return pages, unknown


def _missing(
    named: Mapping[ProjectName, Mapping[str, tuple[str, str]]], pages: Mapping[ProjectName, Page]
) -> list[str]:
    missing = []
    for project, files in named.items():
        if project in pages:
            there = {file.sha256 for file in pages[project].files}
            lost = [told for sha256, told in files.items() if sha256 not in there]
            missing += [f"{words}: in {lock}, and on no page of this index" for lock, words in lost]
    return missing


def _changed(file: File, verdict: Verdict, why: tuple[str, ...], had: Sequence[Holder]) -> Changed:
    return Changed(
        filename=file.filename,
        project=file.project,
        version=file.version,
        source=file.source,
        gate=verdict.gate,
        code=verdict.code,
        sentence=verdict.sentence,
        until=verdict.until,
        why=why,
        whom=tuple(holder.words for holder in had),
    )


def _order(change: Changed) -> tuple[str, str]:
    return (change.project, change.filename)
