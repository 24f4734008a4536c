"""Installing from a closed index with real clients: the token in ~/.netrc, in the address, or in the environment."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import world
from fakes.clients import Client
from fakes.outside import Outside
from fakes.server import Server, environment, program

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


@pytest.fixture
def closed(outside: Outside, tmp_path: Path) -> Iterator[Closed]:
    world.fill(outside)
    with Closed(tmp_path / "keep", CONFIG.format(url=outside.url)) as server:
        command = [
            program(),
            "-c",
            str(server.config),
            "token",
            "create",
            "--name",
            "ci",
            "--scope",
            "read:main",
        ]
        made = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
        server.token = made.stdout.strip()
        yield server
        assert server.token not in server.log


def netrc(home: Path, token: str) -> None:
    file = home / ".netrc"
    file.touch(mode=0o600)
    file.write_text(f"machine 127.0.0.1 login __token__ password {token}\n")


def test_the_token_in_netrc(client: Client, closed: Closed, tmp_path: Path) -> None:
    netrc(client.home, closed.token)
    assert client.got(closed.simple(), tmp_path / "into", "app") == world.APP


def test_the_token_in_the_address(client: Client, closed: Closed, tmp_path: Path) -> None:
    assert client.got(closed.with_token(), tmp_path / "into", "app") == world.APP


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


@pytest.mark.parametrize("token", [None, "wk_00000000000_000000000000000000000000000000000000000"])
def test_without_a_good_token_nothing_is_told(
    client: Client, closed: Closed, tmp_path: Path, outside: Outside, token: str | None
) -> None:
    index = closed.simple() if token is None else closed.with_token(token)
    done = client.install(index, tmp_path / "into", "app")
    assert done.code != 0
    # pip says no more than that it found nothing.
    assert client.is_pip or re.search(r"401|nauthorized|redentials", done.words), done.said
    assert not list(tmp_path.glob("into/*.dist-info"))
    assert outside.asked("/simple/app") == []


def test_a_revoked_token_is_of_no_use(new_pip: Client, closed: Closed, tmp_path: Path) -> None:
    netrc(new_pip.home, closed.token)
    assert new_pip.got(closed.simple(), tmp_path / "one", "plain-name") == {"plain-name": "1.0"}
    command = [program(), "-c", str(closed.config), "token", "revoke", "ci"]
    subprocess.run(command, check=True, env=environment())
    assert new_pip.install(closed.simple(), tmp_path / "two", "plain-name").code != 0


def test_no_client_writes_the_token_into_its_cache(client: Client, closed: Closed, tmp_path: Path) -> None:
    """pip would, with every answer, if the answers' ``Vary`` named ``Authorization``."""
    netrc(client.home, closed.token)
    words = ["install", "--index-url", closed.simple(), "--target", str(tmp_path / "into"), "app"]
    # Plain http is kept by pip only where it is told to trust the host.
    done = client.run(*words, "--trusted-host", "127.0.0.1") if client.is_pip else client.run("pip", *words)
    assert done.code == 0, done.said
    kept = {path: path.read_bytes() for path in client.home.rglob("xdg_cache_home/**/*") if path.is_file()}
    assert any(b"Name: lib" in body for body in kept.values())
    encoded = b"X190b2tlbl9f"  # how every Basic header with this user begins
    assert [path for path, body in kept.items() if closed.token.encode() in body or encoded in body] == []
