"""A lock made through an index, with its policy: pip and uv install exactly it; again it is the same bytes."""

from pathlib import Path

import pytest

from fakes import world
from fakes.clients import Client, versions
from fakes.command import quickly, wheelkeep
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

CONFIG = """
{public}
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"
"""
POLICY = """
[deny]
packages = ["only-source==1.0"]
reason = "INC-7"
"""


def test_locked_and_installed(new_pip: Client, uv: Client, outside: Outside, tmp_path: Path) -> None:
    world.fill(outside)
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "policy.toml").write_text(POLICY)
    (tmp_path / "in.txt").write_text("app\n-c bounds.txt\n")
    (tmp_path / "bounds.txt").write_text("lib<1.1\n")
    expected = world.APP | {"lib": "1.0", "only-source": "0.9"}
    with Server(tmp_path / "keep", CONFIG.format(url=outside.url, public="")) as server:
        # The command tells the address that clients use, as an operator would have it.
        config = server.folder / "known.toml"
        config.write_text(CONFIG.format(url=outside.url, public=f'public_url = "{server.url}"'))
        for name, run in (("hashed.txt", wheelkeep), ("again.txt", quickly), ("pylock.toml", quickly)):
            ran = run("-c", config, "lock", "-r", tmp_path / "in.txt", "-o", tmp_path / name, cwd=tmp_path)
            assert ran.code == 0, ran.err
            assert not ran.out
        assert (tmp_path / "hashed.txt").read_bytes() == (tmp_path / "again.txt").read_bytes()
        assert server.blobs() == {}

        done = new_pip.install(
            server.simple(), tmp_path / "pip", "--require-hashes", "-r", str(tmp_path / "hashed.txt")
        )
        assert done.code == 0, done.said
        assert versions(tmp_path / "pip") == expected
        done = uv.install("http://127.0.0.1:9/simple/", tmp_path / "uv", "-r", str(tmp_path / "pylock.toml"))
        assert done.code == 0, done.said
        assert versions(tmp_path / "uv") == expected

        ran = quickly("-c", config, "lock", "only-source==1.0", "--format", "pylock.toml", cwd=tmp_path)
        assert (ran.code, ran.out) == (1, "")
        assert "INC-7" in ran.err or "only-source" in ran.err
