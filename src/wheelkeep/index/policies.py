"""The policy in force: read at start, read again when its file changes, kept when the new text is broken."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.names import SourceName
from wheelkeep.core.policy import Policy, build
from wheelkeep.core.read_policy import read_policy

log = structlog.get_logger(__name__)
_LOOK = 1.0
"""Seconds between two looks at the file; a change takes effect within five."""


class PolicyHolder:
    """One index's policy."""

    def __init__(self, path: Path | None, sources: Mapping[SourceName, bool]) -> None:
        """``sources``: every source of the configuration, and whether it is remote. Raises ConfigError."""
        self._path = path
        self._sources = sources
        self._mark = self._look()
        self._coming = self._mark
        self.trouble: str | None = None
        """What is wrong with the newest text, while an older one is in force."""
        self.current = self._read()

    def _read(self) -> Policy:
        remote = frozenset(name for name, is_remote in self._sources.items() if is_remote)
        if self._path is None:
            return build(None, remote=remote)
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            says = f"the policy cannot be read: {error}"
            raise ConfigError([Mistake(str(self._path), None, "", says)]) from None
        return build(read_policy(text, file=str(self._path), sources=self._sources), remote=remote)

    def _look(self) -> tuple[int, int, int] | None:
        if self._path is None:
            return None
        try:
            state = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (state.st_mtime_ns, state.st_size, state.st_ino)

    def refresh(self) -> bool:
        """Reads the file again if it changed and no longer changes; True when another policy is in force now."""
        mark = self._look()
        if mark == self._mark:
            return False
        if mark != self._coming:
            # Somebody may still be writing it, and half a policy reads as a laxer one: the next look decides.
            self._coming = mark
            return False
        self._mark = mark
        try:
            self.current = self._read()
        except ConfigError as error:
            self.trouble = str(error)
            log.error(
                "policy_broken",
                policy=str(self._path),
                keeping="the policy that was in force",
                why=str(error),
            )
            return False
        self.trouble = None
        log.info("policy_changed", policy=str(self._path))
        return True

    async def watch(self, changed: Callable[[], None]) -> None:
        """Looks for ever; ``changed`` is called after each change that took effect."""
        if self._path is None:
            return
        while True:
            await asyncio.sleep(_LOOK)
            if self.refresh():
                changed()
