"""What becomes of what a build left: nothing is built here, the sandbox is told what to say."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.tags import Tag

from fakes.builds import material
from fakes.dists import wheel
from wheelkeep.core.targets import Machine
from wheelkeep.index import build_attempt
from wheelkeep.index.build_attempt import Failed, Shop, Wheel, attempt
from wheelkeep.index.interpreter import Interpreter
from wheelkeep.index.sandbox import Ended, Limits

PYTHON = Interpreter(
    path=Path(sys.executable),
    prefix=Path(sys.prefix),
    says="cpython 3.12.1",
    platform="linux_x86_64",
    machine=Machine(tags=frozenset({Tag("py3", "none", "any")}), environment={}),
)


async def tried(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *left: tuple[str, bytes], too_much: str = "", why: str = ""
) -> Wheel | Failed:
    async def sandboxed(*_: object, out: Path, **__: object) -> Ended:
        for name, body in left:
            (out / name).write_bytes(body)
        return Ended(code=0, why=why, said=" words\n", produced=tuple(sorted(out.iterdir())))

    @contextlib.asynccontextmanager
    async def serve(*_: object) -> AsyncIterator[Any]:
        yield SimpleNamespace(socket=folder / "s", fetched=set(), too_much=too_much)

    monkeypatch.setattr(build_attempt, "sandboxed", sandboxed)
    index: Any = SimpleNamespace(path="main")
    shop = Shop(python=PYTHON, uv=Path("uv"), uv_version="1", serve=serve, limits=Limits())
    return await attempt(index, shop, material(), folder / "demo-1.0.tar.gz", epoch=0, out=folder)


async def test_a_good_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = await tried(monkeypatch, tmp_path, wheel("demo", "1.0"), ("notes.txt", b""))
    assert isinstance(made, Wheel)
    assert (made.path.name, made.requirements) == ("demo-1.0-py3-none-any.whl", ())


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ([], "the build left no wheels"),
        ([wheel("demo", "1.0"), ("demo-1.0-1-py3-none-any.whl", b"")], "the build left 2 wheels"),
        ([("demo-1.0-py3-none-win_amd64.whl", b"")], "cpython 3.12.1 that built it does not install"),
        ([("demo.whl", b"")], "does not install"),
        ([wheel("other", "1.0")], "which is not demo 1.0"),
        ([wheel("demo", "2.0")], "which is not demo 1.0"),
        ([("demo-1.0-py3-none-any.whl", b"PK")], "no zip file"),
    ],
)
async def test_what_is_no_wheel_of_the_sdist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left: list[tuple[str, bytes]], why: str
) -> None:
    failed = await tried(monkeypatch, tmp_path, *left)
    assert isinstance(failed, Failed)
    assert why in failed.why


async def test_who_asked_for_too_much_made_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = await tried(
        monkeypatch, tmp_path, wheel("demo", "1.0"), too_much="it asked for all", why="exit 2"
    )
    assert failed == Failed(sdist="demo-1.0.tar.gz", why="it asked for all", said="words")
    failed = await tried(monkeypatch, tmp_path, why="exit 2")
    assert failed == Failed(sdist="demo-1.0.tar.gz", why="exit 2", said="words")
