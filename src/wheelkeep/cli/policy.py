"""``policy test`` and ``policy diff``: a policy tried before anybody meets it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import had_by, print_json
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.expectations import read_expectations
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.settings import Settings
from wheelkeep.index.policies import PolicyHolder, read_whole
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.keep import Keep
    from wheelkeep.index.what_if import Changed, PolicyDiff

app = typer.Typer(no_args_is_help=True, help="Try a policy before anybody meets it.")
T = TypeVar("T")
Index = Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")]


@app.command("test")
def test(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The expectations; else policy.expect beside the policy."),
    ] = None,
    index: Index = None,
    policy: Annotated[Path | None, typer.Option(help="Another policy than the index's own.")] = None,
    json: Json = False,
) -> None:
    """Hold a policy against what is expected of it. Exit 1 if an expectation fails."""
    quiet()
    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    path = policy or settings.indexes[chosen].policy
    if path is None:
        raise typer.BadParameter(f"the index {chosen} has no policy: say --policy FILE")
    file = file or path.with_suffix(".expect")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            [Mistake(str(file), None, "", f"the expectations cannot be read: {error}")]
        ) from None
    expectations = read_expectations(text, file=str(file))
    holder = PolicyHolder(path, configuration.kinds(settings))

    from wheelkeep.index.expect import test as run

    found = _with_keep(
        settings,
        lambda keep: run(keep.indexes[chosen], holder.current, expectations, names=(str(path), str(file))),
    )
    if json:
        print_json(found)
    else:
        for one in found.expectations:
            says = f": {one.says}" if one.says else ""
            print(f"{'holds' if one.holds else 'fails':6} {found.file}:{one.line}: {one.expectation}{says}")
        print(f"{found.holding} hold, {found.failing} fail")
    raise typer.Exit(1 if found.failing else 0)


@app.command("diff")
def diff(
    context: typer.Context,
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The changed policy.")],
    lock: Annotated[
        list[Path] | None, typer.Option(help="A lock file to judge too; may be given again.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="How far back downloads count.")] = 30,
    index: Index = None,
    json: Json = False,
) -> None:
    """Say what a changed policy would block or free. Exit 1 if it would block something."""
    quiet()
    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    holder = PolicyHolder(new, configuration.kinds(settings))
    locks = [(str(path), read_lock(str(path), read_whole)) for path in lock or ()]

    from wheelkeep.index.what_if import diff as run

    found = _with_keep(
        settings,
        lambda keep: run(
            keep.indexes[chosen],
            keep.indexes[chosen].policy.answered(holder.current),
            blobs=keep.blobs,
            pages=keep.pages,
            ledger=keep.ledger,
            fetches=keep.fetches,
            locks=locks,
            days=days,
        ),
    )
    if json:
        print_json(found)
    else:
        _print(found)
    raise typer.Exit(1 if found.blocked else 0)


def _with_keep(settings: Settings, use: "Callable[[Keep], Awaitable[T]]") -> T:
    async def run() -> T:
        from wheelkeep import compose

        keep = compose.build(settings)
        await keep.start()
        try:
            return await use(keep)
        finally:
            await keep.close(seconds=1)

    return asyncio.run(run())


def _print(found: "PolicyDiff") -> None:
    for word, changes in (("blocked", found.blocked), ("freed", found.freed)):
        for change in changes:
            print(f"{word:8} {_told(change)}")
    for one in found.unknown:
        print(f"unknown  {one}")
    print(
        f"{found.judged} files judged: {len(found.blocked)} would be blocked, {len(found.freed)} freed"
        f"{f', {len(found.unknown)} not known' if found.unknown else ''}"
    )


def _told(change: "Changed") -> str:
    return (
        f"{change.filename} from {change.source} ({', '.join(change.why)}): {change.gate}: {change.sentence}"
        f"{had_by(change.whom)}"
    )
