"""``snapshot``: the state of an index, or the files of a lock, under a name; and what is otherwise between two."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from msgspec import Struct

from wheelkeep import configuration
from wheelkeep.cli.draft import agree
from wheelkeep.cli.output import columns, print_json
from wheelkeep.cli.progress import Progress
from wheelkeep.cli.setup import Json, base_url, choose_index, read_or_refuse
from wheelkeep.core.lock import Lock
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import IndexName
from wheelkeep.core.settings import Settings
from wheelkeep.core.snapshot import Difference, Ref, read_ref, read_snapshot_name
from wheelkeep.index.policies import read_whole
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.keep import Keep
    from wheelkeep.index.snapshots import Proposed
    from wheelkeep.store.snapshots import Snapshot

T = TypeVar("T")
BY = "command line"
app = typer.Typer(
    no_args_is_help=True, help="Name the state of an index, or the files of a lock, and keep it."
)


class Created(Struct, frozen=True, kw_only=True):
    """What ``snapshot create --json`` prints."""

    snapshot: "Snapshot | None"
    """None: nobody agreed."""
    address: str
    new: bool
    """Whether this is a state that was not there before."""
    left: tuple[str, ...]
    """What of the lock no index can serve."""
    difference: Difference
    """From the state before it."""


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    index: Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")] = None,
    lock: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Exactly the files of this lock, fetched now.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Name the present state of an index, or the files of a lock. Exit 1 if a file of the lock cannot be had."""
    quiet()
    called = read_or_refuse(read_snapshot_name, name)
    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    read = read_lock(str(lock), read_whole) if lock is not None else None
    done = asyncio.run(_with(settings, lambda keep: _create(keep, settings, called, chosen, read, yes, json)))
    for one in done.left:
        print(f"wheelkeep: not in the snapshot: {one}", file=sys.stderr)
    if json:
        print_json(done)
        return
    made = done.snapshot
    assert made is not None
    says = "" if done.new else ", as it was already"
    print(
        f"{made.name}~{made.number}: {made.files} files of {made.projects} projects, {made.here} of them here{says}"
    )
    print(done.address)


@app.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List the snapshots, each with all its states."""
    quiet()

    async def read(keep: "Keep") -> "list[Snapshot]":
        return await keep.views.snapshots.all()

    found = asyncio.run(_with(configuration.load(context.obj), read))
    if json:
        print_json(found)
        return
    rows = [
        [f"{one.name}~{one.number}", one.index, one.kind, f"{one.at:%Y-%m-%d %H:%M}", _size(one)]
        for one in found
    ]
    for line in columns(rows) if rows else ():
        print(line)


def _size(one: "Snapshot") -> str:
    return f"{one.files} files of {one.projects} projects, {one.here} of them here"


@app.command("diff")
def diff(
    context: typer.Context,
    before: Annotated[
        str, typer.Argument(metavar="A", help="A snapshot: NAME, or NAME~2 for its second state.")
    ],
    after: Annotated[
        str | None, typer.Argument(metavar="[B]", help="Another; else what its index has now.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell what was added, removed and upgraded between two snapshots, or since one. Exit 1 if one is not there."""
    quiet()
    refs = [read_or_refuse(read_ref, one) for one in (before, after) if one is not None]

    async def compare(keep: "Keep") -> Difference:
        from wheelkeep.index import snapshots

        found = [await _found(keep, ref) for ref in refs]
        if len(found) > 1:
            return await snapshots.since(keep, found[0], await snapshots.summaries(keep, found[1]))
        await keep.start()
        try:
            later = await snapshots.now(keep, found[0])
        except snapshots.Unmakeable as error:
            for problem in error.problems:
                print(f"wheelkeep: {problem}", file=sys.stderr)
            raise typer.Exit(1) from None
        return await snapshots.since(keep, found[0], later)

    difference = asyncio.run(_with(configuration.load(context.obj), compare))
    if json:
        print_json(difference)
    else:
        print("\n".join(_told(difference)))


@app.command("delete")
def delete(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete a snapshot with all its states; gc may take its bytes then. Exit 1 if there is none."""
    quiet()
    called = read_or_refuse(read_snapshot_name, name)

    async def remove(keep: "Keep") -> int:
        await _found(keep, Ref(called))
        if not yes:
            agree(f"Delete {called}, so that nothing can be installed from it any more?", lambda: None)
        return await keep.views.snapshots.delete(called, BY, datetime.now(UTC))

    count = asyncio.run(_with(configuration.load(context.obj), remove))
    if json:
        print_json({"name": called, "states": count})
    else:
        print(f"{called}: {count} state{'s' * (count != 1)} deleted")


async def _with(settings: Settings, act: "Callable[[Keep], Awaitable[T]]") -> T:
    from wheelkeep import compose

    keep = compose.build(settings)
    try:
        return await act(keep)
    finally:
        await keep.close(seconds=1)


async def _create(
    keep: "Keep", settings: Settings, name: str, chosen: IndexName, lock: Lock | None, yes: bool, json: bool
) -> Created:
    from wheelkeep.index import snapshots

    await keep.start()
    index = keep.indexes[chosen]
    while not await index.ready():
        await asyncio.sleep(0.05)
    before = await keep.views.snapshots.find(Ref(name))
    if before is not None and before.index != chosen:
        raise typer.BadParameter(f"{name} is a snapshot of the index {before.index}: take another name")
    progress = Progress()
    try:
        proposed = await (
            snapshots.of_lock(keep, index, lock, progress.show)
            if lock is not None
            else snapshots.of_index(keep, index)
        )
        progress.end()
    except snapshots.Unmakeable as error:
        progress.end()
        for problem in error.problems:
            print(f"wheelkeep: {problem}", file=sys.stderr)
        print(f"wheelkeep: {name} was not made", file=sys.stderr)
        raise typer.Exit(1) from None
    difference = await snapshots.since(keep, before, proposed.summaries)
    done = Created(
        snapshot=before,
        address=f"{base_url(settings)}/{chosen}@{name}/simple/",
        new=False,
        left=proposed.left,
        difference=difference,
    )
    if before is not None and before.kind == proposed.kind and difference.nothing:
        return done
    if before is not None:
        print("\n".join(_told(difference)), file=sys.stderr)
        if not yes:
            agree(
                f"Make that state {before.number + 1} of {name}?", lambda: print_json(done) if json else None
            )
    return await _made(keep, name, proposed, done)


async def _made(keep: "Keep", name: str, proposed: "Proposed", done: Created) -> Created:
    from wheelkeep.index import snapshots
    from wheelkeep.store.snapshots import Overtaken

    try:
        made = await snapshots.make(keep, name, proposed, BY, done.snapshot)
    except Overtaken as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    return Created(snapshot=made, address=done.address, new=True, left=done.left, difference=done.difference)


async def _found(keep: "Keep", ref: Ref) -> "Snapshot":
    found = await keep.views.snapshots.find(ref)
    if found is None:
        text = ref.name if ref.number is None else f"{ref.name}~{ref.number}"
        print(f"wheelkeep: there is no snapshot {text}", file=sys.stderr)
        raise typer.Exit(1)
    return found


def _told(difference: Difference) -> list[str]:
    """A difference as release notes tell it."""
    if difference.nothing:
        return ["nothing changed"]
    lines = [f"added       {one.project} {', '.join(one.versions)}" for one in difference.added]
    lines += [f"removed     {one.project} {', '.join(one.versions)}" for one in difference.removed]
    for one in difference.changed:
        what = f"{one.before} -> {one.after}" if one.before != one.after else one.after
        more = [version for version in one.added if version != one.after]
        less = [version for version in one.removed if version != one.before]
        rest = [f"also {', '.join(more)}"] * bool(more) + [f"without {', '.join(less)}"] * bool(less)
        if one.kind == "files":
            rest = [f"the same versions, {one.files_added} files more, {one.files_removed} less"]
        brackets = f" ({'; '.join(rest)})" if rest else ""
        lines.append(f"{one.kind:<11} {one.project} {what}{brackets}")
    return [*lines, f"{difference.files_added} files more, {difference.files_removed} less"]
