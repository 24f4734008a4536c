"""Making snapshots: of all that an index shows, or of exactly the files of a lock; and what is otherwise since."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.judge import judge
from wheelkeep.core.lock import Lock, Locked, LockedFile
from wheelkeep.core.model import File, Page, Unreachable
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.snapshot import Difference, Kind, Pinned, Summary, compare, summary
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.mirror import Mirror, mirror
from wheelkeep.index.needed import Lacking, against, shown
from wheelkeep.index.view import View
from wheelkeep.store.snapshots import Snapshot

_AT_ONCE = 8
"""Pages, or files, that are asked for side by side."""
Told = Callable[[Mirror], None]
"""Hears how far the files of a lock are."""


class Unmakeable(Exception):
    """A snapshot cannot be made: ``problems`` says what cannot be had and why, a sentence each. Nothing was kept."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class Proposed(Struct, frozen=True, kw_only=True):
    """What a snapshot would hold."""

    index: IndexName
    kind: Kind
    at: datetime
    pages: dict[ProjectName, Pinned]
    here: int
    """Files whose bytes are here."""
    left: tuple[str, ...] = ()
    """What of a lock no index can serve."""

    @property
    def files(self) -> int:
        return sum(len(pinned.page.files) for pinned in self.pages.values())

    @property
    def summaries(self) -> dict[ProjectName, Summary]:
        return {name: summary(pinned.page) for name, pinned in self.pages.items()}


async def of_index(keep: Keep, index: Index) -> Proposed:
    """All that is known of an index at this moment; nobody is asked for it. Raises Unmakeable where a place of our own
    cannot be read: what it has would be missing for ever, or be a lower source's.
    """
    now = datetime.now(UTC)
    if problems := await _unreadable(index):
        raise Unmakeable(problems)
    names = {project for _, project in [*await keep.pages.keys(), *await keep.facts.hosted_keys()]}
    pages: dict[ProjectName, Pinned] = {}
    for name in sorted(names):
        if (merged := await index.remembered(name)) is not None:
            pages[name] = Pinned(merged.page, merged.owners, await _withheld(keep, index, merged.page))
    here = sum(
        file.sha256 is not None and keep.blobs.has(file.sha256)
        for pinned in pages.values()
        for file in pinned.page.files
    )
    return Proposed(index=index.name, kind="index", at=now, pages=pages, here=here)


async def _withheld(keep: Keep, index: Index, page: Page) -> tuple[str, ...]:
    """Files that are here and not let in. Nobody is waited for: of what is not known by now, nothing is let in."""
    here = [
        file
        for file in page.files
        if not keep.source_of(file).remote or (file.sha256 is not None and keep.blobs.has(file.sha256))
    ]
    policy, page = index.policy.current, replace(page, files=tuple(here))
    judged = judge(page, policy, await index.context(policy, page, patience=0, ask=False))
    told = zip(judged.page.files, judged.decisions, strict=True)
    return tuple(file.filename for file, decision in told if decision.against is not None)


async def _unreadable(index: Index) -> list[str]:
    """Any name does for that: it is told to nobody outside."""
    own = [place.source for group in index.groups for place in group if not place.source.remote]
    answers = [await source.page(ProjectName("any")) for source in own]
    return [
        f"the source {answer.source} might have files, but {answer.reason}"
        for answer in answers
        if isinstance(answer, Unreachable)
    ]


async def of_lock(keep: Keep, index: Index, lock: Lock, told: Told = lambda *_: None) -> Proposed:
    """Exactly the files of a lock, all of them here then, with their hashes proven. Raises Unmakeable."""
    wanted: dict[ProjectName, list[Locked]] = {}
    problems: list[str] = []
    for entry in lock.entries:
        if entry.origin != "index":
            continue
        if entry.project is None or not entry.files:
            problems.append(
                f"{entry.project} {entry.version or ''} has no hash in {lock.path}: lock anew with hashes"
            )
        else:
            wanted.setdefault(entry.project, []).append(entry)
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(name: ProjectName, entries: list[Locked]) -> tuple[ProjectName, Pinned, list[str]]:
        async with turn:
            return await _of_project(index, name, entries)

    found = await asyncio.gather(*(one(name, entries) for name, entries in wanted.items()))
    problems += [problem for _, _, wrong in found for problem in wrong]
    if problems:
        raise Unmakeable(problems)
    files = [file for _, pinned, _ in found for file in pinned.page.files]
    sizes = await _fetched(keep, files, told)
    pages = {
        name: Pinned(
            replace(
                pinned.page,
                files=tuple(replace(file, size=sizes[file.filename]) for file in pinned.page.files),
            ),
            pinned.owners,
        )
        for name, pinned, _ in found
    }
    left = tuple(
        dict.fromkeys(entry.unservable for entry in lock.entries if entry.origin in ("git", "url", "path"))
    )
    return Proposed(
        index=index.name, kind="lock", at=datetime.now(UTC), pages=pages, here=len(files), left=left
    )


async def _of_project(
    index: Index, name: ProjectName, entries: list[Locked]
) -> tuple[ProjectName, Pinned, list[str]]:
    """The files of a project that a lock names, and what is wrong with them."""
    view = await shown(index, name)
    if not isinstance(view, View):
        return name, Pinned(Page(project=name), ()), [f"{name}: {view}"]
    problems: list[str] = []
    chosen: set[str] = set()
    for entry in entries:
        for locked in entry.files:
            file = _meant(view, locked)
            if file is None:
                what = locked.filename or f"{name} {entry.version or ''}".strip()
                told = f"the sha256 {locked.sha256}" if locked.sha256 else "a sha256 in the lock"
                problems.append(f"{what}: no file of {name} in the index {index.name} has {told}")
            elif (why := await against(index, view, file)) is not None:
                problems.append(f"{file.filename}: {why.label}")
            else:
                chosen.add(file.filename)
    files = tuple(file for file in view.judged.page.files if file.filename in chosen)
    return name, Pinned(Page(project=name, files=files), view.owners), problems


def _meant(view: View, locked: LockedFile) -> File | None:
    if locked.sha256 is None:
        return None
    same = [file for file in view.judged.page.files if file.sha256 == locked.sha256]
    return next((file for file in same if file.filename == locked.filename), same[0] if same else None)


async def _fetched(keep: Keep, files: list[File], told: Told) -> dict[str, int]:
    """Fetches what is not here yet; gives the sizes by file name. Raises Unmakeable."""
    lacking: list[Lacking] = []
    async for state in mirror(keep, files, at_once=_AT_ONCE):
        told(state)
        lacking = state.lacking
    if lacking:
        raise Unmakeable(f"{one.what}: {one.why}" for one in lacking)
    stored = {file.filename: keep.fetcher.stored(file) for file in files}
    if gone := [name for name, one in stored.items() if one is None]:
        raise Unmakeable(f"{name} left the store as soon as it was there" for name in gone)
    return {name: one.size for name, one in stored.items() if one is not None}


async def make(keep: Keep, name: str, proposed: Proposed, by: str, before: Snapshot | None) -> Snapshot:
    """Keeps it as the newest state of a name, after the one that it was compared with. Raises Overtaken."""
    made = Snapshot(
        name=name,
        number=0,
        index=proposed.index,
        kind=proposed.kind,
        at=proposed.at,
        by=by,
        projects=len(proposed.pages),
        files=proposed.files,
        here=proposed.here,
    )
    return await keep.views.snapshots.add(made, proposed.pages, before)


async def since(keep: Keep, before: Snapshot | None, after: Mapping[ProjectName, Summary]) -> Difference:
    """What is otherwise than in a snapshot; than in nothing where there is none."""
    return compare(await summaries(keep, before) if before is not None else {}, after)


async def summaries(keep: Keep, of: Snapshot) -> dict[ProjectName, Summary]:
    """What a comparison needs of a snapshot's pages."""
    return {pinned.page.project: summary(pinned.page) async for pinned in keep.views.snapshots.pages(of)}


async def now(keep: Keep, of: Snapshot) -> dict[ProjectName, Summary]:
    """What its index shows today: of the projects of a lock, or of all that are known. Raises Unmakeable."""
    index = keep.indexes[of.index]
    if of.kind == "index":
        return (await of_index(keep, index)).summaries
    found: dict[ProjectName, Summary] = {}
    for project in await keep.views.snapshots.projects(of):
        view = await index.page(project)
        if isinstance(view, View):
            admitted = tuple(file for file, decision in view.by_name.values() if decision.admitted)
            found[project] = summary(replace(view.judged.page, files=admitted))
    return found
