"""``yank``, ``unyank``, ``delete``, ``project-status``, ``free``, ``promote``: the life of a hosted release.

They work on the data folder itself, whether or not a server runs on it; one that does shows the change at once.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.setup import Json
from wheelkeep.core.model import Status, StatusWord
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.one_line import read_reason
from wheelkeep.core.rules import Rule, read_name, read_rule
from wheelkeep.core.settings import HostedSource, Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.releases import Acted, Steward, Stopped

BY = "command line"
"""Who the ledger names: whoever may write to the data folder."""
_NONE: dict[str, Any] = {"problems": []}
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
    json: Json = False,
) -> None:
    """Yank files: installers pass them over unless that very version is asked for. Exit 1 if none is meant."""
    settings, rule = configuration.load(context.obj), _rule(requirement)
    where, why = choose_hosted(settings, source, "--source"), _line(reason)
    outcome = act(settings, lambda steward: steward.yank(rule, where, why, by=BY))
    _report("yanked", outcome, _about(rule.name, where), json=json)


def unyank(
    context: typer.Context, requirement: Requirement, source: Source = None, json: Json = False
) -> None:
    """Take a yank back. Exit 1 if no file is meant."""
    settings, rule = configuration.load(context.obj), _rule(requirement)
    where = choose_hosted(settings, source, "--source")
    outcome = act(settings, lambda steward: steward.unyank(rule, where, by=BY))
    _report("not yanked", outcome, _about(rule.name, where), json=json)


def delete(
    context: typer.Context,
    requirement: Requirement,
    reason: Annotated[str, typer.Option(help="Kept in the ledger.")],
    source: Source = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete files for good: their names are never given again. Exit 1 if none is meant."""
    settings, rule = configuration.load(context.obj), _rule(requirement)
    where, why = choose_hosted(settings, source, "--source"), _line(reason)

    async def agreed_upon(steward: "Steward") -> "Acted | Stopped":
        agreed: list[str] | None = None
        if not yes and (files := await steward.matching(rule, where)):
            agreed = [file.filename for file in files]
            _ask(where, agreed)
        return await steward.delete(rule, where, why, by=BY, only=agreed)

    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("say --yes: there is no terminal to ask on, and what is deleted is gone")
    outcome = act(settings, agreed_upon)
    _report("deleted", outcome, _about(rule.name, where), json=json)


def project_status(
    context: typer.Context,
    name: Project,
    status: Annotated[str, typer.Argument(metavar="|".join(_WORDS))],
    source: Source = None,
    reason: Annotated[str | None, typer.Option(help="Shown on the project's page.")] = None,
    json: Json = False,
) -> None:
    """Say how a project stands; an archived or quarantined one takes no uploads. Exit 1 if it is not there."""
    word = next((word for word in _WORDS if word == status), None)
    if word is None:
        raise typer.BadParameter(f'there is no status "{status}": {suggestion(status, _WORDS)}')
    settings, project = configuration.load(context.obj), project_name(name)
    where = choose_hosted(settings, source, "--source")
    stands = Status(word, _line(reason) if reason is not None else None)
    about = _about(project, where) | {"status": word, "reason": stands.reason}
    done(act(settings, lambda steward: steward.set_status(project, where, stands, by=BY)), about, json=json)
    print_json(about | _NONE) if json else print(f"{project} in {where}: {word}")


def free(context: typer.Context, name: Project, source: Source = None, json: Json = False) -> None:
    """Give up a name that has no file left: sources below may be asked for it. Exit 1 if it has one."""
    settings, project = configuration.load(context.obj), project_name(name)
    where = choose_hosted(settings, source, "--source")
    about = _about(project, where)
    done(act(settings, lambda steward: steward.free(project, where, by=BY)), about, json=json)
    print_json(about | _NONE) if json else print(f"{project} is no longer a name of {where}")


def promote(
    context: typer.Context,
    requirement: Requirement,
    from_: Annotated[str, typer.Option("--from", metavar="SOURCE", help="The hosted source that has it.")],
    to: Annotated[str, typer.Option("--to", metavar="SOURCE", help="The hosted source that gets it.")],
    json: Json = False,
) -> None:
    """Move a release to another hosted source, the very same files, if every policy there admits them."""
    settings, rule = configuration.load(context.obj), _rule(requirement)
    here, there = choose_hosted(settings, from_, "--from"), choose_hosted(settings, to, "--to")
    if here == there:
        raise typer.BadParameter(f"--from and --to are both {here}")
    outcome = act(settings, lambda steward: steward.promote(rule, here, there, by=BY))
    _report("promoted", outcome, _about(rule.name, here) | {"to": there}, json=json)


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


def project_name(text: str) -> ProjectName:
    try:
        return read_name(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _line(reason: str) -> str:
    try:
        return read_reason(reason)
    except ValueError as error:
        raise typer.BadParameter(f"--reason: {error}") from None


def act(settings: Settings, act: "Callable[[Steward], Awaitable[T]]") -> T:
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


def done(outcome: "T | Stopped", about: dict[str, Any], *, json: bool) -> T:
    """What was done; ends the command where nothing was, with the reasons."""
    from wheelkeep.index.releases import Stopped

    if isinstance(outcome, Stopped):
        if json:
            print_json(about | {"problems": outcome.problems})
        for problem in outcome.problems:
            print(f"wheelkeep: {problem}", file=sys.stderr)
        raise typer.Exit(1)
    return outcome


def _about(project: str, source: SourceName) -> dict[str, Any]:
    """What every act's JSON begins with."""
    return {"project": project, "source": source}


def _report(word: str, outcome: "Acted | Stopped", about: dict[str, Any], *, json: bool) -> None:
    acted = done(outcome, about | {"files": [], "same": [], "emptied": False}, json=json)
    if json:
        told = {"files": acted.files, "same": acted.same, "emptied": acted.emptied}
        print_json(about | told | _NONE)
    else:
        for filename in acted.files:
            print(f"{word}: {filename}")
        for filename in acted.same:
            print(f"{word} before: {filename}")
    if acted.emptied:
        source, name = about["source"], about["project"]
        print(
            f"wheelkeep: {source} has no file of {name} any more and keeps the name, so that no source below "
            f"is asked for it; `wheelkeep free {name} --source {source}` gives it up",
            file=sys.stderr,
        )
