"""Snapshots: which there are, how their states differ, and new ones: of an index, or of exactly the files of a lock."""

import asyncio
import errno
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

from wheelkeep.core.access import Admin, Approve, Known, Read, allows
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lock import Lock
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import IndexName
from wheelkeep.core.snapshot import Difference, Kind, Ref, read_ref
from wheelkeep.index import snapshots
from wheelkeep.index.index import Index
from wheelkeep.index.snapshots import Proposed, Unmakeable
from wheelkeep.store.snapshots import Overtaken, Snapshot
from wheelkeep.web import problem, urls
from wheelkeep.web.api.listing import Paging, cut
from wheelkeep.web.api.operation import ADMIN, APPROVE, Call, Needs, Operation, Refusal

LARGEST_LOCK = 20_000_000
"""Bytes; a lock of ten thousand files has less than a tenth of that."""
_FILENAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", re.ASCII)
SEEN = Needs("read:INDEX of its index", lambda _keep, _places: (Known(),))
"""Which index that is, only a look tells: what the caller may not read is answered as what is not there."""


class State(Struct, frozen=True, kw_only=True):
    """One state of a snapshot."""

    name: str
    number: int
    """From 1 on; the largest is the one that the name alone means."""
    index: str
    kind: Kind
    at: datetime
    by: str | None
    """Who made it; told to those who may make one."""
    projects: int
    files: int
    here: int
    """Files whose bytes lay here when it was made."""
    address: str
    """Where installers find this very state."""


class StateList(Struct, frozen=True, kw_only=True):
    """States of the indexes that the caller may read, by name and number."""

    items: list[State]
    next: str | None = None


class WholeSnapshot(Struct, frozen=True, kw_only=True):
    """A snapshot with all its states, and what one of them changed."""

    name: str
    states: list[State]
    """The oldest first."""
    shown: int
    """The state that is compared."""
    against: str | None
    """What it is compared with; null: there is none before it."""
    difference: Difference | None


class Put(Struct, frozen=True, kw_only=True):
    """What a name stands for now."""

    snapshot: State
    new: bool
    """Whether this is a state that was not there before."""
    left: list[str]
    """What of the lock no index can serve."""
    difference: Difference
    """From the state before it; from nothing where there is none."""


class DeletedSnapshot(Struct, frozen=True, kw_only=True):
    """A snapshot that is no more."""

    name: str
    states: int


class WhichLock(Struct, frozen=True, kw_only=True):
    """What is to be kept."""

    index: (
        Annotated[str, Meta(max_length=64, description="Which index; else `main`, or the only one.")] | None
    ) = None
    lock: (
        Annotated[
            str,
            Meta(
                max_length=200,
                description="The file name of the lock that is sent, such as `uv.lock`; without it the index is kept.",
            ),
        ]
        | None
    ) = None
    replace: Annotated[
        bool, Meta(description="`true`: what is otherwise than in the state before was looked at.")
    ] = False


class WhichStates(Struct, frozen=True, kw_only=True):
    """What is to be compared."""

    state: Annotated[int, Meta(ge=1, le=999_999_999, description="Which state; else the newest.")] | None = (
        None
    )
    against: (
        Annotated[
            str,
            Meta(max_length=80, description="Another snapshot, `NAME` or `NAME~2`; else the state before."),
        ]
        | None
    ) = None


async def _list(call: Call) -> StateList:
    after = call.read(read_ref, call.query.after, at="after") if call.query.after is not None else Ref("", 0)
    begins = (after.name, after.number or 0)
    found = [one for one in await _all(call) if (one.name, one.number) > begins]
    shown, following = cut(found, call.query.limit, lambda one: f"{one.name}~{one.number}")
    return StateList(items=[_state(call, one) for one in shown], next=following)


async def _show(call: Call) -> WholeSnapshot:
    name, store = call.places["snapshot"], call.keep.views.snapshots
    states = [one for one in await _all(call) if one.name == name]
    wanted = call.query.state
    shown = next((one for one in reversed(states) if wanted in (None, one.number)), None)
    if shown is None:
        raise _absent(call, Ref(name, wanted))
    before: Snapshot | None = next((one for one in reversed(states) if one.number < shown.number), None)
    if call.query.against is not None:
        ref = call.read(read_ref, call.query.against, at="against")
        before = await store.find(ref)
        if before is None or not _may_read(call, before):
            raise _absent(call, ref)
    later = await snapshots.summaries(call.keep, shown)
    return WholeSnapshot(
        name=name,
        states=[_state(call, one) for one in states],
        shown=shown.number,
        against=f"{before.name}~{before.number}" if before is not None else None,
        difference=await snapshots.since(call.keep, before, later) if before is not None else None,
    )


async def _put(call: Call) -> Put:
    name, keep = call.places["snapshot"], call.keep
    index = _index(call)
    lock = await _lock(call)
    before = await keep.views.snapshots.find(Ref(name))
    if before is not None and before.index != index.name:
        raise _conflict(call, [f"{name} is a snapshot of another index: take another name"])
    if not await index.ready():
        says = "not all of the index is known yet"
        raise Refusal(problem.unavailable(call.request, says, retry_after=None))
    try:
        proposed = await (
            snapshots.of_lock(keep, index, lock) if lock is not None else snapshots.of_index(keep, index)
        )
    except Unmakeable as error:
        raise _conflict(call, error.problems) from None
    difference = await snapshots.since(keep, before, proposed.summaries)
    made, new = before, False
    if before is None or before.kind != proposed.kind or not difference.nothing:
        if before is not None and not call.query.replace:
            raise _unagreed(call, before, proposed, difference)
        try:
            made, new = await snapshots.make(keep, name, proposed, call.caller.name, before), True
        except Overtaken as error:
            raise _conflict(call, [str(error)]) from None
    assert made is not None
    return Put(snapshot=_state(call, made), new=new, left=list(proposed.left), difference=difference)


async def _delete(call: Call) -> DeletedSnapshot:
    name = call.places["snapshot"]
    count = await call.keep.views.snapshots.delete(name, call.caller.name, datetime.now(UTC))
    if not count:
        raise _absent(call, Ref(name))
    return DeletedSnapshot(name=name, states=count)


async def _lock(call: Call) -> Lock | None:
    """The lock that was sent. Raises Refusal."""
    name, body = call.query.lock, call.body
    if name is None:
        if body:
            says = "lock: say the file name of what is sent, such as lock=uv.lock; to keep the index, send nothing"
            raise Refusal(problem.bad_request(call.request, says))
        return None
    if not body:
        raise Refusal(problem.bad_request(call.request, "the body must be the bytes of the lock"))
    if not _FILENAME.fullmatch(name):
        raise Refusal(problem.bad_request(call.request, "lock: must be a file name such as uv.lock"))

    def read(path: str) -> bytes:
        if path != name:
            raise OSError(errno.ENOENT, "a lock that is sent includes no other file: send one that is whole")
        return bytes(body)

    try:
        return await asyncio.to_thread(read_lock, name, read)
    except ConfigError as error:
        says = "\n".join(str(mistake) for mistake in error.mistakes[:20])
        raise Refusal(problem.bad_request(call.request, says)) from None


def _index(call: Call) -> Index:
    """The index that is meant; raises Refusal for one that is not there."""
    main, name = call.keep.settings.main, call.query.index
    if name is None:
        if main is None:
            raise Refusal(problem.bad_request(call.request, "index: say which index"))
        return call.keep.indexes[main.name]
    index = call.keep.indexes.get(IndexName(name))
    if index is None:
        raise Refusal(problem.bad_request(call.request, "index: there is no index of that name"))
    return index


async def _all(call: Call) -> list[Snapshot]:
    return [one for one in await call.keep.views.snapshots.all() if _may_read(call, one)]


def _may_read(call: Call, snapshot: Snapshot) -> bool:
    index = call.keep.indexes.get(snapshot.index)
    scopes = call.caller.scopes
    return (
        allows(scopes, Read(snapshot.index))
        if index is not None and index.closed
        else (index is not None or allows(scopes, Admin()))
    )


def _state(call: Call, one: Snapshot) -> State:
    root = urls.origin(call.request, call.keep.settings.public_url)
    return State(
        name=one.name,
        number=one.number,
        index=one.index,
        kind=one.kind,
        at=one.at,
        by=one.by if allows(call.caller.scopes, Approve()) else None,
        projects=one.projects,
        files=one.files,
        here=one.here,
        address=urls.snapshot(root, one.index, one.name, one.number),
    )


def _absent(call: Call, ref: Ref) -> Refusal:
    return call.not_found(
        f"there is no snapshot {ref.name if ref.number is None else f'{ref.name}~{ref.number}'}"
    )


def _conflict(call: Call, problems: Sequence[str]) -> Refusal:
    return Refusal(problem.conflict(call.request, problems[:100]))


def _unagreed(call: Call, before: Snapshot, proposed: Proposed, difference: Difference) -> Refusal:
    whose = {
        "index": ", and it is of the index, not of a lock",
        "lock": ", and it is of a lock, not of the index",
    }
    kinds = whose[proposed.kind] if before.kind != proposed.kind else ""
    says = (
        f"{before.name}~{before.number} is there, and this is otherwise{kinds}: {len(difference.added)} projects "
        f"added, {len(difference.removed)} removed, {len(difference.changed)} changed, {difference.files_added} files "
        f"more, {difference.files_removed} less; see `difference`, and say replace=true to make it the newest state"
    )
    return Refusal(problem.conflict(call.request, [says], difference=difference))


OPERATIONS = (
    Operation(
        method="GET",
        path="/snapshots",
        name="listSnapshots",
        says="Lists the snapshots, each with all its states, of the indexes that the caller may read.",
        needs=SEEN,
        handle=_list,
        query=Paging,
        gives=StateList,
    ),
    Operation(
        method="GET",
        path="/snapshots/{snapshot}",
        name="showSnapshot",
        says="Shows a snapshot: its states, and what is otherwise in one of them than in the one before or another.",
        needs=SEEN,
        handle=_show,
        query=WhichStates,
        gives=WholeSnapshot,
    ),
    Operation(
        method="PUT",
        path="/snapshots/{snapshot}",
        name="putSnapshot",
        says="Names the present state of an index, or exactly the files of the lock that is sent, fetched now.",
        needs=APPROVE,
        handle=_put,
        raw=LARGEST_LOCK,
        query=WhichLock,
        gives=Put,
        refuses=(409,),
    ),
    Operation(
        method="DELETE",
        path="/snapshots/{snapshot}",
        name="deleteSnapshot",
        says="Deletes a snapshot with all its states, so that nothing can be installed from it any more.",
        needs=ADMIN,
        handle=_delete,
        gives=DeletedSnapshot,
    ),
)
