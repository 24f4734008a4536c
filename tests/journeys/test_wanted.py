"""From a block to an answer with real clients: who asked is noted, and an answer counts while all workers serve."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.clients import Client
from fakes.command import quickly
from fakes.dists import wheel
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
POLICY = '[allow]\npackages = ["listed"]\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Outside() as outside:
        outside.add(*wheel("demo", "1.0"))
        folder = tmp_path_factory.mktemp("keep")
        (folder / "policy.toml").write_text(POLICY)
        with Server(folder, CONFIG.format(url=outside.url), options=("--workers", "2")) as server:
            yield server


def command(server: Server, *words: str) -> str:
    ran = quickly("wanted", *words, cwd=server.folder)
    assert ran.code == 0, ran.err
    return ran.out


def test_asked_for_approved_installed_refused(
    new_pip: Client, uv: Client, server: Server, tmp_path: Path
) -> None:
    asked = [client.install(server.simple(), tmp_path / client.name, "demo") for client in (new_pip, uv)]
    assert all(done.code != 0 for done in asked)
    until = time.monotonic() + PATIENCE
    while not (
        (told := command(server, "list")).startswith("     2  demo: allow: demo is not on the allow list")
    ):
        assert time.monotonic() < until, told
        time.sleep(0.2)
    assert "(1, pip)" not in told and "by 127.0.0.1 (2, " in told
    command(server, "approve", "demo", "--reason", "for the shop", "--by", "ada")
    for client in (new_pip, uv):  # at once: no waiting
        assert client.got(server.simple(), tmp_path / "got" / client.name, "demo") == {"demo": "1.0"}
    command(server, "refuse", "demo", "--reason", "use listed", "--by", "bob")
    words = f"demo is not on the allow list; refused by bob on {datetime.now(UTC):%Y-%m-%d}: use listed"
    for worker in range(8):
        assert words in server.get("/main/simple/demo/", accept="text/html", x_odd=str(worker)).text
    url = f"{server.url}/main/files/demo/-/demo-1.0-py3-none-any.whl"
    by_uv, by_pip = (client.install(server.simple(), tmp_path / "no", url) for client in (uv, new_pip))
    assert words in by_uv.words
    assert f"{server.url}/main/blocked/allow/demo-is-not-on-the-allow-list-refused-by-bob-on-" in by_pip.words
    assert command(server, "list").startswith("0 wanted in main")
    for name in range(20):
        assert server.get(f"/main/simple/late-{name}/").status == 200
    server.stop()  # what was counted and not written yet is not lost
    assert "20 wanted in main" in command(server, "list")
