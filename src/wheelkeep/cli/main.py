"""The command line: options that all commands share, and where each command lives. Results go to standard output."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from wheelkeep import __version__
from wheelkeep.cli import (
    advisories,
    allow,
    audit,
    clashes,
    explain,
    imports,
    owner,
    policy,
    release,
    serve,
    setup,
    store,
    token,
    wanted,
)
from wheelkeep.core.errors import ConfigError, WheelkeepError

app = typer.Typer(
    name="wheelkeep",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A keep for Python packages, between your builds and everybody else's indexes.",
)


def _version(value: bool) -> None:
    if value:
        print(f"wheelkeep {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "-c", "--config", help="The configuration; else $WHEELKEEP_CONFIG, else ./wheelkeep.toml."
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    context.obj = config


app.command("serve")(serve.serve)
app.command("init")(setup.init)
app.command("check")(setup.check)
app.command("client")(setup.client)
app.command("explain")(explain.explain)
app.command("allow")(allow.allow)
app.command("deny")(allow.deny)
app.command("clashes")(clashes.clashes)
app.command("yank")(release.yank)
app.command("unyank")(release.unyank)
app.command("delete")(release.delete)
app.command("project-status")(release.project_status)
app.command("free")(release.free)
app.command("promote")(release.promote)
app.command("import")(imports.import_)
app.command("audit")(audit.audit)
app.command("verify")(store.verify)
app.command("status")(store.status)
app.add_typer(advisories.app, name="advisories")
app.add_typer(policy.app, name="policy")
app.add_typer(token.app, name="token")
app.add_typer(wanted.app, name="wanted")
app.add_typer(owner.app, name="owner")


def main() -> None:
    """The ``wheelkeep`` command. Exit codes: 0 done; 1 the answer is no; 2 wrong usage or configuration."""
    try:
        app()
    except ConfigError as error:
        for mistake in error.mistakes:
            print(f"wheelkeep: {mistake}", file=sys.stderr)
        sys.exit(2)
    except WheelkeepError as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
