"""Several locks together, found by project and hash: what ``[allow] locks`` admits."""

from collections.abc import Iterable, Mapping

from wheelkeep.core.lock import Lock
from wheelkeep.core.names import ProjectName

_MOST_SHOWN = 3


class LockSet:
    """Which lock has which file. The same bytes under another project's name are not meant."""

    __slots__ = ("_files", "_unusable", "_versions", "names")

    def __init__(self, locks: Iterable[tuple[str, Lock]] = ()) -> None:
        """Locks with the names by which people know them, the first ones to be named first."""
        told = tuple(locks)
        self.names: tuple[str, ...] = tuple(name for name, _ in told)
        self._files: dict[ProjectName, dict[str, int]] = {}
        self._versions: dict[ProjectName, dict[int, dict[str, None]]] = {}
        self._unusable: dict[ProjectName, str] = {}
        for at, (name, lock) in enumerate(told):
            for entry in lock.entries:
                if entry.project is None:
                    continue
                hashes = [file.sha256 for file in entry.files if file.sha256 is not None]
                if not hashes:
                    why = entry.unservable or f"{name} has it without a sha256"
                    self._unusable.setdefault(entry.project, why)
                    continue
                files = self._files.setdefault(entry.project, {})
                for sha256 in hashes:
                    files.setdefault(sha256, at)
                versions = self._versions.setdefault(entry.project, {}).setdefault(at, {})
                if entry.version is not None:
                    versions[entry.version] = None

    def __len__(self) -> int:
        """How many files there are, each counted once a project."""
        return sum(len(files) for files in self._files.values())

    @property
    def projects(self) -> set[ProjectName]:
        """Those of which a lock has a file that can be told by its sha256."""
        return set(self._files)

    def knows(self, project: ProjectName) -> bool:
        """Whether a lock has a file of the project that can be told by its sha256."""
        return project in self._files

    def find(self, project: ProjectName, sha256: str | None) -> int | None:
        """The place in ``names`` of the first lock that has this file of the project."""
        return self._files.get(project, _NONE).get(sha256 or "")

    def unusable(self, project: ProjectName) -> str:
        """Why a lock that has the project admits nothing of it; empty where none has it."""
        return self._unusable.get(project, "")

    def described(self, project: ProjectName) -> str:
        """Which locks have the project, and what: ``1.0 in uv.lock``."""
        told = []
        for at, versions in list(self._versions.get(project, {}).items())[:_MOST_SHOWN]:
            listed = list(versions)[:_MOST_SHOWN]
            told.append(f"{', '.join(listed) or 'some files'} in {self.names[at]}")
        return ", ".join(told)


_NONE: Mapping[str, int] = {}
NO_LOCKS = LockSet()
