"""A tree cut into tiles, and how they are addressed (c2sp.org/tlog-tiles).

A tile of a level holds up to 256 hashes, each over ``256 ** level`` leaves; tiles of entries hold the entries of the
lowest ones.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from wheelkeep.core.merkle import LENGTH, Nodes, Range, complete, node_hash, root

WIDTH = 256
_HEIGHT = 8
_PATH = re.compile(
    r"(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<more>(?:x[0-9]{3}/){0,5})(?P<last>[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?",
    re.ASCII,
)


class Tile(Struct, frozen=True):
    """One tile of a tree."""

    level: int | None
    """None: the entries themselves."""
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its address below ``tile/``."""
        parts = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            parts.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        level = "entries" if self.level is None else str(self.level)
        partial = f".p/{self.width}" if self.width != WIDTH else ""
        return f"{level}/{'/'.join(parts)}{partial}"


def read_tile(path: str) -> Tile | None:
    """The tile that has an address; None where none has it. Each tile has one address."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    index = int(re.sub(r"\D", "", found["more"]) + found["last"])
    tile = Tile(
        None if found["level"] == "entries" else int(found["level"]), index, int(found["width"] or WIDTH)
    )
    return tile if tile.path == path else None


def count(level: int, size: int) -> int:
    """How many hashes a level has in the tree of a size."""
    return size >> (_HEIGHT * level)


def width(level: int, index: int, size: int) -> int:
    """How many hashes a tile has in the tree of a size; 0: it is not there."""
    return min(max(count(level, size) - index * WIDTH, 0), WIDTH)


def tiles_of(level: int | None, size: int) -> Iterator[Tile]:
    """Every tile of a level in the tree of a size, from left to right."""
    for index in range(-(-count(level or 0, size) // WIDTH)):
        yield Tile(level, index, width(level or 0, index, size))


def levels(size: int) -> int:
    """How many levels of tiles the tree of a size has."""
    return max(1, -(-size.bit_length() // _HEIGHT))


def needed(spans: Iterable[Range], size: int) -> set[Tile]:
    """The tiles, as they are in the tree of a size, from which the hashes over ranges are made."""
    found = set()
    for span in spans:
        for height, index in complete(span):
            level = height // _HEIGHT
            first = index << (height % _HEIGHT)
            found.add(Tile(level, first // WIDTH, width(level, first // WIDTH, size)))
    return found


def nodes_in(hashes: Callable[[int, int, int], Sequence[bytes]]) -> Nodes:
    """Complete subtrees made of the hashes in tiles: ``hashes`` gives those of a level from one place to another."""

    def nodes(height: int, index: int) -> bytes:
        inner = height % _HEIGHT
        return merged(hashes(height // _HEIGHT, index << inner, (index + 1) << inner))

    return nodes


def merged(hashes: Sequence[bytes]) -> bytes:
    """The hash over a complete subtree, from those of its parts; their number is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


class Growing:
    """A tree that grows leaf by leaf, of which only the tiles at its right edge are kept."""

    def __init__(self, size: int, hashes: Callable[[int, int, int], Sequence[bytes]]) -> None:
        """Goes on from a tree of a size; ``hashes`` gives those of a level from one place to another."""
        self.size = size
        ends = [count(level, size) for level in range(levels(size))]
        self._edge = [list(hashes(level, end - end % WIDTH, end)) for level, end in enumerate(ends)]
        self.added: list[list[bytes]] = [[] for _ in ends]
        """What came to each level since then."""

    def add(self, leaf: bytes) -> None:
        """Adds the hash of one more leaf."""
        self.size += 1
        level = 0
        while True:
            if level == len(self._edge):
                self._edge.append([])
                self.added.append([])
            self._edge[level].append(leaf)
            self.added[level].append(leaf)
            if len(self._edge[level]) < WIDTH:
                return
            leaf = merged(self._edge[level])
            self._edge[level] = []
            level += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        # The subtrees at the right edge lie in the tiles at the right edge.
        return root(
            self.size, nodes_in(lambda level, start, end: self._edge[level][start % WIDTH :][: end - start])
        )


def split(body: bytes) -> list[bytes]:
    """The hashes that a tile's bytes hold; raises ValueError."""
    if not body or len(body) % LENGTH:
        raise ValueError(f"a tile of {len(body)} bytes holds no whole hashes")
    return [body[at : at + LENGTH] for at in range(0, len(body), LENGTH)]


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a tile of them holds them: each after its length in two bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(body: bytes) -> list[bytes]:
    """The entries in a tile of them; raises ValueError."""
    found, at = [], 0
    while at < len(body):
        end = at + 2 + int.from_bytes(body[at : at + 2], "big")
        if end > len(body) or at + 2 > len(body):
            raise ValueError("a bundle of entries ends within one")
        found.append(body[at + 2 : end])
        at = end
    return found
