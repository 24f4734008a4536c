"""What a requirements file asks for, before anything is resolved: requirements and constraints, with its includes.

Files that name hashes are locks, which ``lock_requirements`` reads.
"""

import os.path
from collections.abc import Callable, Sequence
from pathlib import PurePath

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement

from wheelkeep.core import names
from wheelkeep.core.errors import ConfigError, InvalidName, Mistake
from wheelkeep.core.lock import Read
from wheelkeep.core.requirement import read_requirement as read_any
from wheelkeep.core.requirement_lines import BadLine, RequirementLine, decoded, lines, variable

_MOST_BYTES = 10_000_000
_MOST_FILES = 1_000
_REFUSED = {
    "--editable": "is a folder, which no index has",
    "--hash": "has hashes, so it is locked already",
    "--find-links": "names another place to look than the index",
    "--extra-index-url": "names another index",
}


class Wanted(Struct, frozen=True, kw_only=True):
    """What a resolver is to start from."""

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    """Every file that it came from."""


def read_requirement(text: str) -> Requirement:
    """A requirement that an index can answer for; raises ValueError with a sentence."""
    try:
        requirement = read_any(text)
        names.project(requirement.name)
    except (InvalidRequirement, InvalidName) as error:
        raise ValueError(f'"{text[:80]}" is not a requirement: {str(error).splitlines()[0]}') from None
    if requirement.url is not None:
        raise ValueError(
            f'"{text[:80]}" has a URL, and an index serves its own files alone: write "{requirement.name}"'
        )
    return requirement


def read_wanted(paths: Sequence[str], read: Read, *, constraints: Sequence[str] = ()) -> Wanted:
    """Reads the files with all that they include; raises ConfigError with every mistake."""
    reading = _Reading(read)
    for path in paths:
        reading.file(path, constraint=False, place=lambda says: Mistake("-r", None, "", says))
    for path in constraints:
        reading.file(path, constraint=True, place=lambda says: Mistake("-c", None, "", says))
    if reading.mistakes:
        raise ConfigError(reading.mistakes)
    return Wanted(
        requirements=tuple(dict.fromkeys(reading.found[False])),
        constraints=tuple(dict.fromkeys(reading.found[True])),
        read=tuple(dict.fromkeys(path for path, _ in reading.done)),
    )


class _Reading:
    def __init__(self, read: Read) -> None:
        self._read = read
        self.found: dict[bool, list[str]] = {False: [], True: []}
        self.done: dict[tuple[str, bool], None] = {}
        self.mistakes: list[Mistake] = []

    def file(self, path: str, *, constraint: bool, place: Callable[[str], Mistake]) -> None:
        """Reads a file once; one that includes itself is read already when it comes to that."""
        path = os.path.normpath(path)
        if (path, constraint) in self.done:
            return
        self.done[path, constraint] = None
        if len(self.done) > _MOST_FILES:
            raise ConfigError([place(f"more than {_MOST_FILES} files are included")])
        try:
            content = self._read(path)
            if len(content) > _MOST_BYTES:
                raise ValueError(f"is larger than {_MOST_BYTES} bytes")
            for line in lines(decoded(content)):
                self._line(line, path, constraint=constraint)
        except OSError as error:
            says = f"{path} cannot be read: {error.strerror or 'no reason given'}"
            self.mistakes.append(place(says))
        except BadLine as error:
            self.mistakes.append(Mistake(path, error.number, "", str(error)))
        except ValueError as error:
            self.mistakes.append(Mistake(path, None, "", str(error)))

    def _line(self, line: RequirementLine, path: str, *, constraint: bool) -> None:
        def place(says: str) -> Mistake:
            return Mistake(path, line.number, "", says)

        for option, role in (("--requirement", constraint), ("--constraint", True)):
            for name in line.values(option):
                self.file(str(PurePath(path).parent / name), constraint=role, place=place)
        refused = [f"{option} {says}" for option, says in _REFUSED.items() if line.values(option)]
        self.mistakes.extend(place(says) for says in refused)
        if not line.words:
            return
        if (unfilled := variable(line.words)) is not None:
            self.mistakes.append(
                place(f"{unfilled} is filled in by pip from its environment: write the name")
            )
            return
        try:
            self.found[constraint].append(str(read_requirement(line.words)))
        except ValueError as error:
            self.mistakes.append(place(str(error)))
