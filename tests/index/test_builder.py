"""What is made of two builds, of earlier ones, and of what may no longer come in; the sandbox's part is played."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from msgspec.structs import replace

from fakes.asgi import Inside
from fakes.dists import sdist, wheel
from fakes.outside import Outside
from wheelkeep.core.built import Built, Material
from wheelkeep.core.model import File
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.notes import PublicKey
from wheelkeep.core.statement import verify
from wheelkeep.index import builder as module
from wheelkeep.index.build_attempt import Failed, Shop, Wheel, check_wheel
from wheelkeep.index.builder import Builder, Made
from wheelkeep.index.interpreter import find_interpreter
from wheelkeep.index.sandbox import Limits
from wheelkeep.index.view import View

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"
"""
DEMO = ProjectName("demo")
TOOL = wheel("tool", "1.0")
ONE, OTHER = (wheel("demo", "1.0", files={"demo.py": text})[1] for text in (b"x = 1\n", b"x = 2\n"))


@dataclass(slots=True)
class Bench:
    """A builder whose attempts come to what a test says: the bytes of a wheel, or why there is none."""

    inside: Inside
    shop: Shop
    came: list[bytes | str] = field(default_factory=list)
    used: list[Material] = field(default_factory=list)

    async def attempt(
        self, _index: Any, _shop: Any, of: Material, *_: Any, out: Path, **__: Any
    ) -> Wheel | Failed:
        came = self.came.pop(0)
        if isinstance(came, str):
            return Failed(sdist=of.filename, why=came)
        path = out / "demo-1.0-py3-none-any.whl"
        path.write_bytes(came)
        checked = check_wheel(of, path)
        assert isinstance(checked, Wheel)
        return checked._replace(requirements=tuple(self.used))

    async def sdist(self) -> File:
        view = await self.inside.keep.indexes[IndexName("main")].page(DEMO)
        assert isinstance(view, View)
        return view.by_name["demo-1.0.tar.gz"][0]

    async def build(self, *came: bytes | str, **shop: bool) -> Made | Failed:
        self.came = list(came)
        keep = self.inside.keep
        made = Builder(keep, keep.indexes[IndexName("main")], replace(self.shop, **shop))
        outcome = await made.build(await self.sdist())
        assert self.came == []
        return outcome

    async def built(self, *came: bytes | str, **shop: bool) -> Built:
        outcome = await self.build(*came, **shop)
        assert isinstance(outcome, Made), outcome
        return outcome.built


@pytest_asyncio.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    (tmp_path / "policy.toml").write_text("")
    python = await find_interpreter(None)
    shop = Shop(python=python, uv=Path("uv"), uv_version="1", serve=cast(Any, None), limits=Limits())
    with Outside() as outside:
        outside.add(*sdist("demo", "1.0"))
        outside.add(*TOOL)
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
            made = Bench(inside, shop)
            sha256 = hashlib.sha256(TOOL[1]).hexdigest()
            told = {"project": ProjectName("tool"), "version": "1.0", "filename": TOOL[0], "sha256": sha256}
            made.used = [Material(source=SourceName("outer"), **told)]
            monkeypatch.setattr(module, "attempt", made.attempt)
            yield made


async def test_the_same_twice_is_reproducible_kept_and_stated(bench: Bench) -> None:
    made = await bench.built(ONE, ONE)
    assert (made.reproducible, made.differences) == ("yes", ())
    assert made.epoch == 1_580_601_600
    keep = bench.inside.keep
    assert keep.blobs.path(made.sha256).read_bytes() == ONE
    (stated,) = await keep.builds.of_project(DEMO)
    key = await keep.log.key()
    assert isinstance(key, PublicKey)
    assert verify(stated.envelope, key)["subject"][0]["digest"]["sha256"] == made.sha256


@pytest.mark.parametrize(
    ("second", "says"),
    [(OTHER, "demo.py differs: as long"), ("exit 1", "the second build failed: exit 1")],
)
async def test_what_differs_is_told_and_the_first_is_kept(
    bench: Bench, second: bytes | str, says: str
) -> None:
    made = await bench.built(ONE, second)
    assert (made.reproducible, made.sha256) == ("no", hashlib.sha256(ONE).hexdigest())
    assert says in made.differences


async def test_what_was_built_before_is_taken_while_it_may_come_in(bench: Bench, tmp_path: Path) -> None:
    first = await bench.built(ONE, once=True)
    assert first.reproducible == "untold"
    taken = await bench.build()
    assert (taken, taken.before if isinstance(taken, Made) else None) == (
        Made(built=first, before=True),
        True,
    )
    # What built it is no longer what the page has: it is built again.
    keep = bench.inside.keep
    bench.used = [replace(bench.used[0], sha256="0" * 64)]
    await bench.built(ONE, once=True, anew=True)
    bench.used = []
    path = keep.blobs.path(first.sha256)
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    assert (await bench.built(ONE, once=True)).sha256 == first.sha256
    assert path.read_bytes() == ONE


async def test_an_earlier_build_of_the_same_is_compared(bench: Bench) -> None:
    await bench.built(ONE, once=True)
    assert (await bench.built(ONE, once=True, anew=True)).reproducible == "yes"
    other = await bench.built(OTHER, OTHER, anew=True)
    assert other.reproducible == "no"
    assert other.differences[0].startswith("against the build of ")
    bench.used = []
    assert (await bench.built(ONE, once=True, anew=True)).reproducible == "untold"


async def test_what_was_no_once_is_no_ever_after(bench: Bench) -> None:
    await bench.built(ONE, OTHER)
    made = await bench.built(ONE, ONE, anew=True)
    assert made.reproducible == "no"
    assert made.differences[0].endswith(", of the same, was not reproducible")


async def test_other_inputs_prove_nothing(bench: Bench) -> None:
    outer, used = bench.attempt, list(bench.used)

    async def changing(*words: Any, **named: Any) -> Wheel | Failed:
        outcome = await outer(*words, **named)
        bench.used = []
        return outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "attempt", changing)
        made = await bench.built(ONE, OTHER)
    assert made.reproducible == "untold"
    assert made.differences == ("the second build fetched other files, and made another wheel",)
    # What the second wheel was is not undone by one that was made before, or is made later.
    bench.used = used
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "attempt", changing)
        assert (await bench.built(ONE, OTHER, anew=True)).reproducible == "untold"


async def test_what_is_blocked_by_now_is_not_built(bench: Bench) -> None:
    file = await bench.sdist()
    keep = bench.inside.keep
    index = keep.indexes[IndexName("main")]
    made = Builder(keep, index, bench.shop)
    gone = await made.build(replace(file, sha256="0" * 64))
    assert gone == Failed(sdist=file.filename, why="its page no longer has it")
    failed = await bench.build("exit 1")
    assert failed == Failed(sdist=file.filename, why="exit 1")
