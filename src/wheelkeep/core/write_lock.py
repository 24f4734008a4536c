"""A lock as text: hashed requirements, or ``pylock.toml`` (PEP 751). Nothing of when or where it was made goes in, so
the same choices are always the same bytes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import tomli_w
from msgspec import Struct
from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName

CREATED_BY = "wheelkeep"
_WRAP = " \\\n    "


class Choice(Struct, frozen=True, kw_only=True):
    """One version of one project that a lock names, with its files."""

    project: ProjectName
    version: str
    marker: str = ""
    """The environments that it is for (PEP 508); empty: all."""
    via: tuple[ProjectName, ...] = ()
    """The projects that need it."""
    files: tuple[File, ...] = ()
    """Each with a sha256, by name."""
    notes: tuple[str, ...] = ()
    """Lines that a comment says of it."""


def write_requirements(choices: Sequence[Choice], *, head: Sequence[str] = ()) -> str:
    """Hashed requirements as pip reads them; ``head``: lines of a comment on top."""
    parts = [f"# {line}\n" for line in head]
    for one in _in_order(choices):
        marker = f" ; {one.marker}" if _is_marker(one.marker) else ""
        hashes = sorted({file.sha256 or "" for file in one.files})
        lines = [f"{one.project}=={one.version}{marker}", *(f"--hash=sha256:{sha256}" for sha256 in hashes)]
        via = f"    # via {', '.join(one.via)}\n" if one.via else ""
        notes = "".join(f"    # {note}\n" for note in one.notes)
        parts.append(_WRAP.join(lines) + f"\n{via}{notes}")
    return "".join(parts)


def write_pylock(
    choices: Sequence[Choice], *, python: str, simple: str, address: Callable[[File], str]
) -> str:
    """``pylock.toml`` for Pythons from ``python`` (``3.10``) on.

    ``simple``: the index's address; ``address`` gives the one of a file.
    """
    lock = Pylock(
        lock_version=Version("1.0"),
        requires_python=SpecifierSet(f">={python}"),
        created_by=CREATED_BY,
        packages=[_package(one, simple, address) for one in _in_order(choices)],
    )
    return tomli_w.dumps(_plain(lock.to_dict()), multiline_strings=False)


def _in_order(choices: Sequence[Choice]) -> list[Choice]:
    return sorted(choices, key=lambda one: (one.project, Version(one.version), one.marker))


def _package(one: Choice, simple: str, address: Callable[[File], str]) -> Package:
    told = {file.requires_python for file in one.files}
    python = told.pop() if len(told) == 1 else None
    sdists = [file for file in one.files if file.kind == "sdist"]
    # One sdist is all that PEP 751 has room for; of two the one that every installer can read.
    sdist = min(sdists, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename), default=None)
    return Package(
        name=canonicalize_name(one.project),
        version=Version(one.version),
        marker=Marker(one.marker) if one.marker else None,
        requires_python=_specifier(python),
        index=simple,
        sdist=PackageSdist(**_told(sdist, address)) if sdist is not None else None,
        wheels=[PackageWheel(**_told(file, address)) for file in one.files if file.kind == "wheel"] or None,
    )


def _is_marker(text: str) -> bool:
    """A lock's markers are its writer's words; what is no marker would be lines of its own among the requirements."""
    try:
        Marker(text)
    except (InvalidMarker, RecursionError):
        return False
    return text.isprintable() and "\\" not in text


def _specifier(text: str | None) -> SpecifierSet | None:
    """None also for what pages of old tell and PEP 440 does not have, such as ``>=3.6.*``."""
    try:
        return SpecifierSet(text) if text else None
    except InvalidSpecifier:
        return None


def _told(file: File, address: Callable[[File], str]) -> dict[str, Any]:
    return {
        "name": file.filename,
        "upload_time": datetime.fromisoformat(file.upload_time) if file.upload_time is not None else None,
        "url": address(file),
        "size": file.size,
        "hashes": {"sha256": file.sha256},
    }


def _plain(value: Any) -> Any:
    """Versions, markers and specifiers as text; what is None is left out, for TOML has no word for it."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | datetime) else str(value)
