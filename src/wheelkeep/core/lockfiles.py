"""The door to all lock formats: which one a file has, by its name or else by what stands in it."""

import re
import tomllib
from collections.abc import Callable
from pathlib import PurePath

from wheelkeep.core.errors import ConfigError, Mistake
from wheelkeep.core.lock import MOST_BYTES, Lock, LockFormat, Read
from wheelkeep.core.lock_pdm import read_pdm
from wheelkeep.core.lock_pipfile import read_pipfile
from wheelkeep.core.lock_poetry import read_poetry
from wheelkeep.core.lock_pylock import read_pylock
from wheelkeep.core.lock_requirements import read_requirements
from wheelkeep.core.lock_uv import read_uv

_READERS: dict[LockFormat, Callable[[str, str], Lock]] = {
    "pylock.toml": read_pylock,
    "uv.lock": read_uv,
    "poetry.lock": read_poetry,
    "pdm.lock": read_pdm,
    "Pipfile.lock": read_pipfile,
}
_PYLOCK = re.compile(r"pylock\.[^.]+\.toml")
# No line of a requirements file begins so, and no lock in TOML is without one that does.
_TOML = re.compile(r"^[ \t]*\[\[?[A-Za-z0-9_.\"' -]+\]", re.MULTILINE)


def read_lock(path: str, read: Read) -> Lock:
    """Reads a lock, and what it includes, by ``read``. Raises ConfigError with every mistake, file and line."""
    try:
        content = read(path)
    except OSError as error:
        says = f"the lock cannot be read: {error.strerror or 'no reason given'}"
        raise ConfigError([Mistake(path, None, "", says)]) from None
    if len(content) > MOST_BYTES:
        raise ConfigError(
            [Mistake(path, None, "", f"is larger than the {MOST_BYTES} bytes that a lock may have")]
        )
    named = named_format(path)
    if named == "requirements.txt":
        return read_requirements(path, content, read)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if named is None:  # pip reads others too, by their mark
            return read_requirements(path, content, read)
        raise ConfigError([Mistake(path, None, "", "is not text in UTF-8: lock anew")]) from None
    form = named or told_format(text)
    if form is None:
        says = f"is none of the locks that are known: {', '.join(_READERS)} or requirements.txt with hashes"
        raise ConfigError([Mistake(path, None, "", says)])
    return (
        read_requirements(path, content, read) if form == "requirements.txt" else _READERS[form](text, path)
    )


def named_format(path: str) -> LockFormat | None:
    """The format that a file's name promises; None where it promises none."""
    name = PurePath(path).name
    if _PYLOCK.fullmatch(name):
        return "pylock.toml"
    return next((form for form in (*_READERS, "requirements.txt") if form == name), None)


def told_format(text: str) -> LockFormat | None:
    """The format of a lock under any name, by what stands in it; None for TOML that is no lock."""
    if text.lstrip()[:1] == "{":
        return "Pipfile.lock"
    if not _TOML.search(text):
        return "requirements.txt"
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    metadata = data.get("metadata")
    if isinstance(metadata, dict) and "lock_version" in metadata:
        return "pdm.lock"
    if isinstance(metadata, dict):
        return "poetry.lock"
    if "lock-version" in data:
        return "pylock.toml"
    return "uv.lock" if isinstance(data.get("version"), int) else None
