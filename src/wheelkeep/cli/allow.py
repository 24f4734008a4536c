"""``allow`` and ``deny``: requirements put into ``policy.toml``; what that lets in or breaks is shown first."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from wheelkeep import configuration
from wheelkeep.cli.draft import Draft, agree, tell
from wheelkeep.cli.output import had_by, print_json
from wheelkeep.cli.setup import Json, choose_index
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import IndexName
from wheelkeep.core.rules import RuleSet, read_rule
from wheelkeep.core.settings import Settings
from wheelkeep.index.policies import read_whole
from wheelkeep.logs import quiet

if TYPE_CHECKING:
    from wheelkeep.index.breaking import Broken, Locks
    from wheelkeep.index.closure import Closure

_LONGEST_REASON = 500
Index = Annotated[str | None, typer.Option(help="Which index; else main, or the only one.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


class Allowed(Struct, frozen=True, kw_only=True):
    """What ``allow --json`` prints."""

    index: str
    policy: str
    written: bool
    added: tuple[str, ...]
    """Requirements that the policy did not have; where nothing was written, that it would have got."""
    closure: "Closure | None" = None


class Denied(Struct, frozen=True, kw_only=True):
    """What ``deny --json`` prints."""

    index: str
    policy: str
    written: bool
    added: tuple[str, ...]
    breaks: "tuple[Broken, ...]"


def allow(
    context: typer.Context,
    requirements: Annotated[
        list[str],
        typer.Argument(metavar="REQUIREMENT…", help='Names, or requirements such as "django>=5,<6".'),
    ],
    closure: Annotated[
        bool, typer.Option("--closure", help="And all that they need, for all platforms: shows it and asks.")
    ] = False,
    python: Annotated[
        str | None, typer.Option(metavar="3.11,3.13", help="With --closure: the Pythons in use.")
    ] = None,
    loose: Annotated[
        bool, typer.Option("--loose", help="With --closure: names instead of the versions resolved.")
    ] = False,
    index: Index = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Add requirements to what a policy allows. Exit 1 if what they need cannot be resolved, or nobody agreed."""
    quiet()
    if not closure and (python is not None or loose):
        raise typer.BadParameter("--python and --loose belong to --closure")
    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    draft = Draft(settings, chosen)
    done = Allowed(index=chosen, policy=str(draft.path), written=False, added=())
    if closure:
        from wheelkeep.cli.closure import propose

        found, added = propose(
            settings, chosen, draft, requirements, python=python, loose=loose, words=not json
        )
        done = replace(done, added=added, closure=found)
        if added and not yes:
            agree(f"Allow {len(added)} more in {draft.path}?", lambda: print_json(done) if json else None)
    else:
        done = replace(done, added=draft.allow(requirements))
    done = replace(done, written=draft.write())
    if json:
        print_json(done)
    else:
        tell(draft, done.added, "[allow]", shown=closure)


def deny(
    context: typer.Context,
    requirements: Annotated[
        list[str], typer.Argument(metavar="REQUIREMENT…", help='Names, or requirements such as "ctx<2".')
    ],
    reason: Annotated[
        str | None, typer.Option(help="Shown to whoever asks; all denials of a policy share one.")
    ] = None,
    lock: Annotated[
        list[Path] | None, typer.Option(help="A lock file that may name it; may be given again.")
    ] = None,
    index: Index = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Add requirements to what a policy denies; says what would break, and asks if something would."""
    quiet()
    settings = configuration.load(context.obj)
    chosen = choose_index(settings, index)
    draft = Draft(settings, chosen)
    locks = [(str(path), read_lock(str(path), read_whole)) for path in lock or ()]
    added = draft.deny(requirements, _line(reason) if reason is not None else None)
    broken = asyncio.run(_broken(settings, chosen, added, locks)) if added else ()
    done = Denied(index=chosen, policy=str(draft.path), written=False, added=added, breaks=broken)
    if not json:
        for one in broken:
            print(_breaks(one))
    if broken and not yes:
        question = f"{len(broken)} versions in use would be denied. Go on?"
        agree(question, lambda: print_json(done) if json else None)
    written = draft.write()
    if json:
        print_json(replace(done, written=written))
    else:
        tell(draft, added, "[deny]")


async def _broken(
    settings: Settings, index: IndexName, requirements: tuple[str, ...], locks: "Locks"
) -> "tuple[Broken, ...]":
    from wheelkeep import compose
    from wheelkeep.index.breaking import breaking

    keep = compose.build(settings)
    await keep.start()
    try:
        rules = RuleSet(read_rule(one, globs=True) for one in requirements)
        return await breaking(keep, keep.indexes[index], rules, locks)
    finally:
        await keep.close(seconds=1)


def _line(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > _LONGEST_REASON:
        raise typer.BadParameter(f"--reason must be one line of at most {_LONGEST_REASON} characters")
    return text.strip()


def _breaks(one: "Broken") -> str:
    kept = [f"{len(one.kept)} kept file{'s' * (len(one.kept) != 1)}"] if one.kept else []
    what = ", ".join([*kept, *(f"in {lock}" for lock in one.locks)]) or "served before"
    return f"breaks  {one.name} {one.version}: {what}{had_by(one.whom)}"
