"""``yank``, ``unyank``, ``delete``, ``project-status``, ``free``, ``promote``: the life of a hosted release.

They work on the data folder itself, whether or not a server runs on it; one that does shows the change at once.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar, get_args

import typer

from wheelkeep import configuration
from wheelkeep.core.model import Status, StatusWord
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.rules import Rule, read_name, read_rule
from wheelkeep.core.settings import HostedSource, Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.releases import Acted, Steward, Stopped

_BY = "command line"
"""Who the ledger names: whoever may write to the data folder."""
_LONGEST_REASON = 500
_WORDS: tuple[StatusWord, ...] = get_args(StatusWord)
T = TypeVar("T")

Requirement = Annotated[str, typer.Argument(help='A name, or a requirement such as "demo==1.2".')]
Project = Annotated[str, typer.Argument(metavar="NAME", help="The project.")]
Source = Annotated[str | None, typer.Option(help="The hosted source; else the only one.")]


def yank(
    context: typer.Context,
    requirement: Requirement,
    reason: Annotated[str, typer.Option(help="Shown to whoever installs it all the same.")],
    source: Source = None,
) -> None:
    """Yank files: installers pass them over unless that very version is asked for. Exit 1 if none is meant."""
    settings, rule = configuration.load(context.obj), _rule(requirement)
    where, why = choose_hosted(settings, source, "--source"), _line(reason)
    done = _act(settings, lambda steward: steward.yank(rule, where, why, by=_BY))
    _report("yanked", done)


def unyank(context: typer.Context, requirement: Requirement, source: Source = None) -> None:
    """Take a yank back. Exit 1 if no file is meant."""
    settings, rule = configuration.load(context.obj), _rule(requirement)
    where = choose_hosted(settings, source, "--source")
    done = _act(settings, lambda steward: steward.unyank(rule, where, by=_BY))
    _report("not yanked", done)


def delete(
    context: typer.Context,
    requirement: Requirement,
    reason: Annotated[str, typer.Option(help="Kept in the ledger.")],
    source: Source = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete files for good: their names are never given again. Exit 1 if none is meant."""
    settings, rule = configuration.load(context.obj), _rule(requirement)
    where, why = choose_hosted(settings, source, "--source"), _line(reason)

    async def act(steward: "Steward") -> "Acted | Stopped":
        agreed: list[str] | None = None
        if not yes and (files := await steward.matching(rule, where)):
            agreed = [file.filename for file in files]
            _ask(where, agreed)
        return await steward.delete(rule, where, why, by=_BY, only=agreed)

    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("say --yes: there is no terminal to ask on, and what is deleted is gone")
    done = _act(settings, act)
    _report("deleted", done)
    _keeps_name(done, rule, where)


def project_status(
    context: typer.Context,
    name: Project,
    status: Annotated[str, typer.Argument(metavar="|".join(_WORDS))],
    source: Source = None,
    reason: Annotated[str | None, typer.Option(help="Shown on the project's page.")] = None,
) -> None:
    """Say how a project stands; an archived or quarantined one takes no uploads. Exit 1 if it is not there."""
    word = next((word for word in _WORDS if word == status), None)
    if word is None:
        raise typer.BadParameter(f'there is no status "{status}": {suggestion(status, _WORDS)}')
    settings, project = configuration.load(context.obj), _name(name)
    where = choose_hosted(settings, source, "--source")
    stands = Status(word, _line(reason) if reason is not None else None)
    _done(_act(settings, lambda steward: steward.set_status(project, where, stands, by=_BY)))
    print(f"{project} in {where}: {word}")


def free(context: typer.Context, name: Project, source: Source = None) -> None:
    """Give up a name that has no file left: sources below may be asked for it. Exit 1 if it has one."""
    settings, project = configuration.load(context.obj), _name(name)
    where = choose_hosted(settings, source, "--source")
    _done(_act(settings, lambda steward: steward.free(project, where, by=_BY)))
    print(f"{project} is no longer a name of {where}")


def promote(
    context: typer.Context,
    requirement: Requirement,
    from_: Annotated[str, typer.Option("--from", metavar="SOURCE", help="The hosted source that has it.")],
    to: Annotated[str, typer.Option("--to", metavar="SOURCE", help="The hosted source that gets it.")],
) -> None:
    """Move a release to another hosted source, the very same files, if every policy there admits them."""
    settings, rule = configuration.load(context.obj), _rule(requirement)
    here, there = choose_hosted(settings, from_, "--from"), choose_hosted(settings, to, "--to")
    if here == there:
        raise typer.BadParameter(f"--from and --to are both {here}")
    done = _act(settings, lambda steward: steward.promote(rule, here, there, by=_BY))
    _report("promoted", done)
    _keeps_name(done, rule, here)


def choose_hosted(settings: Settings, name: str | None, option: str) -> SourceName:
    """The hosted source that a command means; raises BadParameter (exit 2) for one that is not there."""
    hosted = [source.name for source in settings.sources.values() if isinstance(source, HostedSource)]
    if name is None:
        if len(hosted) == 1:
            return hosted[0]
        says = f"say {option}: {', '.join(hosted)}" if hosted else "no source of the configuration is hosted"
        raise typer.BadParameter(says)
    if name in hosted:
        return SourceName(name)
    what = "is not hosted" if name in settings.sources else "is no source"
    raise typer.BadParameter(f'{option} {name}: "{name}" {what}: {suggestion(name, hosted)}')


def _rule(text: str) -> Rule:
    try:
        return read_rule(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _name(text: str) -> ProjectName:
    try:
        return read_name(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _line(reason: str) -> str:
    """A reason as pages and the ledger can show it."""
    if not reason.strip() or not reason.isprintable() or len(reason) > _LONGEST_REASON:
        raise typer.BadParameter(f"--reason: write one line of at most {_LONGEST_REASON} letters")
    return reason.strip()


def _act(settings: Settings, act: "Callable[[Steward], Awaitable[T]]") -> T:
    from wheelkeep import compose

    quiet()

    async def opened() -> T:
        keep = compose.build(settings)
        try:
            return await act(keep.steward)
        finally:
            await keep.close(seconds=1)

    return asyncio.run(opened())


def _ask(source: SourceName, filenames: list[str]) -> None:
    for filename in filenames:
        print(filename, file=sys.stderr)
    print(f"Delete them from {source} for good? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        print("wheelkeep: nothing was deleted", file=sys.stderr)
        raise typer.Exit(1)


def _done(outcome: "Acted | Stopped") -> "Acted":
    """What was done; ends the command where nothing was, with the reasons."""
    from wheelkeep.index.releases import Stopped

    if isinstance(outcome, Stopped):
        for problem in outcome.problems:
            print(f"wheelkeep: {problem}", file=sys.stderr)
        raise typer.Exit(1)
    return outcome


def _report(word: str, outcome: "Acted | Stopped") -> None:
    done = _done(outcome)
    for filename in done.files:
        print(f"{word}: {filename}")
    for filename in done.same:
        print(f"{word} before: {filename}")


def _keeps_name(outcome: "Acted | Stopped", rule: Rule, source: SourceName) -> None:
    if _done(outcome).emptied:
        print(
            f"wheelkeep: {source} has no file of {rule.name} any more and keeps the name, so that no source below "
            f"is asked for it; `wheelkeep free {rule.name} --source {source}` gives it up",
            file=sys.stderr,
        )
