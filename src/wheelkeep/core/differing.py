"""Two builds of one wheel, held against each other member by member."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

MOST = 20
"""Sentences about two wheels; how many more there would be is one more."""


class Member(Struct, frozen=True, kw_only=True):
    """A file in a wheel."""

    name: str
    size: int
    sha256: str


def differences(one: Sequence[Member], other: Sequence[Member], most: int = MOST) -> tuple[str, ...]:
    """What the second wheel has otherwise, one sentence a member, in the order of their names.

    Wheels whose bytes differ and whose members do not differ in how they are packed: that is one sentence.
    """
    found = list(_each({member.name: member for member in one}, {member.name: member for member in other}))
    if not found:
        order = [member.name for member in one] != [member.name for member in other]
        return ("the same members, in another order",) if order else ("the same members, packed otherwise",)
    more = len(found) - most
    return (*found[:most], f"and {more} more") if more > 0 else tuple(found)


def _each(one: dict[str, Member], other: dict[str, Member]) -> Iterator[str]:
    for name in sorted(one.keys() | other.keys()):
        shown = ascii(name[:200])[1:-1]
        if name not in other:
            yield f"{shown} is only in the first"
        elif name not in one:
            yield f"{shown} is only in the second"
        elif one[name] != other[name]:
            sizes = f"{one[name].size} and {other[name].size} bytes"
            yield f"{shown} differs: {sizes if one[name].size != other[name].size else 'as long'}"
