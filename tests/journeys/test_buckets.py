"""A wheelhouse in a bucket is installed from, and a backup in a bucket brings its keep back."""

import time
from pathlib import Path

import pytest

from fakes.buckets import Buckets
from fakes.clients import Client
from fakes.command import quickly, wheelkeep
from fakes.dists import wheel
from fakes.server import Server

pytestmark = pytest.mark.journey

DEMO = wheel("demo", "1.0", files={"demo.py": b"VERSION = 1\n"})


def test_a_bucket_is_a_source_and_a_place_for_backups(tmp_path: Path, uv: Client) -> None:
    with Buckets(tmp_path / "buckets") as buckets:
        wheels, backups = buckets.make("wheels"), buckets.make("backups")
        assert buckets.send("PUT", f"/wheels/linux/{DEMO[0]}", DEMO[1]) == 200
        config = (
            f'{buckets.toml}[sources.wheels]\nkind = "directory"\npath = "{wheels}/linux"\n'
            '[indexes.main]\nsources = ["wheels"]\n'
        )
        with Server(tmp_path / "keep", config) as server:
            while server.get("/readyz").status != 200:
                time.sleep(0.05)
            where = ("--target", str(tmp_path / "in"), "--default-index", server.simple())
            done = uv.run("pip", "install", *where, "demo")
            assert done.code == 0, done.said
            assert (tmp_path / "in" / "demo.py").read_bytes() == b"VERSION = 1\n"
            assert server.get("/main/simple/other/").status == 404
            made = wheelkeep("-c", server.config, "backup", f"{backups}/keep", "--json")
            assert made.code == 0, made.err
            kept = {name: path.read_bytes() for name, path in server.blobs().items()}
            buckets.stop()
            while server.get("/main/simple/other/").status != 503:
                time.sleep(0.05)
        buckets.start()
        (tmp_path / "keep" / "wheelkeep-data").rename(tmp_path / "lost")
        back = quickly("-c", server.config, "restore", f"{backups}/keep", "--json", cwd=tmp_path)
        assert back.code == 0, back.err
        assert {name: path.read_bytes() for name, path in server.blobs().items()} == kept != {}
