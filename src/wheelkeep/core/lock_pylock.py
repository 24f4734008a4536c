"""``pylock.toml`` (PEP 751), checked by the library that keeps the specification's own reading of it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageSdist,
    PackageWheel,
    Pylock,
    PylockValidationError,
)

from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.lock import Draft, Lock, Locked, LockedFile, Origin, bare, last_part, locked_file
from wheelkeep.core.names import project
from wheelkeep.core.toml_lines import KeyPath
from wheelkeep.core.toml_source import Document

_PART = re.compile(r"([A-Za-z0-9_-]+)((?:\[[0-9]+\])*)")


def read_pylock(text: str, path: str) -> Lock:
    """Reads the text; raises ConfigError."""
    document = Document(text, file=path)
    draft = Draft(path, "pylock.toml")
    try:
        lock = Pylock.from_dict(document.data)
    except PylockValidationError as error:
        says = f"is not what PEP 751 asks for: {error.message}"
        raise ConfigError([document.mistake(_key_path(error.context), says)]) from None
    for at, package in enumerate(lock.packages):

        def place(says: str, at: int = at) -> Mistake:
            return document.mistake(("packages", at), says)

        draft.add(_entry(package), place)
    return draft.done()


def _entry(package: Package) -> Locked:
    origin, source = _origin(package)
    told = [each for each in (package.sdist, *(package.wheels or ()), package.archive) if each is not None]
    return Locked(
        project=project(package.name),
        version=str(package.version) if package.version is not None else None,
        files=tuple(_file(each) for each in told),
        origin=origin,
        source=bare(source) if source else None,
        marker=str(package.marker) if package.marker is not None else "",
    )


def _origin(package: Package) -> tuple[Origin, str | None]:
    if package.vcs is not None:
        return "git", package.vcs.url or package.vcs.path
    if package.directory is not None:
        return "editable" if package.directory.editable else "path", package.directory.path
    if package.archive is not None:
        return "url" if package.archive.url else "path", package.archive.url or package.archive.path
    return "index", package.index


def _file(file: PackageArchive | PackageSdist | PackageWheel) -> LockedFile:
    name = last_part(file.path or file.url or "") if isinstance(file, PackageArchive) else file.filename
    hashes: Mapping[str, str] = file.hashes
    return locked_file(
        hashes.items(), filename=name, url=file.url, size=file.size, upload_time=_text(file.upload_time)
    )


def _text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:  # PEP 751 has UTC where none is told
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment.microsecond:06}" * bool(moment.microsecond)) + "Z"


def _key_path(context: str | None) -> KeyPath:
    """``packages[3].wheels[0].hashes`` as keys and numbers."""
    path: list[str | int] = []
    for name, numbers in _PART.findall(context or ""):
        path += [name, *(int(number) for number in re.findall(r"[0-9]+", numbers))]
    return tuple(path)
