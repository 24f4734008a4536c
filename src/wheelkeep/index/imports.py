"""Importing: the wheels and sdists that lie in folders become files of a hosted source, by the checks of an upload.

A pypiserver folder, the packages of a bandersnatch tree and the files of a devpi export are all folders of files.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.found_files import claim_of, distribution, only_old
from wheelkeep.core.names import SourceName
from wheelkeep.core.upload_rules import Claim
from wheelkeep.index.receive import Incoming, Kept, Receiver, Refused
from wheelkeep.store.blobs import hash_file

_PIECE = 1024 * 1024


class Left(Struct, frozen=True, kw_only=True):
    """A file that was refused."""

    path: str
    why: tuple[str, ...]
    only_old: str | None = None
    """Why it may be good all the same, where it is only its age."""


class Imported(Struct, kw_only=True):
    """How far an import is; at its end, the report. Paths as they were given, or below those."""

    source: str
    files: int
    """Wheels and sdists that were found."""
    taken: list[str] = []
    there: list[str] = []
    """Those whose very bytes the source had already under that name."""
    refused: list[Left] = []
    others: int = 0
    """Files that are neither wheel nor sdist by their name; they are passed over."""

    @property
    def done(self) -> int:
        return len(self.taken) + len(self.there) + len(self.refused)


async def take(
    receiver: Receiver, source: SourceName, paths: Sequence[Path], *, by: str
) -> AsyncIterator[Imported]:
    """Takes files and whole folders with all below them; gives the state before the first file and after each.

    What was taken is durable: an import that breaks off is begun again, and goes on where it was. Raises WheelkeepError
    where a path is not there or the keep's disk does not take a file.
    """
    found, others = await asyncio.to_thread(_find, paths)
    state = Imported(source=source, files=len(found), taken=[], there=[], refused=[], others=others)
    yield state
    for path in found:
        outcome = await _take(receiver, source, path, by)
        if isinstance(outcome, Kept):
            (state.taken if outcome.new else state.there).append(str(path))
        else:
            old = only_old(path.name, outcome.problems) if outcome.why == "wrong" else None
            state.refused.append(Left(path=str(path), why=outcome.problems, only_old=old))
        yield state


def _find(paths: Sequence[Path]) -> tuple[list[Path], int]:
    """The distributions among files and below folders, each once and in order, and how many other files there are."""
    found: dict[Path, None] = {}
    others = 0
    for path in paths:
        if not path.exists():
            raise WheelkeepError(f"there is no {path}")
        if not path.is_dir():
            found[path] = None
            continue
        for below in sorted(path.rglob("*")):
            if not below.is_file():
                continue
            if distribution(below.name):
                found[below] = None
            else:
                others += 1
    return list(found), others


async def _take(receiver: Receiver, source: SourceName, path: Path, by: str) -> Kept | Refused:
    try:
        sha256, _ = await asyncio.to_thread(hash_file, path)
    except OSError as error:
        return Refused("wrong", (f"it cannot be read: {error.strerror}",))
    claim = claim_of(path.name, sha256)
    if claim.problems:
        return Refused("wrong", claim.problems)
    if (known := await receiver.known(source, claim)) is not None:
        return known
    if (refused := await receiver.before(source, claim)) is not None:
        return refused
    try:
        return await _received(receiver, source, path, claim, by)
    except OSError as error:
        raise WheelkeepError(
            f"{path} could not be taken: {error.strerror}; the same command goes on from here"
        ) from error


async def _received(
    receiver: Receiver, source: SourceName, path: Path, claim: Claim, by: str
) -> Kept | Refused:
    incoming = receiver.incoming(claim)
    try:
        await _push(path, incoming)
        return await receiver.receive(source, claim, incoming, by=by)
    finally:
        await incoming.close()


async def _push(path: Path, incoming: Incoming) -> None:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await incoming.push(piece)
