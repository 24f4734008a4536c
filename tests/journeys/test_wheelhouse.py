"""From locks to a wheelhouse: with the outside gone, sixty packages are installed on empty machines in every way that
there is, and always are the same files.
"""

import shutil
from pathlib import Path

import pytest

from fakes import world
from fakes.buckets import shared
from fakes.outside import Outside
from fakes.server import Server
from fakes.ways import Ways

from .conftest import PIPS

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1s"

[indexes.main]
sources = ["outer"]
"""


def test_from_locks_to_empty_machines(outside: Outside, tmp_path: Path) -> None:
    expected = world.sixty(outside)
    house, buckets = tmp_path / "house", shared()
    bucket = f"{buckets.make('published')}/{tmp_path.name}"
    with Server(tmp_path / "keep", CONFIG.format(url=outside.url) + buckets.toml) as server:
        ways = Ways(tmp_path, server, ["part-00"])
        ways.lock()
        both = ("mirror", "-r", ways.locks[0], "-r", ways.locks[1], "--json")
        dry = ways.keep(*both, "--dry-run").json
        # uv read the sdist to know what it needs.
        assert (dry["there"], len(server.blobs())) == (1, 1)
        done = ways.keep(*both).json
        assert done["fetched"] == dry["files"] - 1
        assert done["fetched_bytes"] == dry["bytes"] - dry["there_bytes"]
        outside.stop()
        for where in (house, bucket):
            ways.keep("export", "wheelhouse", where, "-r", ways.locks[1])
        ways.from_keep(PIPS[-1:])
        assert ways.versions() == expected
    shutil.rmtree(tmp_path / "keep")
    ways.from_house("folder", str(house), house / "requirements.txt", PIPS[-1:])
    page = f"{buckets.publish('published')}/{tmp_path.name}/index.html"
    ways.from_house("bucket", page, house / "requirements.txt", PIPS[:1])
    assert len(ways.came["uv sync"]) > 3 * len(expected)
    assert [name for name, told in ways.came.items() if told != ways.came["uv sync"]] == []
