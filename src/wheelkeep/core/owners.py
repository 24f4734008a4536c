"""Who owns a project of a hosted source: names of tokens, of people, of teams. Where nobody is named, a scope is
enough.
"""

from collections.abc import Collection

from wheelkeep.core.names import ProjectName
from wheelkeep.core.one_line import read_line

LONGEST = 100
MOST = 100
"""Owners that one project may have."""


def read_owner(text: str) -> str:
    """An owner's name: one line, as tokens have them. Raises ValueError with a sentence that says what to write."""
    return read_line(text, what="a name", most=LONGEST)


def stranger(project: ProjectName, owners: Collection[str], by: str) -> str | None:
    """Why a token of this name may not touch the project, as a sentence; None: it may."""
    if not owners or by in owners:
        return None
    return f"{project} is owned by {', '.join(owners)}: it takes a token of that name, or one with the scope admin"
