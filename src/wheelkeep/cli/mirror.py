"""``mirror``: files fetched now that would otherwise be fetched on first use."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from wheelkeep import configuration
from wheelkeep.cli.output import print_json, size
from wheelkeep.cli.progress import Progress
from wheelkeep.cli.setup import Json, choose_index, read_or_refuse
from wheelkeep.core.names import IndexName
from wheelkeep.core.past import is_moment, read_moment
from wheelkeep.core.settings import Settings
from wheelkeep.core.snapshot import Ref, read_ref
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.cli.given import Given
    from wheelkeep.core.targets import Targets
    from wheelkeep.index.keep import Keep
    from wheelkeep.index.needed import Needed

_AT_ONCE = 8
_MOST_AT_ONCE = 64


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    given: "Given"
    targets: "Targets"
    python: str | None
    all_allowed: bool
    index: IndexName | None
    """None: the one that the snapshot is of."""
    when: str | None
    """The index as it was then, or as a snapshot has it."""
    snapshot: Ref | None
    """All that this one has."""
    at_once: int
    dry_run: bool


class Mirrored(Struct, frozen=True, kw_only=True):
    """What ``mirror --json`` prints. Sizes are bytes, as far as they are known."""

    index: str
    dry_run: bool
    files: int
    bytes: int
    unsized: int
    """Files that are not kept and of which nobody told a size."""
    there: int
    """Files that were kept already."""
    there_bytes: int
    fetched: int
    fetched_bytes: int
    lacking: "list[dict[str, str]]"
    """What could not be had: ``what`` and ``why``."""
    blocked: int
    """Files of a snapshot of an index that the policy blocks today."""


def mirror(
    context: typer.Context,
    requirements: Annotated[
        list[str] | None,
        typer.Argument(metavar="REQUIREMENT…", help="With all that they need, resolved through the index."),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("-r", "--requirement", help="A lock, or a file of requirements; may be given again."),
    ] = None,
    all_allowed: Annotated[
        bool, typer.Option("--all-allowed", help="All that [allow] of the policy names.")
    ] = False,
    snapshot: Annotated[
        str | None, typer.Option(metavar="NAME", help="All that a snapshot has, or its state NAME~2.")
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="3.11,3.13", help="Only what these Pythons install.")
    ] = None,
    platform: Annotated[
        str | None, typer.Option(metavar="TAG,…", help="Only what these platforms install.")
    ] = None,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=_MOST_AT_ONCE, help="Downloads.")
    ] = _AT_ONCE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell count and size, and fetch nothing.")
    ] = False,
    index: Annotated[
        str | None, typer.Option(help="Which index; else main, or the only one. Also main@NAME, main@DATE.")
    ] = None,
    json: Json = False,
) -> None:
    """Fetch files into the keep before anybody asks. Exit 1 if one could not be had; run again, it goes on."""
    quiet()
    from wheelkeep.cli.given import read_given, read_machines

    settings = configuration.load(context.obj)
    given = read_given(requirements or (), file or ())
    # A file that asks for nothing asks for that, and not for all that a snapshot has.
    named = bool(given.requirements or file or all_allowed)
    chosen, when, ref = _where(settings, index, snapshot, named)
    asked = Asked(
        given=given,
        targets=read_machines(python, platform),
        python=python,
        all_allowed=all_allowed,
        index=chosen,
        when=when,
        snapshot=ref,
        at_once=at_once,
        dry_run=dry_run,
    )
    done = _mirrored(settings, asked)
    if json:
        print_json(done)
    else:
        _print(done)
    raise typer.Exit(1 if done.lacking else 0)


def _where(
    settings: Settings, index: str | None, snapshot: str | None, named: bool
) -> tuple[IndexName | None, str | None, Ref | None]:
    """The index, what stands behind its ``@``, and the snapshot that is wanted whole. ``named``: whether anything else
    is asked for. Raises BadParameter.
    """
    name, at, when = index.partition("@") if index is not None else (None, "", "")
    if snapshot is not None:
        if named:
            says = f"--snapshot fetches all of it: for a part, say --index main@{snapshot}"
            raise typer.BadParameter(says)
        ref = read_or_refuse(read_ref, snapshot)
        return choose_index(settings, name) if name is not None else None, None, ref
    chosen = choose_index(settings, name)
    if at and is_moment(when):
        read_or_refuse(lambda text: read_moment(text, datetime.now(UTC)), when)
    elif at:
        ref = read_or_refuse(read_ref, when)
        return (chosen, when, None) if named else (chosen, None, ref)
    if not named:
        says = "say what to fetch: requirements, -r FILE, --snapshot NAME, or --all-allowed"
        raise typer.BadParameter(says)
    return chosen, when if at else None, None


def _mirrored(settings: Settings, asked: Asked) -> Mirrored:
    """Raises Exit (1) where what is wanted cannot be resolved."""
    from wheelkeep.core.errors import Unanswered
    from wheelkeep.index.uv import Unresolvable

    try:
        return asyncio.run(_mirror(settings, asked))
    except (Unresolvable, Unanswered, ValueError) as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


async def _mirror(settings: Settings, asked: Asked) -> Mirrored:
    from wheelkeep import compose
    from wheelkeep.index.mirror import mirror as bring
    from wheelkeep.index.mirror import planned

    keep = compose.build(settings)
    await keep.start()
    try:
        index, found = await _needed(keep, asked)
        state, missing = planned(keep, found.files)
        if not asked.dry_run:
            left = _about(state.bytes - state.there_bytes, state.unsized)
            print(
                f"wheelkeep: to fetch: {len(missing)} files, {left}; {state.there} are kept already",
                file=sys.stderr,
            )
            progress = Progress()
            async for state in bring(keep, found.files, at_once=asked.at_once):
                progress.show(state)
            progress.end()
        return Mirrored(
            index=index,
            dry_run=asked.dry_run,
            files=state.files,
            bytes=state.bytes,
            unsized=state.unsized,
            there=state.there,
            there_bytes=state.there_bytes,
            fetched=state.fetched,
            fetched_bytes=state.fetched_bytes,
            lacking=[{"what": one.what, "why": one.why} for one in (*found.lacking, *state.lacking)],
            blocked=found.blocked,
        )
    finally:
        await keep.close(seconds=1)


async def _needed(keep: "Keep", asked: Asked) -> "tuple[str, Needed]":
    """The address of the index, and what of it is needed. Raises ValueError for a snapshot that is not there."""
    from wheelkeep.cli.given import needed
    from wheelkeep.index import needed as of

    if asked.snapshot is not None:
        return await _of_snapshot(keep, asked.snapshot, asked)
    assert asked.index is not None
    index = keep.indexes[asked.index]
    index = await keep.views.find(index, asked.when) if asked.when is not None else index
    found = await needed(keep, index, asked.given, asked.targets, python=asked.python)
    if asked.all_allowed:
        found = found.with_(await of.all_allowed(index, asked.targets))
    return index.path, found


async def _of_snapshot(keep: "Keep", ref: Ref, asked: Asked) -> "tuple[str, Needed]":
    from wheelkeep.index.needed import of_snapshot

    snapshot = await keep.views.snapshots.find(ref)
    text = ref.name if ref.number is None else f"{ref.name}~{ref.number}"
    if snapshot is None or snapshot.index not in keep.indexes:
        raise ValueError(f"there is no snapshot {text}")
    if asked.index not in (None, snapshot.index):
        raise ValueError(f"{text} is a snapshot of the index {snapshot.index}")
    view = await keep.views.find(keep.indexes[snapshot.index], f"{snapshot.name}~{snapshot.number}")
    projects = await keep.views.snapshots.projects(snapshot)
    return view.path, await of_snapshot(view, projects, asked.targets, named=snapshot.kind == "lock")


def _about(count: int, unsized: int) -> str:
    """A size, as far as it is known."""
    if not unsized:
        return size(count)
    return f"{size(count)} and {unsized} of which nobody told the size"


def _print(done: Mirrored) -> None:
    for one in done.lacking:
        print(f"not to be had: {one['what']}: {one['why']}")
    if done.blocked:
        print(f"wheelkeep: {done.blocked} files of the snapshot are blocked by the policy", file=sys.stderr)
    if done.dry_run:
        left = _about(done.bytes - done.there_bytes, done.unsized)
        print(
            f"{done.files} files, {_about(done.bytes, done.unsized)}; {done.files - done.there} to fetch, {left}"
        )
    else:
        print(
            f"{done.fetched} fetched, {size(done.fetched_bytes)}; {done.there} were kept already; "
            f"{len(done.lacking)} not to be had"
        )
