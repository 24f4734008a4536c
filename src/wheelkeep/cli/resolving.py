"""A resolution by uv over the candidates of an index: what ``allow --closure``, ``lock`` and ``mirror`` begin with."""

import re
from collections.abc import Sequence

import typer
from packaging.requirements import Requirement

from wheelkeep.core.requirement_files import read_requirement
from wheelkeep.core.resolved import Resolved
from wheelkeep.index.candidates import Candidates
from wheelkeep.index.uv import Unresolvable, resolve
from wheelkeep.web.candidates import CandidateServer

_PYTHON = re.compile(r"3\.(\d{1,2})(?:\.\d+)?")
_MOST_ROUNDS = 20
"""Resolutions, each without the versions that a gate was found to block once they had been chosen."""


def wanted_one(text: str) -> Requirement:
    """A requirement from the command line. Raises BadParameter (exit 2)."""
    try:
        return read_requirement(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def oldest_of(text: str) -> str:
    """The oldest of some versions of Python; newer ones are resolved for in any case. Raises BadParameter."""
    found = [_PYTHON.fullmatch(one.strip()) for one in text.split(",")]
    minors = [int(one[1]) for one in found if one is not None]
    if len(minors) != len(found):
        raise typer.BadParameter(f'--python "{text[:80]}": write versions such as 3.11 or 3.11,3.13')
    return f"3.{min(minors)}"


async def resolved_over(
    candidates: Candidates,
    wanted: Sequence[Requirement],
    uv: str,
    *,
    python: str,
    name: str,
    constraints: Sequence[str] = (),
) -> tuple[Resolved, ...]:
    """What the requirements come to, with no version that a gate blocks once it is looked at; ``name``: the index's.

    Raises Unresolvable with uv's words and the sources that were away.
    """
    resolved: tuple[Resolved, ...] = ()
    with CandidateServer(candidates) as server:
        try:
            for _ in range(_MOST_ROUNDS):
                resolved = await resolve(
                    uv, [str(one) for one in wanted], server.url, python=python, constraints=constraints
                )
                if not await candidates.settle(resolved):
                    break
        except Unresolvable as error:
            notes = "".join(f"\n{project}: {why}" for project, why in sorted(candidates.away.items()))
            said = str(error).replace(server.url.rstrip("/"), f"the index {name}")
            raise Unresolvable(f"{said}{notes}") from None
    return resolved
