"""``wanted``: what was asked for and blocked, and a person's answers.

It works beside a server on the same data, which goes by an answer from its next page on.
"""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from wheelkeep import configuration
from wheelkeep.cli.output import print_json
from wheelkeep.cli.release import BY
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.answers import Answer, said
from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.names import IndexName
from wheelkeep.core.policy_file import GATES
from wheelkeep.core.read_policy import read_policy
from wheelkeep.core.settings import Settings
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.core.wanted import Asker
    from wheelkeep.index.desk import Desk, Waiting

app = typer.Typer(no_args_is_help=True, help="Answer what was asked for and blocked.")
T = TypeVar("T")
_SHOWN = 5
Index = Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")]
Requirements = Annotated[
    list[str], typer.Argument(metavar="REQUIREMENT…", help='A name, or a requirement such as "django==5.2".')
]
Reason = Annotated[str, typer.Option(help="One line, kept with the answer.")]
By = Annotated[str | None, typer.Option(metavar="WHO", help="Who answers; else your login name.")]


@app.command("list")
def list_(
    context: typer.Context,
    index: Index = None,
    gate: Annotated[str | None, typer.Option(help="Only what this gate blocked.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    json: Json = False,
) -> None:
    """List what was asked for, is blocked and has no answer: the most often asked for first, and by whom."""
    if gate is not None and gate not in GATES:
        raise typer.BadParameter(f"{gate!r} is not one of {', '.join(GATES)}")
    found = _at_desk(context, index, lambda desk, name: desk.open(name, gate=gate, limit=limit))
    if json:
        print_json(found)
    else:
        _print(found)


@app.command("approve")
def approve(
    context: typer.Context,
    requirement: Requirements,
    reason: Reason,
    index: Index = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(
            help="A gate to lift; may be given again. Else allow, or those that blocked it, but for deny."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Its last day; only allow may do without.")
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Let something in: a running server goes by it at once."""
    day, who = _day(until), _who(by)
    _report(
        _at_desk(
            context,
            index,
            lambda desk, name: desk.approve(
                name, requirement, reason=reason, by=who, gates=gate or (), until=day
            ),
        ),
        json=json,
    )


@app.command("refuse")
def refuse(
    context: typer.Context,
    requirement: Requirements,
    reason: Reason,
    index: Index = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Say no: it leaves the list, and whoever asks again is told why. An approval of the same ends."""
    who = _who(by)
    _report(
        _at_desk(context, index, lambda desk, name: desk.refuse(name, requirement, reason=reason, by=who)),
        json=json,
    )


@app.command("withdraw")
def withdraw(
    context: typer.Context,
    requirement: Requirements,
    reason: Reason,
    index: Index = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Take answers back, approvals and refusals alike. Exit 1 if there is none."""
    who = _who(by)
    gone = _at_desk(
        context, index, lambda desk, name: desk.withdraw(name, requirement, reason=reason, by=who)
    )
    _report(gone, json=json, word="withdrawn: ")
    if not gone:
        print("wheelkeep: there is no such answer; `wheelkeep wanted answers` lists all", file=sys.stderr)
        raise typer.Exit(1)


@app.command("answers")
def answers(context: typer.Context, index: Index = None, json: Json = False) -> None:
    """List the answers that were given and not taken back, those too whose last day is over."""
    _report(_at_desk(context, index, lambda desk, name: desk.answers(name)), json=json)


@app.command("patch")
def patch(context: typer.Context, index: Index = None) -> None:
    """Print the approvals as a patch to policy.toml, comments kept. What it holds already is left out."""
    from wheelkeep.core.policy_patch import patch as compare
    from wheelkeep.core.policy_patch import write_approvals

    settings = configuration.load(context.obj)
    path = settings.indexes[choose_index(settings, index)].policy
    if path is None:
        raise typer.BadParameter("this index has no policy that could be patched")
    given = _at_desk(context, index, lambda desk, name: desk.answers(name))
    sources = configuration.kinds(settings)
    try:
        before = path.read_bytes().decode()
        file = read_policy(before, file=str(path), sources=sources)
        written = write_approvals(before, file, given, today=datetime.now(UTC).date())
    except (OSError, ValueError) as error:
        raise ConfigError([Mistake(str(path), None, "", str(error))]) from None
    read_policy(written.text, file=str(path), sources=sources)
    for sentence in written.left_out:
        print(f"wheelkeep: left out: {sentence}", file=sys.stderr)
    sys.stdout.write(compare(before, written.text, name=path.name))


def _at_desk(
    context: typer.Context, index: str | None, act: "Callable[[Desk, IndexName], Awaitable[T]]"
) -> T:
    quiet()
    settings = configuration.load(context.obj)
    return asyncio.run(_acted(settings, choose_index(settings, index), act))


async def _acted(settings: Settings, index: IndexName, act: "Callable[[Desk, IndexName], Awaitable[T]]") -> T:
    from wheelkeep import compose

    keep = compose.build(settings)
    try:
        return await act(keep.desk, index)
    finally:
        await keep.close(seconds=1)


def _who(by: str | None) -> str:
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may know no name for its user
        return BY


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise typer.BadParameter(f"--until {text!r} is not a day such as 2026-12-31") from None


def _report(given: Sequence[Answer], *, json: bool, word: str = "") -> None:
    if json:
        print_json({"answers": [said(answer) for answer in given]})
        return
    for answer in given:
        what = f"approved, {answer.gate}" if answer.gate else "refused"
        end = f" until {answer.until}" if answer.until else ""
        day = f"{answer.given:%Y-%m-%d}"
        print(
            f"{word}{answer.requirement} in {answer.index}: {what}{end}, by {answer.by} on {day}: {answer.reason}"
        )


def _print(found: "Waiting") -> None:
    for one in found.wanted:
        version = f" {one.version}" if one.version else ""
        print(f"{one.count:6}  {one.project}{version}: {one.gate}: {one.sentence}")
        who = ", ".join(_asker(asker) for asker in one.who[:_SHOWN])
        rest = f" and {one.askers - _SHOWN} more" if one.askers > _SHOWN else ""
        print(f"        since {one.first:%Y-%m-%d}, last {one.last:%Y-%m-%dT%H:%M:%SZ}; by {who}{rest}")
    more = f", and {found.more} more" if found.more else ""
    print(f"{len(found.wanted)} wanted in {found.index}{more}")
    if found.beyond:
        print(f"{found.beyond} asks beyond that were only counted: they were for too many different names")


def _asker(asker: "Asker") -> str:
    name = {"token": f"token {asker.name}", "address": asker.name}.get(asker.kind, "others")
    return f"{name} ({asker.count}{f', {asker.agent}' if asker.agent else ''})"
