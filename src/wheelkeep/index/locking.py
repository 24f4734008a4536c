"""The files of what a resolver chose: those that the index admits, by hash, for a lock to name."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.model import File
from wheelkeep.core.resolved import Resolved
from wheelkeep.core.write_lock import Choice
from wheelkeep.index.candidates import Candidates, Unread

_AT_ONCE = 8


class Unlockable(WheelkeepError):
    """A version that was chosen, and of which no file can be named in a lock."""


class Locking(Struct, frozen=True, kw_only=True):
    """What a lock is to name."""

    python: str
    """The oldest Python that was resolved for."""
    choices: tuple[Choice, ...]
    unread: tuple[Unread, ...] = ()
    """Versions whose needs are not certain."""
    unhashed: tuple[str, ...] = ()
    """Files that may come in, and that no lock can name, for their page tells no hash."""


async def named(candidates: Candidates, resolved: Sequence[Resolved], *, python: str) -> Locking:
    """Every admitted file of every chosen version. Raises Unlockable with the versions that have none, Unanswered."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(chosen: Resolved) -> list[tuple[File, str | None]]:
        async with turn:
            return await _files(candidates, chosen)

    found = await asyncio.gather(*(one(chosen) for chosen in resolved))
    choices, troubles, unhashed = [], [], []
    for chosen, entries in zip(resolved, found, strict=True):
        admitted = sorted(
            (file for file, against in entries if against is None), key=lambda file: file.filename
        )
        unhashed += [file.filename for file in admitted if file.sha256 is None]
        files = tuple(file for file in admitted if file.sha256 is not None)
        if not files:
            why = next((against for _, against in entries if against is not None), None)
            why = why or (
                "its page tells no hash of any file" if admitted else "its files are no longer there"
            )
            troubles.append(f"{chosen.project} {chosen.version} is needed, but {why}")
        choices.append(
            Choice(
                project=chosen.project,
                version=chosen.version,
                marker=chosen.marker,
                via=chosen.via,
                files=files,
            )
        )
    if troubles:
        raise Unlockable("\n".join(troubles))
    keys = {(one.project, one.version) for one in resolved}
    return Locking(
        python=python,
        choices=tuple(choices),
        unread=tuple(said for key, said in candidates.unread.items() if key in keys),
        unhashed=tuple(unhashed),
    )


async def _files(candidates: Candidates, chosen: Resolved) -> list[tuple[File, str | None]]:
    view = await candidates.view(chosen.project)
    return [
        (file, decision.against.label if decision.against is not None else None)
        for file, decision in (view.by_name.values() if view is not None else ())
        if file.version == chosen.version
    ]
