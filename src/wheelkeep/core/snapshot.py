"""Snapshots: what they are called, what they hold, and how two of them differ, as release notes tell it."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from wheelkeep.core.model import Page
from wheelkeep.core.names import ProjectName, SourceName, version
from wheelkeep.core.past import is_moment

Kind = Literal["index", "lock"]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_REF = re.compile(r"([^~]+)(?:~([1-9][0-9]{0,8}))?", re.ASCII)


class Pinned(Struct, frozen=True, omit_defaults=True):
    """One project in a snapshot: its page before policy, and whose the name was."""

    page: Page
    owners: tuple[SourceName, ...]
    withheld: tuple[str, ...] = ()
    """Files that were here and that the policy did not let in when the snapshot was made, by name."""


class Ref(Struct, frozen=True):
    """``NAME`` for its newest state, ``NAME~2`` for its second."""

    name: str
    number: int | None = None


class Changed(Struct, frozen=True, kw_only=True):
    """A project that both have, with other versions or other files."""

    project: str
    kind: Literal["upgraded", "downgraded", "changed", "files"]
    """By the newest version of each; ``changed``: these are the same; ``files``: all versions are."""
    before: str
    """The newest version."""
    after: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    files_added: int
    files_removed: int
    """Files by name and hash."""


class Listed(Struct, frozen=True, kw_only=True):
    """A project that one of the two has."""

    project: str
    versions: tuple[str, ...]
    """The oldest first."""


class Difference(Struct, frozen=True, kw_only=True):
    """What is otherwise in the later one."""

    added: tuple[Listed, ...]
    removed: tuple[Listed, ...]
    changed: tuple[Changed, ...]
    files_added: int
    files_removed: int
    """Files by name and hash; they may differ where no version does."""

    @property
    def nothing(self) -> bool:
        return not (self.added or self.removed or self.changed or self.files_added or self.files_removed)


class Summary(Struct, frozen=True):
    """As much of a project as a comparison needs."""

    versions: tuple[str, ...]
    """The oldest first; yanked ones only where all are."""
    files: frozenset[tuple[str, str | None]]


def read_snapshot_name(text: str) -> str:
    """A snapshot's name; raises ValueError with a sentence."""
    if is_moment(text):
        raise ValueError(f"{text[:70]!r} is no name for a snapshot: what begins like a date is one")
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text[:70]!r} is no name for a snapshot: it must match [a-z0-9][a-z0-9._-]{{0,63}}"
        )
    return text


def read_ref(text: str) -> Ref:
    """``NAME`` or ``NAME~NUMBER``; raises ValueError."""
    found = _REF.fullmatch(text)
    name = read_snapshot_name(found[1] if found is not None else text)
    return Ref(name, int(found[2]) if found is not None and found[2] else None)


def summary(page: Page) -> Summary:
    """What a comparison needs of a page."""
    good = {file.version for file in page.files if file.yanked is None}
    versions = good or {file.version for file in page.files}
    return Summary(
        tuple(sorted(versions, key=version)), frozenset((file.filename, file.sha256) for file in page.files)
    )


def compare(before: Mapping[ProjectName, Summary], after: Mapping[ProjectName, Summary]) -> Difference:
    """How the later one differs, by project name; what has no file is as good as not there."""
    one = {name: told for name, told in before.items() if told.files}
    other = {name: told for name, told in after.items() if told.files}
    files = [frozenset().union(*(told.files for told in each.values())) for each in (one, other)]
    return Difference(
        added=_listed(other, other.keys() - one.keys()),
        removed=_listed(one, one.keys() - other.keys()),
        changed=tuple(
            _changed(name, one[name], other[name])
            for name in sorted(one.keys() & other.keys())
            if one[name] != other[name]
        ),
        files_added=len(files[1] - files[0]),
        files_removed=len(files[0] - files[1]),
    )


def _listed(told: Mapping[ProjectName, Summary], names: Iterable[ProjectName]) -> tuple[Listed, ...]:
    return tuple(Listed(project=name, versions=told[name].versions) for name in sorted(names))


def _changed(name: ProjectName, before: Summary, after: Summary) -> Changed:
    was, now = version(before.versions[-1]), version(after.versions[-1])
    same: Literal["changed", "files"] = "files" if before.versions == after.versions else "changed"
    return Changed(
        project=name,
        kind="upgraded" if now > was else "downgraded" if now < was else same,
        before=before.versions[-1],
        after=after.versions[-1],
        added=tuple(one for one in after.versions if one not in before.versions),
        removed=tuple(one for one in before.versions if one not in after.versions),
        files_added=len(after.files - before.files),
        files_removed=len(before.files - after.files),
    )
