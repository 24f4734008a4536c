"""``export``: what is kept, for places where no keep answers."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

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
    from wheelkeep.cli.building import Bounds
    from wheelkeep.cli.given import Given
    from wheelkeep.core.buckets import Bucket
    from wheelkeep.core.targets import Targets
    from wheelkeep.index.keep import Keep
    from wheelkeep.index.needed import Needed
    from wheelkeep.index.wheelhouse import Wheelhouse

_AT_ONCE = 8
_MOST_NAMED = 20
app = typer.Typer(no_args_is_help=True, help="What is kept, for places where no keep answers.")
app.command()(bundle)
app.command()(site)


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    index: IndexName
    given: "Given"
    python: str | None
    targets: "Targets | None"
    """None: the machine that builds."""
    bounds: "Bounds | None"
    """None: nothing is built."""
    place: "Path | Bucket"
    address: str | None
    """What pip is to be told of."""
    prune: bool


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
    build: Annotated[
        bool, typer.Option("--build", help="For this machine; build wheels of what has none.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Do not build a second time to compare.")] = False,
    time: Annotated[str, typer.Option(metavar="30m", help="What one build may take.")] = "30m",
    memory: Annotated[str, typer.Option(metavar="4GiB", help="What one build may use.")] = "4GiB",
    unsafe: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run what the sdists say with your own rights.")
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
    asked = Asked(
        index=choose_index(settings, index),
        given=read_given((), file),
        python=python,
        targets=read_machines(python, platform) if not build else None,
        bounds=_bounds(platform, time, memory, unsafe=unsafe, once=once) if build else None,
        place=read_place(destination, settings.data),
        address=_address(destination, url),
        prune=prune,
    )
    try:
        done = asyncio.run(_wheelhouse(settings, asked))
    except _no_answer() as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    if json:
        print_json(done)
    else:
        _print(done, destination, asked.address)
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


def _bounds(platform: str | None, time: str, memory: str, *, unsafe: bool, once: bool) -> "Bounds":
    """How wheels are built for ``--build``. Raises BadParameter."""
    from wheelkeep.cli.building import read_bounds
    from wheelkeep.cli.wheelhouse_build import for_this_machine

    for_this_machine(platform)
    return read_bounds(time, memory, unsafe=unsafe, once=once)


async def _needed(keep: "Keep", asked: Asked) -> "tuple[Needed, list[str]]":
    """What is to lie there, and the names of the wheels among it that were built here."""
    from wheelkeep.cli.given import needed

    index = keep.indexes[asked.index]
    if asked.bounds is not None:
        from wheelkeep.cli.wheelhouse_build import needed_built

        return await needed_built(keep, index, asked.given, asked.bounds, python=asked.python)
    assert asked.targets is not None
    return await needed(keep, index, asked.given, asked.targets, python=asked.python), []


async def _wheelhouse(settings: Settings, asked: Asked) -> "Wheelhouse":
    from wheelkeep import compose
    from wheelkeep.index.wheelhouse import Wheelhouse, export
    from wheelkeep.store.shelves import open_shelf

    shelf = open_shelf(asked.place, settings.s3, public=True)
    keep = compose.build(settings)
    await keep.start()
    done: Wheelhouse | None = None
    try:
        wanted, built = await _needed(keep, asked)
        progress = Progress()
        async for state in export(
            keep,
            keep.indexes[asked.index],
            wanted,
            shelf,
            address=asked.address,
            at_once=_AT_ONCE,
            prune=asked.prune,
        ):
            if isinstance(state, Wheelhouse):
                done = state
                progress.tell(state.there + state.written, state.files, state.came, state.bytes)
            else:
                progress.show(state)
        progress.end()
        assert done is not None
        done.built = built
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
    gone += f"; {len(done.built)} of them built here" if done.built else ""
    print(f"{done.written} written, {size(done.written_bytes)}; {done.there} lay there already{gone}")
    if done.lacking:
        print("requirements.txt was not written, for something is lacking")
        return
    where = address or "URL"
    # The address may be that of the page; the requirements lie beside it.
    names = f"{where.removesuffix('/index.html').rstrip('/')}/requirements.txt"
    print(f"pip install --no-index --find-links {where} --require-hashes -r {names}")
