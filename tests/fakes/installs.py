"""All that a client may want of the world's packages, from whatever serves an index of them."""

import hashlib
from pathlib import Path

from fakes import world
from fakes.clients import Client, contents
from fakes.outside import Outside

PROJECT = """\
[project]
name = "work"
version = "1"
requires-python = ">=3.11"
dependencies = ["app", "fits"]
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


def everything(client: Client, index: str, folder: Path, locked: Path) -> dict[str, dict[str, str]]:
    """All that a client may want, each into a folder of its own; gives what is in the folders."""
    folders: dict[str, Path] = {}

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
        lock(client, index, project)
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


def lock(client: Client, index: str, project: Path) -> None:
    done = client.run("lock", "--no-cache", "--default-index", index, cwd=project)
    assert done.code == 0, done.said


def sync(client: Client, project: Path) -> None:
    done = client.run("sync", "--no-cache", "--frozen", cwd=project)
    assert done.code == 0, done.said
