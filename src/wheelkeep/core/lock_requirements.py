"""``requirements.txt`` with hashes: what pip would take under ``--require-hashes``, with includes and constraints.

A constraint's hashes hold for the requirement that it constrains, as pip's do, and for itself: it names the files
that a dependency may come to.
"""

import os.path
import re
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import NamedTuple

from msgspec.structs import replace
from packaging.requirements import InvalidRequirement

from wheelkeep.core.errors import ConfigError, InvalidName, Mistake
from wheelkeep.core.lock import (
    MOST_BYTES,
    Draft,
    Lock,
    Locked,
    LockedFile,
    Origin,
    Read,
    bare,
    last_part,
    locked_file,
    normal_version,
    read_hash,
)
from wheelkeep.core.names import SDIST_SUFFIXES, ProjectName, owner_of, project
from wheelkeep.core.requirement import read_requirement
from wheelkeep.core.requirement_lines import BadLine, RequirementLine, decoded, lines, variable

_DEEPEST = 50
_MOST_INCLUDES = 1000
_PIN = re.compile(r"={2,3}\s*([^\s*]+)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_EGG = re.compile(r"[#&]egg=([^&\[]+)")
_IN_FRAGMENT = re.compile(r"[#&](sha256|sha384|sha512|sha224|sha1|md5)=([0-9A-Fa-f]+)")
_REPOSITORIES = ("git+", "hg+", "svn+", "bzr+")
_ARCHIVES = (".whl", *SDIST_SUFFIXES)
_PIP_HASHES = ("sha256", "sha384", "sha512")


class _Placed(NamedTuple):
    entry: Locked
    place: Callable[[str], Mistake]


class _Reading:
    """One requirements file with all that it includes."""

    def __init__(self, path: str, read: Read, opened: dict[str, bytes]) -> None:
        self.draft = Draft(path, "requirements.txt")
        self.required: list[_Placed] = []
        self.constraints: list[_Placed] = []
        self.files: dict[str, None] = {}
        self._read = read
        self._opened = opened
        self._done: set[tuple[str, bool]] = set()
        self._within: list[str] = []

    def file(self, path: str, *, constraint: bool, wanted_by: Callable[[str], Mistake]) -> None:
        key = os.path.normpath(path)
        if key in self._within:
            self.draft.mistakes.append(wanted_by(f"{path} includes itself"))
            return
        if (key, constraint) in self._done:
            return
        if len(self._within) >= _DEEPEST or len(self._done) >= _MOST_INCLUDES:
            says = f"more than {_DEEPEST} files deep, or {_MOST_INCLUDES} in all, is more than any lock needs"
            raise ConfigError([wanted_by(says)])
        self._done.add((key, constraint))
        self.files[path] = None
        try:
            text = decoded(self._content(path))
        except OSError as error:
            says = f"{path} cannot be read: {error.strerror or 'no reason given'}"
            self.draft.mistakes.append(wanted_by(says))
            return
        except ValueError as error:
            self.draft.mistakes.append(Mistake(path, None, "", str(error)))
            return
        self._within.append(key)
        try:
            for line in lines(text):
                self._line(line, path, constraint=constraint)
        except BadLine as error:
            self.draft.mistakes.append(Mistake(path, error.number, "", str(error)))
        self._within.pop()

    def _content(self, path: str) -> bytes:
        content = self._opened[path] if path in self._opened else self._read(path)
        if len(content) > MOST_BYTES:
            raise ValueError(f"is larger than the {MOST_BYTES} bytes that a lock may have")
        return content

    def _line(self, line: RequirementLine, path: str, *, constraint: bool) -> None:
        def place(says: str) -> Mistake:
            return Mistake(path, line.number, "", says)

        for option, role in (("--requirement", False), ("--constraint", True)):
            for name in line.values(option):
                if (target := self._target(name, path, place)) is not None:
                    self.file(target, constraint=role, wanted_by=place)
        editable = line.values("--editable")
        try:
            for each in editable:
                self._take(_Placed(_editable(_filled(each)), place), constraint=constraint)
            if line.words and not editable:
                entry = _entry(_filled(line.words), line.values("--hash"))
                self._take(_Placed(entry, place), constraint=constraint)
        except (ValueError, InvalidName) as error:
            self.draft.mistakes.append(place(str(error)))

    def _target(self, name: str, path: str, place: Callable[[str], Mistake]) -> str | None:
        if _SCHEME.match(name) and "://" in name:
            says = (
                f'"{bare(name)[:80]}" is an address: only files beside the lock are read, so fetch it there'
            )
        elif (unfilled := variable(name)) is not None:
            says = f"{unfilled} is filled in by pip from its environment: write the name"
        elif not name.isprintable():
            says = "is not a path: it holds a control character"
        else:
            return str(PurePath(path).parent / name)
        self.draft.mistakes.append(place(says))
        return None

    def _take(self, placed: _Placed, *, constraint: bool) -> None:
        (self.constraints if constraint else self.required).append(placed)

    def lock(self) -> Lock:
        """Requirements with what their constraints say, then the constraints of what is not required by name."""
        told: dict[ProjectName | None, list[Locked]] = {}
        for each in self.constraints:
            told.setdefault(each.entry.project, []).append(each.entry)
        for entry, place in self.required:
            self.draft.add(_constrained(entry, told.get(entry.project, ())), place)
        required = {placed.entry.project for placed in self.required}
        for entry, place in self.constraints:
            # A constraint without hashes only chooses among versions: it is no promise of files.
            if entry.project not in required and entry.files:
                self.draft.add(entry, place)
        return self.draft.done(self.files)


def read_requirements(path: str, content: bytes, read: Read) -> Lock:
    """Reads the file with all that it includes, by ``read``; raises ConfigError with every mistake."""
    reading = _Reading(path, read, {path: content})
    reading.file(path, constraint=False, wanted_by=lambda says: Mistake(path, None, "", says))
    return reading.lock()


def _constrained(entry: Locked, constraints: Iterable[Locked]) -> Locked:
    """The entry with its constraints' version, where it has none, and with files that both name."""
    for constraint in constraints:
        if entry.version is None:
            entry = replace(entry, version=constraint.version)
    meant = [each for each in constraints if each.files and each.version in (None, entry.version)]
    if not meant or entry.origin != "index":
        return entry
    files = [file for each in meant for file in each.files]
    if not entry.files:
        return replace(entry, files=tuple(files))
    known = {file.sha256 for file in files}
    return replace(entry, files=tuple(file for file in entry.files if file.sha256 in known))


def _filled(text: str) -> str:
    if (unfilled := variable(text)) is not None:
        raise ValueError(f"{unfilled} is filled in by pip from its environment: write what it stands for")
    return text


def _editable(text: str) -> Locked:
    is_repository = text.startswith(_REPOSITORIES)
    return Locked(project=_egg(text), origin="git" if is_repository else "editable", source=bare(text))


def _entry(text: str, hashes: tuple[str, ...]) -> Locked:
    """A requirement with its ``--hash`` options; raises ValueError or InvalidName."""
    told = [_pip_hash(each) for each in hashes]
    if text.endswith(_ARCHIVES) and " " not in text:  # by the grammar of names a file's name is one too
        return _direct(text, None, told)
    try:
        requirement = read_requirement(text)
    except InvalidRequirement:
        return _direct(text, None, told)
    marker = str(requirement.marker) if requirement.marker is not None else ""
    if requirement.url is not None:
        return replace(_direct(requirement.url, project(requirement.name), told), marker=marker)
    pins = [_PIN.fullmatch(str(each)) for each in requirement.specifier]
    pinned = pins[0][1] if len(pins) == 1 and pins[0] is not None else None
    return Locked(
        project=project(requirement.name),
        version=normal_version(pinned),
        files=tuple(locked_file([each]) for each in told),
        marker=marker,
        extras=tuple(sorted(requirement.extras)),
    )


def _pip_hash(text: str) -> tuple[str, str]:
    kind, digest = read_hash(text)
    if kind not in _PIP_HASHES:
        raise ValueError(f"{kind} is not a hash that pip takes: write sha256")
    return kind, digest


def _direct(text: str, name: ProjectName | None, told: list[tuple[str, str]]) -> Locked:
    """An address or a path, whose hash may stand in its fragment; raises ValueError for what is neither."""
    origin: Origin
    text = text.partition(" ;")[0].strip()
    if text.startswith(_REPOSITORIES):
        return Locked(project=name or _egg(text), origin="git", source=bare(text))
    if _SCHEME.match(text) and not text.startswith("file:"):
        origin = "url"
    elif text.startswith(("file:", ".", "/", "~")) or text.endswith(_ARCHIVES):
        origin = "path"
    else:
        raise ValueError(
            f'"{text[:80]}" is not a requirement: write a name and a version, such as "django==5.2"'
        )
    told = told or _IN_FRAGMENT.findall(text)
    filename = last_part(text.partition("#")[0])
    owner = name or _egg(text) or (owner_of(filename) if filename else None)
    url = text if origin == "url" else None
    files: tuple[LockedFile, ...] = tuple(locked_file([each], filename=filename, url=url) for each in told)
    return Locked(project=owner, files=files, origin=origin, source=bare(text.partition("#")[0]))


def _egg(text: str) -> ProjectName | None:
    found = _EGG.search(text)
    try:
        return project(found[1].strip()) if found is not None else None
    except InvalidName:
        return None
