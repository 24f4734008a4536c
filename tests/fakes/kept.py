"""Environments of other people's programs, made once of what is locked in requirements/ and kept in .clients/."""

import fcntl
import subprocess
import sys
import sysconfig
from pathlib import Path

from fakes.tools import lacking

_ROOT = Path(__file__).resolve().parents[2]
KEPT = _ROOT / ".clients"


def environment_of(name: str) -> Path:
    """The environment with all of requirements/NAME.txt; fetched from the index that this machine uses by default."""
    place = KEPT / name
    if not place.is_dir():
        _install(place, _ROOT / "requirements" / f"{name}.txt")
    return place


def _install(place: Path, pinned: Path) -> None:
    """One process at a time, and whole or not at all."""
    uv = str(Path(sysconfig.get_path("scripts")) / "uv")
    KEPT.mkdir(exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.is_dir():
            return
        # An environment knows where it lies, so it is made in its place and takes its name once it is whole.
        made = place.with_name(f"{place.name}.part")
        commands = [
            [uv, "venv", "--quiet", "--clear", "--relocatable", "--python", sys.executable, str(made)],
            [uv, "pip", "install", "--quiet", "--python", str(made / "bin" / "python"), "--require-hashes", "-r",
             str(pinned)],
        ]  # fmt: skip
        for command in commands:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                lacking(f"{pinned.name} is not in .clients and could not be fetched: {done.stdout[-500:]}")
        made.rename(place)
