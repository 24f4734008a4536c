"""``import`` of a bundle: what another keep exported comes in, proven whole before anything of it is shown."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from wheelkeep.cli.output import print_json, size
from wheelkeep.cli.progress import Progress
from wheelkeep.core.errors import InvalidName, WheelkeepError
from wheelkeep.core.names import SourceName
from wheelkeep.core.names import source as source_name
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.notes import PublicKey, read_key
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.unbundle import Taken


def import_bundle(
    settings: Settings, file: Path, mapping: Sequence[str], key: str | None, *, json: bool
) -> None:
    """Takes a bundle in. Exit 1 if it is not one, or not whole, or something of it was refused."""
    quiet()
    from wheelkeep.core.bundle import NotABundle
    from wheelkeep.index.unbundle import Incomplete, NotTrusted

    maps, signer = _mapping(settings, mapping), _key(key) if key is not None else None
    try:
        done = asyncio.run(_import(settings, file, maps, signer))
    except (NotABundle, NotTrusted, Incomplete) as error:
        print(f"wheelkeep: {file}: {error}; nothing was imported", file=sys.stderr)
        raise typer.Exit(1) from None
    except OSError as error:
        raise WheelkeepError(
            f"{error.filename or file}: {error.strerror or error}; the same command goes on from here"
        ) from None
    if done.trust == "first":
        print(
            f"wheelkeep: this is the first bundle here, and nobody said whose it may be: hold its key against what "
            f"/log/key of the other keep tells. From now on only that key's are taken: {done.key}",
            file=sys.stderr,
        )
    if json:
        print_json(done)
    else:
        _print(done, file)
    raise typer.Exit(1 if done.refused else 0)


async def _import(
    settings: Settings, file: Path, mapping: dict[SourceName, SourceName], key: PublicKey | None
) -> "Taken":
    from wheelkeep import compose
    from wheelkeep.index.unbundle import Taking

    keep = compose.build(settings)
    run, progress = Taking(keep, mapping=mapping, key=key), Progress()
    try:
        with file.open("rb") as stream:
            async for state in run.run(stream):
                progress.tell(state.done, state.files, state.came_bytes, state.bytes)
        progress.end()
        return run.report
    finally:
        await keep.close(seconds=1)


def _mapping(settings: Settings, told: Sequence[str]) -> dict[SourceName, SourceName]:
    found: dict[SourceName, SourceName] = {}
    for one in told:
        there, equals, here = one.partition("=")
        try:
            names = source_name(there), source_name(here)
        except InvalidName as error:
            raise typer.BadParameter(f"--map {one}: write OLD=NEW: {error}") from None
        if not equals or names[1] not in settings.sources:
            raise typer.BadParameter(
                f'--map {one}: "{here}" is no source: {suggestion(here, settings.sources)}'
            )
        found[names[0]] = names[1]
    return found


def _key(text: str) -> PublicKey:
    """A key, or a file that holds one."""
    try:
        path = Path(text)
        return read_key(path.read_text(encoding="utf-8") if "+" not in text and path.is_file() else text)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"--key {error}") from None


def _print(done: "Taken", file: Path) -> None:
    for one in done.refused:
        print(f"refused: {one.what}")
        for why in one.why:
            print(f"    {why}")
    for one in done.blocked_there:
        print(f"listed here, and blocked by the keep that made this: {one.what}")
        for why in one.why:
            print(f"    {why}")
    since = f", since {done.base}" if done.base is not None else ""
    print(f"{file}: of the index {done.index}, made {done.made[:19]}Z{since}")
    print(
        f"{done.came} files came, {size(done.came_bytes)}, {done.files - done.came} were here; "
        f"{done.new} are listed that were not, {done.changed} are otherwise; {len(done.refused)} refused"
    )
    print(f"bundle {done.bundle}")
    print(f"key {done.key} ({_TRUST[done.trust]})")


_TRUST = {"given": "as given", "known": "known here", "first": "not held against anything"}
