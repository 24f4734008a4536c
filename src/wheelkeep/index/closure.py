"""What an allow list would gain: each version that a resolver chose and that the list does not name, with what is
known of it before anybody has it.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from wheelkeep.core import names
from wheelkeep.core.candidates import put_off
from wheelkeep.core.errors import Unanswered
from wheelkeep.core.gates import Context
from wheelkeep.core.licence import read_metadata
from wheelkeep.core.model import File
from wheelkeep.core.policy import Policy
from wheelkeep.core.resolved import Resolved
from wheelkeep.core.verdict import Verdict
from wheelkeep.index.candidates import Candidates, Unread
from wheelkeep.index.view import View

OLDEST = 10
"""The minor version of the oldest Python 3 that is resolved for by default."""
_NEWEST = 30
_AT_ONCE = 8
_PATIENCE = 20.0


class New(Struct, frozen=True, kw_only=True):
    """One version that is not on the allow list."""

    name: str
    version: str
    source: str
    via: tuple[str, ...]
    """The projects that need it; none for what was asked for."""
    marker: str = ""
    uploaded: datetime | None = None
    """When its first file came, as the origin tells."""
    size: int | None = None
    """Bytes of its largest wheel, or of its sdist where it has no wheel."""
    licence: str | None = None
    provenance: bool = False
    """The origin offers attestations of all its files that may come in (PEP 740)."""
    advisories: tuple[str, ...] | None = None
    """Ids, with what is known of severity; None: nobody tells."""
    refused: str = ""
    """Who said no when it was wanted, and why."""


class Blocked(Struct, frozen=True, kw_only=True):
    """A version that was chosen, and that another gate than the allow list keeps out."""

    name: str
    version: str
    gate: str
    sentence: str


class Closure(Struct, frozen=True, kw_only=True):
    """All of it."""

    python: str
    """The oldest Python that was resolved for."""
    listed: int
    """Versions that need no allowance."""
    new: tuple[New, ...]
    blocked: tuple[Blocked, ...]
    unread: tuple[Unread, ...]


async def oldest_python(candidates: Candidates, wanted: Sequence[Requirement]) -> str:
    """The oldest Python from ``OLDEST`` on that the newest fitting version of everything wanted runs on."""
    oldest = OLDEST
    for requirement in wanted:
        if requirement.marker is not None:
            continue
        try:
            view = await candidates.view(names.project(requirement.name))
        except Unanswered:
            continue  # the resolver will say so
        ranges = _newest_ranges(view, requirement) if view is not None else set()
        for minor in range(oldest, _NEWEST):
            if not ranges or any(_runs_on(one, minor) for one in ranges):
                oldest = minor
                break
    return f"3.{oldest}"


def _newest_ranges(view: View, requirement: Requirement) -> set[str]:
    """What the newest version that fits says of Pythons."""
    fitting = [
        file
        for file, decision in zip(view.judged.page.files, view.judged.decisions, strict=True)
        if (decision.admitted or put_off(decision))
        and file.yanked is None
        and requirement.specifier.contains(names.version(file.version), prereleases=True)
    ]
    final = [file for file in fitting if not names.version(file.version).is_prerelease] or fitting
    newest = max((names.version(file.version) for file in final), default=None)
    return {file.requires_python or "" for file in final if names.version(file.version) == newest}


def _runs_on(requires_python: str, minor: int) -> bool:
    try:
        return SpecifierSet(requires_python).contains(f"3.{minor}.0", prereleases=True)
    except InvalidSpecifier:
        return True


async def weigh(
    candidates: Candidates, resolved: Sequence[Resolved], *, remote: Collection[str], python: str
) -> Closure:
    """Holds what was resolved against the policy in force. ``remote``: the sources that a new list would govern."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(chosen: Resolved) -> New | Blocked | None:
        async with turn:
            return await _weighed(candidates, chosen, remote)

    found = await asyncio.gather(*(one(chosen) for chosen in resolved))
    chosen = {(one.project, one.version) for one in resolved}
    return Closure(
        python=python,
        listed=sum(one is None for one in found),
        new=tuple(one for one in found if isinstance(one, New)),
        blocked=tuple(one for one in found if isinstance(one, Blocked)),
        unread=tuple(said for key, said in candidates.unread.items() if key in chosen),
    )


async def _weighed(candidates: Candidates, chosen: Resolved, remote: Collection[str]) -> New | Blocked | None:
    view = await candidates.view(chosen.project)
    pairs = [
        (file, decision)
        for file, decision in (view.by_name.values() if view is not None else ())
        if file.version == chosen.version
    ]
    files = [file for file, decision in pairs if decision.admitted]
    if view is None or not files:
        return _blocked(chosen, [decision.against for _, decision in pairs if decision.against is not None])
    policy, context = candidates.allowed, Context(now=datetime.now(UTC))
    if not any(_lacks(policy, file, context, remote) for file in files):
        return None
    wheels = [file for file in files if file.kind == "wheel"]
    sizes = [file.size for file in wheels or files if file.size is not None]
    refusal = policy.refusal(chosen.project, chosen.version)
    known = await candidates.advisories(view, chosen.version, patience=_PATIENCE)
    return New(
        name=chosen.project,
        version=chosen.version,
        source=files[0].source,
        via=chosen.via,
        marker=chosen.marker,
        uploaded=_first(files),
        size=max(sizes, default=None),
        licence=await _licence(candidates, wheels or files),
        provenance=all(file.provenance is not None for file in files),
        advisories=known,
        refused=refusal.told if refusal is not None else "",
    )


def _lacks(policy: Policy, file: File, context: Context, remote: Collection[str]) -> bool:
    """Whether the allow list, or one that is yet to be begun, governs a file and does not name it."""
    listed = policy.lists(file, context)
    return listed is False or (not policy.has_list and file.source in remote)


def _blocked(chosen: Resolved, against: Sequence[Verdict]) -> Blocked:
    gate, sentence = (
        (against[0].gate, against[0].sentence) if against else ("", "its files are no longer there")
    )
    return Blocked(name=chosen.project, version=chosen.version, gate=gate, sentence=sentence)


def _first(files: Sequence[File]) -> datetime | None:
    times = [datetime.fromisoformat(file.upload_time) for file in files if file.upload_time is not None]
    return min(times, default=None)


async def _licence(candidates: Candidates, files: Sequence[File]) -> str | None:
    try:
        body = await candidates.told(files[0])
    except Unanswered:
        return None
    return (read_metadata(body).words or None) if body is not None else None
