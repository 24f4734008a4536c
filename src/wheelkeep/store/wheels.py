"""Reads an uploaded wheel (PEP 427): one .dist-info of the right name, and a RECORD that is true of every member."""

import base64
import binascii
import csv
import hashlib
import io
import re
from email.parser import HeaderParser
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from packaging.version import InvalidVersion

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName
from wheelkeep.store.archives import LARGEST_METADATA, BadArchive, Contents, Paths, shown, some
from wheelkeep.store.zips import Member, read_zip, unpack

_LARGEST_RECORD = 32 * 1024**2
_LARGEST_WHEEL = 1024**2
_INFO = ".dist-info"
_DATA = ".data"
_LIBRARIES = ("purelib", "platlib")
"""Both are one folder nearly everywhere, and the one that all else of a wheel goes to."""
_SCHEMES = (*_LIBRARIES, "headers", "scripts", "data")
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
"""Made after RECORD, so not in it (PEP 427; PEP 815 ends them)."""
_ALGORITHMS = ("sha256", "sha384", "sha512")
"""As good as sha256 or better (binary distribution format, "The .dist-info directory")."""

_DECIDING = {
    "Wheel-Version": (re.compile(r"1\.[0-9]{1,4}", re.ASCII), "1.0, or another version that begins with 1."),
    "Root-Is-Purelib": (re.compile("true|false"), "true or false"),
}
"""What installers go by in WHEEL, and what they all read alike. Without Root-Is-Purelib all take it for false."""
_BROKEN_LINE = re.compile(rb"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f]")


class _Row(Struct, frozen=True):
    algorithm: str
    digest: bytes
    size: int | None


def read_wheel(path: Path, project: ProjectName, version: str) -> Contents:
    """Checks a wheel of a project and version (both in normal form) and gives its METADATA.

    Unpacks every member once, to nowhere. Raises BadArchive.
    """
    with path.open("rb") as file:
        members = _by_path(read_zip(file))
        info = _info_folder(members, project, version)
        _check_data(members, info)
        required = {name: members.get(f"{info}/{name}") for name in ("METADATA", "WHEEL", "RECORD")}
        missing = [f"{info}/{name}" for name, member in required.items() if member is None or member.folder]
        if missing:
            raise BadArchive(*(f"it has no {name}" for name in missing))
        record = _read_record(_whole(file, members[f"{info}/RECORD"], _LARGEST_RECORD))
        metadata = _whole(file, members[f"{info}/METADATA"], LARGEST_METADATA)
        problems = _unclear(_whole(file, members[f"{info}/WHEEL"], _LARGEST_WHEEL))
        problems += _untrue(file, members, record, info)
    if problems:
        raise BadArchive(*problems)
    return Contents(metadata)


def _by_path(members: list[Member]) -> dict[str, Member]:
    paths = Paths()
    for member in members:
        paths.add(member.name, folder=member.folder)
    return {member.name: member for member in members}


def _info_folder(members: dict[str, Member], project: ProjectName, version: str) -> str:
    """The one top folder that describes the wheel; raises BadArchive unless it is the right one's."""
    tops = sorted({name.split("/", 1)[0] for name in members})
    found = [top for top in tops if top.lower().endswith(_INFO)]
    if len(found) != 1:
        told = ", ".join(shown(top) for top in found[:5]) or "none"
        raise BadArchive(f"it must have exactly one {_INFO} folder; it has {told}")
    info = found[0]
    head, _, tail = info.removesuffix(_INFO).rpartition("-")
    try:
        right = names.project(head) == project and str(names.version(tail)) == version
    except (InvalidName, InvalidVersion):
        right = False
    if not right:
        raise BadArchive(f"its folder {shown(info)} is not that of {project} {version}")
    # On a file system that knows no capitals, METADATA and metadata are one file, and either may win.
    lower: dict[str, str] = {}
    for name in members:
        if name.startswith(f"{info}/") and lower.setdefault(name.lower(), name) != name:
            raise BadArchive(f"the member {shown(name)} is there twice, but for its capitals")
    return info


def _check_data(members: dict[str, Member], info: str) -> None:
    """Raises BadArchive where installers would not agree on what goes where (binary distribution format, "The .data
    directory"): some take every folder that ends so for the wheel's own, and each its turn of two files in one place.
    """
    data = info.removesuffix(_INFO) + _DATA
    placed = Paths()
    for name, member in members.items():
        top, _, rest = name.partition("/")
        scheme, _, place = rest.partition("/")
        if not top.lower().endswith(_DATA):
            place = name
        elif top != data:
            raise BadArchive(f"its folder {shown(top)} is not its own {_DATA} folder, which is {shown(data)}")
        elif member.folder and not place:
            continue
        elif scheme not in _SCHEMES or not place:
            raise BadArchive(f"the member {shown(name)} is in none of {', '.join(_SCHEMES)}")
        elif scheme not in _LIBRARIES:
            continue
        elif place.partition("/")[0].lower().endswith(_INFO):
            raise BadArchive(f"the member {shown(name)} would be in a second {_INFO} folder")
        placed.add(place, folder=member.folder)


def _whole(file: BinaryIO, member: Member, most: int) -> bytes:
    if member.size > most:
        raise BadArchive(f"the member {shown(member.name)} is larger than any wheel needs")
    return b"".join(unpack(file, member))


def _unclear(body: bytes) -> list[str]:
    """Why installers would not read one thing out of WHEEL (binary distribution format, "File contents"): some read
    every line, some the fields above the first empty one, and each takes another of two. Tags are not compared:
    installers go by those of the file's name.
    """
    if _BROKEN_LINE.search(body):
        return ["its WHEEL has a line end by half, or another control character"]
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return [f"its WHEEL cannot be read: {error}"]
    fields = HeaderParser().parsestr(text)
    problems: list[str] = []
    for name, (wanted, says) in _DECIDING.items():
        values = fields.get_all(name, [])
        lines = re.findall(rf"^\s*{name}\s*:", text, re.I | re.M)
        if len(lines) > 1:
            problems.append(f"its WHEEL has {name} {len(lines)} times")
        elif len(lines) != len(values):
            problems.append(f"its WHEEL has {name} where only some readers find it")
        elif not values and name == "Wheel-Version":
            problems.append("its WHEEL has no Wheel-Version")
        elif values and not wanted.fullmatch(values[0].rstrip(" \t")):
            problems.append(f"its WHEEL says {name}: {shown(values[0])}; it must be {says}")
    return problems


def _read_record(body: bytes) -> dict[str, _Row | None]:
    """RECORD's rows by path; None stands for a row without a hash. Raises BadArchive."""
    rows: dict[str, _Row | None] = {}
    problems: list[str] = []
    try:
        for row in csv.reader(io.StringIO(body.decode(), newline=""), strict=True):
            if not row:
                continue
            if len(row) != 3:
                raise BadArchive("its RECORD has a row that is not path, hash and size")
            path, digest, size = row
            if path in rows:
                problems.append(f"its RECORD has {shown(path)} twice")
            try:
                rows[path] = _row(digest, size)
            except ValueError as error:
                problems.append(f"its RECORD says {error} of {shown(path)}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadArchive(f"its RECORD cannot be read: {error}") from None
    if problems:
        raise BadArchive(*some(problems))
    return rows


def _row(digest: str, size: str) -> _Row | None:
    """Raises ValueError with what is wrong about it."""
    if size and not (size.isascii() and size.isdigit() and len(size) < 16):
        raise ValueError(f"the size {shown(size)}")
    if not digest:
        return None
    algorithm, _, text = digest.partition("=")
    text = text.rstrip("=")
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if algorithm not in _ALGORITHMS or len(value) != hashlib.new(algorithm).digest_size:
        raise ValueError(f"the hash {shown(digest)}, which is no sha256, sha384 or sha512")
    return _Row(algorithm, value, int(size) if size else None)


def _untrue(
    file: BinaryIO, members: dict[str, Member], record: dict[str, _Row | None], info: str
) -> list[str]:
    """What RECORD and the members say differently of each other. Raises BadArchive where a member cannot be read."""
    unlisted = {f"{info}/{name}" for name in ("RECORD", *_SIGNATURES)}
    problems: list[str] = []
    for name, member in members.items():
        row = record.get(name)
        if row is None:
            for _ in unpack(file, member):
                pass
            if not member.folder and name not in unlisted:
                lacks = "has no hash of" if name in record else "does not list"
                problems.append(f"its RECORD {lacks} {shown(name)}")
            continue
        digest = hashlib.new(row.algorithm)
        for piece in unpack(file, member):
            digest.update(piece)
        if digest.digest() != row.digest:
            problems.append(f"its RECORD has another hash of {shown(name)} than that of its bytes")
        elif row.size not in (None, member.size):
            problems.append(f"its RECORD says {row.size} bytes of {shown(name)}, which has {member.size}")
    absent = [f"its RECORD lists {shown(name)}, which is not there" for name in record if name not in members]
    return some(problems) + some(absent)
