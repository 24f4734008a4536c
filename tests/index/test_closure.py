"""What a list would gain: held against requirements, locks and the sources that the list governs."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from packaging.requirements import Requirement

from fakes.asgi import Inside
from fakes.dists import wheel
from fakes.outside import Outside
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.resolved import Resolved
from wheelkeep.index.candidates import Candidates
from wheelkeep.index.closure import Closure, oldest_python, weigh

CONFIG = """
[sources.house]
kind = "directory"
path = "house"

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["house", "outer"]
policy = "policy.toml"
"""
PURE, LINUX = wheel("demo", "1.0"), wheel("demo", "1.0", tag="cp311-cp311-linux_x86_64")


@pytest_asyncio.fixture
async def inside(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Inside]:
    (tmp_path / "house").mkdir()
    name, content = wheel("ours", "1.0")
    (tmp_path / "house" / name).write_bytes(content)
    (tmp_path / "policy.toml").write_text(getattr(request, "param", "[allow]\n"))
    locked = hashlib.sha256(PURE[1]).hexdigest()
    (tmp_path / "requirements.txt").write_text(f"demo==1.0 --hash=sha256:{locked}\n")
    with Outside() as outside:
        outside.add(*PURE, upload_time="2020-03-03T00:00:00Z")
        outside.add(*LINUX)
        for version, python in (("1.0", ""), ("2.0", ">=3.11"), ("3.0", ">=3.13,<4"), ("4.0rc1", ">=3.14")):
            outside.add(*wheel("aging", version), requires_python=python)
        outside.faults["/simple/away/"] = "error"
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as opened:
            yield opened


def candidates(inside: Inside) -> Candidates:
    return Candidates(inside.keep, inside.keep.indexes[IndexName("main")])


async def weighed(inside: Inside, *texts: str) -> Closure:
    chosen = [
        Resolved(project=ProjectName(name), version=version)
        for name, _, version in (text.partition("==") for text in texts)
    ]
    return await weigh(candidates(inside), chosen, remote={"outer"}, python="3.10")


@pytest.mark.parametrize(
    ("inside", "new"),
    [
        ("", ["demo"]),
        ("[allow]\n", ["demo"]),
        ('[allow]\npackages = ["demo"]\n', []),
        ('[allow]\npackages = ["demo>1"]\n', ["demo"]),
        # A lock that has one of a version's two wheels does not list the version.
        ('[allow]\nlocks = ["requirements.txt"]\n', ["demo"]),
        ('[allow]\nsources = ["house"]\n', ["ours"]),
        ('[allow]\nsources = ["house", "outer"]\n', ["demo", "ours"]),
    ],
    indirect=["inside"],
)
async def test_what_the_list_does_not_name(inside: Inside, new: list[str]) -> None:
    found = await weighed(inside, "demo==1.0", "ours==1.0")
    assert [one.name for one in found.new] == new
    assert (found.listed, found.blocked, found.unread) == (2 - len(new), (), ())


async def test_what_is_told_of_a_version(inside: Inside) -> None:
    ((one,), blocked) = ((found := await weighed(inside, "demo==1.0", "demo==9.0")).new, found.blocked)
    assert (one.source, one.size, one.licence) == ("outer", max(len(PURE[1]), len(LINUX[1])), None)
    assert f"{one.uploaded:%Y-%m-%d}" == "2020-02-02"
    assert [(gone.version, gone.sentence) for gone in blocked] == [("9.0", "its files are no longer there")]


@pytest.mark.parametrize(
    ("wanted", "oldest"),
    [
        ((), "3.10"),
        (("aging<2",), "3.10"),
        (("aging==2.*", "demo"), "3.11"),
        (("aging",), "3.13"),
        (("aging>3",), "3.14"),
        (("aging; os_name == 'nt'",), "3.10"),
        (("nothing", "away"), "3.10"),
    ],
)
async def test_the_oldest_python(
    inside: Inside, wanted: tuple[str, ...], oldest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wheelkeep.index.candidates._TRIES", 1)
    assert await oldest_python(candidates(inside), [Requirement(text) for text in wanted]) == oldest
