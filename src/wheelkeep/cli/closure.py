"""``allow --closure``: what requirements come to, resolved by uv over the candidates of an index, and shown."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import typer
from packaging.requirements import Requirement

from wheelkeep import compose, configuration
from wheelkeep.cli.draft import Draft
from wheelkeep.cli.output import columns, size
from wheelkeep.cli.resolving import oldest_of, resolved_over, wanted_one
from wheelkeep.core import names
from wheelkeep.core.names import IndexName
from wheelkeep.core.settings import Settings
from wheelkeep.index.candidates import Candidates
from wheelkeep.index.closure import Closure, New, oldest_python, weigh
from wheelkeep.index.uv import Unresolvable, find_uv

_MOST_NAMED = 3
_HEADS = ("name", "version", "age", "size", "licence", "advisories", "provenance", "needed by")


def propose(
    settings: Settings,
    index: IndexName,
    draft: Draft,
    requirements: Sequence[str],
    *,
    python: str | None,
    loose: bool,
    words: bool,
) -> tuple[Closure, tuple[str, ...]]:
    """Resolves, shows where ``words`` are wanted, and adds to the draft; gives what was added.

    Raises BadParameter (exit 2) for what cannot be asked for, UvMissing, and Exit (1) where nothing can be proposed.
    """
    wanted = [wanted_one(one) for one in requirements]
    oldest = oldest_of(python) if python is not None else None
    uv = find_uv()
    try:
        found = asyncio.run(_resolved(settings, index, wanted, uv, oldest))
    except Unresolvable as error:
        print(f"wheelkeep: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    if words and found.new:
        _show(found)
    for unread in found.unread:
        print(
            f"wheelkeep: {unread.name} {unread.version}: what it needs is not certain: {unread.why}",
            file=sys.stderr,
        )
    for new in found.new:
        if new.refused:
            print(f"wheelkeep: {new.name} {new.version}: {new.refused}", file=sys.stderr)
    for one in found.blocked:
        says = f"{one.gate}: {one.sentence}" if one.gate else one.sentence
        print(f"wheelkeep: {one.name} {one.version} is needed, but blocked: {says}", file=sys.stderr)
    if found.blocked:
        print("wheelkeep: nothing was written", file=sys.stderr)
        raise typer.Exit(1)
    if words:
        print(f"{len(found.new)} new, {found.listed} allowed already, for Python {found.python} and newer")
    return found, draft.allow(*_rules(found, wanted, loose=loose))


async def _resolved(
    settings: Settings, index: IndexName, wanted: Sequence[Requirement], uv: str, oldest: str | None
) -> Closure:
    keep = compose.build(settings)
    await keep.start()
    try:
        candidates = Candidates(keep, keep.indexes[index])
        python = oldest or await oldest_python(candidates, wanted)
        shown = ", ".join(str(one) for one in wanted)
        print(f"wheelkeep: resolving {shown} for Python {python} and newer, all platforms", file=sys.stderr)
        resolved = await resolved_over(candidates, wanted, uv, python=python, name=index)
        remote = {name for name, is_remote in configuration.kinds(settings).items() if is_remote}
        return await weigh(candidates, resolved, remote=remote, python=python)
    finally:
        await keep.close(seconds=1)


def _rules(found: Closure, wanted: Sequence[Requirement], *, loose: bool) -> tuple[list[str], dict[str, str]]:
    """The requirements to write, and for each a comment that says why it is there."""
    asked = {names.project(one.name): f"{one.name}{one.specifier}" for one in wanted}
    rules: dict[str, str] = {}
    for one in found.new:
        loosely = asked.get(names.project(one.name), one.name)
        rule = loosely if loose else f"{one.name}=={one.version}"
        rules.setdefault(rule, f"needed by {_via(one)}" if one.via else "asked for")
    return list(rules), rules


def _via(one: New) -> str:
    more = len(one.via) - _MOST_NAMED
    return ", ".join(one.via[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _show(found: Closure) -> None:
    rows = [_HEADS, *(_row(one, datetime.now(UTC)) for one in found.new)]
    for line in columns(rows):
        print(line)


def _row(one: New, now: datetime) -> tuple[str, ...]:
    advisories = "?" if one.advisories is None else ", ".join(one.advisories) or "none"
    return (
        one.name,
        one.version,
        _age(now - one.uploaded) if one.uploaded is not None else "?",
        size(one.size) if one.size is not None else "?",
        one.licence or "?",
        advisories,
        "yes" if one.provenance else "no",
        _via(one) if one.via else "(asked for)",
    )


def _age(passed: timedelta) -> str:
    if passed < timedelta(days=2):
        return f"{max(0, passed // timedelta(hours=1))} h"
    return f"{passed.days} d" if passed.days < 1000 else f"{passed.days / 365.25:.1f} y"
