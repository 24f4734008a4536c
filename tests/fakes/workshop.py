"""Sdists that are built by a tool from an index, and the tool: a PEP 517 backend in a wheel, which zips what it finds.

What the wheel is to hold lies in ``src/`` of the sdist. A file ``unsteady`` there makes each wheel another one; one
that is called ``fails`` makes the build fail, with its text as the last words.
"""

import gzip
import io
import tarfile
from collections.abc import Mapping
from textwrap import indent

from fakes.dists import metadata, module, wheel

_TOOL = """\
import base64, hashlib, os, zipfile


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    if os.path.exists("src/fails"):
        raise SystemExit(open("src/fails").read())
    info = next(name for name in os.listdir("src") if name.endswith(".dist-info"))
    members = {}
    for folder, _, names in os.walk("src"):
        for name in sorted(names):
            path = os.path.join(folder, name)
            members[os.path.relpath(path, "src")] = open(path, "rb").read()
    if "unsteady" in members:
        members["unsteady"] = os.urandom(8)
    record = ""
    for path, data in sorted(members.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\\n"
    members[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\\n").encode()
    name = info[: -len(".dist-info")] + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for path, data in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(path, (2020, 2, 2, 0, 0, 0)), data)
    return name
"""
_PYPROJECT = '[build-system]\nrequires = ["{requires}"]\nbuild-backend = "wk_tool"\n'
_WHEEL = "Wheel-Version: 1.0\nGenerator: fakes 1\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def tool(version: str = "1.0") -> tuple[str, bytes]:
    """The project ``wk-tool``."""
    return wheel("wk-tool", version, files={"wk_tool.py": _TOOL.encode()})


def source(
    name: str, version: str = "1.0", *, requires: str = "wk-tool", files: Mapping[str, bytes] | None = None
) -> tuple[str, bytes]:
    """An sdist that ``wk-tool`` builds: its file name and its bytes. ``files``: what else the wheel holds."""
    stem, info = f"{module(name)}-{version}", metadata(name, version).encode()
    held = {f"{module(name)}.py": f"VERSION = {version!r}\n".encode()} | dict(files or {})
    held |= {f"{stem}.dist-info/METADATA": info, f"{stem}.dist-info/WHEEL": _WHEEL.encode()}
    members = {
        "PKG-INFO": info,
        "pyproject.toml": _PYPROJECT.format(requires=requires).encode(),
        **{f"src/{path}": data for path, data in held.items()},
    }
    return f"{stem}.tar.gz", _packed(stem, members)


_WICKED = """
import base64, hashlib, os, socket, subprocess, sys, zipfile


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
{program}
    name = "{stem}-py3-none-any.whl"
    members = {{
        "{stem}.dist-info/METADATA": b"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
        "{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    listed = ""
    for path, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        listed += f"{{path}},sha256={{digest}},{{len(data)}}\\n"
    members["{stem}.dist-info/RECORD"] = f"{{listed}}{stem}.dist-info/RECORD,,\\n".encode()
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for path, data in members.items():
            archive.writestr(path, data)
    return name
"""


def wicked(name: str, program: str, version: str = "1.0") -> tuple[str, bytes]:
    """An sdist that builds with nothing from outside, and does what the program says before that."""
    stem = f"{module(name)}-{version}"
    backend = _WICKED.format(program=indent(program, "    "), stem=stem, name=name, version=version)
    members = {
        "PKG-INFO": metadata(name, version).encode(),
        "pyproject.toml": b"[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
        "backend.py": backend.encode(),
    }
    return f"{stem}.tar.gz", _packed(stem, members)


def _packed(stem: str, members: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in members.items():
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size, member.mode, member.mtime = len(data), 0o644, 1_580_601_600
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), compresslevel=6, mtime=0)
