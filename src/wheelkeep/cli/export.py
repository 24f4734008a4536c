"""``export``: what is kept, for places where no keep answers."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wheelkeep import configuration
from wheelkeep.cli.export_bundle import bundle
from wheelkeep.cli.export_site import site
from wheelkeep.cli.output import print_json, size
from wheelkeep.cli.place import read_place
from wheelkeep.cli.progress import Progress
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.buckets import is_bucket
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import IndexName
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.cli.given import Given
    from wheelkeep.core.buckets import Bucket
    from wheelkeep.core.targets import Targets
    from wheelkeep.index.wheelhouse import Wheelhouse

_AT_ONCE = 8
_MOST_NAMED = 20
app = typer.Typer(
    no_args_is_help=True, help="What is kept, for places where no keep answers.", rich_markup_mode=None
)
app.command()(bundle)
app.command()(site)


@app.callback()
def _together() -> None:
    """What is kept, for places where no keep answers."""


@app.command()
def wheelhouse(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(metavar="DEST", help="A folder, or s3://bucket/prefix.")],
    file: Annotated[
        list[Path],
        typer.Option("-r", "--requirement", help="A lock, or a file of requirements; may be given again."),
    ],
    python: Annotated[
        str | None, typer.Option(metavar="3.11,3.13", help="Only what these Pythons install.")
    ] = None,
    platform: Annotated[
        str | None, typer.Option(metavar="TAG,…", help="Only what these platforms install.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where clients find it; else the folder itself.")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove other wheels and sdists that lie there.")
    ] = False,
    index: Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")] = None,
    json: Json = False,
) -> None:
    """Put the files of a lock into one flat place, for pip's --no-index --find-links, with hashed requirements.

    Exit 1 if one could not be had; what names the files is left as it was then.
    """
    quiet()
    from wheelkeep.cli.given import read_given, read_machines

    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    targets = read_machines(python, platform)
    given = read_given((), file)
    place = (read_place(destination), _address(destination, url))
    try:
        done = asyncio.run(_wheelhouse(settings, chosen, given, targets, place, python=python, prune=prune))
    except _no_answer() as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    if json:
        print_json(done)
    else:
        _print(done, destination, place[1])
    raise typer.Exit(1 if done.lacking else 0)


def _no_answer() -> tuple[type[WheelkeepError], ...]:
    from wheelkeep.core.errors import Unanswered
    from wheelkeep.index.uv import Unresolvable
    from wheelkeep.store.shelf import Busy, Unavailable

    return (Unresolvable, Unanswered, Busy, Unavailable)


def _address(destination: str, url: str | None) -> str | None:
    """What pip is to be told of; None for a bucket of which nobody said where it is found."""
    if url is not None:
        if any(letter.isspace() for letter in url) or "://" not in url:
            raise typer.BadParameter(f'--url "{url[:80]}" is no address: write https://…')
        return url
    return None if is_bucket(destination) else str(Path(destination).resolve())


async def _wheelhouse(
    settings: Settings,
    index: IndexName,
    given: "Given",
    targets: "Targets",
    place: "tuple[Path | Bucket, str | None]",
    *,
    python: str | None,
    prune: bool,
) -> "Wheelhouse":
    from wheelkeep import compose
    from wheelkeep.cli.given import needed
    from wheelkeep.index.wheelhouse import Wheelhouse, export
    from wheelkeep.store.shelves import open_shelf

    destination, address = place
    shelf = open_shelf(destination, settings.s3, public=True)
    keep = compose.build(settings)
    await keep.start()
    done: Wheelhouse | None = None
    try:
        wanted = await needed(keep, keep.indexes[index], given, targets, python=python)
        progress = Progress()
        async for state in export(keep, wanted, shelf, address=address, at_once=_AT_ONCE, prune=prune):
            if isinstance(state, Wheelhouse):
                done = state
                progress.tell(state.there + state.written, state.files, state.came, state.bytes)
            else:
                progress.show(state)
        progress.end()
        assert done is not None
        return done
    finally:
        await keep.close(seconds=1)
        await shelf.close()


def _print(done: "Wheelhouse", destination: str, address: str | None) -> None:
    for one in done.lacking:
        print(f"not to be had: {one.what}: {one.why}")
    if done.strangers:
        more = ", …" if len(done.strangers) > _MOST_NAMED else ""
        named = ", ".join(done.strangers[:_MOST_NAMED])
        print(f"wheelkeep: in {destination} lies more than the lock names: {named}{more}", file=sys.stderr)
    gone = f", {len(done.removed)} removed" if done.removed else ""
    print(f"{done.written} written, {size(done.written_bytes)}; {done.there} lay there already{gone}")
    if done.lacking:
        print("requirements.txt was not written, for something is lacking")
        return
    where = address or "URL"
    names = f"{where.rstrip('/')}/requirements.txt"
    print(f"pip install --no-index --find-links {where} --require-hashes -r {names}")
