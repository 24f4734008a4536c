"""The same against the real public index: a few dozen packages, and then all of it again with the way there cut off."""

import os
import platform
import socket
import sys
import time
from pathlib import Path

import pytest

from fakes import clients, tools
from fakes.ask import JSON
from fakes.buckets import shared
from fakes.clients import Client, contents
from fakes.command import wheelkeep
from fakes.server import Server
from fakes.ways import Ways

from .conftest import PIPS

pytestmark = [pytest.mark.journey, pytest.mark.live, pytest.mark.timeout(900)]

CONFIG = """
[sources.public]
kind = "remote"
url = "pypi"
fresh = "1s"

[indexes.main]
sources = ["public"]
"""
PROJECT = """\
[project]
name = "work"
version = "1"
requires-python = ">=3.11"
dependencies = ["flask", "requests", "numpy", "rich", "pyyaml"]
"""


def everything(server: Server, folder: Path) -> dict[str, dict[str, str]]:
    """flask with pip and with uv, and a project that is locked and made ready; what came of each."""
    folder.mkdir()
    came: dict[str, dict[str, str]] = {}
    for name in ("pip", "uv"):
        client = fresh(name, folder / f"{name}-home")
        client.got(server.simple(), folder / name, "flask")
        came[name] = contents(folder / name)
    client = fresh("uv", folder / "lock-home")
    project = folder / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    for words in (("lock", "--default-index", server.simple()), ("sync", "--frozen")):
        done = client.run(words[0], "--no-cache", *words[1:], cwd=project)
        assert done.code == 0, done.said
    came["lock"] = {"uv.lock": (project / "uv.lock").read_text()}
    installed = contents(next((project / ".venv").glob("lib*/python*/site-packages")))
    # Scripts, and so the records of them, have the environment's own path in them.
    own = ("RECORD", "_virtualenv.py", "_virtualenv.pth")
    came["project"] = {path: told for path, told in installed.items() if not path.endswith(own)}
    return came


def fresh(name: str, home: Path) -> Client:
    """A client that knows nothing yet."""
    home.mkdir()
    return clients.pip(PIPS[-1], home) if name == "pip" else clients.uv(home)


def test_the_public_index_and_then_nobody(tmp_path: Path) -> None:
    # Where the world is reached through a proxy, the keep needs it too.
    ways = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    with Server(tmp_path / "keep", CONFIG, env=ways) as server:
        first = everything(server, tmp_path / "first")
        for path in ("flask/__init__.py", "click/__init__.py"):
            assert path in first["pip"]
            assert path in first["uv"]
        assert "numpy/__init__.py" in first["project"]
        assert first["lock"]["uv.lock"].count(server.url) > 10

        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
            server.env = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), nowhere)
            server.restart()
            never = server.get("/main/simple/a-name-that-nobody-asked-for/")
            assert never.status == 503
            assert everything(server, tmp_path / "second") == first
        assert all(path.stat().st_size for path in server.blobs().values())


def test_a_wheelhouse_of_a_large_project(tmp_path: Path) -> None:
    """Locked, mirrored for this machine, and then the way there is cut off: the same files whichever way they come."""
    ways_out = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    buckets, house, began = shared(), tmp_path / "house", time.monotonic()
    bucket = f"{buckets.make('live')}/{tmp_path.name}"
    python, libc = f"3.{sys.version_info.minor}", platform.libc_ver()[1].replace(".", "_")
    here = ("--python", python, "--platform", f"manylinux_{libc}_{platform.machine()}")
    with Server(tmp_path / "keep", CONFIG + buckets.toml, env=ways_out) as server:
        ways = Ways(tmp_path, server, ["jupyterlab"], **ways_out)
        ways.lock("--python", python)
        both = ("mirror", "-r", ways.locks[0], "-r", ways.locks[1], *here, "--json")
        dry = ways.keep(*both, "--dry-run").json
        done = ways.keep(*both).json
        assert (done["fetched"], done["unsized"]) == (dry["files"] - dry["there"], 0)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
            cut = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), nowhere)
            cut |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1")
            server.env = cut
            server.restart()
            cut_off = Ways(tmp_path, server, ["jupyterlab"], **cut)
            for where in (house, bucket):
                cut_off.keep("export", "wheelhouse", where, "-r", ways.locks[1], *here)
            cut_off.from_keep(PIPS)
    cut_off.from_house("folder", str(house), house / "requirements.txt", PIPS)
    page = f"{buckets.publish('live')}/{tmp_path.name}/index.html"
    cut_off.from_house("bucket", page, house / "requirements.txt", PIPS)
    count, seconds = len(cut_off.versions()), time.monotonic() - began
    print(f"{count} packages, {dry['files']} files, {dry['bytes']} bytes, {seconds:.0f} s, {[*cut_off.came]}")
    assert count > 60
    assert [name for name, told in cut_off.came.items() if told != cut_off.came["uv sync"]] == []


def test_attestations_of_the_public_index(tmp_path: Path) -> None:
    """Verified by the trust root that the library brings along."""
    ways = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    folder = tmp_path / "keep"
    folder.mkdir()
    (folder / "policy.toml").write_text('[provenance]\nrequired = ["sampleproject>=4"]\n')
    with Server(folder, f'{CONFIG}policy = "policy.toml"\n', env=ways) as server:
        page = server.get("/main/simple/sampleproject/", Accept=JSON).json
        files = {file["filename"]: file for file in page["files"]}
        newest = files["sampleproject-4.0.0-py3-none-any.whl"]
        if "provenance" not in newest:
            assert newest["yanked"].startswith("wheelkeep: provenance: it carries no attestation")
            pytest.skip("what stands for the public index here tells of no attestations")
        assert newest["yanked"] is False


CLOSED = CONFIG + 'policy = "policy.toml"\n'


@pytest.mark.parametrize(
    ("project", "least", "older"),
    [("jupyterlab", 60, "jupyterlab<4"), ("apache-airflow", 120, "apache-airflow<2.9")],
)
def test_the_closure_of_a_large_project_becomes_a_list(
    project: str, least: int, older: str, tmp_path: Path
) -> None:
    ways = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "policy.toml").write_text("[allow]\npackages = []\n")
    with Server(tmp_path / "keep", CLOSED, env=ways) as server:
        ran = wheelkeep("-c", server.config, "allow", project, "--closure", "--yes", "--json", **ways)
        assert ran.code == 0, ran.err
        assert len(ran.json["added"]) > least
        client = fresh("uv", tmp_path / "home")
        options = ("pip", "install", "--no-cache", "--dry-run", "--target", str(tmp_path / "into"))
        index = ("--default-index", server.simple())
        until = time.monotonic() + 30
        while (done := client.run(*options, *index, project)).code != 0:
            assert time.monotonic() < until, done.said
        assert client.run(*options, *index, "buildbot").code != 0
        before = client.run(*options, *index, older)
        assert before.code != 0
        assert f"is not on the allow list, which has {project}==" in before.words
        assert server.blobs() == {}


def test_an_old_sdist_is_built_and_installed(tmp_path: Path) -> None:
    """By setuptools of the real index, in the sandbox."""
    tools.sandbox()
    config = CONFIG.replace('["public"]', '[["built", "public"]]') + '[sources.built]\nkind = "hosted"\n'
    with Server(tmp_path / "keep", config) as server:
        ran = wheelkeep("-c", server.config, "build", "docopt==0.6.2", "--into", "built", "--json")
        assert ran.code == 0, ran.err
        (made,) = ran.json["built"]
        assert (made["reproducible"], made["published"]) == ("yes", "new")
        assert [one["project"] for one in made["requirements"]] == ["setuptools"]
        client = fresh("pip", tmp_path / "home")
        done = client.install(server.simple(), tmp_path / "to", "--only-binary", ":all:", "docopt")
        assert done.code == 0, done.said
