"""``clashes``: names that a private source and a lower one both have, without telling anyone a private name."""

import asyncio
from typing import TYPE_CHECKING

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.setup import Json
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.clashes import Clashes


def clashes(context: typer.Context, json: Json = False) -> None:
    """List private names that a lower source has too, or that anybody could take there."""
    quiet()
    found = asyncio.run(_clashes(configuration.load(context.obj)))
    if json:
        print_json(found)
        return
    for clash in found.clashes:
        has = "has" if clash.held else "reserves"
        known = f", newest {clash.newest}" if clash.newest else ""
        since = f", seen there since {clash.since}" if clash.since else ""
        told = f"{clash.source} {has} it, and {clash.lower} has it{known}{since}"
        print(f"clash    {clash.name}: {told}; {clash.advice}")
    for name in found.takeable:
        print(f"free     {name.name}: only {name.source} has it; {name.advice}")
    for source in found.unknown:
        print(f"unknown  {source}: its list of names could not be had, so nothing is known of it")
    print(f"{len(found.clashes)} clashes, {len(found.takeable)} names that nobody has below")


async def _clashes(settings: Settings) -> "Clashes":
    from wheelkeep import compose
    from wheelkeep.index.clashes import clashes as look

    keep = compose.build(settings)
    await keep.start()
    try:
        return await look(keep)
    finally:
        await keep.close(seconds=1)
