"""Real installers, each cut off from everything but the index that a test names: pip 23.2, the newest pip, and uv.

Every run has a home of its own, no configuration, no cache and no proxy, so what it installs came from the index.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fakes.server import environment
from fakes.tools import lacking

_ROOT = Path(__file__).resolve().parents[2]
_KEPT = _ROOT / ".clients"
_PINNED = _ROOT / "requirements" / "clients.txt"


@dataclass(slots=True)
class Done:
    """How a run ended, and all it said, with the line breaks that are only for the width of a terminal undone."""

    code: int
    said: str

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", self.said)


@dataclass(slots=True)
class Client:
    """One installer. ``home`` is a folder of its own, empty at the start of a test."""

    name: str
    home: Path
    command: list[str]
    path: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    """More variables for its environment."""

    @property
    def is_pip(self) -> bool:
        return self.name.startswith("pip")

    def run(self, *words: str, cwd: Path | None = None) -> Done:
        """Any command of the client."""
        more = {"HOME": str(self.home), "TMPDIR": str(self.home), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        if self.is_pip:
            more |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
        else:
            more |= {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": sys.executable}
            more |= {"UV_LINK_MODE": "copy", "UV_NO_PROGRESS": "1"}
        if self.path is not None:
            more["PYTHONPATH"] = str(self.path)
        for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "VIRTUAL_ENV"):
            more[name] = str(self.home / name.lower())
        run = subprocess.run(
            [*self.command, *words],
            cwd=cwd or self.home,
            env=environment(**(more | self.env)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
        )
        return Done(run.returncode, run.stdout)

    def install(self, index: str, into: Path, *what: str) -> Done:
        """Installs requirements, or what options such as ``-r FILE`` say, into a folder."""
        if self.is_pip:
            # Else it reads the metadata of all that this environment has, which is half of its time.
            options = [
                "--no-cache-dir",
                "--no-compile",
                "--no-warn-conflicts",
                "--retries",
                "1",
                "--index-url",
                index,
            ]
            return self.run("install", *options, "--target", str(into), *what)
        options = ["--no-cache", "--default-index", index, "--target", str(into)]
        return self.run("pip", "install", *options, *what)

    def got(self, index: str, into: Path, *what: str) -> dict[str, str]:
        """The same, where it must work: the project names and versions that are there afterwards."""
        done = self.install(index, into, *what)
        assert done.code == 0, done.said
        return versions(into)


def versions(into: Path) -> dict[str, str]:
    """Which versions a folder has, by the projects' normal names."""
    found = {}
    for info in into.glob("*.dist-info"):
        name, version = info.name.removesuffix(".dist-info").rsplit("-", 1)
        found[re.sub(r"[-_.]+", "-", name).lower()] = version
    return found


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def pinned() -> Mapping[str, str]:
    """Each pinned pip's version, and its lines in requirements/clients.txt, hashes and all; the oldest first."""
    blocks = re.findall(r"(?m)^pip==(\S+)((?: \\\n +\S+)+)\n", _PINNED.read_text())
    return {version: f"pip=={version}{hashes}\n" for version, hashes in blocks}


def pip(version: str, home: Path) -> Client:
    """One of the pinned pips, fetched once and kept in .clients/."""
    place = _KEPT / f"pip-{version}"
    if not place.is_dir():
        _fetch(version, place)
    return Client(f"pip {version}", home, [sys.executable, "-m", "pip"], place)


def uv(home: Path) -> Client:
    return Client("uv", home, [_uv()])


def _uv() -> str:
    place = Path(sysconfig.get_path("scripts")) / "uv"
    if not place.exists():
        lacking("uv is not in this environment: make test puts it there")
    return str(place)


def _fetch(version: str, place: Path) -> None:
    """From the index that this machine uses by default; one process at a time, and whole or not at all."""
    _KEPT.mkdir(exist_ok=True)
    with (_KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.is_dir():
            return
        with tempfile.TemporaryDirectory(dir=_KEPT) as folder:
            wanted = Path(folder) / "wanted.txt"
            wanted.write_text(pinned()[version])
            command = [_uv(), "pip", "install", "--quiet", "--python", sys.executable, "--no-deps"]
            command += ["--require-hashes", "--target", f"{folder}/pip", "-r", str(wanted)]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                lacking(f"pip {version} is not in .clients and could not be fetched: {done.stdout[-500:]}")
            (Path(folder) / "pip").rename(place)
