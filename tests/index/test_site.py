"""A static site: written once, never naming what is not there, whole again after any end."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.asgi import Inside
from fakes.buckets import shared
from fakes.dists import sdist, wheel
from fakes.outside import Outside
from fakes.site import listed, roots, things
from wheelkeep.core.buckets import read_bucket
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.static_site import NOTES, ROOT
from wheelkeep.index.audit import held
from wheelkeep.index.needed import Lacking
from wheelkeep.index.site import NothingToShow, Scope, Site, everything, exactly, export
from wheelkeep.index.site_shelf import Foreign
from wheelkeep.index.snapshots import make, of_index
from wheelkeep.store.fetches import Which
from wheelkeep.store.folder_shelf import FolderShelf
from wheelkeep.store.shelf import Shelf, Thing, Unavailable, hash_of
from wheelkeep.store.shelves import open_shelf
from wheelkeep.store.uploads import PROVENANCE

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[sources.wheels]
kind = "directory"
path = "wheels"

[indexes.main]
sources = ["wheels", "outer"]

[indexes.less]
sources = ["wheels", "outer"]
policy = "policy.toml"

[indexes.none]
sources = ["outer"]
policy = "none.toml"
"""
POLICY = '[deny]\npackages = ["demo<2", "lib"]\nreason = "INC-9"\n'
OLD, NEW, LIB = wheel("demo", "1.0"), wheel("demo", "2.0"), sdist("lib", "1.0")
OWN, LEFT = wheel("own", "1.0"), wheel("left", "1.0")
ALL = {"demo": {OLD[0], NEW[0]}, "lib": {LIB[0]}, "own": {OWN[0]}}


@pytest.fixture
def outside() -> AsyncIterator[Outside]:
    with Outside() as outside:
        for made in (OLD, LEFT):
            outside.add(*made, provenance={"version": 1})
        outside.add(*NEW, provenance={"version": 1, "attestation_bundles": []})
        outside.add(*LIB, yanked="broken")
        yield outside


@pytest_asyncio.fixture
async def inside(outside: Outside, tmp_path: Path) -> AsyncIterator[Inside]:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / OWN[0]).write_bytes(OWN[1])
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "none.toml").write_text('[allow]\npackages = ["nothing"]\n')
    async with Inside(tmp_path, CONFIG.format(url=outside.url)) as opened:
        # Of ``left`` only the page is kept.
        for project in ("demo", "lib", "left"):
            page = await opened.get(f"/main/simple/{project}/", accept="application/vnd.pypi.simple.v1+json")
            for file in page.json["files"] if project != "left" else ():
                path = file["url"].removeprefix("../../")
                assert (await opened.get(f"/main/{path}")).status == 200
        # The attestations of one file alone were ever asked for.
        assert (await opened.get(f"/main/integrity/demo/2.0/{NEW[0]}/provenance")).status == 200
        yield opened


async def exported(
    inside: Inside,
    to: Path | Shelf,
    *,
    index: str = "main",
    scope: Scope | None = None,
    grace: timedelta | None = None,
    dry_run: bool = False,
) -> Site:
    of = inside.keep.indexes[IndexName(index)]
    shelf = FolderShelf(to, public=True) if isinstance(to, Path) else to
    scope = scope if scope is not None else await everything(inside.keep, of, None)
    *_, last = [state async for state in export(inside.keep, of, scope, shelf, grace=grace, dry_run=dry_run)]
    return last


def marks(to: Path) -> dict[Path, tuple[int, int]]:
    """What would be otherwise if a file had been written again, with the same bytes even."""
    states = {path: path.stat() for path in to.rglob("*") if path.is_file()}
    return {path: (state.st_ino, state.st_mtime_ns) for path, state in states.items()}


async def test_written_once_and_then_only_what_changed(inside: Inside, tmp_path: Path) -> None:
    to = tmp_path / "site"
    dry = await exported(inside, to, dry_run=True)
    assert not to.exists()
    state = await exported(inside, to)
    assert listed(to) == ALL and roots(to) == [sorted(ALL)] * 2
    assert (state.projects, state.files, state.not_here, state.whole) == (3, 4, 0, True)
    assert (dry.projects, dry.files, dry.bytes) == (3, 4, state.bytes)
    assert (to / "simple" / "index.html").stat().st_mode & 0o777 == 0o644
    (lib,) = json.loads((to / "simple" / "lib" / "index.json").read_bytes())["files"]
    assert lib["yanked"] == "broken"
    told = f"integrity/demo/2.0/{NEW[0]}/provenance"
    assert json.loads((to / told).read_bytes()) == {"version": 1, "attestation_bundles": []}
    demo = json.loads((to / "simple" / "demo" / "index.json").read_bytes())["files"]
    assert {file["filename"]: file.get("provenance") for file in demo} == {
        OLD[0]: None,
        NEW[0]: f"../../{told}",
    }

    who = f"export site to {to}"
    on_record = await held(inside.keep.fetches, Which(who=who))
    assert sorted(one.filename for one in on_record) == sorted(
        name for names in ALL.values() for name in names
    )

    before = marks(to)
    state = await exported(inside, to)
    assert (state.written, state.files) == (0, 4)
    assert await held(inside.keep.fetches, Which(who=who)) == on_record
    assert marks(to) == before

    await inside.keep.facts.learn_document(
        SourceName("outer"), PROVENANCE, NEW[0], b'{"a": 1e400}', datetime.now(UTC)
    )
    await exported(inside, to)
    assert "provenance" not in (to / "simple" / "demo" / "index.json").read_text()

    (to / "simple" / "demo" / "index.html").write_bytes(b"defaced")
    next(to.glob(f"files/lib/*/{LIB[0]}")).write_bytes(b"x" * len(LIB[1]))
    assert (await exported(inside, to)).written == 2
    assert listed(to) == ALL


async def test_what_is_blocked_later_is_no_longer_listed(inside: Inside, tmp_path: Path) -> None:
    to = tmp_path / "site"
    await exported(inside, to)
    (to / "readme.txt").write_bytes(b"somebody's own")
    state = await exported(inside, to, index="less", grace=timedelta(hours=1))
    assert listed(to) == {"demo": {NEW[0]}, "lib": set(), "own": {OWN[0]}}
    assert roots(to) == [["demo", "own"]] * 2
    # A wheel with its metadata, an sdist, and the two forms of a page without files.
    assert (state.blocked, state.unlisted, state.removed) == (2, 5, 0)
    assert list(to.glob(f"files/lib/*/{LIB[0]}"))

    state = await exported(inside, to, index="less", grace=timedelta(0))
    assert (state.unlisted, state.removed) == (0, 5)
    await exported(inside, tmp_path / "other", index="less")
    (to / "readme.txt").unlink()
    assert things(to) == things(tmp_path / "other")
    assert not (to / "simple" / "lib").exists()


class Cut(FolderShelf):
    """Ends in the middle, after so many things."""

    def __init__(self, root: Path, things: int) -> None:
        super().__init__(root, public=True)
        self.left = things

    async def put_all(self, things: Sequence[Thing]) -> None:
        for thing in things:
            if self.left == 0:
                raise Unavailable("cut off")
            self.left -= 1
            await super().put_all([thing])

    async def remove(self, name: str) -> None:
        if self.left == 0:
            raise Unavailable("cut off")
        self.left -= 1
        await super().remove(name)


async def test_cut_off_at_any_moment_it_is_whole_and_ends_as_if_it_had_not_been(
    inside: Inside, tmp_path: Path
) -> None:
    now = timedelta(0)
    expected = {}
    for name in ("main", "less"):
        await exported(inside, tmp_path / name, index=name)
        expected[name] = things(tmp_path / name)
    for first, then in (("less", "main"), ("main", "less")):
        number = 0
        while True:
            to = tmp_path / f"{then}-{number}"
            await exported(inside, to, index=first)
            cut = Cut(to, number)
            try:
                await exported(inside, cut, index=then, grace=now)
            except Unavailable:
                listed(to)
                await exported(inside, to, index=then, grace=now)
            assert listed(to) == listed(tmp_path / then)
            assert things(to) == expected[then]
            if cut.left:
                break
            number += 1
        assert number > 5


async def test_a_source_that_is_away_changes_nothing(
    inside: Inside, outside: Outside, tmp_path: Path
) -> None:
    to = tmp_path / "site"
    await exported(inside, to)
    before = things(to)
    outside.stop()
    page = to / "simple" / "never" / "index.html"
    page.parent.mkdir()
    page.write_bytes(b"as it was")
    scope = Scope(names=tuple(map(ProjectName, ("demo", "lib", "never", "own"))), known=False)
    state = await exported(inside, to, scope=scope, grace=timedelta(0))
    assert [one.what for one in state.unanswered] == ["never"] and not state.whole
    assert page.read_bytes() == b"as it was"
    assert roots(to) == [["demo", "lib", "never", "own"]] * 2
    after = things(to)
    assert {name for name in before if before[name] != after.get(name)} == set(ROOT)


async def test_exactly_the_files_of_a_lock_or_nothing(inside: Inside, tmp_path: Path) -> None:
    to, index = tmp_path / "site", inside.keep.indexes[IndexName("main")]
    demo = await index.known(ProjectName("demo"))
    left = await index.known(ProjectName("left"))
    assert demo is not None and left is not None
    new = next(file for file in demo.files if file.filename == NEW[0])
    state = await exported(inside, to, scope=exactly([new], []))
    assert listed(to) == {"demo": {NEW[0]}} and state.whole
    before = things(to)
    for scope in (exactly([new, *left.files], []), exactly([new], [Lacking(what="x 1", why="gone")])):
        state = await exported(inside, to, scope=scope)
        assert len(state.lacking) == 1 and things(to) == before
    state = await exported(inside, to, index="less", scope=exactly(demo.files, []))
    assert "INC-9" in state.lacking[0].why and things(to) == before


async def test_a_snapshot_is_exported_as_it_was(inside: Inside, tmp_path: Path) -> None:
    index = inside.keep.indexes[IndexName("main")]
    await make(inside.keep, "then", await of_index(inside.keep, index), "test", None)
    view = await inside.keep.views.find(index, "then")
    scope = await everything(inside.keep, view, "then")
    shelf = FolderShelf(tmp_path / "site")
    *_, state = [state async for state in export(inside.keep, view, scope, shelf, grace=None)]
    assert listed(tmp_path / "site") == ALL
    assert state.not_here == 1


async def test_nothing_at_all_does_not_take_the_place_of_a_site(inside: Inside, tmp_path: Path) -> None:
    to = tmp_path / "site"
    await exported(inside, to)
    before = things(to)
    with pytest.raises(NothingToShow, match="3 projects"):
        await exported(inside, to, index="none", grace=timedelta(0))
    assert things(to) == before
    state = await exported(inside, tmp_path / "other", index="none")
    assert state.whole and roots(tmp_path / "other") == [[], []]


async def test_pages_of_others_stay_what_they_are(inside: Inside, tmp_path: Path) -> None:
    site = tmp_path / "site"
    other = site / "simple" / "other" / "index.html"
    other.parent.mkdir(parents=True)
    other.write_text("theirs")
    for dry_run in (True, False):
        with pytest.raises(Foreign, match=r"simple/other/index\.html"):
            await exported(inside, site, dry_run=dry_run)
    assert [path for path in site.rglob("*") if path.is_file()] == [other]
    assert other.read_text() == "theirs"
    (site / NOTES).touch()
    assert (await exported(inside, site)).projects == len(ALL)


async def test_a_bucket_holds_the_same(inside: Inside, tmp_path: Path) -> None:
    shared().make("sites")
    shelf = open_shelf(read_bucket(f"s3://sites/{tmp_path.name}"), shared().settings)
    try:
        assert (await exported(inside, shelf)).written > 8
        assert (await exported(inside, shelf)).written == 0
        await exported(inside, tmp_path / "site")
        names = {item.name async for item in shelf.items()} - {"lock", "wheelkeep-site.json"}
        assert names == things(tmp_path / "site").keys()
        for name in names:
            assert await hash_of(shelf, name) == await hash_of(FolderShelf(tmp_path / "site"), name)
    finally:
        await shelf.close()
