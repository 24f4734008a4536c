"""``export wheelhouse --build``: the machine that runs the command builds wheels of what has none for it."""

import sys
from typing import TYPE_CHECKING

import typer

from wheelkeep.cli.build_report import say_begun
from wheelkeep.cli.building import Bounds, minor_of, open_shop, targets_of
from wheelkeep.cli.given import needed
from wheelkeep.index.build_plan import to_build
from wheelkeep.index.build_run import Finished, run, with_wheels
from wheelkeep.index.builder import Builder
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.needed import Needed

if TYPE_CHECKING:
    from wheelkeep.cli.given import Given


def for_this_machine(platform: str | None) -> None:
    """Raises BadParameter where wheels are wanted for another one."""
    if platform is not None:
        raise typer.BadParameter(
            "--build makes wheels for this machine alone: leave --platform out, and name one Python with --python"
        )


async def needed_built(
    keep: Keep, index: Index, given: "Given", bounds: Bounds, *, python: str | None
) -> tuple[Needed, list[str]]:
    """What is asked for, for this machine, with wheels instead of sdists; and the names of those that were built here.

    Raises NoSandbox, BadParameter, Unresolvable, Unanswered.
    """
    shop = await open_shop(python, bounds, keep)
    found = await needed(keep, index, given, targets_of(shop, every=False), python=minor_of(shop))
    plan = to_build(found.choices)
    done: list[Finished] = []
    async for one in run(keep, Builder(keep, index, shop), plan.sdists, None, at_once=1, begun=say_begun):
        done.append(one)
        for line in one.failed.said.splitlines() if one.failed is not None else ():
            print(f"    {line}", file=sys.stderr)
    return with_wheels(found, done), sorted(one.built.filename for one in done if one.built is not None)
