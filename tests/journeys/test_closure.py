"""A closure allowed in one command while the server runs: uv installs it, and something else stays out."""

import time
from pathlib import Path

import pytest

from fakes import world
from fakes.clients import Client
from fakes.command import wheelkeep
from fakes.outside import Outside
from fakes.server import PATIENCE, Server

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"
"""


def test_a_closure_is_allowed_and_installed(uv: Client, outside: Outside, tmp_path: Path) -> None:
    world.fill(outside)
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "policy.toml").write_text("# ours\n[allow]\npackages = []  # none yet\n")
    with Server(tmp_path / "keep", CONFIG.format(url=outside.url)) as server:
        assert uv.install(server.simple(), tmp_path / "before", "app").code != 0
        ran = wheelkeep("-c", server.config, "allow", "app", "--closure", "--yes")
        assert ran.code == 0, ran.err
        assert (server.folder / "policy.toml").read_text().endswith("]  # none yet\n")
        assert server.blobs() == {}
        until = time.monotonic() + PATIENCE
        while '"policy_changed"' not in server.log:
            assert time.monotonic() < until, "the edit did not take effect"
            time.sleep(0.05)
        assert uv.got(server.simple(), tmp_path / "into", "app") == world.APP
        done = uv.install(server.simple(), tmp_path / "older", "app==1.0")
        assert done.code != 0
        assert "wheelkeep: allow: app 1.0 is not on the allow list, which has app==2.0" in done.words
        assert uv.install(server.simple(), tmp_path / "other", "fits").code != 0
        assert not outside.asked("/simple/fits/")
