"""Importing dumps of advisories: records from disk become rows, and whoever has an affected file is told of."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from msgspec import Struct

from wheelkeep.core.names import ProjectName
from wheelkeep.core.read_advisories import Record, read_osv
from wheelkeep.index.keep import Keep
from wheelkeep.store.advisories import Dump
from wheelkeep.store.dumps import read_dump, whole

_BATCH = 200
_MOST_TOLD = 100


class Unread(Struct, frozen=True, kw_only=True):
    """A record that is none."""

    name: str
    """Where it lies: below the folder, or in the zip."""
    why: str


class Imported(Struct, kw_only=True):
    """How far an import is; at its end, the report."""

    path: str
    whole: bool
    """It stands for all that is known: a name that is not in it has no advisory."""
    records: int = 0
    """Records that were read, of whatever ecosystem."""
    taken: int = 0
    """Records that are new, or in a newer state than before."""
    same: int = 0
    withdrawn: int = 0
    """Records that say that they no longer hold; they are never counted against anything."""
    others: int = 0
    """Records of other ecosystems; they are passed over."""
    unreadable: int = 0
    unread: list[Unread] = []
    """The first hundred of them."""
    projects: int = 0
    """Projects about which something else is known now."""
    alerts: int = 0
    """Stored files that turned out to be affected, times advisories; each is in the ledger."""


async def take(keep: Keep, path: Path) -> AsyncIterator[Imported]:
    """Imports a dump; gives the state after each batch, the last one being the report.

    What was read is durable: an import that breaks off is begun again. Raises WheelkeepError where nothing can be read.
    """
    is_whole = await asyncio.to_thread(whole, path)
    state = Imported(path=str(path), whole=is_whole, unread=[])
    projects: set[ProjectName] = set()
    reading = _records(path, state)
    try:
        while batch := await asyncio.to_thread(lambda: list(islice(reading, _BATCH))):
            done = await keep.advisor.rows.take(batch)
            state.taken += done.new
            state.same += done.same
            projects |= done.projects
            state.projects = len(projects)
            yield state
        known = state.taken + state.same
        if known:
            dump = Dump(at=datetime.now(UTC), name=path.name, whole=is_whole, records=known)
            await keep.advisor.rows.note_dump(dump)
        state.whole = is_whole and known > 0
    finally:
        # Also when it broke off: what came is known.
        if state.records or state.unreadable:
            await keep.advised({"dump": path.name, "taken": state.taken, "projects": len(projects)})
    state.alerts = await keep.advisor.alarm(projects)
    yield state


def _records(path: Path, state: Imported) -> Iterator[Record]:
    """The records that concern this keep; all others are only counted."""
    for read in read_dump(path):
        try:
            if read.value is None:
                raise ValueError(read.why or "it is not a JSON object")
            record = read_osv(read.value)
        except ValueError as error:
            state.unreadable += 1
            if len(state.unread) < _MOST_TOLD:
                state.unread.append(Unread(name=read.name, why=str(error)))
            continue
        state.records += 1
        if record.withdrawn:
            state.withdrawn += 1
        elif not record.advisories:
            state.others += 1
            continue
        yield record
