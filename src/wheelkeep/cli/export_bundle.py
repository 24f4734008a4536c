"""``export bundle``: what an index has here and admits, in one signed file, for a keep that reaches nobody."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json, size
from wheelkeep.cli.progress import Progress
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.errors import Unanswered, WheelkeepError
from wheelkeep.core.names import IndexName
from wheelkeep.core.settings import Settings
from wheelkeep.core.snapshot import Ref, read_ref
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkeep.cli.given import Given
    from wheelkeep.core.model import File
    from wheelkeep.index.bundle import Bundled
    from wheelkeep.index.keep import Keep
    from wheelkeep.store.snapshots import Snapshot

_AT_ONCE = 8


class _NotHad(WheelkeepError):
    """Something that was asked for cannot be had."""


def bundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; - for standard output.")],
    since: Annotated[
        str | None,
        typer.Option(
            metavar="SNAPSHOT", help="Only what is new or otherwise since; the other side has the rest."
        ),
    ] = None,
    requirement: Annotated[
        list[Path] | None,
        typer.Option("-r", "--requirement", help="Only these files, fetched now: a lock, or requirements."),
    ] = None,
    index: Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell how much it would be.")] = False,
    json: Json = False,
) -> None:
    """Write what an index has here and admits into one signed file, for import across an air gap.

    Exit 1 if something that is asked for cannot be had, or a stored file is damaged; nothing is written then.
    """
    quiet()
    from wheelkeep.cli.given import read_given
    from wheelkeep.store.bundle_file import Damaged

    settings = configuration.load(context.obj)
    chosen, ref = choose_index(settings, index), _ref(since) if since is not None else None
    given = read_given((), requirement) if requirement else None
    out = None if str(file) == "-" else file
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise typer.BadParameter(f"{out} cannot be written to: name a file in a folder that is there")
    try:
        done = asyncio.run(_bundle(settings, chosen, out, ref, given, dry=dry_run))
    except (_NotHad, Damaged, Unanswered) as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except OSError as error:
        raise WheelkeepError(f"{file}: {error.strerror or error}") from None
    if out is None and not dry_run:
        print(_words(done), file=sys.stderr)
    elif json:
        print_json(done)
    else:
        print(_words(done))


def _ref(text: str) -> Ref:
    try:
        return read_ref(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None


async def _bundle(
    settings: Settings,
    chosen: IndexName,
    out: Path | None,
    ref: Ref | None,
    given: "Given | None",
    *,
    dry: bool,
) -> "Bundled":
    from wheelkeep import compose
    from wheelkeep.index.bundle import Bundling

    keep = compose.build(settings)
    await keep.start()
    try:
        index = keep.indexes[chosen]
        while not await index.ready():
            await asyncio.sleep(0.05)
        base = await _base(keep, chosen, ref) if ref is not None else None
        only = await _fetched(keep, chosen, given, dry=dry) if given is not None else None
        run, progress = Bundling(keep, index, base=base, only=only), Progress()
        async for state in run.run(out, dry=dry):
            progress.tell(state.projects, state.projects, state.written, state.bytes)
        progress.end()
        return run.report
    finally:
        await keep.close(seconds=1)


async def _base(keep: "Keep", chosen: IndexName, ref: Ref) -> "Snapshot":
    found = await keep.views.snapshots.find(ref)
    if found is None:
        raise _NotHad(f"there is no snapshot {ref.name}{f'~{ref.number}' if ref.number is not None else ''}")
    if found.index != chosen:
        raise typer.BadParameter(f"{ref.name} is a snapshot of the index {found.index}, not of {chosen}")
    return found


async def _fetched(keep: "Keep", chosen: IndexName, given: "Given", *, dry: bool) -> "Sequence[File]":
    """The files that are asked for, all of them here. Raises _NotHad."""
    from wheelkeep.cli.given import needed
    from wheelkeep.core.targets import read_targets
    from wheelkeep.index.mirror import mirror
    from wheelkeep.index.uv import Unresolvable

    try:
        wanted = await needed(keep, keep.indexes[chosen], given, read_targets((), ()), python=None)
    except Unresolvable as error:
        raise _NotHad(str(error)) from None
    lacking, progress = list(wanted.lacking), Progress()
    if not dry:
        async for state in mirror(keep, wanted.files, at_once=_AT_ONCE):
            progress.tell(state.done, state.files, state.there_bytes + state.fetched_bytes, state.bytes)
        lacking += state.lacking
        progress.end()
    for one in lacking:
        print(f"wheelkeep: not to be had: {one.what}: {one.why}", file=sys.stderr)
    if lacking:
        raise _NotHad("no bundle was written, for something is lacking")
    return wanted.files


def _words(done: "Bundled") -> str:
    told = f"{done.files} files, {size(done.bytes)}, of {done.projects} projects"
    if done.base is not None:
        told += f"; {done.same} projects are as in {done.base}"
    lines = [f"{done.file}: {told}" if done.file is not None else f"it would be {told}"]
    if done.absent:
        lines.append(
            f"{done.absent} files that the index shows are not in it, for they are not here: wheelkeep mirror"
        )
    if done.blocked:
        lines.append(f"{done.blocked} files that are here are not in it, for the policy blocks them")
    if done.bundle and done.key:
        lines += [f"bundle {done.bundle}", f"key {done.key}"]
    return "\n".join(lines)
