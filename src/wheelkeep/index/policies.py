"""The policy in force: read at start, read again when a file of it changes, kept when the new text is broken.

Beside what the file says stand people's answers to what was wanted, which somebody else keeps and tells.
"""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import TypeAlias

from wheelkeep.core.answers import NO_ANSWERS, Answers
from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.lock import MOST_BYTES
from wheelkeep.core.lock_set import LockSet
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy import Policy, build
from wheelkeep.core.policy_file import PolicyFile
from wheelkeep.core.read_policy import read_policy
from wheelkeep.core.toml_source import Document
from wheelkeep.logs import get_logger

log = get_logger(__name__)
_LOOK = 1.0
"""Seconds between two looks at the files; a change takes effect within five."""
_ALWAYS = "cannot be switched off: bytes once listed never change; take the key out"

Mark: TypeAlias = tuple[int, int, int]
"""Of a file at one look: when it was written, its size, which file it is."""


class PolicyHolder:
    """One index's policy, from its file and the locks that it names."""

    def __init__(self, path: Path | None, sources: Mapping[SourceName, bool]) -> None:
        """``sources``: every source of the configuration, and whether it is remote. Raises ConfigError."""
        self.path = path
        self._sources = sources
        self._marks: dict[Path, Mark] = {}
        """Every file that the last reading looked into, as it was just before."""
        self.trouble: str | None = None
        """What is wrong with the newest text, while an older one is in force."""
        self._hash = hashlib.sha256()
        self.digest: str | None = None
        """Of the text in force and its locks, one after the other, a sha256 in hex; None: there is no file."""
        self.warnings: tuple[Mistake, ...] = ()
        """What is allowed but unwise in the policy in force."""
        self._answers = NO_ANSWERS
        self._changing = threading.Lock()
        """The file is read in a thread, and answers come meanwhile."""
        self._own = self._read()
        self.current = self._own
        self._coming = self._marks

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the last reading looked into: the policy, and the locks that it names."""
        return tuple(self._marks)

    def answer(self, answers: Answers) -> bool:
        """Puts answers in force in the place of those before; True when another policy is in force now."""
        with self._changing:
            if answers == self._answers:
                return False
            self._answers = answers
            self.current = self._own.answered(answers)
            return True

    def answered(self, policy: Policy) -> Policy:
        """Another file's policy with the answers that stand beside this one."""
        return policy.answered(self._answers)

    def without_allow(self) -> "PolicyHolder":
        """One with the policy that is in force now less its allow list; it does not follow the file."""
        other = copy(self)
        other.current = self.current.without_allow()
        return other

    def _read(self) -> Policy:
        remote = frozenset(name for name, is_remote in self._sources.items() if is_remote)
        if self.path is None:
            return build(None, remote=remote)
        self._marks = {self.path: _mark(self.path)}
        try:
            text = self.path.read_text(encoding="utf-8")
        except OSError as error:
            says = f"the policy cannot be read: {error.strerror or 'no reason given'}"
            raise ConfigError([Mistake(str(self.path), None, "", says)]) from None
        except UnicodeDecodeError:
            raise ConfigError([Mistake(str(self.path), None, "", "is not text in UTF-8")]) from None
        self._hash = hashlib.sha256(text.encode())
        file = read_policy(text, file=str(self.path), sources=self._sources)
        locks, warnings = self._read_locks(file, self.path.parent, text)
        if not file.hashes.first_seen:
            document = Document(text, file=str(self.path))
            warnings = (document.mistake(("hashes", "first_seen"), _ALWAYS), *warnings)
        self.warnings, self.digest = warnings, self._hash.hexdigest()
        return build(file, remote=remote, locks=locks)

    def _read_locks(self, file: PolicyFile, folder: Path, text: str) -> tuple[LockSet, tuple[Mistake, ...]]:
        """The locks that the policy names, relative to it; raises ConfigError with the mistakes of all."""
        locks, mistakes = [], []
        for at, written in enumerate(file.allow.locks if file.allow is not None else ()):
            try:
                lock = read_lock(str(folder / written), self._open)
            except ConfigError as error:
                # What is wrong with a lock as a whole is a mistake of the line that names it.
                document = Document(text, file=str(self.path))
                mistakes += [
                    mistake
                    if mistake.line is not None
                    else document.mistake(("allow", "locks", at), f"{mistake.file}: {mistake.says}")
                    for mistake in error.mistakes
                ]
            else:
                # Where a lock lies on this machine is nothing that a page should tell.
                locks.append((Path(written).name if Path(written).is_absolute() else written, lock))
        if mistakes:
            raise ConfigError(mistakes)
        return LockSet(locks), tuple(warning for _, lock in locks for warning in lock.warnings)

    def _open(self, name: str) -> bytes:
        self._marks[Path(name)] = _mark(Path(name))
        content = read_whole(name)
        self._hash.update(content)
        return content

    def refresh(self) -> bool:
        """Reads the files again if one changed and none changes still; True when another policy is in force now."""
        marks = {path: _mark(path) for path in self._marks}
        if marks == self._marks:
            return False
        if marks != self._coming:
            # Somebody may still be writing it, and half a policy reads as a laxer one: the next look decides.
            self._coming = marks
            return False
        try:
            own = self._read()
        except ConfigError as error:
            self.trouble = str(error)
            log.error(
                "policy_broken",
                policy=str(self.path),
                keeping="the policy that was in force",
                why=str(error),
            )
            return False
        with self._changing:
            self._own, self.current = own, own.answered(self._answers)
        self.trouble = None
        log.info("policy_changed", policy=str(self.path))
        return True

    async def watch(self, changed: Callable[[], None]) -> None:
        """Looks for ever; ``changed`` is called after each change that took effect."""
        if self.path is None:
            return
        while True:
            await asyncio.sleep(_LOOK)
            # In a thread: a lock may be large, and nobody should wait for it to be read.
            if await asyncio.to_thread(self.refresh):
                changed()


def read_whole(name: str) -> bytes:
    """A lock's bytes, or one more than a lock may have; raises OSError."""
    path = Path(name)
    if path.exists() and not path.is_file():
        raise OSError(0, "it is not a file")
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _mark(path: Path) -> Mark:
    try:
        state = path.stat()
    except OSError:
        return (0, 0, 0)
    return (state.st_mtime_ns, state.st_size, state.st_ino)
