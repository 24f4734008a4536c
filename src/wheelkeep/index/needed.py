"""Which files of an index something needs: what a resolver chose, what locks name, what an allow list admits, what a
snapshot has.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, assert_never

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.gates import Context
from wheelkeep.core.lock import Lock, Locked
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import File, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.resolved import Resolved
from wheelkeep.core.targets import Targets
from wheelkeep.core.verdict import PUT_OFF, Verdict
from wheelkeep.core.write_lock import Choice
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
    """What to have, and what is not to be had."""

    choices: tuple[Choice, ...]
    lacking: tuple[Lacking, ...]
    blocked: int = 0
    """Files that the policy blocks, where nobody named them."""

    @property
    def files(self) -> tuple[File, ...]:
        """Every file, once."""
        found = {(file.source, file.filename): file for one in self.choices for file in one.files}
        return tuple(found.values())

    def with_(self, other: "Needed") -> "Needed":
        """Both together."""
        return Needed(
            choices=(*self.choices, *other.choices),
            lacking=(*self.lacking, *other.lacking),
            blocked=self.blocked + other.blocked,
        )


class NothingAllowed(WheelkeepError):
    """The policy has no allow list, so all that is allowed is all there is."""


async def of_resolved(index: Index, resolved: Sequence[Resolved], targets: Targets) -> Needed:
    """The files of chosen versions that the targets install."""
    return await _gathered(
        _of_version(index, _Wanted(one.project, one.version, one.marker), targets)
        for one in resolved
        if targets.wants(one.marker)
    )


async def of_locks(index: Index, locks: Sequence[Lock], targets: Targets) -> Needed:
    """The very files that locks name and that the targets install, by their hashes."""
    wanted: dict[tuple[ProjectName, str | None], _Wanted] = {}
    lacking = []
    for entry in (entry for lock in locks for entry in lock.entries):
        if not targets.wants(entry.marker) or entry.origin in ("virtual", "editable"):
            continue
        hashes = {file.sha256 for file in entry.files if file.sha256 is not None}
        if entry.unservable or entry.project is None or not hashes:
            why = entry.unservable or "the lock has no sha256 of it, so no file can be told to be this"
            lacking.append(Lacking(what=_named(entry), why=why))
            continue
        one = _Wanted(entry.project, entry.version, entry.marker, hashes)
        key = (one.project, one.version)
        wanted[key] = wanted[key].or_(one) if key in wanted else one
    found = await _gathered(_of_version(index, one, targets) for one in wanted.values())
    return Needed(choices=found.choices, lacking=(*lacking, *found.lacking))


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
        view = await shown(index, project)
        if not isinstance(view, View):
            return Needed(choices=(), lacking=(Lacking(what=project, why=view),))
        listed = [file for file, _ in view.by_name.values() if policy.lists(file, context) is not None]
        files = [file for file in listed if await against(index, view, file) is None]
        return Needed(choices=_choices(_fitting(files, targets), ""), lacking=())

    found = await _gathered(one(project) for project in sorted(names))
    many = (Lacking(what=glob, why="it stands for names that only asking would tell") for glob in globs)
    return Needed(choices=found.choices, lacking=(*many, *found.lacking))


async def of_snapshot(
    index: Index, projects: Iterable[ProjectName], targets: Targets, *, named: bool
) -> Needed:
    """All files that a snapshot has. ``index``: as the snapshot has it; ``projects``: those of the snapshot;
    ``named``: each file is wanted for itself, so that one which the policy blocks is lacking, and not passed over.
    """

    async def one(project: ProjectName) -> Needed:
        view = await shown(index, project)
        if not isinstance(view, View):
            return Needed(choices=(), lacking=(Lacking(what=project, why=view),))
        told = [(file, await against(index, view, file)) for file, _ in view.by_name.values()]
        good = [file for file, why in told if why is None]
        blocked = [Lacking(what=file.filename, why=why.label) for file, why in told if why is not None]
        return Needed(
            choices=_choices(_fitting(good, targets), ""),
            lacking=tuple(blocked) if named else (),
            blocked=0 if named else len(blocked),
        )

    return await _gathered(one(project) for project in projects)


class _Wanted(NamedTuple):
    """One version; ``hashes``: these files of it alone."""

    project: ProjectName
    version: str | None
    marker: str
    hashes: set[str] | None = None

    @property
    def words(self) -> str:
        return f"{self.project} {self.version or ''}".rstrip()

    def or_(self, other: "_Wanted") -> "_Wanted":
        """The same in more environments, with more files."""
        marker = self.marker if self.marker == other.marker else ""
        if self.marker and other.marker and self.marker != other.marker:
            marker = f"({self.marker}) or ({other.marker})"
        hashes = (self.hashes or set()) | (other.hashes or set())
        return self._replace(marker=marker, hashes=hashes)


async def _of_version(index: Index, wanted: _Wanted, targets: Targets) -> Needed:
    view = await shown(index, wanted.project)
    if not isinstance(view, View):
        return Needed(choices=(), lacking=(Lacking(what=wanted.words, why=view),))
    entries = [
        (file, await against(index, view, file))
        for file, _ in view.by_name.values()
        if wanted.version in (None, file.version) and (wanted.hashes is None or file.sha256 in wanted.hashes)
    ]
    files = [file for file, why in entries if why is None]
    chosen = _fitting(files, targets)
    # What there would be of it, were nothing blocked; of a lock all of that is meant.
    meant = _fitting([file for file, _ in entries], targets) if wanted.hashes is not None else []
    lacking = [
        Lacking(what=file.filename, why=why.label)
        for file, why in entries
        if why is not None and (not files or file in meant or (not chosen and _may_do(file, targets)))
    ]
    gone = (wanted.hashes or set()) - {file.sha256 for file, _ in entries}
    if gone:
        lacking += [
            Lacking(what=wanted.words, why=f"no file with sha256 {one} is there") for one in sorted(gone)
        ]
    elif not entries:
        lacking.append(Lacking(what=wanted.words, why="the index has no such version"))
    if files and not chosen and not lacking:
        lacking.append(Lacking(what=wanted.words, why="none of its files is for these Pythons and platforms"))
    return Needed(choices=_choices(chosen, wanted.marker), lacking=tuple(lacking))


def _choices(files: Iterable[File], marker: str) -> tuple[Choice, ...]:
    """The files by their versions."""
    same: dict[tuple[ProjectName, str], list[File]] = {}
    for file in files:
        same.setdefault((file.project, file.version), []).append(file)
    return tuple(
        Choice(
            project=project,
            version=version,
            marker=marker,
            files=tuple(sorted(some, key=lambda file: file.filename)),
        )
        for (project, version), some in same.items()
    )


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


def _may_do(file: File, targets: Targets) -> bool:
    """Whether a file would be one for the targets, were it not blocked."""
    return file.kind == "sdist" or targets.takes(file.filename)


async def shown(index: Index, project: ProjectName) -> View | str:
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
            return f"no source of the index {index.name} has it"
        case Unreachable():
            return f"{found.source} might have it, but {found.reason}"
    assert_never(found)


async def against(index: Index, view: View, file: File) -> Verdict | None:
    """Why the policy does not let a file of a page in, looked at closely where that was put off."""
    why = view.by_name[file.filename][1].against
    if why is not None and why.code.endswith(PUT_OFF):
        closer = await index.decided(file.project, file.filename)
        entry = closer.by_name.get(file.filename) if isinstance(closer, View) else None
        why = entry[1].against if entry is not None else why
    return why


def _named(entry: Locked) -> str:
    return f"{entry.project or entry.source or 'an entry'} {entry.version or ''}".rstrip()


async def _gathered(parts: Iterable[Awaitable[Needed]]) -> Needed:
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(part: Awaitable[Needed]) -> Needed:
        async with turn:
            return await part

    found = await asyncio.gather(*(one(part) for part in parts))
    choices = [choice for some in found for choice in some.choices]
    return Needed(
        choices=tuple(sorted(choices, key=lambda one: (one.project, one.version))),
        lacking=tuple(dict.fromkeys(one for some in found for one in some.lacking)),
        blocked=sum(some.blocked for some in found),
    )
