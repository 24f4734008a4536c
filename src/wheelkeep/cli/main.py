"""The command line: options that all commands share, and where each command lives. Results go to standard output."""

import atexit
import contextlib
import gc
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, TextIO, cast

import typer

from wheelkeep import __version__
from wheelkeep.cli.terminal import Plain
from wheelkeep.core.errors import ConfigError, WheelkeepError

COMMANDS = {
    "serve": "serve.serve",
    "init": "setup.init",
    "check": "setup.check",
    "client": "setup.client",
    "explain": "explain.explain",
    "allow": "allow.allow",
    "deny": "allow.deny",
    "lock": "lock.app",
    "snapshot": "snapshot.app",
    "mirror": "mirror.mirror",
    "build": "build.build",
    "export": "export.app",
    "clashes": "clashes.clashes",
    "yank": "release.yank",
    "unyank": "release.unyank",
    "delete": "release.delete",
    "project-status": "release.project_status",
    "free": "release.free",
    "promote": "release.promote",
    "import": "imports.import_",
    "audit": "audit.audit",
    "verify": "store.verify",
    "gc": "gc.gc",
    "status": "store.status",
    "backup": "backup.backup",
    "restore": "backup.restore",
    "advisories": "advisories.app",
    "policy": "policy.app",
    "token": "token.app",
    "wanted": "wanted.app",
    "owner": "owner.app",
    "log": "log.app",
}
"""Each command's module in this folder and its name there, in the order of the help, which puts groups last."""


def _version(value: bool) -> None:
    if value:
        print(f"wheelkeep {__version__}")
        raise typer.Exit


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


def build(words: Sequence[str]) -> typer.Typer:
    """The program for one command line, which imports no command that it does not need for it."""
    app = typer.Typer(
        name="wheelkeep",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        # Help is text: as markup, a word in brackets ("[allow]") would be read as a style and left out.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="A keep for Python packages, between your builds and everybody else's indexes.",
    )
    app.callback()(_options)
    for name in _needed(words):
        module, _, inside = COMMANDS[name].partition(".")
        found = getattr(import_module(f"wheelkeep.cli.{module}"), inside)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _needed(words: Sequence[str]) -> Collection[str]:
    """The one command that is named, if nothing but the configuration's path comes before it; where something else
    does, or none is named (help, a misspelling), all of them.
    """
    rest = iter(words)
    for word in rest:
        if word == "--version":
            return ()
        if word in ("-c", "--config"):
            next(rest, None)
        elif not word.startswith("--config="):
            return (word,) if word in COMMANDS else COMMANDS
    return COMMANDS


def main() -> None:
    """The ``wheelkeep`` process: one command, and then its end."""
    # What is imported stays, and the end gives all of it back at once. To look through it for garbage, again and again
    # and once more at the end, takes a quarter of a short command.
    gc.set_threshold(50_000, 20, 100)
    atexit.register(gc.freeze)
    command()


def command() -> None:
    """Does what the process's arguments say. Exit codes: 0 done; 1 the answer is no; 2 wrong usage or configuration."""
    app = build(sys.argv[1:])
    with contextlib.redirect_stdout(_plain(sys.stdout)), contextlib.redirect_stderr(_plain(sys.stderr)):
        _run(app)


def _plain(stream: TextIO) -> TextIO:
    # A stream in all that is asked of it here.
    return cast(TextIO, Plain(stream))


def _run(app: typer.Typer) -> None:
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
