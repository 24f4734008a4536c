"""How much one build may ask of its index: what it fetches stays in the keep, and each name that it asks for goes to
the index's sources, so a build could fill the disk from inside its sandbox, or tell somebody what it read there.
"""

from typing import TypeVar

from msgspec import Struct

from wheelkeep.core.names import ProjectName
from wheelkeep.core.units import size_words

T = TypeVar("T")
_UNTOLD = 100 * 1024**2
"""Bytes that a file counts for whose page tells no size."""


class Bounds(Struct, frozen=True, kw_only=True):
    """Requests in all (of each file that is given again there is a line in the book of fetches); different projects,
    files and pieces of metadata; bytes of files as their pages tell them.
    """

    requests: int = 10_000
    projects: int = 300
    files: int = 300
    metadata: int = 1000
    size: int = 4 * 1024**3


class Spent(Struct, kw_only=True):
    """What one build has asked for. Once it is too much, no more of that kind is to be given; what it had before is."""

    bounds: Bounds = Bounds()
    requests: int = 0
    projects: set[ProjectName] = set()
    files: set[tuple[ProjectName, str]] = set()
    metadata: set[tuple[ProjectName, str]] = set()
    size: int = 0
    too_much: str = ""
    """What was too much, as a sentence, as soon as something was."""

    def request(self) -> bool:
        """Whether anything may be asked for once more."""
        self.requests += 1
        if self.requests > self.bounds.requests:
            self.too_much = f"it asked the index more than {self.bounds.requests} times"
        return self.requests <= self.bounds.requests

    def project(self, name: ProjectName) -> bool:
        """Whether a project may be asked for."""
        return self._more(self.projects, name, self.bounds.projects, "projects")

    def described(self, project: ProjectName, filename: str) -> bool:
        """Whether a file's metadata may be asked for."""
        return self._more(self.metadata, (project, filename), self.bounds.metadata, "pieces of metadata")

    def file(self, project: ProjectName, filename: str, size: int | None) -> bool:
        """Whether a file may be asked for; ``size`` as its page tells it."""
        new = (project, filename) not in self.files
        counted = _UNTOLD if size is None else size
        if new and self.size + counted > self.bounds.size:
            self.too_much = f"it asked the index for more than {size_words(self.bounds.size)} of files"
            return False
        if not self._more(self.files, (project, filename), self.bounds.files, "files"):
            return False
        self.size += counted if new else 0
        return True

    def _more(self, known: set[T], one: T, most: int, what: str) -> bool:
        if one not in known:
            if len(known) >= most:
                self.too_much = f"it asked the index for more than {most} {what}"
                return False
            known.add(one)
        return True
