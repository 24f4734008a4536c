"""What every fault is given: a folder, a seed, how much of it is wanted, and eyes on the memory of what is started."""

import os
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20
MOST_MEMORY = 400
"""MiB that a server's processes may have in memory together, whatever happens to them."""


class SkippedError(Exception):
    """This machine does not let the fault be made. In CI that is a failure."""


@dataclass
class Scene:
    """One fault's surroundings. ``smoke``: the short form. ``told`` is what it found out, as words and figures."""

    folder: Path
    seed: int
    smoke: bool
    told: list[tuple[str, str]] = field(default_factory=list)
    memory: int = 0
    """The most that was seen, in bytes."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def tell(self, what: str, figure: object) -> None:
        self.told.append((what, str(figure)))


class Watch:
    """Looks ten times a second how much memory the processes have; a context manager."""

    def __init__(self, scene: Scene, processes: "object") -> None:
        self._scene = scene
        self._processes = processes
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.1):
            seen = sum(map(resident, self._processes()))  # type: ignore[operator]
            self._scene.memory = max(self._scene.memory, seen)


def resident(process: int) -> int:
    """Bytes of a process that no other one shares (``Private`` in smaps_rollup); 0 where it has ended."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in text.splitlines() if line.startswith(("Private_", "Rss:")))
    return sum(int(words[1]) * 1024 for words in lines if words[0] == "Rss:")


def is_ci() -> bool:
    return os.environ.get("WHEELKEEP_CI") == "1"
