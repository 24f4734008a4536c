"""A bundle goes from a keep that reaches the outside to one that does not, and pip and uv install from that
one the same bytes."""

import hashlib
from pathlib import Path

import pytest

from fakes import world
from fakes.ask import JSON
from fakes.clients import Client, contents
from fakes.command import quickly
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server
from fakes.uploads import Publishing

pytestmark = pytest.mark.journey

CONFIG = """
[sources.acme]
kind = "hosted"
names = ["acme-*"]

[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1s"

[indexes.main]
sources = ["acme", "outer"]
publish = "acme"
"""


def test_across_the_gap_and_again_with_what_is_new(
    new_pip: Client, uv: Client, outside: Outside, tmp_path: Path
) -> None:
    world.fill(outside)
    config, lock = CONFIG.format(url=outside.url), tmp_path / "requirements.txt"
    first, second = tmp_path / "first.bundle", tmp_path / "second.bundle"
    with Publishing(tmp_path / "near", config) as near:
        made = wheel("acme-lib", "1.0", requires=["app"])
        assert near.publish("acme-lib", "1.0", *made).status == 200
        done = quickly("-c", near.config, "lock", "acme-lib", "early", "-o", lock, cwd=tmp_path)
        assert done.code == 0, done.err
        hashed = ["--require-hashes", "-r", str(lock)]
        assert new_pip.install(near.simple(), tmp_path / "near-kept", *hashed).code == 0
        assert quickly("-c", near.config, "snapshot", "create", "monday", cwd=tmp_path).code == 0
        sent = quickly("-c", near.config, "export", "bundle", first, "--json", cwd=tmp_path)
        assert sent.code == 0, sent.err

        # What changes: a new version fetched, one yanked, and an upload.
        outside.add(*wheel("early", "3.0"))
        outside.add(
            *wheel("lib", "1.1", files={"lib/__init__.py": b"", "lib/data.bin": world.BIG}), yanked="it burns"
        )
        assert near.publish("acme-lib", "2.0", *wheel("acme-lib", "2.0")).status == 200
        assert uv.install(near.simple(), tmp_path / "more", "early", "lib==1.1").code == 0
        more = quickly(
            "-c", near.config, "export", "bundle", second, "--since", "monday", "--json", cwd=tmp_path
        )
        assert more.code == 0, more.err
        assert 0 < more.json["files"] < sent.json["files"], more.json
    outside.stop()

    with Server(tmp_path / "far", config, options=("--workers", "2")) as far:
        early = quickly("-c", far.config, "import", second, cwd=tmp_path)
        assert early.code == 1 and "monday~1" in early.err, early
        assert far.get("/main/simple/acme-lib/", Accept=JSON).json["files"] == []
        came = quickly("-c", far.config, "import", first, "--key", sent.json["key"], "--json", cwd=tmp_path)
        assert came.code == 0, came.err
        for client in (new_pip, uv):
            into = tmp_path / f"far-{client.name}"
            done = client.install(far.simple(), into, *hashed)
            assert done.code == 0, done.said
        assert contents(tmp_path / f"far-{new_pip.name}") == contents(tmp_path / "near-kept")
        # Nobody knows whether there is such a name: that is no 404.
        assert far.get("/main/simple/elsewhere/").status == 503

        assert quickly("-c", far.config, "import", second, cwd=tmp_path).code == 0
        page = {one["filename"]: one for one in far.get("/main/simple/lib/", Accept=JSON).json["files"]}
        assert page["lib-1.1-py3-none-any.whl"]["yanked"] == "it burns"
        got = uv.got(far.simple(), tmp_path / "newest", "acme-lib", "early")
        assert got == {"acme-lib": "2.0", "early": "3.0"}
        again = quickly("-c", far.config, "import", second, "--json", cwd=tmp_path).json
        assert (again["came"], again["new"], again["changed"]) == (0, 0, 0)
        # Its name is used there and here, and its first sight is in both logs.
        name, content = made
        told = quickly("-c", far.config, "log", "prove", name, "--json", cwd=tmp_path).json["proofs"]
        assert hashlib.sha256(content).hexdigest() in told[0]["entry"]
        lines = quickly("-c", far.config, "audit", "--package", "early", "--json", cwd=tmp_path).out
        assert '"carried"' in lines
        assert quickly("-c", far.config, "log", "verify", cwd=tmp_path).code == 0
        assert quickly("-c", far.config, "verify", cwd=tmp_path).code == 0
