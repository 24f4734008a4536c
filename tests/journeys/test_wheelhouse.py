"""A lock becomes a wheelhouse; with the outside gone, pip and uv install from it what they install from the keep."""

import shutil
from pathlib import Path

import pytest

from fakes import world
from fakes.clients import Client, contents, versions
from fakes.command import wheelkeep
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
"""


def test_from_a_lock_to_a_wheelhouse(new_pip: Client, uv: Client, outside: Outside, tmp_path: Path) -> None:
    world.fill(outside)
    house, lock = tmp_path / "house", tmp_path / "requirements.txt"
    with Server(tmp_path / "keep", CONFIG.format(url=outside.url)) as server:
        told = wheelkeep("-c", server.config, "lock", "app", "early", "-o", lock)
        assert told.code == 0, told.err
        assert (
            new_pip.install(server.simple(), tmp_path / "kept", "--require-hashes", "-r", str(lock)).code == 0
        )
        ran = wheelkeep("-c", server.config, "export", "wheelhouse", house, "-r", lock)
        assert ran.code == 0, ran.err
        outside.stop()
        (house / world_file(house)).unlink()
        again = wheelkeep("-c", server.config, "export", "wheelhouse", house, "-r", lock, "--json")
        assert (again.code, again.json["written"]) == (0, 1), again.err
    shutil.rmtree(tmp_path / "keep")
    names = [
        "--no-index",
        "--find-links",
        str(house),
        "--require-hashes",
        "-r",
        str(house / "requirements.txt"),
    ]
    expected = world.APP | {"early": "1.0"}
    for client in (new_pip, uv):
        words = ["pip", "install"] if not client.is_pip else ["install", "--no-compile"]
        done = client.run(*words, "--target", str(tmp_path / client.name), *names)
        assert done.code == 0, done.said
        assert versions(tmp_path / client.name) == expected
    assert contents(tmp_path / new_pip.name) == contents(tmp_path / "kept")


def world_file(house: Path) -> str:
    return next(path.name for path in sorted(house.iterdir()) if path.name.startswith("lib-"))
