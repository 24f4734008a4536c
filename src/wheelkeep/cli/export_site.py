"""``export site``: an index as files that any web server or bucket serves."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from wheelkeep import configuration
from wheelkeep.cli.output import print_json, size
from wheelkeep.cli.place import read_place
from wheelkeep.cli.progress import Progress
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import IndexName
from wheelkeep.core.past import is_moment, read_moment
from wheelkeep.core.settings import Settings
from wheelkeep.core.snapshot import read_ref
from wheelkeep.core.units import read_duration
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.cli.given import Given
    from wheelkeep.core.buckets import Bucket
    from wheelkeep.core.targets import Targets
    from wheelkeep.index.index import Index
    from wheelkeep.index.keep import Keep
    from wheelkeep.index.site import Site
    from wheelkeep.index.site_project import Scope

_AT_ONCE = 8
_MOST_NAMED = 20
_GRACE = "1h"


class _Asked(Struct, frozen=True, kw_only=True):
    index: IndexName
    given: "Given | None"
    targets: "Targets"
    python: str | None
    at: str | None
    grace: timedelta | None
    dry_run: bool


class _NoSuchSnapshot(Exception):
    """There is none of that name in the index."""


def site(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(metavar="DEST", help="A folder, or s3://bucket/prefix.")],
    file: Annotated[
        list[Path] | None,
        typer.Option("-r", "--requirement", help="Only what this lock or file of requirements comes to."),
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="3.11,3.13", help="With -r: only what these Pythons install.")
    ] = None,
    platform: Annotated[
        str | None, typer.Option(metavar="TAG,…", help="With -r: only what these platforms install.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="WHEN", help="As of a date, a moment, or a snapshot's name.")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what no page lists any more, after --grace.")
    ] = False,
    grace: Annotated[str, typer.Option(metavar="TIME", help="How long that stays.")] = _GRACE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be written.")] = False,
    index: Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")] = None,
    json: Json = False,
) -> None:
    """Write an index as files that any web server or bucket can serve: pages, files and metadata.

    Exit 1 if something could not be had, or a source did not answer; what named it is left as it was then.
    """
    quiet()
    from wheelkeep.cli.given import read_given, read_machines

    settings = configuration.load(context.obj)
    targets = read_machines(python, platform)
    if not file and (python is not None or platform is not None):
        raise typer.BadParameter("--python and --platform choose among the files of -r FILE")
    asked = _Asked(
        index=choose_index(settings, index),
        given=read_given((), file) if file else None,
        targets=targets,
        python=python,
        at=_when(at),
        grace=_grace(grace) if prune else None,
        dry_run=dry_run,
    )
    try:
        done = asyncio.run(_site(settings, asked, read_place(destination, settings.data)))
    except _NoSuchSnapshot as error:
        raise typer.BadParameter(f"--at {error}") from None
    except _no_answer() as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    if json:
        print_json(done)
    else:
        _print(done)
    raise typer.Exit(0 if done.whole else 1)


def _no_answer() -> tuple[type[Exception], ...]:
    from wheelkeep.core.errors import Unanswered
    from wheelkeep.index.site import NothingToShow
    from wheelkeep.index.site_shelf import Foreign
    from wheelkeep.index.uv import Unresolvable
    from wheelkeep.store.shelf import Busy, NotThere, Unavailable

    return (Unresolvable, Unanswered, Busy, NotThere, Unavailable, NothingToShow, Foreign)


def _when(at: str | None) -> str | None:
    """``--at``, held against what is a date or a name before a data folder is opened. Raises BadParameter."""
    if at is not None:
        try:
            if is_moment(at):
                read_moment(at, datetime.now(UTC))
            else:
                read_ref(at)
        except ValueError as error:
            raise typer.BadParameter(f"--at {error}") from None
    return at


def _grace(text: str) -> timedelta:
    """Raises BadParameter."""
    if text in ("0", "0s"):
        return timedelta(0)
    try:
        return read_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"--grace {error}") from None


async def _site(settings: Settings, asked: _Asked, destination: "Path | Bucket") -> "Site":
    from wheelkeep import compose
    from wheelkeep.index.site import export
    from wheelkeep.store.removal import staying
    from wheelkeep.store.shelves import open_shelf

    shelf = open_shelf(destination, settings.s3, public=True)
    keep = compose.build(settings)
    await keep.start()
    done: Site | None = None
    try:
        with staying(settings.data) as stays:
            if not stays:
                raise WheelkeepError("gc removes files at this moment: try again when it is done")
            index = await _index(keep, asked)
            scope = await _scope(keep, index, asked)
            progress = Progress("projects")
            async for done in export(keep, index, scope, shelf, grace=asked.grace, dry_run=asked.dry_run):
                progress.tell(done.done, done.asked, 0, 0)
            progress.end()
        assert done is not None
        return done
    finally:
        await keep.close(seconds=1)
        await shelf.close()


async def _index(keep: "Keep", asked: _Asked) -> "Index":
    index = keep.indexes[asked.index]
    while not await index.ready():
        await asyncio.sleep(0.05)
    if asked.at is None:
        return index
    try:
        return await keep.views.find(index, asked.at)
    except ValueError as error:
        raise _NoSuchSnapshot(error) from None


async def _scope(keep: "Keep", index: "Index", asked: _Asked) -> "Scope":
    """What is to be in the site; what a lock names is brought into the keep first."""
    from wheelkeep.cli.given import needed
    from wheelkeep.index.mirror import mirror
    from wheelkeep.index.site import everything, exactly

    if asked.given is None:
        return await everything(keep, index, asked.at)
    wanted = await needed(keep, index, asked.given, asked.targets, python=asked.python)
    lacking = list(wanted.lacking)
    if not asked.dry_run:
        progress, state = Progress(), None
        async for state in mirror(keep, wanted.files, at_once=_AT_ONCE):
            progress.show(state)
        progress.end()
        lacking += state.lacking if state is not None else []
    return exactly(wanted.files, lacking)


def _print(done: "Site") -> None:
    for one in done.lacking:
        print(f"not to be had: {one.what}: {one.why}")
    for one in done.unanswered[:_MOST_NAMED]:
        print(f"left as it was: {one.what}: {one.why}")
    if len(done.unanswered) > _MOST_NAMED:
        print(f"and {len(done.unanswered) - _MOST_NAMED} more were left as they were")
    if done.not_here and not done.lacking:
        print(
            f"wheelkeep: {done.not_here} more files of these projects are left out, for their bytes are not kept "
            "here: wheelkeep mirror brings them",
            file=sys.stderr,
        )
    if done.unlisted:
        print(
            f"wheelkeep: {done.unlisted} things lie there that no page lists any more: --prune removes them, "
            "--grace after that became so",
            file=sys.stderr,
        )
    if done.lacking:
        print("nothing was written, for something is lacking")
        return
    would, gone = "would be " if done.dry_run else "", f", {done.removed} removed" if done.removed else ""
    print(
        f"{done.projects} projects with {done.files} files, {size(done.bytes)}; "
        f"{done.written} things {would}written, {size(done.written_bytes)}{gone}"
    )
