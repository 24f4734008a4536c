"""Logs that lie, held against themselves and against what they said before."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core import merkle, tiles
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.log_entries import SeenFile, write_entry
from wheelkeep.core.notes import PLAIN, Note, PrivateKey
from wheelkeep.core.tiles import Growing, Tile
from wheelkeep.index.log_audit import LogAudit, audit
from wheelkeep.sources.log_reader import Lacking, Refused

KEY = PrivateKey("keep.example/log", PLAIN, bytes(32))


class Log:
    """In memory, of so many entries; ``salt`` makes another history."""

    def __init__(self, size: int, *, salt: str = "aa", forked_at: int = 0) -> None:
        self.entries = [entry(at, "aa" if at < forked_at else salt) for at in range(size)]
        tree = Growing(0, lambda *_: [])
        for one in self.entries:
            tree.add(merkle.leaf_hash(one))
        self.levels = tree.added
        self.now = Checkpoint(KEY.public.name, size, tree.root())
        self.key = KEY
        self.refuses = False

    async def text(self, name: str) -> str:
        return str(Note(str(self.now)).signed(self.key.sign(str(self.now))))

    async def tiles(self, wanted: Sequence[Tile]) -> list[bytes]:
        if self.refuses:
            raise Refused("HTTP 401")
        spans = [(tile.index * tiles.WIDTH, tile.index * tiles.WIDTH + tile.width) for tile in wanted]
        return [tiles.bundle(self.entries[start:end]) for start, end in spans]

    async def hashes(self, wanted: Sequence[Tile]) -> list[list[bytes]]:
        found = []
        for tile in wanted:
            start = tile.index * tiles.WIDTH
            found.append(self.levels[tile.level or 0][start : start + tile.width])
            if len(found[-1]) != tile.width:
                raise Lacking("it is not there")
        return found


def entry(at: int, salt: str) -> bytes:
    told = SeenFile(
        at="2026-11-23T00:00:00.000000Z",
        source="pypi",
        project="demo",
        filename=f"demo-{at}.0.tar.gz",
        sha256="ab" * 32,
        salt=salt * 16,
    )
    return write_entry(told)


async def audited(log: Log, before: Checkpoint | None = None) -> LogAudit:
    state = LogAudit()
    async for found in audit(cast(Any, log), KEY.public, before):
        state = found
    return state


async def flaws(log: Log, before: Checkpoint | None = None) -> list[str]:
    found = await audited(log, before)
    assert not found.good
    return [flaw.what for flaw in found.flaws]


@given(st.integers(0, 600), st.data())
async def test_a_log_that_grew_is_good_and_no_other_history_is(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    log, before = Log(size), Log(old).now
    found = await audited(log, before)
    assert found.good
    assert (found.leaves, found.entries) == (size, size)
    if old:
        other = Log(size, salt="bb", forked_at=data.draw(st.integers(0, old - 1)))
        assert await flaws(other, before) == ["fork"]
    if old < size:
        assert await flaws(Log(old), log.now) == ["rollback"]


async def test_entries_that_are_not_for_the_caller() -> None:
    log = Log(300)
    log.refuses = True
    found = await audited(log)
    assert (found.good, found.refused, found.leaves, found.entries) == (True, True, 300, 0)


async def test_a_signature_of_another_key_or_for_another_log() -> None:
    log = Log(3)
    log.key = PrivateKey("keep.example/log", PLAIN, bytes(range(32)))
    assert await flaws(log) == ["signature"]
    log = Log(3)
    log.now = Checkpoint("other.example/log", 3, log.now.root)
    assert await flaws(log) == ["signature"]


@pytest.mark.parametrize("size", [3, 256, 300, 600])
async def test_what_it_serves_must_be_what_it_signed(size: int) -> None:
    log = Log(size)
    log.levels[0][1] = bytes(32)
    assert "tiles" in await flaws(log)
    log = Log(size)
    del log.levels[0][-1]
    assert await flaws(log) == ["tiles"]
    log = Log(size)
    log.entries[1] = entry(1, "cc")
    assert await flaws(log) == ["entries"]
    log = Log(size)
    del log.entries[1]
    assert "entries" in await flaws(log)
    log = Log(size)
    if size >= tiles.WIDTH:
        log.levels[1][0] = bytes(32)
        assert "tiles" in await flaws(log)


async def test_an_entry_that_is_none() -> None:
    log = Log(3)
    log.entries[2] = b"anything"
    log.levels[0][2] = merkle.leaf_hash(b"anything")
    growing = merkle.Frontier()
    for leaf in log.levels[0]:
        growing.add(leaf)
    log.now = Checkpoint(KEY.public.name, 3, growing.root())
    assert await flaws(log) == ["entries"]
