"""``gc``: what nothing needs, told; and removed where that is said."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json, size
from wheelkeep.cli.setup import Json
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.settings import Settings
from wheelkeep.core.units import read_duration, read_moment
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.clearing import Cleared, Wish

_KINDS = {
    "orphan": "that nothing refers to",
    "deleted": "of hosted files that were deleted",
    "ahead": "fetched ahead and never served",
    "served": "not served for long enough",
}


def gc(
    context: typer.Context,
    delete: Annotated[bool, typer.Option("--delete", help="Remove it; else it is only told.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Remove nothing, whatever else is said.")
    ] = False,
    older_than: Annotated[
        str, typer.Option("--older-than", help="Leave alone what came less than this ago.")
    ] = "7d",
    ahead: Annotated[
        bool, typer.Option("--ahead", help="Also what was fetched ahead and never served.")
    ] = False,
    served_before: Annotated[
        str | None, typer.Option("--served-before", help="Also what was served last before this moment.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell what no ledger entry, snapshot or hosted release needs; with --delete remove it."""
    from wheelkeep.index.clearing import Busy, Wish

    quiet()
    now = datetime.now(UTC)
    try:
        wish = Wish(
            older=read_duration(older_than),
            ahead=ahead,
            served_before=read_moment(served_before, now) if served_before is not None else None,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    settings = configuration.load(context.obj)
    try:
        found = asyncio.run(_clear(settings, wish, delete=delete and not dry_run))
    except Busy:
        print("wheelkeep: another gc, a verify or a backup runs: try again when it is done", file=sys.stderr)
        raise typer.Exit(1) from None
    except OSError as error:
        raise WheelkeepError(f"not everything could be looked at or removed: {error}") from None
    if json:
        print_json(found)
    else:
        _print(found)


async def _clear(settings: Settings, wish: "Wish", *, delete: bool) -> "Cleared":
    from wheelkeep import compose
    from wheelkeep.index.clearing import clear

    keep = compose.build(settings)
    try:
        return await clear(keep, wish, delete=delete)
    finally:
        await keep.close(seconds=1)


def _print(found: "Cleared") -> None:
    does = "removed" if found.deleted else "would remove"
    for kind, says in _KINDS.items():
        sizes = [going.size for going in found.files if going.kind == kind]
        if sizes:
            print(f"{does} {_count(len(sizes), 'file')} {says}, {size(sum(sizes))}")
    if found.ahead:
        print(f"{_count(found.ahead, 'file')} more, fetched ahead and never served, would go with --ahead")
    if found.kept_back:
        print(f"{_count(found.kept_back, 'file')} turned out to be needed meanwhile, and stayed")
    for count, what in (
        (len(found.pages), "page of a source that is not configured"),
        (found.metadata, "piece of metadata of a file that is gone"),
        (found.damaged, f"damaged file that was set aside, {size(found.damaged_bytes)}"),
        (found.leftovers, "leftover of a crash"),
    ):
        if count:
            print(f"{does} {_count(count, what)}")
    total = size(found.bytes + found.damaged_bytes)
    print(
        f"{total} freed"
        if found.deleted
        else f"{total} would be freed; nothing was removed: --delete does it"
    )


def _count(count: int, what: str) -> str:
    head, _, rest = what.partition(" ")
    return f"{count} {head if count == 1 else head + 's'}{' ' + rest if rest else ''}"
