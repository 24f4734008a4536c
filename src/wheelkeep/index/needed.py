"""Which files of an index something needs: what a resolver chose, what locks name, what an allow list admits."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from datetime import UTC, datetime
from typing import assert_never

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.gates import Context
from wheelkeep.core.lock import Lock, Locked
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import File, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.resolved import Resolved
from wheelkeep.core.targets import Targets
from wheelkeep.index.index import Index
from wheelkeep.index.view import View

_AT_ONCE = 8
_TRIES = 3
_PATIENCE = 10.0
_LONGEST_WAIT = 10.0


class Lacking(Struct, frozen=True, kw_only=True):
    """Something that is needed and cannot be had."""

    what: str
    """A file's name, or a project with its version."""
    why: str


class Needed(Struct, frozen=True, kw_only=True):
    """The files to have, each once, and what is not to be had."""

    files: tuple[File, ...]
    lacking: tuple[Lacking, ...]

    def with_(self, other: "Needed") -> "Needed":
        """Both together, each file once."""
        files = {(file.source, file.filename): file for file in (*self.files, *other.files)}
        return Needed(files=tuple(files.values()), lacking=(*self.lacking, *other.lacking))


class NothingAllowed(WheelkeepError):
    """The policy has no allow list, so all that is allowed is all there is."""


async def of_resolved(index: Index, resolved: Sequence[Resolved], targets: Targets) -> Needed:
    """The files of chosen versions that the targets install."""
    wanted = [one for one in resolved if targets.wants(one.marker)]
    return await _gathered(
        _of_version(index, one.project, one.version, targets, None, f"{one.project} {one.version}")
        for one in wanted
    )


async def of_locks(index: Index, locks: Sequence[Lock], targets: Targets) -> Needed:
    """The very files that locks name and that the targets install, by their hashes."""
    wanted: dict[tuple[ProjectName, str | None], set[str]] = {}
    lacking = []
    for lock in locks:
        for entry in lock.entries:
            if not targets.wants(entry.marker) or entry.origin in ("virtual", "editable"):
                continue
            hashes = {file.sha256 for file in entry.files if file.sha256 is not None}
            if entry.unservable or entry.project is None or not hashes:
                why = entry.unservable or "the lock has no sha256 of it, so no file can be told to be this"
                lacking.append(Lacking(what=_named(entry), why=why))
                continue
            wanted.setdefault((entry.project, entry.version), set()).update(hashes)
    found = await _gathered(
        _of_version(index, project, version, targets, hashes, f"{project} {version or ''}".rstrip())
        for (project, version), hashes in wanted.items()
    )
    return Needed(files=found.files, lacking=(*lacking, *found.lacking))


async def all_allowed(index: Index, targets: Targets) -> Needed:
    """All files that the index's allow list names. Raises NothingAllowed."""
    policy = index.policy.current
    if not policy.has_list:
        raise NothingAllowed(
            f"the policy of {index.name} has no [allow], so everything is allowed: say what to fetch"
        )
    context = Context(now=datetime.now(UTC))
    names, globs = policy.listed

    async def one(project: ProjectName) -> Needed:
        view = await _view(index, project)
        if not isinstance(view, View):
            return Needed(files=(), lacking=(Lacking(what=project, why=view),))
        files = [
            file
            for file, decision in view.by_name.values()
            if decision.against is None and policy.lists(file, context) is not None
        ]
        return Needed(files=tuple(_fitting(files, targets)), lacking=())

    found = await _gathered(one(project) for project in sorted(names))
    many = (Lacking(what=glob, why="it stands for names that only asking would tell") for glob in globs)
    return Needed(files=found.files, lacking=(*many, *found.lacking))


async def _of_version(
    index: Index,
    project: ProjectName,
    version: str | None,
    targets: Targets,
    hashes: set[str] | None,
    what: str,
) -> Needed:
    view = await _view(index, project)
    if not isinstance(view, View):
        return Needed(files=(), lacking=(Lacking(what=what, why=view),))
    entries = [
        (file, decision)
        for file, decision in view.by_name.values()
        if (version is None or file.version == version) and (hashes is None or file.sha256 in hashes)
    ]
    files = [file for file, decision in entries if decision.against is None]
    lacking = [
        Lacking(what=file.filename, why=decision.against.label)
        for file, decision in entries
        if decision.against is not None and (hashes is not None or not files)
    ]
    gone = (hashes or set()) - {file.sha256 for file, _ in entries}
    if gone:
        lacking += [Lacking(what=what, why=f"no file with sha256 {one} is there") for one in sorted(gone)]
    elif not entries:
        lacking.append(Lacking(what=what, why="the index has no such version"))
    chosen = _fitting(files, targets)
    if files and not chosen:
        lacking.append(Lacking(what=what, why="none of its files is for these Pythons and platforms"))
    return Needed(files=tuple(chosen), lacking=tuple(lacking))


def _fitting(files: Iterable[File], targets: Targets) -> list[File]:
    """The wheels that a target installs, and the sdists where one installs none of them."""
    by_version: dict[str, list[File]] = {}
    for file in files:
        by_version.setdefault(file.version, []).append(file)
    chosen = []
    for same in by_version.values():
        wheels = [file for file in same if file.kind == "wheel"]
        chosen += [file for file in wheels if targets.takes(file.filename)]
        if targets.lacks([file.filename for file in wheels]):
            chosen += [file for file in same if file.kind == "sdist"]
    return chosen


async def _view(index: Index, project: ProjectName) -> View | str:
    """The page, or why there is none; an outage is given a few moments to be over."""
    found = await index.page(project, patience=_PATIENCE)
    for _ in range(_TRIES - 1):
        if not isinstance(found, Unreachable):
            break
        await asyncio.sleep(min(found.retry_after or 1.0, _LONGEST_WAIT))
        found = await index.page(project, patience=_PATIENCE)
    match found:
        case View():
            return found if found.unlisted is None else found.unlisted.label
        case Nowhere():
            return "no source has it"
        case Unreachable():
            return f"{found.source} might have it, but {found.reason}"
    assert_never(found)


def _named(entry: Locked) -> str:
    return f"{entry.project or entry.source or 'an entry'} {entry.version or ''}".rstrip()


async def _gathered(parts: Iterable[Awaitable[Needed]]) -> Needed:
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(part: Awaitable[Needed]) -> Needed:
        async with turn:
            return await part

    found = await asyncio.gather(*(one(part) for part in parts))
    files = {(file.source, file.filename): file for some in found for file in some.files}
    return Needed(
        files=tuple(sorted(files.values(), key=lambda file: (file.project, file.filename))),
        lacking=tuple(dict.fromkeys(one for some in found for one in some.lacking)),
    )
