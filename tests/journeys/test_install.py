"""Installing through the keep with real clients, and then all of it again while the outside world is away."""

import hashlib
import re
from pathlib import Path

import pytest

from fakes import world
from fakes.clients import Client, contents
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey

PROJECT = """\
[project]
name = "work"
version = "1"
requires-python = ">=3.11"
dependencies = ["app", "fits"]
"""


def config(outside: Outside) -> str:
    # Fresh for a moment only: after the outside world is gone every page is an old one.
    return f"""
[sources.outer]
kind = "remote"
url = "{outside.url}"
fresh = "1s"

[indexes.main]
sources = ["outer"]
"""


def hashed(outside: Outside, into: Path) -> Path:
    """A requirements file with every file that ``app`` comes to, by hash."""
    lines = []
    for name, version in world.APP.items():
        module = name.replace("-", "_")
        listed = next(
            one
            for files in outside._listed.values()
            for one in files.values()
            if one.filename.startswith(f"{module}-{version}")
        )
        lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(listed.content).hexdigest()}\n")
    into.write_text("".join(lines))
    return into


def everything(client: Client, server: Server, folder: Path, locked: Path) -> dict[str, dict[str, str]]:
    """All that a client may want, each into a folder of its own; gives what is in the folders."""
    index, folders = server.simple(), {}

    def into(name: str) -> Path:
        folders[name] = folder / name
        return folders[name]

    assert client.got(index, into("app"), "app") == world.APP
    others = client.got(index, into("others"), "fits", "early", "lib==1.2", "only-source<1")
    assert others == {"fits": "1.0", "early": "1.0", "lib": "1.2", "only-source": "0.9"}
    if client.is_pip:
        options = ["--no-cache-dir", "--index-url", index, "--dest", str(into("downloads"))]
        done = client.run("download", *options, "--require-hashes", "-r", str(locked))
        assert done.code == 0, done.said
    else:
        assert client.got(index, into("hashed"), "--require-hashes", "-r", str(locked)) == world.APP
        assert client.got(index, into("early"), "--prerelease=allow", "early") == {"early": "2.0rc1"}
        project = into("project")
        project.mkdir()
        (project / "pyproject.toml").write_text(PROJECT)
        lock(client, server, project)
        sync(client, project)
        folders["project"] = next((project / ".venv").glob("lib*/python*/site-packages"))
    # The environment's own files have its path in them.
    return {
        name: {
            path: told
            for path, told in contents(place).items()
            if not path.startswith(("_virtualenv", "bin/"))
        }
        for name, place in folders.items()
    }


def lock(client: Client, server: Server, project: Path) -> None:
    done = client.run("lock", "--no-cache", "--default-index", server.simple(), cwd=project)
    assert done.code == 0, done.said


def sync(client: Client, project: Path) -> None:
    done = client.run("sync", "--no-cache", "--frozen", cwd=project)
    assert done.code == 0, done.said


def test_all_is_installed_and_again_without_the_outside(
    client: Client, outside: Outside, tmp_path: Path
) -> None:
    world.fill(outside)
    locked = hashed(outside, tmp_path / "locked.txt")
    with Server(tmp_path / "keep", config(outside)) as server:
        first = everything(client, server, tmp_path / "first", locked)
        assert all(first.values())
        outside.stop()
        asked = len(outside.log)
        # Across a restart too: what was seen once is kept on disk.
        server.restart()
        assert everything(client, server, tmp_path / "second", locked) == first
        assert len(outside.log) == asked

        wrong = tmp_path / "wrong.txt"
        wrong.write_text(f"plain-name==1.0 --hash=sha256:{'0' * 64}\n")
        done = client.install(server.simple(), tmp_path / "wrong", "--require-hashes", "-r", str(wrong))
        assert done.code != 0
        assert re.search(r"(?i)hash", done.said)
        assert not list(tmp_path.glob("wrong/*.dist-info"))


def test_an_index_that_speaks_html_alone(uv: Client, new_pip: Client, tmp_path: Path) -> None:
    """Old indexes tell no sizes and, mostly, no metadata; the keep makes up for both."""
    with Outside(formats=("html",)) as outside:
        world.fill(outside)
        with Server(tmp_path / "keep", config(outside)) as server:
            for client in (new_pip, uv):
                assert client.got(server.simple(), tmp_path / client.name, "app") == world.APP
            files = server.get("/main/simple/lib/?format=application/vnd.pypi.simple.v1%2Bjson").json["files"]
            assert all(file["size"] > 100 for file in files)
            assert all(
                set(file["core-metadata"]) == {"sha256"} for file in files if "1.1" in file["filename"]
            )
