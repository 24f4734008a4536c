"""Installing from a closed index with real clients: the token in ~/.netrc, in the address, or in the environment."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import world
from fakes.clients import Client
from fakes.command import quickly
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
read = "token"
"""
PROJECT = """\
[project]
name = "work"
version = "1"
requires-python = ">=3.11"
dependencies = ["app"]

[[tool.uv.index]]
name = "keep"
url = "{index}"
default = true
"""


class Closed(Server):
    """A server whose one index is closed; ``token`` opens it."""

    token = ""

    def with_token(self, token: str | None = None) -> str:
        """The index's address with the credentials in it."""
        return self.simple().replace("://", f"://__token__:{token or self.token}@")


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with Outside() as outside:
        world.fill(outside)
        outside.add(*wheel("never-told", "1.0"))
        yield outside


@pytest.fixture(scope="module")
def closed(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    with Closed(tmp_path_factory.mktemp("keep"), CONFIG.format(url=outside.url)) as server:
        server.token = token(server, "create", "--name", "ci", "--scope", "read:main")
        yield server
        assert server.token not in server.log


def token(server: Closed, *words: str) -> str:
    """What ``wheelkeep token`` prints."""
    ran = quickly("-c", server.config, "token", *words, cwd=server.folder)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def netrc(home: Path, token: str) -> None:
    file = home / ".netrc"
    file.touch(mode=0o600)
    file.write_text(f"machine 127.0.0.1 login __token__ password {token}\n")


def test_the_token_in_netrc(installer: Client, closed: Closed, tmp_path: Path) -> None:
    netrc(installer.home, closed.token)
    assert installer.got(closed.simple(), tmp_path / "into", "app") == world.APP


def test_the_token_in_the_address(installer: Client, closed: Closed, tmp_path: Path) -> None:
    assert installer.got(closed.with_token(), tmp_path / "into", "lib<1.2") == {"lib": "1.1"}


def test_the_token_in_the_environment(uv: Client, closed: Closed, tmp_path: Path) -> None:
    uv.env = {"UV_INDEX_KEEP_USERNAME": "__token__", "UV_INDEX_KEEP_PASSWORD": closed.token}
    assert uv.got(f"keep={closed.simple()}", tmp_path / "into", "app") == world.APP
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT.format(index=closed.simple()))
    uv.env["UV_NO_CONFIG"] = "0"
    for words in (("lock",), ("sync", "--frozen")):
        done = uv.run(*words, "--no-cache", cwd=project)
        assert done.code == 0, done.said
    locked = (project / "uv.lock").read_text()
    assert closed.simple() in locked
    assert closed.token not in locked


@pytest.mark.parametrize("wrong", [None, "wk_00000000000_000000000000000000000000000000000000000"])
def test_without_a_good_token_nothing_is_told(
    installer: Client, closed: Closed, tmp_path: Path, outside: Outside, wrong: str | None
) -> None:
    index = closed.simple() if wrong is None else closed.with_token(wrong)
    done = installer.install(index, tmp_path / "into", "never-told")
    assert done.code != 0
    # pip says no more than that it found nothing.
    assert installer.is_pip or re.search(r"401|nauthorized|redentials", done.words), done.said
    assert not list(tmp_path.glob("into/*.dist-info"))
    assert outside.asked("/simple/never-told") == []


def test_a_revoked_token_is_of_no_use(new_pip: Client, closed: Closed, tmp_path: Path) -> None:
    netrc(new_pip.home, token(closed, "create", "--name", "short", "--scope", "read:main"))
    assert new_pip.got(closed.simple(), tmp_path / "one", "plain-name") == {"plain-name": "1.0"}
    token(closed, "revoke", "short")
    assert new_pip.install(closed.simple(), tmp_path / "two", "plain-name").code != 0


def test_no_client_writes_the_token_into_its_cache(installer: Client, closed: Closed, tmp_path: Path) -> None:
    """pip would, with every answer, if the answers' ``Vary`` named ``Authorization``."""
    netrc(installer.home, closed.token)
    words = ["install", "--index-url", closed.simple(), "--target", str(tmp_path / "into"), "lib<1.2"]
    # Plain http is kept by pip only where it is told to trust the host.
    done = (
        installer.run(*words, "--trusted-host", "127.0.0.1")
        if installer.is_pip
        else installer.run("pip", *words)
    )
    assert done.code == 0, done.said
    kept = {path: path.read_bytes() for path in installer.home.rglob("xdg_cache_home/**/*") if path.is_file()}
    assert any(b"Name: lib" in body for body in kept.values())
    encoded = b"X190b2tlbl9f"  # how every Basic header with this user begins
    assert [path for path, body in kept.items() if closed.token.encode() in body or encoded in body] == []
