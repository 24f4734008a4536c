"""Locks that real tools write, and what ``[allow] locks`` makes of them for real installers."""

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes import clients
from fakes.ask import JSON
from fakes.clients import Client
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.publishers import Publisher
from fakes.server import PATIENCE, Server
from fakes.world import APP, BIG, fill
from wheelkeep.core.lockfiles import read_lock

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"

[indexes.edited]
sources = ["outer"]
policy = "edited.toml"
"""
PROJECT = """
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["app"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.uv]
package = false

[[tool.poetry.source]]
name = "outer"
url = "{url}"
priority = "primary"

[[tool.pdm.source]]
name = "pypi"
url = "{url}"
"""
LIB = wheel("lib", "1.1", files={"lib/__init__.py": b"", "lib/data.bin": BIG})[1]
LOCKS = ("uv.lock", "pylock.toml", "requirements.txt", "poetry.lock", "pdm.lock")
BUILD = f"py3{sys.version_info.minor}-none-any"
"""What an installer likes better than ``py3-none-any``."""


def eventually(what: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, "it did not come to be so"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def world() -> Iterator[Outside]:
    with Outside() as outside:
        fill(outside)
        yield outside


@pytest.fixture(scope="module")
def folder(world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, locked by every tool against the outside index."""
    home = tmp_path_factory.mktemp("locking")
    project = home / "shop"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT.format(url=world.url))
    uv = clients.uv(home)
    uv.env = {"UV_NO_CONFIG": "0", "UV_DEFAULT_INDEX": world.url}
    words = [
        ["lock"],
        ["export", "--no-header", "-o", "pylock.toml"],
        ["export", "--no-header", "-o", "requirements.txt"],
    ]
    runs = [uv.run(*each, "--no-cache", cwd=project) for each in words]
    runs += [
        Publisher(tool, home, world.url).run(*each, folder=project)
        for tool, *each in (("poetry", "lock", "--no-interaction"), ("pdm", "lock"))
    ]
    for done in runs:
        assert done.code == 0, done.said
    # Only now: a wheel that no lock knows.
    world.add(*wheel("lib", "1.1", files={"lib/__init__.py": b"LATER = True\n"}, tag=BUILD))
    return project


@pytest.mark.parametrize("lock", LOCKS)
def test_what_tools_write_is_read(folder: Path, lock: str) -> None:
    read = read_lock(str(folder / lock), lambda path: Path(path).read_bytes())
    assert (read.format, read.warnings) == (lock, ())
    entries = [entry for entry in read.entries if not entry.unservable]
    assert {entry.project: entry.version for entry in entries} == APP
    stated = {str(entry.project): {file.sha256 for file in entry.files} for entry in entries}
    assert stated["lib"] == {hashlib.sha256(LIB).hexdigest()}
    assert all(len(hashes) == 1 for hashes in stated.values())


@pytest.fixture(scope="module")
def server(folder: Path, world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    keep = tmp_path_factory.mktemp("keep")
    (keep / "requirements.txt").write_bytes((folder / "requirements.txt").read_bytes())
    (keep / "edited.txt").write_bytes((folder / "requirements.txt").read_bytes())
    for policy, lock in (("policy.toml", "requirements.txt"), ("edited.toml", "edited.txt")):
        (keep / policy).write_text(f'[allow]\nlocks = ["{lock}"]\n')
    with Server(keep, CONFIG.format(url=world.url)) as server:
        yield server


def test_a_lock_s_files_are_installed_and_no_others(
    installer: Client, server: Server, folder: Path, tmp_path: Path
) -> None:
    """The same version's other wheel, which an installer without the lock would take, is not to be had."""
    lock = str(folder / "requirements.txt")
    found = installer.got(server.simple(), tmp_path / "locked", "--require-hashes", "-r", lock)
    assert found == APP
    assert not (tmp_path / "locked" / "lib" / "__init__.py").read_text()
    assert installer.got(server.simple(), tmp_path / "free", "app") == APP
    assert not (tmp_path / "free" / "lib" / "__init__.py").read_text()


def test_the_other_wheel_is_blocked_with_its_reason(
    installer: Client, server: Server, tmp_path: Path
) -> None:
    """Also for whoever has its hash; the lines that installers print are kept in docs/reasons.md."""
    filename = f"lib-1.1-{BUILD}.whl"
    says = "this file of lib 1.1 is not on the allow list, which has 1.1 in requirements.txt"
    page = server.get("/main/simple/lib/", Accept=JSON).json
    files = {file["filename"]: file for file in page["files"]}
    assert files["lib-1.1-py3-none-any.whl"]["yanked"] is False
    assert files[filename]["yanked"] == f"wheelkeep: allow: {says}"
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"lib==1.1 --hash=sha256:{files[filename]['hashes']['sha256']}\n")
    done = installer.install(server.simple(), tmp_path / "into", "--require-hashes", "-r", str(wanted))
    assert done.code != 0
    told = f"/blocked/allow/{says.replace(' ', '-').replace(',', '')}/{filename}"
    assert told in done.words
    if not installer.is_pip:
        assert (
            f"Blocked by the policy: allow, {filename}: wheelkeep: allow: {says}. To change that"
            in done.words
        )
    assert not list((tmp_path / "into").glob("lib*"))


def test_a_lock_that_changes_takes_effect_and_a_broken_one_does_not(server: Server) -> None:
    lock = server.folder / "edited.txt"
    later = f"lib-1.1-{BUILD}.whl"

    def admitted() -> set[str]:
        files = server.get("/edited/simple/lib/", Accept=JSON).json["files"]
        return {file["filename"] for file in files if file["yanked"] is False}

    good = lock.read_text()
    lock.write_text("lib=1.1\n")
    eventually(lambda: '"policy_broken"' in server.log)
    assert admitted() == {"lib-1.1-py3-none-any.whl"}
    page = server.get("/main/simple/lib/", Accept=JSON).json
    sha256 = next(file["hashes"]["sha256"] for file in page["files"] if file["filename"] == later)
    lock.write_text(f"{good}lib==1.1 --hash=sha256:{sha256}\n")
    eventually(lambda: later in admitted())
    assert admitted() == {"lib-1.1-py3-none-any.whl", later}
