"""A static site: installed from with real clients, through nginx and from a bucket, and killed in the middle."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import world
from fakes.ask import ask
from fakes.buckets import shared
from fakes.clients import Client
from fakes.command import quickly
from fakes.dists import wheel
from fakes.installs import everything, hashed
from fakes.outside import Outside
from fakes.server import PATIENCE, environment, program
from fakes.site import Nginx, listed, things
from fakes.tools import tool

pytestmark = pytest.mark.journey

CONFIG = """
{s3}
[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"
"""
POLICY = """
[allow]
packages = ["app", "lib", "plain-name", "only-source", "fits", "early"]

[deny]
packages = ["app<2"]
"""
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keep that has all that the world allows, of which the origin is gone, and what a lock of it says."""
    folder = tmp_path_factory.mktemp("site")
    with Outside() as outside:
        world.fill(outside)
        hashed(outside, folder / "locked.txt")
        (folder / "policy.toml").write_text(POLICY)
        (folder / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url, s3=shared().toml))
        done = quickly("mirror", "--all-allowed", cwd=folder)
        assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module")
def nginx(folder: Path) -> Iterator[Nginx]:
    tool("nginx")
    done = quickly("export", "site", "out", cwd=folder)
    assert done.code == 0, done.err
    with Nginx(folder / "nginx", folder / "out") as server:
        yield server


def test_all_is_installed_through_nginx(
    installer: Client, nginx: Nginx, folder: Path, tmp_path: Path
) -> None:
    installed = everything(installer, nginx.simple(), tmp_path / "in", folder / "locked.txt")
    assert all(installed.values())


def test_an_old_pip_installs_through_nginx(old_pip: Client, nginx: Nginx, tmp_path: Path) -> None:
    assert old_pip.got(nginx.simple(), tmp_path / "in", "app") == world.APP


def test_nginx_says_what_each_thing_is(nginx: Nginx) -> None:
    page = ask(nginx.simple() + "app/", accept=f"{JSON}, text/html; q=0.1")
    (file,) = page.json["files"]
    assert (page.headers["content-type"], page.headers["vary"]) == (JSON, "Accept")
    url = nginx.url + file["url"].removeprefix("../..")
    for path, content_type in (
        (nginx.simple(), "text/html; charset=utf-8"),
        (nginx.simple() + "app/", "text/html; charset=utf-8"),
        (url, "application/octet-stream"),
        (f"{url}.metadata", "text/plain; charset=utf-8"),
    ):
        reply = ask(path)
        assert (reply.status, reply.headers["content-type"]) == (200, content_type)
        kept = "immutable" if path.startswith(url) else "max-age=60"
        assert kept in reply.headers["cache-control"]
    for path in ("/simple/Plain.Name/", "/simple/none/", "/wheelkeep-site.json", "/files/app/", "/files/"):
        assert ask(nginx.url + path).status == 404
    for path in ("plain_name/", "plain.-name", "plain-name"):
        reply = ask(nginx.simple() + path)
        assert (reply.status, reply.headers["location"]) == (301, "/simple/plain-name/")


def test_a_bucket_serves_it_alone(uv: Client, new_pip: Client, folder: Path, tmp_path: Path) -> None:
    buckets, name = shared(), tmp_path.name.replace("_", "-")
    to = f"{buckets.make(name)}/below"
    done = quickly("export", "site", to, "-r", "locked.txt", "--json", cwd=folder)
    assert (done.code, done.json["files"]) == (0, len(world.APP)), done.err
    for client, index in ((uv, "index.json"), (new_pip, "index.html")):
        simple = f"{buckets.publish(name, index)}/below/simple/"
        assert client.got(simple, tmp_path / client.name, "app") == world.APP
        page = ask(f"{simple}app/")
        assert page.headers["content-type"] == (
            JSON if index.endswith("json") else "text/html; charset=utf-8"
        )
        assert page.headers["cache-control"] == "public, max-age=60"


def test_killed_in_the_middle_it_is_whole_and_the_next_run_ends_it(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for number in range(40):
        filename, content = wheel(f"many-{number}", "1.0")
        (wheels / filename).write_bytes(content)
    (tmp_path / "wheelkeep.toml").write_text(
        '[sources.wheels]\nkind = "directory"\npath = "wheels"\n[indexes.main]\nsources = ["wheels"]\n'
    )
    assert quickly("export", "site", "whole", cwd=tmp_path).code == 0
    to = tmp_path / "killed"
    running = subprocess.Popen(
        [program(), "export", "site", str(to)],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + PATIENCE
    while not (to / "files" / "many-0").exists() and running.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    running.kill()
    running.wait()
    listed(to)
    done = quickly("export", "site", to, cwd=tmp_path)
    assert done.code == 0, done.err
    assert things(to) == things(tmp_path / "whole")
