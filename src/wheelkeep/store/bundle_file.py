"""The file of a bundle, written and read as a stream: memory does not grow with it. What its bytes must be,
core/bundle says."""

import contextlib
import fcntl
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from wheelkeep.core.bundle import (
    BLOBS,
    BLOCK,
    DOCUMENTS,
    END,
    LARGEST_LINE,
    NOTE,
    NotABundle,
    header,
    looks_like_one,
    note_size,
    padding,
)
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.store.blobs import sync_folder

AT_ONCE = 1024 * 1024
_CUT = "it is cut off: it ends before what it says is in it"


class Damaged(WheelkeepError):
    """A stored file is not what its hash says, or is gone."""


def begins_a_bundle(path: Path) -> bool:
    """Whether a file is meant as a bundle, by how it begins; False for what cannot be read."""
    try:
        with path.open("rb") as file:
            return looks_like_one(file.read(BLOCK))
    except OSError:
        return False


@contextmanager
def new_file(path: Path | None) -> Iterator[BinaryIO]:
    """A file that is there whole and synced once the block ends, or not at all; None: standard output."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    _sweep(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            with contextlib.suppress(OSError):  # where there are no locks, nobody sweeps either
                fcntl.flock(file, fcntl.LOCK_EX)
            # It may hold what is not for everybody.
            os.fchmod(file.fileno(), 0o600)
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(path.absolute().parent)
    finally:
        part.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Removes what killed processes left of the same file: nobody holds it, and it is this user's own."""
    theirs = re.compile(rf"{re.escape(f'.{path.name}.')}[0-9]{{1,9}}\.part", re.ASCII)
    found: list[Path] = []
    with contextlib.suppress(OSError):
        found = [one for one in path.absolute().parent.iterdir() if theirs.fullmatch(one.name)]
    for part in found:
        with contextlib.suppress(OSError):
            handle = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                state = os.fstat(handle)
                if S_ISREG(state.st_mode) and state.st_uid == os.geteuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    part.unlink()
            finally:
                os.close(handle)


def write_bundle(
    out: BinaryIO, note: str, documents: BinaryIO, blobs: Iterable[tuple[str, int, Path]]
) -> Iterator[int]:
    """Writes all of it; gives the bytes of each file once it is written. Raises Damaged, OSError."""
    _put(out, NOTE, note.encode())
    size = documents.seek(0, os.SEEK_END)
    documents.seek(0)
    out.write(header(DOCUMENTS, size))
    while piece := documents.read(AT_ONCE):
        out.write(piece)
    out.write(padding(size))
    for sha256, length, path in blobs:
        _copy(out, sha256, length, path)
        yield length
    out.write(END)


def _put(out: BinaryIO, name: str, content: bytes) -> None:
    out.write(header(name, len(content)))
    out.write(content)
    out.write(padding(len(content)))


def _copy(out: BinaryIO, sha256: str, size: int, path: Path) -> None:
    digest, left = hashlib.sha256(), size
    out.write(header(f"{BLOBS}{sha256}", size))
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(min(AT_ONCE, left + 1)):
                digest.update(piece)
                left -= len(piece)
                if left < 0:
                    break
                out.write(piece)
    except FileNotFoundError:
        left = -1
    if left or digest.hexdigest() != sha256:
        raise Damaged(
            f"the stored file {sha256} is damaged or gone: run wheelkeep verify --repair, then export again"
        )
    out.write(padding(size))


class BundleFile:
    """A bundle that is read from its beginning to its end, each part once. Everything raises NotABundle and OSError."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def note(self) -> str:
        """The note, which comes first."""
        block = self._exactly(BLOCK)
        size = note_size(block)
        if size is None:
            raise NotABundle("it is no bundle of wheelkeep export bundle")
        body = self._exactly(size)
        self._padded(size)
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise NotABundle("its note is no text") from None

    def documents(self, sha256: str, size: int, into: BinaryIO) -> None:
        """Copies the documents into another file, held against their hash."""
        self._expect(DOCUMENTS, size)
        digest = hashlib.sha256()
        for piece in self._pieces(size):
            digest.update(piece)
            into.write(piece)
        self._padded(size)
        if digest.hexdigest() != sha256:
            raise NotABundle("its list is not the one that was signed: it was changed, or damaged on the way")
        into.flush()

    def begin_blob(self, sha256: str, size: int) -> None:
        """The header of the next file, which must be this one."""
        self._expect(f"{BLOBS}{sha256}", size)

    def piece(self, most: int) -> bytes:
        """So many of its next bytes, or fewer, but never none."""
        piece = self._file.read(min(most, AT_ONCE))
        if not piece:
            raise NotABundle(_CUT)
        return piece

    def end_blob(self, size: int) -> None:
        """What fills its last block."""
        self._padded(size)

    def end(self) -> None:
        """Nothing comes after the last file."""
        if self._exactly(len(END)) != END or self._file.read(1):
            raise NotABundle("it goes on after its end")

    def _expect(self, name: str, size: int) -> None:
        if self._exactly(BLOCK) != header(name, size):
            raise NotABundle(
                f"what comes in the place of {name} is not that: it was changed, or damaged on the way"
            )

    def _padded(self, size: int) -> None:
        if self._exactly(-size % BLOCK) != padding(size):
            raise NotABundle("it has bytes where none should be: it was changed, or damaged on the way")

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self.piece(size)
            size -= len(piece)
            yield piece

    def _exactly(self, size: int) -> bytes:
        return b"".join(self._pieces(size))


def lines(documents: BinaryIO) -> Iterator[bytes]:
    """The lines of documents from the first on; raises NotABundle for one that is too long."""
    documents.seek(0)
    while line := documents.readline(LARGEST_LINE + 1):
        if len(line) > LARGEST_LINE:
            raise NotABundle("a line of its documents is longer than any may be")
        yield line
