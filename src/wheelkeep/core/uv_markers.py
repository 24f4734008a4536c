"""For which environments a ``uv.lock`` needs each of its packages.

The lock has markers on what needs what, and none on the packages. So they are followed from the locked projects on:
a package is needed where one that needs it is, and the marker between them holds. Extras are followed by themselves.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

Alternatives: TypeAlias = frozenset[frozenset[str]]
"""Any of these sets of markers, each of which must hold in all; the empty set holds always."""
ALWAYS: Alternatives = frozenset({frozenset()})
NEVER: Alternatives = frozenset()
_MOST = 24
"""Alternatives, beyond which a package counts as always needed: to have too much is no harm."""


class Need(Struct, frozen=True):
    """One line of a package's dependencies."""

    name: str
    version: str | None
    marker: str
    extras: tuple[str, ...]


class Package(Struct, frozen=True):
    """A package with what it needs: by itself under the empty name, for an extra under ``opt:NAME``, for a group
    under another."""

    name: str
    version: str | None
    needs: Mapping[str, Sequence[Need]]
    root: bool
    """It is a locked project, and so are all its extras and groups."""


def markers(packages: Sequence[Package]) -> list[str]:
    """The marker of each, empty where it is always needed or where nothing is said to need it."""
    places: dict[str, list[int]] = {}
    for at, package in enumerate(packages):
        places.setdefault(package.name, []).append(at)
    found: dict[tuple[int, str], Alternatives] = {}
    waiting: deque[tuple[int, str]] = deque()

    def reach(node: tuple[int, str], where: Alternatives) -> None:
        before = found.get(node, NEVER)
        after = _least(before | where)
        if after != before:
            found[node] = after
            waiting.append(node)

    for at, package in enumerate(packages):
        if package.root:
            for extra in package.needs:
                reach((at, extra), ALWAYS)
    while waiting:
        at, extra = node = waiting.popleft()
        for need in packages[at].needs.get(extra, ()):
            where = _and(found[node], need.marker)
            for target in places.get(need.name, ()):
                if need.version in (None, packages[target].version):
                    for wanted in ("", *(f"opt:{one}" for one in need.extras)):
                        reach((target, wanted), where)
    return [_text(found.get((at, ""), ALWAYS)) for at in range(len(packages))]


def _and(where: Alternatives, marker: str) -> Alternatives:
    return frozenset(one | {marker} for one in where) if marker else where


def _least(alternatives: Alternatives) -> Alternatives:
    """Without those that another one contains already."""
    if len(alternatives) > _MOST:
        return ALWAYS
    return frozenset(one for one in alternatives if not any(other < one for other in alternatives))


def _text(alternatives: Alternatives) -> str:
    if alternatives == ALWAYS or not alternatives:
        return ""
    parts = sorted(" and ".join(f"({marker})" for marker in sorted(one)) for one in alternatives)
    return " or ".join(f"({part})" if len(parts) > 1 else part for part in parts)


def read_needs(listed: object) -> tuple[Need, ...]:
    """A list of dependencies as TOML tells it; what is none is passed over."""
    if not isinstance(listed, list):
        return ()
    return tuple(_need(one) for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str))


def _need(told: Mapping[str, Any]) -> Need:
    version, marker = told.get("version"), told.get("marker")
    return Need(
        name=told["name"],
        version=version if isinstance(version, str) else None,
        marker=marker if isinstance(marker, str) else "",
        extras=tuple(_words(told.get("extra"))),
    )


def _words(listed: object) -> Iterable[str]:
    return (one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
