"""``import``: files and whole folders into a hosted source, by the checks of an upload."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.release import choose_hosted
from wheelkeep.cli.setup import Json
from wheelkeep.core.names import SourceName
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.imports import Imported

_BY = "import"
"""Who the ledger names."""


def import_(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, or folders with all below.")],
    into: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="The hosted source; else the only one.")
    ] = None,
    json: Json = False,
) -> None:
    """Take wheels and sdists into a hosted source. Exit 1 if one was refused; run again, it goes on."""
    settings = configuration.load(context.obj)
    source = choose_hosted(settings, into, "--into")
    quiet()
    report = asyncio.run(_import(settings, source, paths))
    if json:
        print_json(report)
    else:
        _print(report)
    raise typer.Exit(1 if report.refused else 0)


async def _import(settings: Settings, source: SourceName, paths: list[Path]) -> "Imported":
    from wheelkeep import compose
    from wheelkeep.index.imports import Imported, take

    keep = compose.build(settings)
    state = Imported(source=source, files=0)
    try:
        async for state in take(keep.receiver, source, paths, by=_BY):
            if sys.stderr.isatty():
                print(f"\r{state.done} of {state.files} files", end="", file=sys.stderr, flush=True)
        if sys.stderr.isatty():
            print(file=sys.stderr)
        return state
    finally:
        await keep.close(seconds=1)


def _print(report: "Imported") -> None:
    for left in report.refused:
        print(f"refused: {left.path}")
        for problem in left.why:
            print(f"    {problem}")
        if left.only_old is not None:
            print(f"    it may be only old: {left.only_old}")
    old = sum(left.only_old is not None for left in report.refused)
    print(
        f"{len(report.taken)} taken into {report.source}, {len(report.there)} there already, "
        f"{len(report.refused)} refused{f' ({old} of them perhaps only old)' if old else ''}"
    )
    if report.others:
        print(f"other files passed over: {report.others}")
