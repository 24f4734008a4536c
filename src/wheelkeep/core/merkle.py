"""Merkle trees as transparency logs have them: roots and proofs (RFC 6962 section 2.1, RFC 9162 section 2.1).

A tree is asked for by its complete subtrees: ``Nodes`` gives the hash over the leaves from ``index << level`` to
``(index + 1) << level``. So nothing here knows where hashes lie. A range is ``(start, end)``, its end not included.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
Nodes: TypeAlias = Callable[[int, int], bytes]
"""Level and index to the hash of a complete subtree."""

EMPTY = hashlib.sha256(b"").digest()
"""The root of the tree without leaves."""
LENGTH = 32
"""Bytes of a hash."""
_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return hashlib.sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(_NODE + left + right).digest()


class Frontier:
    """A tree that grows leaf by leaf, of which only the complete subtrees at its right edge are kept."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Adds the hash of one more leaf."""
        left = self.size
        while left & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            left >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return _folded(self._peaks)


def root(size: int, nodes: Nodes) -> bytes:
    """The root of the tree of the first ``size`` leaves."""
    return hash_of((0, size), nodes)


def hash_of(span: Range, nodes: Nodes) -> bytes:
    """The hash over a range that is a subtree of some tree, as the ranges of proofs are."""
    return _folded([nodes(level, index) for level, index in complete(span)])


def complete(span: Range) -> Iterator[tuple[int, int]]:
    """The complete subtrees, as level and index, that make up a range, from left to right; each is smaller than the
    one before it."""
    start, end = span
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that a leaf is in the tree of a size (RFC 6962 section 2.1.1), lowest first.

    Raises ValueError where the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    start, end = 0, size
    found: list[Range] = []
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of ``old`` leaves is the beginning of that of ``size`` (RFC 6962
    section 2.1.2). Raises ValueError where it is none, for being larger."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {old} leaves is no beginning of one of {size}")
    if old == 0:
        return []
    start, end = 0, size
    found: list[Range] = []
    while old < end:
        middle = start + _left(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    # The hash of the old tree itself is known to whoever asks.
    return ([(start, end)] if start > 0 else []) + found[::-1] if found else []


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf's hash is at a place in a tree (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(hash_, reached)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def extends(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that one tree is the beginning of another (RFC 9162 section 2.1.4.2)."""
    if old == size:
        return not proof and old_root == root
    if old == 0:
        return not proof and old_root == EMPTY
    if old > size:
        return False
    hashes = list(proof)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(hash_, before), node_hash(hash_, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == root


def _left(count: int) -> int:
    """How many of two or more leaves lie in the left subtree: the largest power of two that is less."""
    return 1 << ((count - 1).bit_length() - 1)


def _folded(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY
    reached = peaks[-1]
    for peak in peaks[-2::-1]:
        reached = node_hash(peak, reached)
    return reached
