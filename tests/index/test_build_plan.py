"""What is to be built, and what a build would take from other sources."""

from pathlib import Path

import pytest

from fakes.asgi import Inside
from fakes.dists import sdist, wheel
from fakes.made import file
from fakes.outside import Outside
from fakes.received import give
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.resolved import Resolved
from wheelkeep.core.targets import Targets, read_targets
from wheelkeep.core.write_lock import Choice
from wheelkeep.index.build_plan import published, takeovers, to_build
from wheelkeep.index.needed import Lacking, of_resolved

DEMO = ProjectName("demo")
CONFIG = """
[sources.acme]
kind = "hosted"
[sources.outer]
kind = "remote"
url = "{url}"
[indexes.main]
sources = ["acme", "outer"]
policy = "policy.toml"
[indexes.shared]
sources = [["acme", "outer"]]
[indexes.below]
sources = ["outer", "acme"]
[indexes.floor]
sources = ["acme", "outer"]
merge = "floor"
[indexes.blend]
sources = ["acme", "outer"]
merge = "unsafe-blend"
"""
LINUX = read_targets(["3.11"], ["manylinux_2_28_x86_64"])


def choice(version: str, *names: str) -> Choice:
    return Choice(project=DEMO, version=version, files=tuple(file(name) for name in names))


def test_one_sdist_a_version_is_built() -> None:
    plan = to_build(
        [
            choice("1.0", "demo-1.0.zip", "demo-1.0.tar.gz"),
            choice("1.0", "demo-1.0.tar.gz"),
            choice("2.0", "demo-2.0-py3-none-any.whl"),
            choice("3.0", "demo-3.0.tar.gz"),
            choice("4.0", "demo-4.0-py3-none-any.whl", "demo-4.0.tar.gz"),
        ],
        {(DEMO, "3.0")},
    )
    assert [one.filename for one in plan.sdists] == ["demo-1.0.tar.gz", "demo-4.0.tar.gz"]
    assert plan.ready == 2


async def test_the_names_that_a_build_takes_are_known_without_asking(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("")
    with Outside() as outside:
        outside.add(*sdist("demo", "1.0"))
        outside.add(*sdist("ours", "1.0"))
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
            acme = SourceName("acme")
            await give(inside.keep, acme, *wheel("ours", "0.5"))
            for name in ("demo", "ours"):
                await inside.get(f"/below/simple/{name}/")
            asked = len(outside.log)
            found = await takeovers(inside.keep, acme, [DEMO, ProjectName("ours"), ProjectName("new")])
            assert [(one.index, one.project, one.sources) for one in found] == [
                ("main", "demo", ("outer",)),
                ("floor", "demo", ("outer",)),
            ]
            assert len(outside.log) == asked


async def test_what_a_source_has_need_not_be_built(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("")
    with Outside() as outside:
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
            acme = SourceName("acme")
            await give(inside.keep, acme, *wheel("demo", "1.0"))
            await give(inside.keep, acme, *wheel("demo", "2.0", tag="cp311-cp311-win_amd64"))
            choices = [choice("1.0"), choice("2.0"), choice("3.0")]
            assert await published(inside.keep, acme, choices, LINUX) == {(DEMO, "1.0")}


@pytest.mark.parametrize("more", [(), (wheel("demo", "1.0", tag="cp311-cp311-win_amd64"),)])
async def test_an_sdist_that_is_blocked_is_lacking_with_its_reason(
    tmp_path: Path, more: tuple[tuple[str, bytes], ...]
) -> None:
    (tmp_path / "policy.toml").write_text("[formats]\nwheels_only = true\n")
    with Outside() as outside:
        for made in (sdist("demo", "1.0"), *more):
            outside.add(*made)
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
            index = inside.keep.indexes[IndexName("main")]
            resolved = [Resolved(project=DEMO, version="1.0")]
            needed = await of_resolved(index, resolved, Targets(machines=LINUX.machines, sdists=True))
            (lacking,) = needed.lacking
            assert isinstance(lacking, Lacking)
            assert (lacking.what, "formats" in lacking.why) == ("demo-1.0.tar.gz", True)
            assert to_build(needed.choices).sdists == ()
