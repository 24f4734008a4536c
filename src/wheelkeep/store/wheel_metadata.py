"""Reads a wheel's METADATA out of its zip: from a stored file, or through pieces that come as they are asked for.

Bounded before work starts: a hostile wheel costs no more than its central directory's and METADATA's limits.
"""

import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from wheelkeep.core.errors import WheelkeepError

LARGEST_METADATA = 4 * 1024 * 1024
"""Bytes of METADATA after unpacking."""
LARGEST_DIRECTORY = 16 * 1024 * 1024
"""Bytes at the end of the wheel that are looked at: the zip's central directory."""
_MOST_MEMBERS = 100_000
_MEMBER = b"PK\x01\x02"
"""How each member's entry in the directory begins; the numbers of them that the zip states may be wrong."""
_DIST_INFO = re.compile(r"[^/]+\.dist-info/METADATA")


class NoMetadata(WheelkeepError):
    """The file is no zip, or has no METADATA that can be read within the limits (PEP 427)."""


class NeedBytes(Exception):
    """Raised by Pieces while a part of the file is not there yet."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(f"{start}-{end}")
        self.start = start
        self.end = end


class Pieces(io.RawIOBase):
    """A file of known size of which only some pieces are here; reading another raises NeedBytes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._at = 0
        self._pieces: list[tuple[int, bytes]] = []

    def add(self, start: int, piece: bytes) -> None:
        self._pieces.append((start, piece))

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the start")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = self._size if size is None or size < 0 else min(self._size, self._at + size)
        if end <= self._at:
            return b""
        for start, piece in self._pieces:
            if start <= self._at and end <= start + len(piece):
                found = piece[self._at - start : end - start]
                self._at = end
                return found
        raise NeedBytes(self._at, end)


def read_metadata(file: BinaryIO | io.RawIOBase) -> bytes:
    """The bytes of ``*.dist-info/METADATA``; raises NoMetadata, or NeedBytes from a file in pieces."""
    try:
        with zipfile.ZipFile(_Bounded(file)) as archive:
            return _metadata_of(archive)
    except NeedBytes:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise NoMetadata(f"its METADATA cannot be read: {error}") from None


def read_metadata_of(path: Path) -> bytes:
    """The same, of a stored file."""
    with path.open("rb") as file:
        return read_metadata(file)


class _Bounded(io.RawIOBase):
    """Stands between zipfile and the file. zipfile reads a central directory whole, and believes whichever of its
    records tells the larger one (APPNOTE 4.3.14, 4.3.16): so the bound is held where the bytes are asked for."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        super().__init__()
        self._file = file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            here = self.tell()
            size = self.seek(0, io.SEEK_END) - here
            self.seek(here)
        if size > LARGEST_DIRECTORY:
            raise NoMetadata("its zip directory is larger than any wheel needs")
        found = self._file.read(size) or b""
        if found.count(_MEMBER) > _MOST_MEMBERS:
            raise NoMetadata("it has too many members")
        return found


def _metadata_of(archive: zipfile.ZipFile) -> bytes:
    found = [member for member in archive.infolist() if _DIST_INFO.fullmatch(member.filename)]
    if len(found) != 1:
        raise NoMetadata("it has no METADATA" if not found else "it has more than one METADATA")
    member = found[0]
    # bzip2 and lzma may take any amount of memory at the first byte; no builder of wheels uses them.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 0x1:
        raise NoMetadata("its METADATA is packed in a way that wheels do not use")
    if member.file_size > LARGEST_METADATA:
        raise NoMetadata("its METADATA is larger than any package needs")
    with archive.open(member) as stream:
        body = stream.read(LARGEST_METADATA + 1)
    if len(body) > LARGEST_METADATA:
        raise NoMetadata("its METADATA is larger than any package needs")
    return body
