"""Installing through the keep with real clients, and then all of it again while the outside world is away."""

import re
from pathlib import Path

import pytest

from fakes import world
from fakes.clients import Client
from fakes.installs import everything, hashed
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey


def config(outside: Outside) -> str:
    # Fresh for a moment only: after the outside world is gone every page is an old one.
    return f"""
[sources.outer]
kind = "remote"
url = "{outside.url}"
fresh = "1s"

[indexes.main]
sources = ["outer"]
"""


def test_all_is_installed_and_again_without_the_outside(
    client: Client, outside: Outside, tmp_path: Path
) -> None:
    world.fill(outside)
    locked = hashed(outside, tmp_path / "locked.txt")
    with Server(tmp_path / "keep", config(outside)) as server:
        first = everything(client, server.simple(), tmp_path / "first", locked)
        assert all(first.values())
        outside.stop()
        asked = len(outside.log)
        # Across a restart too: what was seen once is kept on disk.
        server.restart()
        assert everything(client, server.simple(), tmp_path / "second", locked) == first
        assert len(outside.log) == asked

        wrong = tmp_path / "wrong.txt"
        wrong.write_text(f"plain-name==1.0 --hash=sha256:{'0' * 64}\n")
        done = client.install(server.simple(), tmp_path / "wrong", "--require-hashes", "-r", str(wrong))
        assert done.code != 0
        assert re.search(r"(?i)hash", done.said)
        assert not list(tmp_path.glob("wrong/*.dist-info"))


def test_an_index_that_speaks_html_alone(uv: Client, new_pip: Client, tmp_path: Path) -> None:
    """Old indexes tell no sizes and, mostly, no metadata; the keep makes up for both."""
    with Outside(formats=("html",)) as outside:
        world.fill(outside)
        with Server(tmp_path / "keep", config(outside)) as server:
            for client in (new_pip, uv):
                assert client.got(server.simple(), tmp_path / client.name, "app") == world.APP
            files = server.get("/main/simple/lib/?format=application/vnd.pypi.simple.v1%2Bjson").json["files"]
            assert all(file["size"] > 100 for file in files)
            assert all(
                set(file["core-metadata"]) == {"sha256"} for file in files if "1.1" in file["filename"]
            )
