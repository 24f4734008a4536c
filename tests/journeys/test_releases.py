"""The life of a release as installers see it: yanked, quarantined, promoted, deleted; and no stranger in its place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.clients import Client
from fakes.command import Ran, quickly
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

CONFIG = """
[sources.acme]
kind = "hosted"

[sources.stage]
kind = "hosted"

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["acme", "outer"]

[indexes.staging]
sources = ["stage", "outer"]
"""


@pytest.fixture
def server(outside: Outside, tmp_path: Path) -> Iterator[Server]:
    """Two of our releases are in ``stage``; a stranger has the same name outside, with a higher version."""
    outside.add(*wheel("ours", "99.0"))
    outside.add(*wheel("theirs", "1.0"))
    (tmp_path / "made").mkdir()
    for version in ("1.0", "2.0"):
        name, content = wheel("ours", version)
        (tmp_path / "made" / name).write_bytes(content)
    with Server(tmp_path / "keep", CONFIG.format(url=outside.url)) as running:
        assert run(running, "import", tmp_path / "made", "--into", "stage").code == 0
        yield running


def run(server: Server, *words: str | Path) -> Ran:
    return quickly("-c", server.config, *words, cwd=server.folder)


def test_the_life_of_a_release(installer: Client, server: Server, outside: Outside, tmp_path: Path) -> None:
    staging = server.simple("staging")
    where = ("--source", "stage")
    assert installer.got(staging, tmp_path / "1", "ours") == {"ours": "2.0"}

    assert run(server, "yank", "ours==2.0", *where, "--reason", "breaks on Tuesdays").code == 0
    assert installer.got(staging, tmp_path / "2", "ours") == {"ours": "1.0"}
    exact = installer.install(staging, tmp_path / "3", "ours==2.0")
    assert exact.code == 0 and "breaks on Tuesdays" in exact.words
    assert run(server, "unyank", "ours", *where).code == 0

    assert run(server, "project-status", "ours", "quarantined", *where, "--reason", "INC-7").code == 0
    assert installer.install(staging, tmp_path / "4", "ours").code != 0
    assert run(server, "project-status", "ours", "active", *where).code == 0

    assert run(server, "promote", "ours==1.0", "--from", "stage", "--to", "acme").code == 0
    assert installer.got(server.simple("main"), tmp_path / "5", "ours") == {"ours": "1.0"}

    assert run(server, "delete", "ours", *where, "--reason", "leak", "--yes").code == 0
    again = run(server, "import", tmp_path / "made", "--into", "stage")
    assert again.code == 1
    assert again.out.count("never used again") == 2
    assert installer.install(staging, tmp_path / "6", "ours").code != 0
    assert outside.asked("/simple/ours") == []

    assert run(server, "free", "ours", *where).code == 0
    assert installer.got(staging, tmp_path / "7", "ours") == {"ours": "99.0"}
