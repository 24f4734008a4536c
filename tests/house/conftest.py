"""Which files the house rules speak of: the tracked ones, or all of an unpacked sdist. Holds no rule."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The text of each file that is text, by its path from the root."""
    found = {}
    for path in _files():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


@pytest.fixture(scope="session")
def sources(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name.startswith("src/") and name.endswith(".py")}


def _files() -> list[Path]:
    # The checkout may belong to another user than the one who tests, so git is told to trust it.
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        return [path for path in sorted(ROOT.rglob("*")) if path.is_file() and not _made(path)]
    return [path for name in listed if name and (path := ROOT / name).is_file()]


def _made(path: Path) -> bool:
    """Whether a tool made the file: environments, caches, data and what is built."""
    parts = path.relative_to(ROOT).parts
    made = ("__pycache__", "dist", "results", "wheelkeep-data")
    return any((part.startswith(".") and part != ".ci") or part in made for part in parts)
