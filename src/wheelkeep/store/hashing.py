"""Reading a file whole to learn its digests, as slowly as is wanted."""

import hashlib
import os
from collections.abc import Callable, Collection
from pathlib import Path

Pace = Callable[[int], None]
"""Told how many bytes were read; may wait, and raises to end the reading."""
_AT_ONCE = 1024 * 1024


def hash_file(path: Path) -> tuple[str, int]:
    """The sha256 and size of a file, read whole. Raises OSError."""
    digests, size = hash_all(path)
    return digests["sha256"], size


def hash_all(
    path: Path, also: Collection[str] = (), *, pace: Pace | None = None
) -> tuple[dict[str, str], int]:
    """The sha256 and further digests (hashlib's names, and blake2b_256) of a file, and its size. Raises OSError, and
    ValueError for a digest that nobody knows."""
    digests = {name: new_digest(name) for name in ("sha256", *also)}
    size = 0
    with path.open("rb", buffering=0) as file:
        if pace is not None and hasattr(os, "POSIX_FADV_NOREUSE"):
            # Read once and slowly: it need not push out of memory what clients ask for.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_NOREUSE)
        while piece := file.read(_AT_ONCE if pace is None else _AT_ONCE // 4):
            for digest in digests.values():
                digest.update(piece)
            size += len(piece)
            if pace is not None:
                pace(len(piece))
    return {name: digest.hexdigest() for name, digest in digests.items()}, size


def new_digest(name: str) -> "hashlib._Hash | hashlib.blake2b":
    """A digest by hashlib's name, or ``blake2b_256``. Raises ValueError."""
    if name == "blake2b_256":
        return hashlib.blake2b(digest_size=32)
    return hashlib.new(name, usedforsecurity=False)
