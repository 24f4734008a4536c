"""An index as it was, and as snapshots have it, with real clients: the same bytes, whatever became of the origin."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import clients
from fakes.clients import Client, contents
from fakes.command import quickly
from fakes.dists import metadata, wheel
from fakes.outside import Outside
from fakes.server import PATIENCE, Server

pytestmark = pytest.mark.journey

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1s"

[indexes.main]
sources = ["outer"]
"""
PROJECTS = ("deleted", "yanked", "changed", "steady")
THEN = dict.fromkeys(PROJECTS, "1.0") | {"app": "1.0"}
LATER = "2021-01-01T00:00:00Z"


def add(outside: Outside, name: str, version: str, **told: str) -> None:
    needs = PROJECTS if name == "app" else ()
    outside.add(
        *wheel(name, version, requires=needs), metadata=metadata(name, version, needs).encode(), **told
    )


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[bool, dict[str, str]]]]:
    """A keep whose origin deleted, yanked and changed files and is gone; what each kind of client installed before."""
    home = tmp_path_factory.mktemp("snapshots")
    with Outside() as outside, Server(home / "keep", CONFIG.format(url=outside.url)) as server:
        for name in (*PROJECTS, "app"):
            add(outside, name, "1.0")
        installed = {}
        for client in (clients.uv(home), clients.pip(list(clients.pinned())[-1], home)):
            into = home / client.name.replace(" ", "-")
            assert client.got(server.simple(), into, "app") == THEN
            installed[client.is_pip] = contents(into)
        lock = home / "requirements.txt"
        pins = ((name, hashlib.sha256(outside_bytes(name)).hexdigest()) for name in THEN)
        lock.write_text("".join(f"{name}==1.0 --hash=sha256:{sha256}\n" for name, sha256 in pins))
        for words in (("locked", "--lock", str(lock)), ("whole",)):
            made = quickly("-c", server.config, "snapshot", "create", *words, cwd=home)
            assert made.code == 0, made.err
        outside.remove(wheel("deleted", "1.0")[0])
        add(outside, "yanked", "1.0", yanked="broken on Tuesdays")
        outside.change(*wheel("changed", "1.0", files={"changed/__init__.py": b"evil = True\n"}))
        for name in (*PROJECTS, "app"):
            add(outside, name, "2.0", upload_time=LATER)
        for name in (*PROJECTS, "app"):
            known(server, name)
        outside.stop()
        yield server, installed


def outside_bytes(name: str) -> bytes:
    return wheel(name, "1.0", requires=PROJECTS if name == "app" else ())[1]


def known(server: Server, name: str) -> None:
    """Waits until the index itself shows what the origin has now."""
    until = time.monotonic() + PATIENCE
    while f"{name}-2.0" not in server.get(f"/main/simple/{name}/").text:
        assert time.monotonic() < until, f"{name} 2.0 is not shown"
        time.sleep(0.05)


@pytest.mark.parametrize("when", ["2020-12-31", "whole", "locked"])
def test_the_same_bytes(
    installer: Client, before: tuple[Server, dict[bool, dict[str, str]]], tmp_path: Path, when: str
) -> None:
    server, installed = before
    into = tmp_path / "into"
    assert installer.got(f"{server.url}/main@{when}/simple/", into, "app") == THEN
    assert contents(into) == installed[installer.is_pip]


def test_the_index_itself_went_on(
    before: tuple[Server, dict[bool, dict[str, str]]], uv: Client, tmp_path: Path
) -> None:
    """So that the same bytes above are the view's doing, and a date before the first upload has none of them."""
    server, _ = before
    done = uv.install(f"{server.url}/main@2020-01-01/simple/", tmp_path / "into", "app")
    assert done.code != 0 and "app" in done.said
    done = uv.install(server.simple(), tmp_path / "now", "app")
    assert done.code != 0, done.said
