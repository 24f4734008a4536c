"""``import``: files and whole folders into a hosted source, by the checks of an upload; or a bundle, to where
it belongs."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wheelkeep import configuration
from wheelkeep.cli.import_bundle import import_bundle
from wheelkeep.cli.output import print_json
from wheelkeep.cli.release import choose_hosted
from wheelkeep.cli.setup import Json
from wheelkeep.core.names import SourceName
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet
from wheelkeep.store.bundle_file import begins_a_bundle

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
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="Of a bundle: the source here for one there."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Of a bundle: who must have made it, as /log/key tells it."),
    ] = None,
    json: Json = False,
) -> None:
    """Take wheels and sdists into a hosted source, or a bundle into the sources that it is of.

    Exit 1 if something was refused; run again, it goes on.
    """
    settings = configuration.load(context.obj)
    if _bundle(paths, into, given=bool(map_ or key)):
        import_bundle(settings, paths[0], map_ or (), key, json=json)
    source = choose_hosted(settings, into, "--into")
    quiet()
    report = asyncio.run(_import(settings, source, paths))
    if json:
        print_json(report)
    else:
        _print(report)
    raise typer.Exit(1 if report.refused else 0)


def _bundle(paths: list[Path], into: str | None, *, given: bool) -> bool:
    """Whether a bundle is meant, which its first bytes tell. Raises BadParameter."""
    bundles = [path for path in paths if begins_a_bundle(path)]
    if not bundles:
        if given:
            raise typer.BadParameter(f"--map and --key are for bundles, and {paths[0]} is none")
        return False
    if len(paths) > 1:
        raise typer.BadParameter(f"{bundles[0]} is a bundle: import it by itself")
    if into is not None:
        raise typer.BadParameter(
            "a bundle goes into the sources that it is of: say --map OLD=NEW where they differ"
        )
    return True


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
