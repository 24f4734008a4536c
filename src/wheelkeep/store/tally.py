"""Numbers that only grow, of all workers of one server: each has a file of its own in memory, and any can add them up.

Counting is one addition in memory that is shared: no lock, no system call, and nobody else writes there.
"""

import contextlib
import mmap
import os
from pathlib import Path

_EACH = 8


class Tally:
    """One worker's numbers. Until ``share`` they are its own alone, as they stay where the folder cannot be written."""

    def __init__(self, data: Path, count: int) -> None:
        self._folder = data / "tally"
        self._count = count
        self.numbers: list[int] | memoryview[int] = [0] * count

    def add(self, place: int, by: int = 1) -> None:
        self.numbers[place] += by

    def share(self) -> None:
        """To be called once, by a worker that serves. What workers of an ended server left is removed."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            for path in self._folder.iterdir():
                if not _lives(_server(path)):
                    path.unlink(missing_ok=True)
            path = self._folder / f"{os.getppid()}-{os.getpid()}"
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                # Not a hole: writing to one that the disk has no room for would end the process (SIGBUS).
                os.posix_fallocate(descriptor, 0, self._count * _EACH)
                shared = memoryview(mmap.mmap(descriptor, self._count * _EACH)).cast("Q")
            finally:
                os.close(descriptor)
            for place, number in enumerate(self.numbers):
                shared[place] = number
            self.numbers = shared

    def summed(self) -> tuple[list[int], list[int]]:
        """The numbers of all workers that this server ever had, added up; and the ids of those that live."""
        own = os.getpid()
        total, alive = list(self.numbers), [own]
        for path in self._others():
            try:
                numbers = memoryview(path.read_bytes()).cast("Q")
            except (OSError, TypeError):
                continue  # it is just being made, or gone
            if len(numbers) == self._count:
                total = [one + more for one, more in zip(total, numbers, strict=True)]
                worker = int(path.name.partition("-")[2])
                alive += [worker] if _lives(worker) else []
        return total, alive

    def _others(self) -> list[Path]:
        """The files of this server's other workers, dead ones too: what was counted stays counted."""
        own = f"{os.getppid()}-{os.getpid()}"
        try:
            found = [path for path in self._folder.iterdir() if path.name != own]
        except OSError:
            return []
        return [
            path for path in found if _server(path) == os.getppid() and path.name.partition("-")[2].isdigit()
        ]


def resident(process: int) -> int:
    """Bytes that a process has in memory; 0 where that cannot be told."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _server(path: Path) -> int:
    """The process that started the worker of a file; 0 for what is no worker's."""
    text = path.name.partition("-")[0]
    return int(text) if text.isascii() and text.isdigit() else 0


def _lives(process: int) -> bool:
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
