"""``owner``: who owns a project of a hosted source, on the data folder itself, whether or not a server runs on it."""

import sys
from collections.abc import Callable, Collection
from typing import Annotated

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.release import BY, Project, Source, act, choose_hosted, done, project_name
from wheelkeep.cli.setup import Json
from wheelkeep.core.owners import read_owner

app = typer.Typer(no_args_is_help=True, help="Say who owns a project of a hosted source.")
_Names = Annotated[list[str], typer.Argument(metavar="OWNER…", help="Names of tokens, of people, of teams.")]


@app.command("list")
def list_(context: typer.Context, name: Project, source: Source = None, json: Json = False) -> None:
    """Name the owners of a project. Without any, whoever has the scope may publish it."""
    settings, project = configuration.load(context.obj), project_name(name)
    where = choose_hosted(settings, source, "--source")
    owners = act(settings, lambda steward: steward.owners(where, project))
    if json:
        print_json({"project": project, "source": where, "owners": owners, "problems": []})
        return
    for owner in owners:
        print(owner)
    if not owners:
        print(f"wheelkeep: {project} has no owners in {where}", file=sys.stderr)


@app.command("add")
def add(
    context: typer.Context, name: Project, owners: _Names, source: Source = None, json: Json = False
) -> None:
    """Add owners to a project, also before its first file: from then on others need the scope admin."""
    named = _read(owners)
    _change(context, name, source, lambda before: {*before, *named}, json=json)


@app.command("remove")
def remove(
    context: typer.Context, name: Project, owners: _Names, source: Source = None, json: Json = False
) -> None:
    """Remove owners of a project. When the last one goes, whoever has the scope may publish it."""
    named = _read(owners)
    _change(context, name, source, lambda before: set(before) - set(named), json=json)


def _change(
    context: typer.Context,
    name: str,
    source: str | None,
    become: Callable[[tuple[str, ...]], Collection[str]],
    *,
    json: bool,
) -> None:
    settings, project = configuration.load(context.obj), project_name(name)
    where = choose_hosted(settings, source, "--source")
    about = {"project": project, "source": where}
    outcome = act(settings, lambda steward: steward.change_owners(project, where, become, by=BY))
    owners = done(outcome, about | {"owners": []}, json=json)
    if json:
        print_json(about | {"owners": owners, "problems": []})
    else:
        print(
            f"{project} in {where}: {', '.join(owners) or 'no owners, whoever has the scope may publish it'}"
        )


def _read(owners: list[str]) -> list[str]:
    try:
        return [read_owner(owner) for owner in owners]
    except ValueError as error:
        raise typer.BadParameter(f"OWNER: {error}") from None
