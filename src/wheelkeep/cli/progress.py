"""How far something is, on one line of a terminal: files, bytes, and the time that is left."""

import sys
import time
from typing import TYPE_CHECKING

from wheelkeep.cli.output import size

if TYPE_CHECKING:
    from wheelkeep.index.mirror import Mirror

_WIDTH = 24
_EVERY = 0.1


class Progress:
    """A bar on standard error; nothing at all where that is no terminal."""

    def __init__(self, what: str = "files") -> None:
        self._what = what
        self._shown = sys.stderr.isatty()
        self._began: tuple[float, int] | None = None
        self._last = 0.0

    def show(self, state: "Mirror") -> None:
        """How far files are on their way into the store."""
        self.tell(state.done, state.files, state.came, state.bytes, unsized=state.unsized)

    def tell(self, done: int, files: int, came: int, total: int, *, unsized: int = 0) -> None:
        """So many of so many files, and so many of so many bytes; ``unsized``: files of which no size is known."""
        now = time.monotonic()
        if not self._shown or (now - self._last < _EVERY and done < files):
            return
        self._last = now
        if self._began is None:
            self._began = (now, came)
        by_size = total and not unsized
        share = min(1.0, came / total if by_size else done / files if files else 1.0)
        bar = "#" * round(share * _WIDTH)
        left = self._left(now, came, total) if by_size else ""
        known = f" of {size(total)}" if by_size else ""
        sizes = f", {size(came)}{known}" if came or total else ""
        words = f"[{bar:<{_WIDTH}}] {done} of {files} {self._what}{sizes}{left}"
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)

    def _left(self, now: float, came: int, total: int) -> str:
        assert self._began is not None
        since, before = self._began
        if came <= before or now - since < 1 or came >= total:
            return ""
        seconds = (total - came) * (now - since) / (came - before)
        return f", {seconds:.0f} s left" if seconds < 120 else f", {seconds / 60:.0f} min left"

    def end(self) -> None:
        """The line is done."""
        if self._began is not None:
            print(file=sys.stderr)
            self._began = None
