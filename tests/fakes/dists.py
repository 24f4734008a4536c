"""Small wheels and sdists that pip and uv install, made in memory. The same arguments give the same bytes."""

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence

_WHEN = (2020, 2, 2, 0, 0, 0)

# An in-tree PEP 517 backend: building needs no package from anywhere, and the wheel is the one made here.
_BACKEND = '''\
"""Builds the one wheel that this tree has ready."""
import base64, os

WHEEL = {wheel!r}
BYTES = {encoded!r}
METADATA = {metadata!r}
DIST_INFO = {dist_info!r}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open(os.path.join(wheel_directory, WHEEL), "wb") as file:
        file.write(base64.b64decode(BYTES))
    return WHEEL


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    os.makedirs(os.path.join(metadata_directory, DIST_INFO))
    with open(os.path.join(metadata_directory, DIST_INFO, "METADATA"), "w") as file:
        file.write(METADATA)
    return DIST_INFO


def get_requires_for_build_wheel(config_settings=None):
    return []
'''

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "wk_backend"
backend-path = ["_backend"]
"""


def module(name: str) -> str:
    """The import name, and the form of the name in file names (PEP 427, PEP 625)."""
    return name.lower().replace("-", "_").replace(".", "_")


def metadata(
    name: str,
    version: str,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    *,
    form: str = "2.1",
) -> str:
    """Core metadata for a project; ``form``: which version of it."""
    lines = [
        f"Metadata-Version: {form}",
        f"Name: {name}",
        f"Version: {version}",
        f"Summary: The project {name}",
    ]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {one}" for one in requires]
    return "\n".join(lines) + "\n"


def wheel(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    files: Mapping[str, bytes] | None = None,
    tag: str = "py3-none-any",
    told: str = "",
) -> tuple[str, bytes]:
    """A valid wheel (PEP 427) with a true RECORD: its file name and its bytes.

    ``told``: more lines of its metadata; below an empty one, its description.

    ``files`` are members by path; by default one module, named as the project, with ``VERSION`` in it.
    """
    stem = f"{module(name)}-{version}"
    members = (
        dict(files) if files is not None else {f"{module(name)}.py": f"VERSION = {version!r}\n".encode()}
    )
    says = metadata(name, version, requires, requires_python) + told
    members[f"{stem}.dist-info/METADATA"] = says.encode()
    tags = "".join(
        f"Tag: {python}-{abi}-{platform}\n"
        for pythons, abis, platforms in [tag.split("-")]
        for python in pythons.split(".")
        for abi in abis.split(".")
        for platform in platforms.split(".")
    )
    pure = "true" if tag.endswith("-none-any") else "false"
    members[f"{stem}.dist-info/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: fakes 1\nRoot-Is-Purelib: {pure}\n{tags}".encode()
    )
    record = "".join(f"{path},{_record_hash(data)},{len(data)}\n" for path, data in members.items())
    members[f"{stem}.dist-info/RECORD"] = (record + f"{stem}.dist-info/RECORD,,\n").encode()
    return f"{stem}-{tag}.whl", _zip(members)


def sdist(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    files: Mapping[str, bytes] | None = None,
    form: str = "2.1",
    told: str = "",
) -> tuple[str, bytes]:
    """An sdist (PEP 625) that builds with nothing from outside: its file name and its bytes.

    ``told``: more lines of its metadata.

    ``files`` are what the wheel built from it holds, as in ``wheel``.
    """
    stem = f"{module(name)}-{version}"
    filename, built = wheel(name, version, requires=requires, requires_python=requires_python, files=files)
    info = metadata(name, version, requires, requires_python, form=form) + told
    backend = _BACKEND.format(
        wheel=filename,
        encoded=base64.b64encode(built).decode(),
        metadata=info,
        dist_info=f"{stem}.dist-info",
    )
    members = {
        "PKG-INFO": info.encode(),
        "pyproject.toml": _PYPROJECT.encode(),
        "_backend/wk_backend.py": backend.encode(),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in members.items():
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size, member.mode, member.mtime = len(data), 0o644, 1_580_601_600
            archive.addfile(member, io.BytesIO(data))
    return f"{stem}.tar.gz", gzip.compress(packed.getvalue(), compresslevel=6, mtime=0)


def _record_hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _zip(members: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in members.items():
            member = zipfile.ZipInfo(path, date_time=_WHEN)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o100644 << 16
            archive.writestr(member, data)
    return packed.getvalue()
