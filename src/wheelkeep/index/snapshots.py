"""Making snapshots: of all that an index shows, or of exactly the files of a lock; and what is otherwise since."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.lock import Lock, Locked, LockedFile
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import File, Page, Unreachable
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.snapshot import Difference, Kind, Pinned, Summary, compare, summary
from wheelkeep.core.verdict import PUT_OFF
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.view import View
from wheelkeep.sources.source import PATIENCE_FIRST
from wheelkeep.store.snapshots import Snapshot

_AT_ONCE = 8
"""Pages, or files, that are asked for side by side."""
Told = Callable[[int, int], None]
"""Hears how many files are here by now, and how many there will be."""


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
    """All that is known of an index at this moment; nobody is asked for it."""
    now = datetime.now(UTC)
    names = {project for _, project in [*await keep.pages.keys(), *await keep.facts.hosted_keys()]}
    pages: dict[ProjectName, Pinned] = {}
    for name in sorted(names):
        if (merged := await index.remembered(name)) is not None:
            pages[name] = Pinned(merged.page, merged.owners)
    here = sum(
        file.sha256 is not None and keep.blobs.has(file.sha256)
        for pinned in pages.values()
        for file in pinned.page.files
    )
    return Proposed(index=index.name, kind="index", at=now, pages=pages, here=here)


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
    found = await _together([_of_project(index, name, entries) for name, entries in wanted.items()])
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
    nothing = Pinned(Page(project=name), ())
    view = await index.page(name, patience=PATIENCE_FIRST)
    if isinstance(view, Nowhere):
        return name, nothing, [f"{name}: no source of the index {index.name} has it"]
    if isinstance(view, Unreachable):
        return name, nothing, [f"{name}: the source {view.source} might have it, but {view.reason}"]
    if view.unlisted is not None:
        return name, nothing, [f"{name}: {view.unlisted.label}"]
    problems: list[str] = []
    chosen: dict[str, File] = {}
    for entry in entries:
        for locked in entry.files:
            file = _meant(view, locked)
            if file is None:
                what = locked.filename or f"{name} {entry.version or ''}".strip()
                told = f"the sha256 {locked.sha256}" if locked.sha256 else "a sha256 in the lock"
                problems.append(f"{what}: no file of {name} in the index {index.name} has {told}")
            elif (why := await _against(index, view, file)) is not None:
                problems.append(f"{file.filename}: {why}")
            else:
                chosen[file.filename] = file
    files = tuple(file for file in view.judged.page.files if file.filename in chosen)
    return name, Pinned(Page(project=name, files=files), view.owners), problems


def _meant(view: View, locked: LockedFile) -> File | None:
    if locked.sha256 is None:
        return None
    same = [file for file in view.judged.page.files if file.sha256 == locked.sha256]
    return next((file for file in same if file.filename == locked.filename), same[0] if same else None)


async def _against(index: Index, view: View, file: File) -> str | None:
    """Why the policy does not let a file in."""
    against = view.by_name[file.filename][1].against
    if against is not None and against.code.endswith(PUT_OFF):
        closer = await index.decided(file.project, file.filename)
        entry = closer.by_name.get(file.filename) if isinstance(closer, View) else None
        against = entry[1].against if entry is not None else against
    return against.label if against is not None else None


async def _fetched(keep: Keep, files: list[File], told: Told) -> dict[str, int]:
    """Fetches what is not here yet; gives the sizes by file name. Raises Unmakeable."""
    done = 0
    told(0, len(files))

    async def fetch(file: File) -> tuple[str, int, str | None]:
        nonlocal done
        try:
            stored = await keep.fetcher.whole(keep.source_of(file), file)
        except (FileMissing, Unanswered) as error:
            return file.filename, 0, f"{file.filename}: {error}"
        done += 1
        told(done, len(files))
        return file.filename, stored.size, None

    found = await _together([fetch(file) for file in files])
    if problems := [problem for _, _, problem in found if problem is not None]:
        raise Unmakeable(problems)
    return {name: size for name, size, _ in found}


async def _together(work: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Everything, some at a time, in order."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Coroutine[Any, Any, Any]) -> Any:
        async with gate:
            return await each

    return await asyncio.gather(*(one(each) for each in work))


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
    """What its index shows today: of the projects of a lock, or of all that are known."""
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
