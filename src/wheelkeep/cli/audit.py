"""``audit``: who fetched or published what, when, from where, with which verdict; and who has it."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec import Struct

from wheelkeep import configuration
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.settings import Settings
from wheelkeep.core.units import read_moment
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.audit import HeldFile, Holder, Line
    from wheelkeep.store.fetches import Fetches, Which
    from wheelkeep.store.ledger import Ledger

_WHEN = "A day, a moment, or how long ago, such as 7d."


class _Asked(Struct, frozen=True):
    """What the options say."""

    which: "Which"
    kind: str | None
    most: int | None
    json: bool


def audit(
    context: typer.Context,
    who: Annotated[
        bool, typer.Option("--who", help="Who has it: everybody who was given each file.")
    ] = False,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this token did.")] = None,
    package: Annotated[
        str | None, typer.Option(metavar="REQUIREMENT", help="Only these versions of a project.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help=_WHEN)] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help=_WHEN)] = None,
    index: Annotated[str | None, typer.Option(help="Only in this index.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only fetched, blocked, published, yanked, …")] = None,
    address: Annotated[
        str | None, typer.Option("--from", metavar="ADDRESS", help="Only from this address.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many, the newest.")] = None,
    json: Json = False,
) -> None:
    """Say who fetched or published what, when, from where, with which verdict. Exit 1 if nothing is found."""
    quiet()
    settings = configuration.load(context.obj)
    if who and kind not in (None, "fetched"):
        raise typer.BadParameter("--who tells of what was fetched: leave out --kind")
    now = datetime.now(UTC)

    from wheelkeep.store.fetches import Which

    which = Which(
        rule=_rule(package),
        who=by,
        address=address,
        index=choose_index(settings, index) if index is not None else None,
        since=_moment("--since", since, now),
        until=_moment("--until", until, now, end=True),
    )
    asked = _Asked(which, kind, limit, json)
    found = asyncio.run(_run(settings, asked, who=who))
    raise typer.Exit(0 if found else 1)


async def _run(settings: Settings, asked: _Asked, *, who: bool) -> int:
    """Prints what is meant; gives how much that was."""
    from wheelkeep.store.database import Database
    from wheelkeep.store.fetches import Fetches
    from wheelkeep.store.ledger import Ledger
    from wheelkeep.store.prepare import prepare

    database = Database(prepare(settings.data))
    fetches = Fetches(settings.data)
    try:
        return await (_held(fetches, asked) if who else _lines(fetches, Ledger(database), asked))
    finally:
        await fetches.close()
        await database.close()


async def _lines(fetches: "Fetches", ledger: "Ledger", asked: _Asked) -> int:
    from wheelkeep.index.audit import lines

    count = 0
    async with aclosing(lines(fetches, ledger, asked.which, kind=asked.kind)) as found:
        async for line in found:
            print(msgspec.json.encode(line).decode() if asked.json else _told(line))
            count += 1
            if count == asked.most:
                break
    return count


async def _held(fetches: "Fetches", asked: _Asked) -> int:
    from wheelkeep.index.audit import held

    files = await held(fetches, asked.which)
    for file in files[: asked.most]:
        if asked.json:
            print(msgspec.json.encode(file).decode())
            continue
        _print_held(file)
    return len(files)


def _print_held(file: "HeldFile") -> None:
    print(f"{file.filename}  from {file.source}, sha256 {file.sha256 or 'not told'}")
    for holder in file.holders:
        print(f"    {_had(holder)}")


def _had(holder: "Holder") -> str:
    times = "once" if holder.count == 1 else f"{holder.count} times"
    when = _shown(holder.first) if holder.count == 1 else f"{_shown(holder.first)} to {_shown(holder.last)}"
    return f"{holder.words}: {times}, {when}{_with(', '.join(holder.tools))}"


def _told(line: "Line") -> str:
    """A line for people, the same parts in the same order."""
    what = line.filename or line.project or ""
    where = "/".join(filter(None, (line.index, line.source)))
    by = f"by {line.who}" if line.who else ""
    address = f"from {line.from_}" if line.from_ else ""
    parts = [_shown(line.at), line.kind, what, f"({where})" if where else "", by, address]
    told = " ".join(filter(None, parts)) + _with(line.tool or "") + (", a part" if line.partial else "")
    told += f", {line.count} times" if line.count > 1 else ""
    reason = line.reason or ", ".join(f"{key} {value}" for key, value in line.detail.items() if value)
    verdict = ": ".join(filter(None, (line.verdict, reason)))
    return f"{told}: {verdict}" if verdict else told


def _with(tools: str) -> str:
    return f" with {tools}" if tools else ""


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _rule(text: str | None) -> Rule | None:
    try:
        return read_rule(text) if text is not None else None
    except ValueError as error:
        raise typer.BadParameter(f"--package {error}") from None


def _moment(option: str, text: str | None, now: datetime, *, end: bool = False) -> datetime | None:
    try:
        return read_moment(text, now, end=end) if text is not None else None
    except ValueError as error:
        raise typer.BadParameter(f"{option} {error}") from None
