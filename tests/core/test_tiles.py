"""Addresses of tiles as c2sp.org/tlog-tiles has them, and trees read from tiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core import merkle, tiles
from wheelkeep.core.tiles import Tile


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(1, 1234067), "1/x001/x234/067"),
        (Tile(63, 7, 255), "63/007.p/255"),
        (Tile(None, 1000, 1), "entries/x001/000.p/1"),
    ],
)
def test_addresses(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert tiles.read_tile(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0/",
        "0/0",
        "0/0000",
        "00/000",
        "64/000",
        "0/x000/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "-1/000",
        "0/000/",
        "0/001/000",
        "0/x001",
        "entry/000",
        "0/\u0660\u0660\u0660",
        "0/000.p/",
        "0/x00/000",
        "0/../000",
    ],
)
def test_other_spellings_are_no_tile(path: str) -> None:
    assert tiles.read_tile(path) is None


@given(st.none() | st.integers(0, 63), st.integers(0, 10**15), st.integers(1, 256))
def test_every_tile_is_read_from_its_address(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert tiles.read_tile(tile.path) == tile


def test_the_tiles_of_a_tree() -> None:
    # The example of the specification.
    there = {level: list(tiles.tiles_of(level, 70_000)) for level in range(4)}
    assert [len(there[level]) for level in range(4)] == [274, 2, 1, 0]
    assert there[0][-1] == Tile(0, 273, 112)
    assert there[1] == [Tile(1, 0), Tile(1, 1, 17)]
    assert there[2] == [Tile(2, 0, 1)]
    assert tiles.levels(70_000) == 3
    assert tiles.width(0, 274, 70_000) == 0


@given(st.integers(1, 1_500), st.data())
def test_proofs_are_made_of_the_needed_tiles(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = [merkle.leaf_hash(b"%d" % at) for at in range(size)]
    levels = [leaves]
    while len(levels[-1]) >= tiles.WIDTH:
        below = levels[-1]
        whole = range(0, len(below) - tiles.WIDTH + 1, tiles.WIDTH)
        levels.append([tiles.merged(below[at : at + tiles.WIDTH]) for at in whole])
    spans = [(0, size), *merkle.inclusion_ranges(index, size)]
    got = {(tile.level, tile.index): tile.width for tile in tiles.needed(spans, size)}

    def hashes(level: int, start: int, end: int) -> list[bytes]:
        tile = start // tiles.WIDTH
        assert end <= tile * tiles.WIDTH + got[level, tile], "it lies in a tile that was not named"
        return levels[level][start:end]

    nodes = tiles.nodes_in(hashes)
    root, *proof = (merkle.hash_of(span, nodes) for span in spans)
    growing = merkle.Frontier()
    for leaf in leaves:
        growing.add(leaf)
    assert root == growing.root()
    assert merkle.includes(leaves[index], index, size, proof, root)


@given(st.lists(st.binary(max_size=300)))
def test_entries_come_out_of_a_bundle(entries: list[bytes]) -> None:
    assert tiles.unbundle(tiles.bundle(entries)) == entries


def test_what_is_cut_short_is_refused() -> None:
    for body in (b"\x00", b"\x00\x05abc"):
        with pytest.raises(ValueError, match="within one"):
            tiles.unbundle(body)
    for body in (b"", bytes(31), bytes(33)):
        with pytest.raises(ValueError, match="no whole hashes"):
            tiles.split(body)
    assert tiles.split(bytes(64)) == [bytes(32)] * 2
