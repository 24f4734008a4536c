"""The Python that builds: one that is on this machine, asked what it is and what it installs."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import packaging
from msgspec import Struct
from packaging.tags import Tag

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.targets import Machine
from wheelkeep.index.uv import find_uv

_VERSION = re.compile(r"3\.\d{1,2}(?:\.\d{1,3})?")
_PATIENCE = 20.0
_ASK = """
import json, sys
sys.path.append(sys.argv[1])
from packaging.markers import default_environment
from packaging.tags import sys_tags
tags = [[tag.interpreter, tag.abi, tag.platform] for tag in sys_tags()]
base = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({"path": base, "prefix": sys.base_prefix, "tags": tags, "environment": default_environment()}))
"""
"""Run by the Python that is asked, isolated from its user's own modules, with this program's ``packaging``."""


class NoInterpreter(WheelkeepError):
    """No such Python is on this machine."""


class _TagParts(NamedTuple):
    interpreter: str
    abi: str
    platform: str


class _Told(Struct):
    path: str
    prefix: str
    tags: list[_TagParts]
    environment: dict[str, str]


class Interpreter(Struct, frozen=True, kw_only=True):
    """A Python, as it says itself."""

    path: Path
    """Of the program, outside of every virtual environment."""
    prefix: Path
    """Where its standard library lies."""
    says: str
    """Implementation and version: ``cpython 3.11.7``."""
    platform: str
    """The narrowest platform of a wheel for it."""
    machine: Machine
    """The wheels that it installs, and what markers ask it for."""


async def find_interpreter(wanted: str | None) -> Interpreter:
    """The Python of a version (``3.12``, ``3.12.4``) or at a path; None: this one. Raises NoInterpreter."""
    tried: list[str] = []
    for paths in (_paths, _managed):
        for path in await asyncio.to_thread(paths, wanted):
            found = await _asked(path)
            if isinstance(found, str):
                tried.append(f"{path}: {found}")
            elif wanted is None or not _VERSION.fullmatch(wanted) or _is(found, wanted):
                return found
    says = "; ".join(tried[:3]) or "it is not on PATH"
    raise NoInterpreter(
        f"no Python {(wanted or 'of its own')[:80]} can be used ({says}): install it, or name the path of one"
    )


def _paths(wanted: str | None) -> list[str]:
    if wanted is None:
        return [sys.executable]
    if not _VERSION.fullmatch(wanted):
        return [wanted]
    name = f"python{'.'.join(wanted.split('.')[:2])}"
    found = [shutil.which(name, path=folder) for folder in os.get_exec_path()]
    return [sys.executable, *(path for path in found if path is not None)]


def _managed(wanted: str | None) -> list[str]:
    """One that uv once installed for this user."""
    if wanted is None or not _VERSION.fullmatch(wanted):
        return []
    options = ["--managed-python", "--no-python-downloads", "--no-config", "--no-project"]
    command = [find_uv(), "python", "find", wanted, *options]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    return [ran.stdout.strip()] if ran.returncode == 0 else []


def _is(found: Interpreter, wanted: str) -> bool:
    full = found.machine.environment["python_full_version"]
    return full == wanted or full.startswith(f"{wanted}.")


async def _asked(path: str) -> Interpreter | str:
    """What the program at a path says of itself, or why it is none to build with."""
    library = str(Path(packaging.__file__).parents[1])
    try:
        process = await asyncio.create_subprocess_exec(
            path, "-I", "-S", "-c", _ASK, library,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        return error.strerror or str(error)
    try:
        out, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)
    except TimeoutError:
        return "it does not answer"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        told = msgspec.json.decode(out, type=_Told)
    except msgspec.DecodeError:
        return "it does not run, or is too old to be asked"
    environment = told.environment
    return Interpreter(
        path=Path(told.path),
        prefix=Path(told.prefix),
        says=f"{environment['implementation_name']} {environment['python_full_version']}",
        platform=told.tags[0].platform if told.tags else "any",
        machine=Machine(
            tags=frozenset(Tag(one.interpreter, one.abi, one.platform) for one in told.tags),
            environment={**environment, "extra": ""},
        ),
    )
