"""Counts what the processes of a sandbox take, from outside: processes, memory, files in memory.

Limits of the kernel are set for one process each; this one is for all of them together. Control groups would do the
same, and need a right to make them that a plain user, a container and a service mostly have not got.
"""

import asyncio
import contextlib
import os
import time
from pathlib import Path

from wheelkeep.core.units import size_words
from wheelkeep.index.sandbox_walls import SHARED_MEMORY, TEMPORARY, WORK

_EVERY = 0.1
_INODE = 1024
"""Bytes that the kernel needs for a file of no bytes; the file system in memory does not count them."""
_SCARCE = 20
"""A machine with less than a twentieth of its memory left has none for a build."""
_PATIENCE = 0.5
"""Seconds for the true sum."""
_LEAST_SHARED = 1 << 30
"""Bytes that may come at any time: shared memory is the whole machine's."""
_MEMINFO = Path("/proc/meminfo")


class Watcher:
    """Watches the sandbox whose first process is ``first``; ``close`` it, it holds the sandbox's files in memory.

    Raises OSError where the sandbox is gone already.
    """

    def __init__(self, first: int, *, memory: int, disk: int, processes: int) -> None:
        """``memory``: bytes, of processes and files together. ``disk``: of files alone."""
        self._memory = memory
        self._disk = disk
        self._most = processes
        self._shared_before = self._shared(_meminfo())
        with contextlib.ExitStack() as opened:
            # The sandbox's own view: it lists the processes of the sandbox, and no others.
            self._processes = _opened(f"/proc/{first}/root/proc", opened)
            self._places = [
                _opened(f"/proc/{first}/root{name}", opened) for name in (WORK, TEMPORARY, SHARED_MEMORY)
            ]
            self._opened = opened.pop_all()

    def close(self) -> None:
        _FILES.pop(self, None)
        self._opened.close()

    async def watch(self) -> str | None:
        """Why the sandbox must end, as a sentence; None once it has ended."""
        while True:
            try:
                why = self.look()
            except ProcessLookupError:
                return None
            if why is not None:
                return why
            await asyncio.sleep(_EVERY)

    def look(self) -> str | None:
        """What is too much now, if anything. Raises ProcessLookupError where the sandbox is gone."""
        running = [name for name in os.listdir(self._processes) if name.isdigit()]  # noqa: PTH208
        if not running:
            raise ProcessLookupError
        # The first two are the sandbox's own.
        if len(running) - 2 > self._most:
            return f"it ran more than {self._most} processes at once"
        _FILES[self] = self._in_files()
        if self.full():
            return "it filled the disk that it was given"
        states = [os.fstatvfs(place) for place in self._places]
        files = self._in_files() + sum(state.f_files - state.f_ffree for state in states) * _INODE
        # The quick sum counts memory that several share for each of them.
        if files + sum(map(self._quick, running)) > self._memory and self._truly_over(running, files):
            return f"it used more than {size_words(self._memory)} of memory"
        now = _meminfo()
        most = max(self._memory, _LEAST_SHARED)
        if self._shared(now) - self._shared_before > most:
            return f"more than {size_words(most)} of shared memory came while it ran"
        if now["MemAvailable"] < now["MemTotal"] // _SCARCE:
            return "the machine had hardly any memory left"
        return None

    def full(self) -> bool:
        """No room is left among the sandbox's files."""
        full = any(os.fstatvfs(place).f_bfree == 0 for place in self._places)
        return full or self._in_files() > self._disk

    def _in_files(self) -> int:
        states = map(os.fstatvfs, self._places)
        return sum((state.f_blocks - state.f_bfree) * state.f_frsize for state in states)

    def _shared(self, now: dict[str, int]) -> int:
        """Bytes of shared memory on this machine, without the files of other sandboxes."""
        return now["Shmem"] - sum(files for watcher, files in _FILES.items() if watcher is not self)

    def _truly_over(self, running: list[str], used: int) -> bool:
        """The same with each process's part of what is shared. Who makes that long work is over."""
        until = time.monotonic() + _PATIENCE
        for process in running:
            try:
                used += self._sum(f"{process}/smaps_rollup", (b"Pss:", b"SwapPss:"))
            except PermissionError:
                used += self._quick(process)
            if used > self._memory or time.monotonic() > until:
                return True
        return False

    def _quick(self, process: str) -> int:
        return self._sum(f"{process}/status", (b"VmRSS:", b"VmSwap:"))

    def _sum(self, name: str, keys: tuple[bytes, ...]) -> int:
        """Bytes, of lines such as ``VmRSS: 120 kB``; nothing for a process that has ended. Raises PermissionError."""
        try:
            with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=self._processes), "rb") as file:
                return sum(int(line.split()[1]) for line in file if line.startswith(keys)) * 1024
        except (FileNotFoundError, ProcessLookupError):
            return 0


_FILES: dict[Watcher, int] = {}
"""Bytes of files of each sandbox that runs now, at its last look."""


def _opened(name: str, opened: contextlib.ExitStack) -> int:
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
    opened.callback(os.close, handle)
    return handle


def _meminfo() -> dict[str, int]:
    """Bytes by their names (proc_meminfo(5))."""
    lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    return {name: int(value.split()[0]) * 1024 for name, _, value in (line.partition(":") for line in lines)}
