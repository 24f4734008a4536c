"""Importing: the wheels and sdists that lie in folders become files of a hosted source, by the checks of an upload.

A pypiserver folder and the packages of a bandersnatch tree are folders of files. A devpi export is one with a list of
what each file is and which hash it has: only the releases of its stages are taken, and only with the hash stated.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from wheelkeep.core import devpi_export
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.found_files import NOTHING, claim_of, distribution, only_old
from wheelkeep.core.names import SourceName
from wheelkeep.core.upload_rules import Claim
from wheelkeep.index.receive import Incoming, Kept, Receiver, Refused
from wheelkeep.store.hashing import hash_file

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
    """Files that are neither wheel nor sdist by their name, or no release of a devpi stage; they are passed over."""

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
    for path, stated in found.items():
        outcome = await _take(receiver, source, path, stated, by)
        if isinstance(outcome, Kept):
            (state.taken if outcome.new else state.there).append(str(path))
        else:
            old = only_old(path.name, outcome.problems) if outcome.why == "wrong" else None
            state.refused.append(Left(path=str(path), why=outcome.problems, only_old=old))
        yield state


def _find(paths: Sequence[Path]) -> tuple[dict[Path, Mapping[str, str]], int]:
    """The distributions among files and below folders, each once and in order, with the digests that were stated for
    them; and how many other files there are."""
    found: dict[Path, Mapping[str, str]] = {}
    others = 0
    for path in paths:
        if not path.exists():
            raise WheelkeepError(f"there is no {path}")
        if not path.is_dir():
            found[path] = NOTHING
            continue
        listed = _exported(path)
        for below in sorted(path.rglob("*")):
            if not below.is_file():
                continue
            if below in listed if listed is not None else distribution(below.name):
                found[below] = listed[below] if listed is not None else NOTHING
            else:
                others += 1
        for lost in sorted(set(listed or ()) - set(found)):
            raise WheelkeepError(f"the export lists {lost}, which is not there: export it again")
    return found, others


def _exported(folder: Path) -> dict[Path, Mapping[str, str]] | None:
    """What a devpi export says of its release files; None: the folder is none."""
    told = folder / devpi_export.NAME
    if not told.is_file():
        return None
    try:
        return {folder / file.path: file.digests for file in devpi_export.read_export(told.read_bytes())}
    except (ValueError, OSError) as error:
        raise WheelkeepError(f"the export at {folder} cannot be read: {error}") from None


async def _take(
    receiver: Receiver, source: SourceName, path: Path, stated: Mapping[str, str], by: str
) -> Kept | Refused:
    try:
        sha256, _ = await asyncio.to_thread(hash_file, path)
    except OSError as error:
        return Refused("wrong", (f"it cannot be read: {error.strerror}",))
    if stated.get("sha256", sha256) != sha256:
        return Refused("wrong", (f"it has the sha256 {sha256}, and {stated['sha256']} was stated for it",))
    claim = claim_of(path.name, sha256, stated)
    if claim.problems:
        return Refused("wrong", claim.problems)
    if (known := await receiver.known(source, claim)) is not None:
        return known
    if (refused := await receiver.before(source, claim, by=by, admin=True)) is not None:
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
        await push(path, incoming)
        return await receiver.receive(source, claim, incoming, by=by, admin=True)
    finally:
        await incoming.close()


async def push(path: Path, incoming: Incoming) -> None:
    """Gives a file's bytes as an upload's. Raises OSError."""
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await incoming.push(piece)
