"""From locks to a wheelhouse: with the outside gone, sixty packages are installed on empty machines in every way that
there is, and always are the same files.
"""

import shutil
from pathlib import Path

import pytest

from fakes import world
from fakes.buckets import shared
from fakes.clients import Client, versions
from fakes.command import Ran, quickly
from fakes.machines import Machine
from fakes.outside import Outside
from fakes.server import Server

from .conftest import PIPS

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1s"

[indexes.main]
sources = ["outer"]
"""
PROJECT = """
[project]
name = "work"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["part-00"]

[tool.uv]
package = false
"""


def locked(server: Server, uv: Client, project: Path) -> tuple[Path, Path]:
    """A lock that uv made, and one that the keep made; both through the keep."""
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    uv.env = {"UV_DEFAULT_INDEX": server.simple()}
    done = uv.run("lock", "--no-cache", cwd=project)
    assert done.code == 0, done.said
    kept(server, "lock", "part-00", "-o", project / "requirements.txt")
    return project / "uv.lock", project / "requirements.txt"


def kept(server: Server, *words: str | Path) -> Ran:
    """A command on the keep's data, beside its server."""
    ran = quickly("-c", server.config, *words, cwd=server.folder)
    assert ran.code == 0, ran.err
    return ran


def test_from_locks_to_empty_machines(uv: Client, outside: Outside, tmp_path: Path) -> None:
    expected = world.sixty(outside)
    machine, buckets = Machine(tmp_path / "machine"), shared()
    house, bucket = tmp_path / "house", f"{buckets.make('published')}/{tmp_path.name}"
    came = {}

    def ran(client: Client, *words: str) -> dict[str, str]:
        done = client.run(*words, cwd=tmp_path / "project")
        assert done.code == 0, done.said
        assert versions(machine.site) == expected
        return machine.installed()

    with Server(tmp_path / "keep", CONFIG.format(url=outside.url) + buckets.toml) as server:
        locks = locked(server, uv, tmp_path / "project")
        both = ("mirror", "-r", locks[0], "-r", locks[1], "--json")
        dry = kept(server, *both, "--dry-run").json
        # uv read the sdist to know what it needs.
        assert (dry["there"], len(server.blobs())) == (1, 1)
        done = kept(server, *both).json
        assert (done["fetched"], done["fetched_bytes"]) == (
            dry["files"] - 1,
            dry["bytes"] - dry["there_bytes"],
        )
        outside.stop()
        for where in (house, bucket):
            kept(server, "export", "wheelhouse", where, "-r", locks[1])
        came["uv sync"] = ran(machine.uv(), "sync", "--frozen")
        hashed = ("--require-hashes", "--no-compile", "-r", str(locks[1]))
        came["pip, by hashes"] = ran(
            machine.pip(PIPS[-1]), "install", "--index-url", server.simple(), *hashed
        )
    shutil.rmtree(tmp_path / "keep")

    page = f"{buckets.publish('published')}/{tmp_path.name}/index.html"
    for name, where in (("folder", str(house)), ("bucket", page)):
        links = (
            "--no-index",
            "--find-links",
            where,
            "--require-hashes",
            "-r",
            str(house / "requirements.txt"),
        )
        old = machine.pip(PIPS[0 if name == "bucket" else -1])
        came[f"pip, from a {name}"] = ran(old, "install", "--no-compile", *links)
        came[f"uv, from a {name}"] = ran(machine.uv(), "pip", "install", *links)
    assert len(came["uv sync"]) > 3 * len(expected)
    assert {name for name, told in came.items() if told != came["uv sync"]} == set()
