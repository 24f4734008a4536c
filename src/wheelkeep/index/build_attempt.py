"""One build of one sdist in a sandbox, and the wheel that it left, if it is a good one.

The sdist always lies at the same place, and the environment is always the same: what compilers and build backends put
of these into what they make is then the same as well.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Struct
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion

from wheelkeep.core.built import Material
from wheelkeep.core.found_files import claim_of
from wheelkeep.core.names import ProjectName
from wheelkeep.index.index import Index
from wheelkeep.index.interpreter import Interpreter
from wheelkeep.index.receive import look_inside
from wheelkeep.index.sandbox import Limits, sandboxed
from wheelkeep.index.view import View
from wheelkeep.store.hashing import hash_file

_MOST_SAID = 4_000
"""Letters of what a build said that are shown."""
_UNPACK = """
import os, sys, tarfile, zipfile
archive, folder, *command = sys.argv[1:]
os.umask(0o022)
if zipfile.is_zipfile(archive):
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
else:
    with tarfile.open(archive) as opened:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        opened.extractall(folder, **safe)
tops = os.listdir(folder)
if len(tops) != 1:
    sys.exit("the sdist has no single top folder")
source = os.path.join(folder, tops[0])
os.chdir(source)
os.execv(command[0], [*command, source])
"""
"""Unpacks an sdist, and becomes the program that builds what lies there. Run by the Python that is built for."""


class Serves(Protocol):
    """An index that answers on a socket, to one build."""

    socket: Path
    fetched: set[tuple[ProjectName, str]]
    """Projects and names of the files that it gave."""

    @property
    def too_much(self) -> str:
        """What it was asked for too much of, as a sentence; empty while it was not."""


Serve = Callable[[Index, str], AbstractAsyncContextManager[Serves]]
"""Gives an index to a build that is called so."""


class Shop(Struct, frozen=True, kw_only=True):
    """How is built."""

    python: Interpreter
    uv: Path
    uv_version: str
    serve: Serve
    limits: Limits
    sandboxed: bool = True
    once: bool = False
    """Not twice to compare."""
    anew: bool = False
    """Also what was built before of the same sdist by the same Python."""


class Failed(Struct, frozen=True, kw_only=True):
    """An sdist of which no wheel was made."""

    sdist: str
    why: str
    said: str = ""
    """The end of what the build said; no control characters but line ends and tabs."""


class Wheel(NamedTuple):
    """A wheel that a build left; it lies in the folder that the build was given."""

    path: Path
    sha256: str
    size: int
    requires_python: str | None
    requirements: tuple[Material, ...]
    """What the build fetched, in order."""


async def attempt(
    index: Index, shop: Shop, of: Material, bytes_at: Path, *, epoch: int, out: Path
) -> Wheel | Failed:
    """Builds an sdist whose bytes lie at a path; ``out`` is an empty folder. Raises NoSandbox, Unwritable."""
    async with shop.serve(index, called(of)) as served:
        ended = await sandboxed(
            _command(index, shop, of.filename),
            given={of.filename: bytes_at},
            environment=_environment(index, epoch),
            readable=[shop.python.prefix, shop.uv],
            index_socket=served.socket,
            out=out,
            limits=shop.limits,
            unsafe=not shop.sandboxed,
        )
        fetched = sorted(served.fetched)
    if why := served.too_much or ended.why:
        return _failed(of, why, ended.said)
    materials = [await _material(index, project, filename) for project, filename in fetched]
    wheels = [path for path in ended.produced if path.name.endswith(".whl")]
    if len(wheels) != 1:
        return Failed(sdist=of.filename, why=f"the build left {len(wheels) or 'no'} wheels")
    if not _fits(shop.python, wheels[0].name):
        why = f"the build made {wheels[0].name[:100]!a}, which the {shop.python.says} that built it does not install"
        return Failed(sdist=of.filename, why=why)
    checked = await asyncio.to_thread(check_wheel, of, wheels[0])
    if isinstance(checked, Failed):
        return checked
    return checked._replace(requirements=tuple(one for one in materials if one is not None))


def called(of: Material) -> str:
    """How the book of fetches names a build."""
    return f"build of {of.project} {of.version}"


def check_wheel(of: Material, path: Path) -> Wheel | Failed:
    """A wheel, if it is what an upload may be, and of the sdist's project and version; for a thread. Raises OSError."""
    sha256, size = hash_file(path)
    claim = claim_of(path.name, sha256)
    if claim.problems:
        return Failed(sdist=of.filename, why="; ".join(claim.problems))
    if (claim.project, claim.version) != (of.project, of.version):
        why = f"the build made {path.name[:100]!a}, which is not {of.project} {of.version}"
        return Failed(sdist=of.filename, why=why)
    described, _, problems = look_inside(claim, path)
    if problems or described is None:
        return Failed(sdist=of.filename, why="; ".join(problems))
    return Wheel(path, sha256, size, described.requires_python, ())


def _fits(python: Interpreter, filename: str) -> bool:
    """A build speaks for its own kind of machine alone."""
    try:
        return not python.machine.tags.isdisjoint(parse_wheel_filename(filename)[3])
    except (InvalidWheelFilename, InvalidVersion):
        return False


async def _material(index: Index, project: ProjectName, filename: str) -> Material | None:
    view = await index.decided(project, filename)
    entry = view.by_name.get(filename) if isinstance(view, View) else None
    if entry is None or entry[0].sha256 is None:
        return None  # a page that lost it since; the book of fetches still says that it was given
    return Material.of(entry[0], entry[0].sha256)


def _command(index: Index, shop: Shop, filename: str) -> list[str]:
    python = str(shop.python.path)
    return [
        python, "-I", "-c", _UNPACK, f"{{in}}/{filename}", "{work}/source",
        str(shop.uv), "build", "--wheel", "--force-pep517", "--out-dir", "{out}", "--python", python, "--no-config",
        "--no-sources", "--no-python-downloads", "--no-create-gitignore", "--keyring-provider", "disabled",
        "--color", "never", "--no-progress", "--default-index", _simple(index),
    ]  # fmt: skip


def _simple(index: Index) -> str:
    return f"{{index}}/{index.path}/simple/"


def _environment(index: Index, epoch: int) -> dict[str, str]:
    """What a build finds in its environment, beside what every sandbox has."""
    return {
        "HOME": "{work}/home",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",
        "UV_CACHE_DIR": "{work}/cache",
        "UV_LINK_MODE": "copy",
        "UV_HTTP_TIMEOUT": "300",
        "NO_PROXY": "127.0.0.1",
        # Old build scripts ask pip or setuptools themselves.
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": _simple(index),
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def _failed(of: Material, why: str, said: str) -> Failed:
    said = said.strip()
    tail = said if len(said) <= _MOST_SAID else f"…{said[-_MOST_SAID:]}"
    return Failed(sdist=of.filename, why=why, said=tail)
