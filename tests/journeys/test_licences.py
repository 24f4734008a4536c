"""Licences with real clients: what is not allowed is passed over, and they print which licence it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.clients import Client
from fakes.dists import sdist, wheel
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"
"""
RELEASES = {
    "demo": {"1.0": "License-Expression: MIT OR GPL-3.0-only", "2.0": "License-Expression: GPL-3.0-only"},
    "classic": {
        "1.0": "Classifier: License :: OSI Approved :: BSD License",
        "2.0": "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
    },
    "silent": {"1.0": "License-Expression: MIT", "2.0": "License: MIT"},
}


@pytest.fixture(scope="module")
def world() -> Iterator[Outside]:
    with Outside() as outside:
        for name, releases in RELEASES.items():
            for version, line in releases.items():
                told = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{line}\n".encode()
                outside.add(*wheel(name, version), metadata=told)
                outside.add(*sdist(name, version))
        yield outside


@pytest.fixture(scope="module")
def server(world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("keep")
    (folder / "policy.toml").write_text('[licences]\nallow = ["MIT", "BSD-3-Clause"]\n')
    with Server(folder, CONFIG.format(url=world.url)) as server:
        yield server


def test_what_is_allowed_is_taken(installer: Client, server: Server, tmp_path: Path) -> None:
    assert installer.got(server.simple(), tmp_path / "into", *RELEASES) == dict.fromkeys(RELEASES, "1.0")


@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        (
            "demo",
            "its-licence-is-GPL-3.0-only-which-is-not-allowed",
            "its licence is GPL-3.0-only, which is not allowed",
        ),
        ("silent", "its-metadata-tells-no-licence", "its metadata tells no licence"),
    ],
)
def test_the_lines_that_clients_print(
    new_pip: Client, uv: Client, server: Server, tmp_path: Path, name: str, words: str, says: str
) -> None:
    done = new_pip.install(server.simple(), tmp_path / "pip", f"{name}==2.0")
    assert done.code != 0
    assert f"{server.url}/main/blocked/licences/{words}/{name}-2.0-py3-none-any.whl" in done.said
    done = uv.install(server.simple(), tmp_path / "uv", f"{name}==2.0")
    assert done.code != 0
    assert f"wheelkeep: licences: {says}" in done.words
