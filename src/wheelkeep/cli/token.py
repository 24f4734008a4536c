"""``token``: makes, lists and ends API tokens, on the data folder itself, whether or not a server runs on it."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.setup import Json
from wheelkeep.core import token_text, units
from wheelkeep.core.access import Scope, read_token_name
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.known_scopes import read_known_scope
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet
from wheelkeep.store.prepare import prepare

if TYPE_CHECKING:
    from wheelkeep.store.tokens import Token, Tokens

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API tokens.")
T = TypeVar("T")
BY = "command line"
"""Who the ledger names: whoever may write to the data folder."""


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What it is called, in lists and by `revoke`.")],
    scope: Annotated[
        list[str],
        typer.Option(help="read:INDEX, publish:SOURCE[:PROJECT-GLOB], approve or admin; may be given again."),
    ],
    expires: Annotated[str | None, typer.Option(metavar="TIME", help='Such as "90d"; else never.')] = None,
    json: Json = False,
) -> None:
    """Make a token and print it, this once."""
    settings = configuration.load(context.obj)
    try:
        read_token_name(name)
    except ValueError as error:
        raise WheelkeepError(f"--name {name[:100]!r}: {error}") from None
    scopes = tuple(dict.fromkeys(_scope(text, settings) for text in scope))
    now = datetime.now(UTC)
    until = now + _duration(expires) if expires is not None else None
    text = token_text.write(os.urandom(token_text.RANDOM_BYTES))
    made = _with_tokens(
        settings, lambda tokens: tokens.add(text, name=name, scopes=scopes, created=now, expires=until, by=BY)
    )
    if json:
        print_json(_told(made) | {"token": text})
    else:
        print(text)
    may = ", ".join(str(each) for each in scopes)
    how_long = f"expires {_moment(until)}" if until is not None else "does not expire"
    print(f'wheelkeep: token "{name}" ({may}) {how_long}; it is not shown again', file=sys.stderr)


@app.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List all tokens, revoked ones too; their texts are not kept."""
    found = _with_tokens(configuration.load(context.obj), lambda tokens: tokens.all())
    if json:
        print_json([_told(token) for token in found])
        return
    now = datetime.now(UTC)
    for token in found:
        may = ", ".join(str(scope) for scope in token.scopes) or "nothing that this version knows"
        print(f"{token.name}: {may}; {'; '.join(_history(token, now))}")


@app.command("revoke")
def revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
) -> None:
    """End a token for good, at once. Exit 1 if no token of that name is left to be revoked."""

    async def end(tokens: "Tokens") -> "list[Token] | None":
        return None if await tokens.revoke(name, datetime.now(UTC), by=BY) else await tokens.all()

    known = _with_tokens(configuration.load(context.obj), end)
    if known is None:
        print(f'wheelkeep: token "{name}" is revoked', file=sys.stderr)
        return
    names = [token.name for token in known if token.revoked is None]
    if any(token.name == name for token in known):
        says = f'the token "{name}" is revoked already'
    else:
        says = f'there is no token called "{name}": {suggestion(name, names)}'
    print(f"wheelkeep: {says}", file=sys.stderr)
    raise typer.Exit(1)


def _with_tokens(settings: Settings, use: Callable[["Tokens"], Awaitable[T]]) -> T:
    from wheelkeep.store.database import Database
    from wheelkeep.store.tokens import Tokens

    quiet()

    async def opened() -> T:
        database = Database(prepare(settings.data))
        try:
            return await use(Tokens(database))
        finally:
            await database.close()

    return asyncio.run(opened())


def _scope(text: str, settings: Settings) -> Scope:
    try:
        return read_known_scope(text, settings)
    except ValueError as error:
        raise WheelkeepError(f"--scope {error}") from None


def _duration(text: str) -> timedelta:
    try:
        return units.read_duration(text)
    except ValueError as error:
        raise WheelkeepError(f"--expires {error}") from None


def _told(token: "Token") -> dict[str, Any]:
    """A token in ``list --json``: stable keys, moments in UTC (RFC 3339)."""
    return {
        "id": token.id,
        "name": token.name,
        "scopes": [str(scope) for scope in token.scopes],
        "created": _moment(token.created),
        "expires": _moment(token.expires),
        "last_used": _moment(token.last_used),
        "revoked": _moment(token.revoked),
        "minted": token.minted,
    }


def _history(token: "Token", now: datetime) -> list[str]:
    lines = [f"created {_moment(token.created)}"]
    if token.expires is not None:
        lines.append(f"{'expired' if token.expires <= now else 'expires'} {_moment(token.expires)}")
    lines.append(f"last used {_moment(token.last_used)}" if token.last_used else "never used")
    if token.revoked is not None:
        lines.append(f"revoked {_moment(token.revoked)}")
    return lines


def _moment(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment is not None else None
