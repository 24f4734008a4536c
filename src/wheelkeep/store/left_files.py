"""Files that an untrusted program left, read from the bytes that it handed over: all of it may be a lie.

The bytes are, in this order: ``E`` and how the program ended (a signed number of four bytes, as ``subprocess`` has it);
for each file ``F``, the length of its name (two bytes), the name, its size (eight bytes) and its bytes; for what is no
plain file ``X``, the length of its name and the name; and ``.`` at the end. Numbers have their highest byte first.
"""

import os
import re
import struct
from collections.abc import Generator
from pathlib import Path

from wheelkeep.core.errors import Unwritable, WheelkeepError
from wheelkeep.core.units import size_words

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,199}", re.ASCII)
_MOST_FILES = 64


class Unfit(WheelkeepError):
    """What the program left is not to be taken; the text says what it left."""


class LeftFiles:
    """Takes the bytes as they come and writes plain files into a folder, never more than ``most`` bytes of them."""

    def __init__(self, folder: Path, most: int) -> None:
        """``folder`` is there already. ``most``: bytes of all files together."""
        self._folder = folder
        self._left = most
        self._most = most
        self._buffer = bytearray()
        self._reader = self._read()
        self._wanted = next(self._reader)
        self._written: list[Path] = []
        self.code: int | None = None
        """How the program ended: 0 and above is its own word, below it is a signal."""
        self.whole = False
        """The end has come; nothing is taken after it."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What was left, in order of names; nothing unless it came whole."""
        return tuple(sorted(self._written)) if self.whole else ()

    def feed(self, piece: bytes) -> None:
        """Raises Unfit, and Unwritable where our own disk is full."""
        self._buffer += piece
        try:
            while not self.whole and len(self._buffer) >= self._wanted:
                taken = bytes(self._buffer[: self._wanted])
                del self._buffer[: self._wanted]
                self._wanted = self._reader.send(taken)
        except OSError as error:
            raise Unwritable(f"what was built cannot be kept in {self._folder}: {error.strerror}") from None
        if self.whole and self._buffer:
            self.whole = False
            raise Unfit("it went on after it had handed over its files")

    def close(self, *, keep: bool = True) -> None:
        """Removes what was written, unless it came whole and is to be kept. Once removed it stays so."""
        self._reader.close()
        self.whole = self.whole and keep
        if not self.whole:
            for file in self._written:
                file.unlink(missing_ok=True)

    def _read(self) -> Generator[int, bytes, None]:
        """Yields how many bytes it wants next, and is sent them."""
        if (yield 1) != b"E":
            raise Unfit("it did not say how it ended")
        (self.code,) = struct.unpack(">i", (yield 4))
        while (kind := (yield 1)) != b".":
            if kind not in {b"F", b"X"}:
                raise Unfit("what it handed over is not a list of files")
            (length,) = struct.unpack(">H", (yield 2))
            name = (yield length).decode("ascii", "backslashreplace") if length else ""
            if kind == b"X":
                raise Unfit(f"it left {name[:100]!a}, which is no plain file")
            if not _NAME.fullmatch(name):
                raise Unfit(f"it left a file with the name {name[:100]!a}, which is not plain")
            if len(self._written) == _MOST_FILES:
                raise Unfit(f"it left more than {_MOST_FILES} files")
            (size,) = struct.unpack(">Q", (yield 8))
            if size > self._left:
                raise Unfit(f"it left more than {size_words(self._most)} of files")
            self._left -= size
            yield from self._keep(name, size)
        self.whole = True
        yield 1

    def _keep(self, name: str, size: int) -> Generator[int, bytes, None]:
        path = self._folder / name
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        except FileExistsError:
            raise Unfit(f"it left two files with the name {name}") from None
        self._written.append(path)
        with os.fdopen(handle, "wb") as file:
            while size:
                piece = yield min(size, 1 << 20)
                file.write(piece)
                size -= len(piece)
