"""``build``: wheels of what has none, each made in a sandbox of an admitted sdist, into a hosted source."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.release import choose_hosted
from wheelkeep.cli.setup import Json, choose_index, read_or_refuse
from wheelkeep.core.names import IndexName, SourceName
from wheelkeep.core.past import is_moment, read_moment
from wheelkeep.core.settings import Settings
from wheelkeep.core.snapshot import read_ref
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.cli.build_report import Report
    from wheelkeep.cli.building import Bounds
    from wheelkeep.cli.given import Given
    from wheelkeep.core.names import ProjectName
    from wheelkeep.core.targets import Targets
    from wheelkeep.core.write_lock import Choice
    from wheelkeep.index.keep import Keep

_MOST_AT_ONCE = 16


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    index: IndexName
    when: str | None
    """As it was then, or as a snapshot has it."""
    given: "Given"
    into: SourceName
    python: str | None
    every: bool
    jobs: int
    dry_run: bool
    bounds: "Bounds"


def build(
    context: typer.Context,
    requirements: Annotated[
        list[str] | None,
        typer.Argument(metavar="REQUIREMENT…", help="With all that they need, resolved through the index."),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("-r", "--requirement", help="A lock, or a file of requirements; may be given again."),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="The hosted source that gets them; else the only one."),
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="3.12", help="The Python that builds, or its path; else this one.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also what has a wheel, if it has an sdist.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Do not build a second time to compare.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Also what was built here before.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=_MOST_AT_ONCE, help="Builds side by side.")] = 1,
    time: Annotated[str, typer.Option(metavar="30m", help="What one build may take.")] = "30m",
    memory: Annotated[str, typer.Option(metavar="4GiB", help="What one build may use.")] = "4GiB",
    unsafe: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run what the sdists say with your own rights.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be built, and build nothing.")
    ] = False,
    index: Annotated[
        str | None, typer.Option(help="Which index; else main, or the only one. Also main@NAME, main@DATE.")
    ] = None,
    json: Json = False,
) -> None:
    """Build wheels from sdists and publish them to a hosted source. Exit 1 if one could not be had; run again, it goes
    on."""
    quiet()
    from wheelkeep.cli.build_report import tell
    from wheelkeep.cli.building import read_bounds
    from wheelkeep.cli.given import read_given

    settings = configuration.load(context.obj)
    name, when = _where(settings, index)
    given = read_given(requirements or (), file or ())
    if not (given.requirements or given.locks):
        raise typer.BadParameter("say what to build: requirements, or -r FILE")
    asked = Asked(
        index=name,
        when=when,
        given=given,
        into=choose_hosted(settings, into, "--into"),
        python=python,
        every=every,
        jobs=jobs,
        dry_run=dry_run,
        bounds=read_bounds(time, memory, unsafe=unsafe, once=once, anew=anew),
    )
    report = _report(settings, asked)
    (print_json if json else tell)(report)
    raise typer.Exit(0 if report.good else 1)


def _where(settings: Settings, index: str | None) -> tuple[IndexName, str | None]:
    """The index, and what stands behind its ``@``. Raises BadParameter."""
    name, at, when = index.partition("@") if index is not None else (None, "", "")
    chosen = choose_index(settings, name)
    if not at:
        return chosen, None
    if is_moment(when):
        read_or_refuse(lambda text: read_moment(text, datetime.now(UTC)), when)
    else:
        read_or_refuse(read_ref, when)
    return chosen, when


def _report(settings: Settings, asked: Asked) -> "Report":
    """Raises Exit (1) where what is wanted cannot be resolved."""
    from wheelkeep.core.errors import Unanswered
    from wheelkeep.index.uv import Unresolvable

    try:
        return asyncio.run(_build(settings, asked))
    except (Unresolvable, Unanswered, ValueError) as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


async def _build(settings: Settings, asked: Asked) -> "Report":
    from wheelkeep import compose
    from wheelkeep.cli.build_report import Report, begin, say_begun
    from wheelkeep.cli.building import minor_of, open_shop, targets_of
    from wheelkeep.cli.given import needed
    from wheelkeep.index.build_plan import takeovers, to_build
    from wheelkeep.index.build_run import run
    from wheelkeep.index.builder import Builder

    keep = compose.build(settings)
    try:
        shop = await open_shop(asked.python, asked.bounds, keep)
        await keep.start()
        index = keep.indexes[asked.index]
        if asked.when is not None:
            index = await keep.views.find(index, asked.when)
        targets = targets_of(shop, every=asked.every or shop.anew)
        found = await needed(keep, index, asked.given, targets, python=minor_of(shop))
        plan = to_build(found.choices, await _done_already(keep, asked, found.choices, targets))
        takes = await takeovers(keep, asked.into, {sdist.project for sdist in plan.sdists})
        report = Report(
            index=index.path,
            into=asked.into,
            python=shop.python.says,
            platform=shop.python.platform,
            dry_run=asked.dry_run,
            ready=plan.ready,
            lacking=found.lacking,
            takes_over=takes,
            wanted=[sdist.filename for sdist in plan.sdists],
        )
        begin(report)
        if not asked.dry_run:
            builder = Builder(keep, index, shop)
            async for done in run(
                keep, builder, plan.sdists, asked.into, at_once=asked.jobs, begun=say_begun
            ):
                report.add(done)
        return report
    finally:
        await keep.close(seconds=1)


async def _done_already(
    keep: "Keep", asked: Asked, choices: "Sequence[Choice]", targets: "Targets"
) -> "set[tuple[ProjectName, str]]":
    """The versions that need no build, although they have an sdist."""
    from wheelkeep.index.build_plan import from_elsewhere, published

    if not asked.bounds.anew:
        return await published(keep, asked.into, choices, targets)
    return set() if asked.every else await from_elsewhere(keep, choices)
