"""``init``, ``check`` and ``client``: from nothing to a configuration that works."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from msgspec import Struct

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.core.clients import CLIENTS, client_config
from wheelkeep.core.errors import ConfigError, Mistake, WheelkeepError
from wheelkeep.core.names import IndexName
from wheelkeep.core.settings import Settings
from wheelkeep.core.starter import starter_config, starter_policy

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]


class Checked(Struct, frozen=True, kw_only=True):
    """What ``check --json`` prints."""

    ok: bool
    config: str
    mistakes: list[Mistake] = []
    warnings: list[str] = []


def init(
    directory: Annotated[Path, typer.Argument(help="Where to write them.", metavar="DIR")] = Path(),
) -> None:
    """Write a commented wheelkeep.toml and policy.toml."""
    texts = {"wheelkeep.toml": starter_config(), "policy.toml": starter_policy()}
    there = [name for name in texts if (directory / name).exists()]
    if there:
        raise WheelkeepError(f"{directory / there[0]} is there already: nothing was written")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (directory / name).open("x", encoding="utf-8") as file:
                file.write(text)
            print(directory / name)
    except OSError as error:
        raise WheelkeepError(f"{directory} cannot be written to: {error}") from None
    print(f"next: wheelkeep -c {directory / 'wheelkeep.toml'} serve", file=sys.stderr)


def check(context: typer.Context, json: Json = False) -> None:
    """Validate configuration and policy; every mistake with its file, line and key. Exit 2 on a mistake."""
    try:
        settings = configuration.load(context.obj)
        configuration.require_data(settings)
        holders = configuration.policies(settings)
        unwise = [
            *settings.warnings,
            *configuration.absent_folders(settings),
            *configuration.policy_warnings(holders),
        ]
        unwise += configuration.unadvised(settings, holders) + configuration.undelivered(settings)
    except ConfigError as error:
        if json:
            print_json(Checked(ok=False, config=configuration.shown(context.obj), mistakes=error.mistakes))
        else:
            for mistake in error.mistakes:
                print(mistake)
        raise typer.Exit(2) from None
    name = configuration.shown(context.obj)
    if json:
        print_json(Checked(ok=True, config=name, warnings=unwise))
        return
    for warning in unwise:
        print(f"warning: {warning}")
    print(f"{name}: good, with {_counted(settings)}")


def _counted(settings: Settings) -> str:
    sources, indexes = len(settings.sources), len(settings.indexes)
    return f"{sources} source{'s' * (sources != 1)} and {indexes} index{'es' * (indexes != 1)}"


def client(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="|".join(CLIENTS), help="Which client.")],
    index: Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")] = None,
    json: Json = False,
) -> None:
    """Print the configuration that a client needs."""
    if name not in CLIENTS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(CLIENTS)}")
    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    base = base_url(settings)
    simple, upload = f"{base}/{chosen}/simple/", f"{base}/{chosen}/legacy/"
    closed = settings.indexes[chosen].read == "token"
    text = client_config(name, simple=simple, upload=upload, closed=closed)
    if json:
        print_json({"client": name, "index": chosen, "simple": simple, "upload": upload, "config": text})
    else:
        print(text, end="")


def base_url(settings: Settings) -> str:
    """What a person types before ``/{index}/``."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url or f"http://{host}:{settings.port}"


def choose_index(settings: Settings, name: str | None) -> IndexName:
    """The index that a command means; raises BadParameter (exit 2) for one that is not there."""
    if name is None:
        if settings.main is None:
            raise typer.BadParameter(f"say --index: {', '.join(settings.indexes)}")
        return settings.main.name
    if name not in settings.indexes:
        raise typer.BadParameter(f"there is no index {name!r}; there are {', '.join(settings.indexes)}")
    return IndexName(name)


def read_or_refuse(read: Callable[[str], T], text: str) -> T:
    """What the text says; raises BadParameter (exit 2) with the sentence of the reader's ValueError."""
    try:
        return read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
