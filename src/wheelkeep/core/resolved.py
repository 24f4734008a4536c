"""What uv resolved: the text that ``uv pip compile`` prints with its notes on a line each, read into data."""

import re
from collections.abc import Iterable

from msgspec import Struct

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName

_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;#]+)(?:[ \t]*;(?P<marker>[^#]*))?")
_VIA = "# via "


class Resolved(Struct, frozen=True, kw_only=True):
    """One version of one project, in a resolution for all platforms."""

    project: ProjectName
    version: str
    marker: str = ""
    """The environments that it is for (PEP 508); empty: all."""
    via: tuple[ProjectName, ...] = ()
    """The projects that need it; none for what was asked for and is needed by nothing else."""


def read_resolved(text: str) -> tuple[Resolved, ...]:
    """Each line of ``--annotation-style line``; a version named twice is one. Raises ValueError for any other line."""
    found: dict[tuple[ProjectName, str], Resolved] = {}
    for line in text.splitlines():
        pinned, _, note = line.partition(_VIA)
        said = pinned.strip()
        if not said or said.startswith("#"):
            continue
        match = _LINE.fullmatch(said)
        if match is None:
            raise ValueError(f'uv resolved to "{said[:80]}", which is no version of a project')
        try:
            project = names.project(match["name"])
        except InvalidName as error:
            raise ValueError(str(error)) from None
        version = str(names.version(match["version"]))
        marker, via = (match["marker"] or "").strip(), tuple(_via(note))
        before = found.get((project, version))
        if before is not None:
            marker = f"({before.marker}) or ({marker})" if before.marker and marker else ""
            via = tuple(dict.fromkeys([*before.via, *via]))
        found[project, version] = Resolved(project=project, version=version, marker=marker, via=via)
    return tuple(found.values())


def _via(note: str) -> Iterable[ProjectName]:
    """The projects of a note; what it says of files of requirements is left out."""
    for one in note.split(","):
        word = one.strip().partition("[")[0]
        if word and not word.startswith(("-", "(")):
            try:
                yield names.project(word)
            except InvalidName:
                continue
