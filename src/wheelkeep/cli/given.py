"""What ``mirror`` and ``export`` are given: requirements, requirements files and locks, become files of an index."""

import re
from collections.abc import Sequence
from pathlib import Path

import typer
from msgspec import Struct
from packaging.requirements import Requirement

from wheelkeep.cli.resolving import oldest_of, resolved_over, wanted_one
from wheelkeep.core.lock import Lock
from wheelkeep.core.lockfiles import named_format, read_lock, told_format
from wheelkeep.core.requirement_files import read_wanted
from wheelkeep.core.resolved import Resolved
from wheelkeep.core.targets import Targets, read_targets
from wheelkeep.index.candidates import Candidates
from wheelkeep.index.closure import oldest_python
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.needed import Needed, of_locks, of_resolved
from wheelkeep.index.policies import read_whole
from wheelkeep.index.uv import find_uv

_HASHED = re.compile(rb"^[^#\n]*--hash[ =]", re.MULTILINE)


class Given(Struct, frozen=True, kw_only=True):
    """What a command line asks for."""

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    locks: tuple[Lock, ...]


def read_given(requirements: Sequence[str], files: Sequence[Path]) -> Given:
    """Reads it; a file of requirements with hashes is a lock. Raises BadParameter and ConfigError (exit 2)."""
    locks, plain = [], []
    for path in files:
        if _is_lock(path):
            locks.append(read_lock(str(path), read_whole))
        else:
            plain.append(str(path))
    wanted = read_wanted(plain, read_whole)
    said = [str(wanted_one(one)) for one in requirements]
    return Given(
        requirements=(*said, *wanted.requirements), constraints=wanted.constraints, locks=tuple(locks)
    )


def read_machines(python: str | None, platform: str | None) -> Targets:
    """``--python 3.11,3.13`` and ``--platform manylinux_2_28_x86_64,…``. Raises BadParameter."""

    def parted(text: str | None) -> list[str]:
        return [one.strip() for one in (text or "").split(",") if one.strip()]

    try:
        return read_targets(parted(python), parted(platform))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


async def needed(keep: Keep, index: Index, given: Given, targets: Targets, *, python: str | None) -> Needed:
    """Every file that is asked for. Raises Unresolvable, UvMissing, Unanswered."""
    named = await of_locks(index, given.locks, targets)
    if not given.requirements:
        return named
    resolved = await _resolved(keep, index, given, python)
    return named.with_(await of_resolved(index, resolved, targets))


async def _resolved(keep: Keep, index: Index, given: Given, python: str | None) -> tuple[Resolved, ...]:
    uv = find_uv()
    candidates = Candidates(keep, index, listed=True)
    requirements = [Requirement(one) for one in given.requirements]
    oldest = oldest_of(python) if python is not None else await oldest_python(candidates, requirements)
    return await resolved_over(
        candidates, requirements, uv, python=oldest, name=index.name, constraints=given.constraints
    )


def _is_lock(path: Path) -> bool:
    """Whether a file names files, and not only what is wanted."""
    try:
        content = read_whole(str(path))
    except OSError:
        return False  # whoever reads it next says what is wrong
    form = named_format(str(path)) or told_format(content.decode("utf-8", "replace"))
    return form != "requirements.txt" or _HASHED.search(content) is not None
