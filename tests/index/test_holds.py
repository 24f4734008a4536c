"""What a snapshot has stays, whoever else needs it or not, and goes with it."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from fakes.asgi import Inside
from fakes.builds import KEY, built
from fakes.dists import wheel
from fakes.made import file, page
from fakes.received import give
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.rules import Rule
from wheelkeep.core.snapshot import Pinned, Ref
from wheelkeep.core.statement import sign, write_statement
from wheelkeep.index.holds import HOLDS, Ground, release
from wheelkeep.store.snapshots import Snapshot

CONFIG = """
[sources.house]
kind = "hosted"
[indexes.main]
sources = ["house"]
"""
NOW = datetime.now(UTC)


def snapshot(name: str) -> Snapshot:
    told = {"index": IndexName("main"), "kind": "lock", "at": NOW, "by": "ci", "projects": 1, "files": 1}
    return Snapshot(name=name, number=0, here=1, **told)  # type: ignore[arg-type]


async def test_every_state_of_every_snapshot_holds_its_files(tmp_path: Path) -> None:
    one, two = file("demo-1.0.tar.gz"), file("demo-2.0.tar.gz")
    hashes = {one.sha256 or "", two.sha256 or "", "f" * 64}
    async with Inside(tmp_path, CONFIG) as inside:
        store, ground = inside.keep.views.snapshots, Ground(inside.keep)
        assert await release(hashes, ground) == hashes
        for name, *files in (("first", one), ("first", two), ("second", one)):
            pinned = Pinned(page(*files), ())
            await store.add(snapshot(name), {ProjectName("demo"): pinned}, await store.find(Ref(name)))
        assert await release(hashes, ground) == {"f" * 64}
        assert await release(hashes, Ground(inside.keep, served_since=NOW)) == {"f" * 64}
        assert await store.delete("first", "ci", NOW) == 2
        assert await release(hashes, ground) == {"f" * 64, two.sha256}
        assert await store.delete("second", "ci", NOW) == 1
        assert await release(hashes, ground) == hashes


async def test_what_was_built_holds_its_wheel_and_its_sdist_until_the_wheel_is_deleted(
    tmp_path: Path,
) -> None:
    filename, content = wheel("demo", "1.0")
    async with Inside(tmp_path, CONFIG) as inside:
        keep, house = inside.keep, SourceName("house")
        await give(keep, house, filename, content)
        made = built(filename=filename, sha256=hashlib.sha256(content).hexdigest())
        await keep.builds.add(made, sign(write_statement(made, KEY.public), KEY))
        both = {made.sha256, made.sdist.sha256}
        assert await release(both | {"f" * 64}, Ground(keep)) == {"f" * 64}
        await keep.steward.delete(Rule("demo", "", "demo"), house, "it is bad", by="ci")
        assert await release(both, Ground(keep)) == both


async def test_each_row_says_what_it_holds_for() -> None:
    assert len({hold.word for hold in HOLDS}) == len(HOLDS)
    assert all(hold.says for hold in HOLDS)
