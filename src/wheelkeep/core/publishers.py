"""Trusted publishers: which identity, proven by a token of its issuer, may publish what. Nothing is verified here.

A claim is met by its very text: letter case counts, and a star is a star. Where a pattern is wanted it is written as
one, and then ``*`` stops at a slash: a reference ``refs/tags/v*`` has no room for ``refs/tags/v1/other``.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from msgspec import Struct

from wheelkeep.core.access import Scope
from wheelkeep.core.names import SourceName

MINTED = "trusted:"
"""How the names of tokens that trusted publishing made begin; no other token's does."""


_LONGEST = 1000
"""Characters of a claim's value that a pattern is held against; longer ones match none."""
_PIECES = re.compile(r"\*+|\?|.", re.DOTALL)


class Pattern(Struct, frozen=True):
    """``*`` is any run of characters without a slash, ``**`` any run, ``?`` one character but a slash."""

    glob: str

    def holds(self, told: object) -> bool:
        if not isinstance(told, str) or len(told) > _LONGEST:
            return False
        return _matches(_PIECES.findall(self.glob), told)

    @property
    def names_an_owner(self) -> bool:
        """Whether all before the first slash, and the slash, is fixed: ``acme/*``, but not ``acme*`` or ``*/lib``."""
        owner, slash, _ = self.glob.partition("/")
        return bool(owner and slash) and not set(owner) & set("*?")

    def __str__(self) -> str:
        return self.glob


Wanted: TypeAlias = str | int | Pattern


class Claim(Struct, frozen=True):
    """One claim of a token (RFC 7519 4.3) and the values of which it must have one."""

    name: str
    any_of: tuple[Wanted, ...]

    def holds(self, told: object) -> bool:
        """Whether a value is one of those wanted; a list or an object never is, and neither is a number's text."""
        return any(
            wanted.holds(told)
            if isinstance(wanted, Pattern)
            else type(told) is type(wanted) and told == wanted
            for wanted in self.any_of
        )

    def __str__(self) -> str:
        return str(self.any_of[0])


class Publisher(Struct, frozen=True, kw_only=True):
    """One ``[[sources.NAME.publishers]]`` table."""

    source: SourceName
    name: str
    """What its tokens are called, behind MINTED."""
    issuer: str
    """As the ``iss`` claim must have it, letter by letter."""
    claims: tuple[Claim, ...]
    projects: tuple[str, ...]
    """Globs on normalised names."""
    until: date | None = None
    """The last day (UTC) on which it holds."""

    def differs(self, told: Mapping[str, object]) -> tuple[str, ...]:
        """The names of the claims that a token of the issuer does not meet; empty: it is this publisher's."""
        return tuple(claim.name for claim in self.claims if not claim.holds(told.get(claim.name)))

    def is_over(self, today: date) -> bool:
        return self.until is not None and today > self.until

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return tuple(Scope("publish", self.source, glob) for glob in self.projects)


def _matches(pieces: list[str], text: str) -> bool:
    """All ways through the pattern at once, so that no text makes it slow: at most text times pattern steps."""
    at = _reach(pieces, {0})
    for letter in text:
        further = set()
        for place in at - {len(pieces)}:
            piece = pieces[place]
            if piece.startswith("**") or (piece == "*" and letter != "/"):
                further.add(place)
            elif piece == letter or (piece == "?" and letter != "/"):
                further.add(place + 1)
        at = _reach(pieces, further)
    return len(pieces) in at


def _reach(pieces: list[str], places: set[int]) -> set[int]:
    """The places, and those behind stars that stand for nothing."""
    found = set(places)
    for place in places:
        while place < len(pieces) and pieces[place].startswith("*"):
            place += 1  # noqa: PLW2901
            found.add(place)
    return found
