"""``mirror``: files fetched now that would otherwise be fetched on first use."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from wheelkeep import configuration
from wheelkeep.cli.output import print_json, size
from wheelkeep.cli.progress import Progress
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.names import IndexName
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.cli.given import Given
    from wheelkeep.core.targets import Targets
    from wheelkeep.index.mirror import Mirror

_AT_ONCE = 8
_MOST_AT_ONCE = 64


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    given: "Given"
    targets: "Targets"
    python: str | None
    all_allowed: bool
    at_once: int
    dry_run: bool


class Mirrored(Struct, frozen=True, kw_only=True):
    """What ``mirror --json`` prints. Sizes are bytes, as far as they are known."""

    index: str
    dry_run: bool
    files: int
    bytes: int
    there: int
    """Files that were kept already."""
    there_bytes: int
    fetched: int
    fetched_bytes: int
    lacking: "list[dict[str, str]]"
    """What could not be had: ``what`` and ``why``."""


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
    index: Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")] = None,
    json: Json = False,
) -> None:
    """Fetch files into the keep before anybody asks. Exit 1 if one could not be had; run again, it goes on."""
    quiet()
    from wheelkeep.cli.given import read_given, read_machines

    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    targets = read_machines(python, platform)
    given = read_given(requirements or (), file or ())
    if not (given.requirements or given.locks or all_allowed):
        raise typer.BadParameter("say what to fetch: requirements, -r FILE, or --all-allowed")
    asked = Asked(
        given=given, targets=targets, python=python, all_allowed=all_allowed, at_once=at_once, dry_run=dry_run
    )
    done = _mirrored(settings, chosen, asked)
    if json:
        print_json(_said(done, chosen, dry_run=dry_run))
    else:
        _print(done, dry_run=dry_run)
    raise typer.Exit(1 if done.lacking else 0)


def _mirrored(settings: Settings, index: IndexName, asked: Asked) -> "Mirror":
    """Raises Exit (1) where what is wanted cannot be resolved."""
    from wheelkeep.core.errors import Unanswered
    from wheelkeep.index.uv import Unresolvable

    try:
        return asyncio.run(_mirror(settings, index, asked))
    except (Unresolvable, Unanswered) as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


async def _mirror(settings: Settings, index: IndexName, asked: Asked) -> "Mirror":
    from wheelkeep import compose
    from wheelkeep.cli.given import needed
    from wheelkeep.index import needed as of
    from wheelkeep.index.mirror import mirror as bring
    from wheelkeep.index.mirror import planned

    keep = compose.build(settings)
    await keep.start()
    try:
        found = await needed(keep, keep.indexes[index], asked.given, asked.targets, python=asked.python)
        if asked.all_allowed:
            found = found.with_(await of.all_allowed(keep.indexes[index], asked.targets))
        state, missing = planned(keep, found.files)
        if not asked.dry_run:
            shown = f"{len(missing)} files, about {size(state.bytes - state.there_bytes)}"
            print(f"wheelkeep: to fetch: {shown}; {state.there} are kept already", file=sys.stderr)
            progress = Progress()
            async for state in bring(keep, found.files, at_once=asked.at_once):
                progress.tell(state.done, state.files, state.there_bytes + state.fetched_bytes, state.bytes)
            progress.end()
        state.lacking = [*found.lacking, *state.lacking]
        return state
    finally:
        await keep.close(seconds=1)


def _said(done: "Mirror", index: IndexName, *, dry_run: bool) -> Mirrored:
    return Mirrored(
        index=index,
        dry_run=dry_run,
        files=done.files,
        bytes=done.bytes,
        there=done.there,
        there_bytes=done.there_bytes,
        fetched=done.fetched,
        fetched_bytes=done.fetched_bytes,
        lacking=[{"what": one.what, "why": one.why} for one in done.lacking],
    )


def _print(done: "Mirror", *, dry_run: bool) -> None:
    for one in done.lacking:
        print(f"not to be had: {one.what}: {one.why}")
    if dry_run:
        left = done.files - done.there
        print(
            f"{done.files} files, {size(done.bytes)}; {left} to fetch, {size(done.bytes - done.there_bytes)}"
        )
    else:
        print(
            f"{done.fetched} fetched, {size(done.fetched_bytes)}; {done.there} were kept already; "
            f"{len(done.lacking)} not to be had"
        )
