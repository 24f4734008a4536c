"""What ``devpi-export`` writes beside the files: ``dataindex.json``, which tells releases from mirrors, test results
and documents, and each file's hash (dump version 2, as devpi-server 4 to 6 writes it).
"""

import posixpath
from typing import Any

import msgspec
from msgspec import Struct

NAME = "dataindex.json"
"""The file that makes a folder an export."""


class Exported(Struct, frozen=True):
    """One release file of a stage."""

    path: str
    """Below the export's folder, with slashes; never leads out of it."""
    index: str
    """``user/index``."""
    digests: dict[str, str]
    """Hex digests by the names that hashlib gives the algorithms; may be empty in very old exports."""


class _File(Struct):
    relpath: str
    type: str
    entrymapping: dict[str, Any] = {}


class _Index(Struct):
    indexconfig: dict[str, Any] = {}
    files: list[_File] = []


class _Dump(Struct):
    indexes: dict[str, _Index]
    dumpversion: str = "2"


def read_export(text: bytes) -> list[Exported]:
    """The release files of all stages, by path; what mirrors kept of other indexes is left out.

    Raises ValueError with a sentence where the text is no such document, or names a place outside the export.
    """
    try:
        dump = msgspec.json.decode(text, type=_Dump)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise ValueError(f"{NAME} is not what devpi-export writes: {error}") from None
    if dump.dumpversion not in ("1", "2"):
        raise ValueError(f"{NAME} has the dump version {dump.dumpversion}: only 1 and 2 are known here")
    found = [
        Exported(_inside(file.relpath), name, _digests(file.entrymapping))
        for name, index in dump.indexes.items()
        if index.indexconfig.get("type", "stage") != "mirror"
        for file in index.files
        if file.type == "releasefile"
    ]
    return sorted(found, key=lambda file: file.path)


def _inside(path: str) -> str:
    plain = posixpath.normpath(path)
    if plain.startswith(("/", "../")) or plain in (".", "..") or "\\" in plain or "\0" in plain:
        raise ValueError(f"{NAME} names a file outside its folder: {path[:100]!a}")
    return plain


def _digests(entry: dict[str, Any]) -> dict[str, str]:
    told: dict[str, str] = {}
    if isinstance(hashes := entry.get("hashes"), dict):
        told |= {str(kind).lower(): str(value) for kind, value in hashes.items()}
    if isinstance(spec := entry.get("hash_spec"), str) and "=" in spec:
        kind, _, value = spec.partition("=")
        told.setdefault(kind.lower(), value)
    if isinstance(md5 := entry.get("md5"), str):
        told.setdefault("md5", md5)
    return {kind: value.lower() for kind, value in told.items()}
