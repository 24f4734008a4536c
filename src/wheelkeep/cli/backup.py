"""``backup`` and ``restore``: a keep copied while it serves, and brought back."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import columns, print_json, size
from wheelkeep.cli.setup import Json
from wheelkeep.core.buckets import is_bucket, read_bucket
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.manifest import NotABackup
from wheelkeep.core.settings import Settings
from wheelkeep.core.units import read_size
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.backup import Report
    from wheelkeep.index.damage import Sweep
    from wheelkeep.index.restore import Restored
    from wheelkeep.store.shelf import Shelf

T = TypeVar("T")
_TOLD = 2.0
"""Seconds between two lines that tell how far it is; on a terminal one line changes more often."""


def backup(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(metavar="DEST", help="A folder, or s3://bucket/prefix.")],
    keep: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Remove all but the newest N backups there.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Write at most so much a second, such as 20MB.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read again what lies there already, and mend what is damaged.")
    ] = False,
    json: Json = False,
) -> None:
    """Copy the whole keep, while it serves. Exit 1 if something in it is damaged."""
    quiet()
    settings = configuration.load(context.obj)
    bound = None if rate is None else _rate(rate)
    # Whoever is served comes first.
    os.nice(10)
    report = _run(lambda: _backup(settings, destination, keep, bound, check=check))
    if json:
        print_json(report)
    else:
        for damage in report.damaged:
            print(f"damaged: {damage.what}: {damage.says}")
        if report.gone:
            print(f"{report.gone} files were removed while this ran, and are not in it")
        for name in report.removed:
            print(f"removed: {name}")
        print(
            f"{report.generation}: {report.files} files, {size(report.bytes)}; "
            f"{report.new_parts} parts, {size(report.new_bytes)} were new"
        )
    raise typer.Exit(1 if report.damaged else 0)


async def _backup(
    settings: Settings, destination: str, keep: int | None, rate: int | None, *, check: bool
) -> "Report":
    from wheelkeep.index.backup import Backup, setting_files
    from wheelkeep.store.removal import staying

    folder = settings.origin.parent if settings.origin is not None else Path.cwd()
    files = setting_files(configuration.files(settings), folder)
    shelf = _shelf(destination, settings, apart=True)
    try:
        with staying(settings.data) as stays:
            if not stays:
                raise WheelkeepError("gc removes files at this moment: try again when it is done")
            run = Backup(settings.data, shelf, settings=files, rate=rate, check=check)
            return await _telling(run.run(keep=keep), lambda: _far(run.report))
    finally:
        await shelf.close()


def restore(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SRC", help="Where a backup was made to.")],
    generation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which backup, or how its name begins; else the newest."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the backups that are there.")] = False,
    configuration_to: Annotated[
        Path | None,
        typer.Option("--configuration", metavar="DIR", help="Write only the configuration, into DIR."),
    ] = None,
    without_damaged: Annotated[
        bool,
        typer.Option("--without-damaged", help="Leave out stored files that are damaged in the backup."),
    ] = False,
    json: Json = False,
) -> None:
    """Bring a keep back into an empty data folder, and verify it. Exit 1 if something is damaged or not found."""
    quiet()
    settings = configuration.load(context.obj)
    try:
        if list_:
            _list(settings, source, json=json)
        elif configuration_to is not None:
            _settings_to(settings, source, generation, configuration_to, json=json)
        else:
            _restore(settings, source, generation, without_damaged, json=json)
    except NotABackup as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def _restore(
    settings: Settings, source: str, generation: str | None, without_damaged: bool, *, json: bool
) -> None:
    report, sweep = _run(lambda: _restore_all(settings, source, generation, without_damaged))
    if json:
        print_json({"restored": report, "verified": sweep})
    else:
        _print(report, sweep)
    good = report.whole and not report.damaged and sweep is not None and not sweep.damaged
    raise typer.Exit(0 if good else 1)


def _print(report: "Restored", sweep: "Sweep | None") -> None:
    for damage in report.damaged:
        print(f"damaged: {damage.what}: {damage.says}")
    for warning in report.warnings:
        print(f"warning: {warning}")
    if not report.whole:
        print(
            f"{report.data} is not whole, and no server starts on it: mend {report.source} and run this again"
            + ("" if any(not one.what.startswith("blobs/") for one in report.damaged) else _LEAVE)
        )
        return
    print(f"{report.generation}: {report.files} files, {size(report.bytes)}, restored to {report.data}")
    if report.used_names or report.revoked_tokens:
        print(
            f"{report.used_names} file names that were used later stay used, "
            f"{report.revoked_tokens} tokens that were revoked later stay revoked"
        )
    if sweep is not None:
        print(f"verified: {sweep.files} files, {size(sweep.bytes)} read; {len(sweep.damaged)} damaged")


_LEAVE = ", or run it with --without-damaged to go on without these files"


async def _restore_all(
    settings: Settings, source: str, generation: str | None, without_damaged: bool
) -> "tuple[Restored, Sweep | None]":
    from wheelkeep import compose
    from wheelkeep.index.damage import Sweep
    from wheelkeep.index.restore import Restore
    from wheelkeep.index.sweep import sweep

    shelf = _shelf(source, settings)
    try:
        run = Restore(shelf, settings.data, leave_damaged=without_damaged)
        report = await _telling(run.run(generation), lambda: _far(run.report))
    finally:
        await shelf.close()
    if not report.whole:
        return report, None
    keep = compose.build(settings)
    state = Sweep()
    try:
        async for outcome in sweep(keep, repair=False):
            state = outcome
    finally:
        await keep.close(seconds=1)
    return report, state


def _list(settings: Settings, source: str, *, json: bool) -> None:
    async def read() -> list[dict[str, Any]]:
        from wheelkeep.index import generations
        from wheelkeep.store.shelf import NotThere

        shelf = _shelf(source, settings)
        try:
            await generations.recognise(shelf)
            found = await generations.generations(shelf)
        except NotThere:
            raise NotABackup(f"there is no backup in {source}") from None
        finally:
            await shelf.close()
        return [{"generation": one.name, "made": f"{one.made:%Y-%m-%dT%H:%M:%SZ}"} for one in found]

    found = _run(read)
    if json:
        print_json({"source": source, "generations": found})
    elif found:
        for line in columns([[one["made"], one["generation"]] for one in found]):
            print(line)
    if not found:
        raise NotABackup(f"there is no whole backup in {source}")


def _settings_to(
    settings: Settings, source: str, generation: str | None, folder: Path, *, json: bool
) -> None:
    async def write() -> list[Path]:
        from wheelkeep.index.restore import settings_to

        shelf = _shelf(source, settings)
        try:
            return await settings_to(shelf, generation, folder)
        finally:
            await shelf.close()

    written = [str(path) for path in _run(write)]
    if json:
        print_json({"source": source, "written": written})
    else:
        for path in written:
            print(path)
        if not written:
            print("the backup has no configuration: it was made with the built-in default", file=sys.stderr)


def _far(report: "Report | Restored") -> str:
    return f"{report.files} files, {size(report.bytes)}"


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return asyncio.run(work())
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise WheelkeepError(f"{where}{error.strerror or error}") from None


def _shelf(place: str, settings: Settings, *, apart: bool = False) -> "Shelf":
    """A place as it is written on the command line; ``apart``: it may have nothing to do with the data folder."""
    from wheelkeep.store.shelves import open_shelf

    if is_bucket(place):
        try:
            return open_shelf(read_bucket(place), settings.s3)
        except ValueError as error:
            raise typer.BadParameter(f"{place!r} {error}") from None
    path = Path(place).expanduser().absolute()
    if apart:
        inner, outer = path.resolve(), settings.data.resolve()
        if inner.is_relative_to(outer) or outer.is_relative_to(inner):
            raise WheelkeepError(
                f"{place} and the data folder {settings.data} lie in each other: name another place"
            )
    return open_shelf(path, settings.s3)


def _rate(text: str) -> int:
    try:
        return read_size(text.removesuffix("/s"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--rate") from None


async def _telling(work: Coroutine[Any, Any, T], told: Callable[[], str]) -> T:
    """Does the work, and says on standard error how far it is."""
    task = asyncio.ensure_future(work)
    terminal = sys.stderr.isatty()
    try:
        while not (await asyncio.wait([task], timeout=0.2 if terminal else _TOLD))[0]:
            print(f"\r{told()}\x1b[K" if terminal else told(), end="" if terminal else "\n", file=sys.stderr)
            sys.stderr.flush()
        if terminal:
            print(file=sys.stderr)
        return await task
    finally:
        task.cancel()
