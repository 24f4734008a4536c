"""What tests of the web face share: one world outside, and a keep before it in this process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.asgi import Inside
from fakes.dists import metadata, sdist, wheel
from fakes.outside import Outside

CONFIG = """
[sources.house]
kind = "directory"
path = "house"
names = ["acme-*"]

[sources.outer]
kind = "remote"
url = "{url}"
{more}

[indexes.main]
sources = ["house", "outer"]
policy = "policy.toml"

[indexes.omits]
sources = ["house", "outer"]
policy = "policy.toml"
withheld = "omit"

[indexes.strict]
sources = ["outer"]
policy = "allow.toml"
"""
POLICY = """
[deny]
packages = ["demo>=2", "never"]
reason = "INC-42"
"""
ALLOW = """
[allow]
packages = ["demo", "chosen>=1,<2"]
"""
PROOF = {"version": 1, "attestation_bundles": []}
BIG = b"0123456789abcdef" * 8192
"""The module of ``large``: 128 KB, so that a part of it is a part."""


@pytest.fixture(scope="session")
def steady() -> Iterator[Outside]:
    """An outside for ``shared``: look, do not touch."""
    with Outside() as outside:
        fill(outside)
        yield outside


@pytest.fixture
def outside() -> Iterator[Outside]:
    """The same for one test alone."""
    with Outside() as outside:
        fill(outside)
        yield outside


def fill(outside: Outside) -> None:
    """demo 0.9 (sdist), 1.0, 1.1 (yanked), 2.0 (denied); never 1.0 (denied); chosen 1.0 and 3.0; large 1.0."""
    outside.add(*sdist("demo", "0.9"), upload_time="2019-05-06T07:08:09.123456Z")
    told = metadata("demo", "1.0", requires_python=">=3.8,<4").encode()
    outside.add(
        *wheel("demo", "1.0", requires_python=">=3.8,<4"),
        requires_python=">=3.8,<4",
        metadata=told,
        provenance=PROOF,
    )
    outside.add(*wheel("demo", "1.1"), yanked="bad <b>day</b>", upload_time=None)
    outside.add(*wheel("demo", "2.0"), metadata=metadata("demo", "2.0").encode())
    outside.add(*wheel("never", "1.0"))
    outside.add(*wheel("chosen", "1.0"))
    outside.add(*wheel("chosen", "3.0"))
    outside.add(*wheel("large", "1.0", files={"large.bin": BIG}))
    outside.projects_status["demo"] = ("deprecated", 'use "other" & be <happy>')


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(steady: Outside, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inside]:
    """Indexes ``main`` (a denying policy), ``omits`` (the same, blocked files left out), ``strict`` (an allow list).

    One for all tests that only look.
    """
    folder = world(steady, tmp_path_factory.mktemp("shared"))
    async with Inside(folder, CONFIG.format(url=steady.url, more="")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def inside(outside: Outside, tmp_path: Path) -> AsyncIterator[Inside]:
    """The same for one test alone: nothing is kept yet."""
    async with Inside(world(outside, tmp_path), CONFIG.format(url=outside.url, more="")) as made:
        yield made


def world(outside: Outside, folder: Path) -> Path:
    """Writes the policies and the folder of our own wheels."""
    (folder / "house").mkdir()
    filename, content = wheel("acme-tool", "1.0", requires_python=">=3.9")
    (folder / "house" / filename).write_bytes(content)
    (folder / "policy.toml").write_text(POLICY)
    (folder / "allow.toml").write_text(ALLOW)
    return folder
