"""Locks that were written against the outside world, rewritten to a keep: real installers need nothing else then."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import clients
from fakes.clients import versions
from fakes.command import quickly
from fakes.outside import Outside
from fakes.publishers import Publisher
from fakes.server import Server
from fakes.world import APP, fill

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1d"

[indexes.main]
sources = ["outer"]
"""
PROJECT = """
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["app"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.uv]
package = false

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "outer"
url = "{url}"
priority = "primary"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server]]:
    """A project whose locks were rewritten, and the keep that has the files; the outside world is gone."""
    home = tmp_path_factory.mktemp("rewriting")
    folder = home / "shop"
    folder.mkdir()
    with Outside() as outside, Server(home / "keep", CONFIG.format(url=outside.url)) as server:
        fill(outside)
        (folder / "pyproject.toml").write_text(PROJECT.format(url=outside.url))
        uv = clients.uv(home)
        uv.env = {"UV_NO_CONFIG": "0", "UV_DEFAULT_INDEX": outside.url}
        runs = [
            uv.run("lock", "--no-cache", cwd=folder),
            uv.run("export", "--no-cache", "--no-header", "-o", "pylock.toml", cwd=folder),
            Publisher("poetry", home, "").run("lock", "--no-interaction", folder=folder),
        ]
        for done in runs:
            assert done.code == 0, done.said
        for lock in ("uv.lock", "pylock.toml", "poetry.lock"):
            ran = quickly("lock", "rewrite", lock, "--to", f"{server.url}/main/", "--json", cwd=folder)
            assert ran.code == 0, ran.err
            assert ran.json["changed"] > 0
            assert outside.url not in (folder / lock).read_text()
        (home / "first").mkdir()
        filled = clients.uv(home / "first").got(server.simple(), home / "there", "app")
        assert filled == APP
        outside.stop()
        yield folder, server


def test_uv_syncs_from_the_keep_alone(project: tuple[Path, Server], tmp_path: Path) -> None:
    folder, server = project
    uv = clients.uv(tmp_path)
    uv.env = {"UV_PROJECT_ENVIRONMENT": str(tmp_path / "env"), "UV_DEFAULT_INDEX": server.simple()}
    done = uv.run("sync", "--locked", "--no-cache", cwd=folder)
    assert done.code == 0, done.said
    site = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    assert versions(site) == APP


def test_uv_installs_a_pylock_from_the_keep_alone(project: tuple[Path, Server], tmp_path: Path) -> None:
    folder, _ = project
    done = clients.uv(tmp_path).run(
        "pip", "install", "--no-cache", "--target", str(tmp_path / "into"), "-r", str(folder / "pylock.toml")
    )
    assert done.code == 0, done.said
    assert versions(tmp_path / "into") == APP


def test_pip_installs_a_pylock_from_the_keep_alone(
    project: tuple[Path, Server], new_pip: clients.Client, tmp_path: Path
) -> None:
    folder, _ = project
    options = ["--no-cache-dir", "--no-compile", "--retries", "0", "--target", str(tmp_path / "into")]
    done = new_pip.run("install", *options, "-r", str(folder / "pylock.toml"))
    assert done.code == 0, done.said
    assert versions(tmp_path / "into") == APP


def test_poetry_installs_from_the_keep_alone(project: tuple[Path, Server], tmp_path: Path) -> None:
    folder, server = project
    mine = tmp_path / "shop"
    mine.mkdir()
    said = quickly("client", "poetry", "--json", cwd=tmp_path).json
    source = said["config"].replace(said["simple"], server.simple())
    text = (folder / "pyproject.toml").read_text()
    (mine / "pyproject.toml").write_text(text + source)
    (mine / "poetry.lock").write_bytes((folder / "poetry.lock").read_bytes())
    assert tomllib.loads((mine / "pyproject.toml").read_text())["tool"]["poetry"]["source"][1]
    poetry = Publisher("poetry", tmp_path, "", env={"POETRY_VIRTUALENVS_CREATE": "true"})
    poetry.env |= {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_REQUESTS_MAX_RETRIES": "0"}
    done = poetry.run("install", "--no-interaction", "--no-cache", folder=mine)
    assert done.code == 0, done.said
    site = next((mine / ".venv" / "lib").glob("python*/site-packages"))
    assert APP.items() <= versions(site).items()
