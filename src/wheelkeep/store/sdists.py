"""Reads an sdist (PEP 625), a .tar.gz with one top folder NAME-VERSION and PKG-INFO in it; an uploaded one strictly."""

import contextlib
from pathlib import Path
from posixpath import dirname
from typing import BinaryIO

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName
from wheelkeep.store.archives import (
    LARGEST_METADATA,
    LONGEST_PATH,
    BadArchive,
    Contents,
    Paths,
    path_problem,
    shown,
)
from wheelkeep.store.tars import Entry, Unzipped, read_tar

_INFO = "PKG-INFO"


def read_sdist(path: Path, project: ProjectName, version: str) -> Contents:
    """Checks an sdist of a project and version (both in normal form) and gives its PKG-INFO. Raises BadArchive."""
    metadata: bytes | None = None
    top: str | None = None
    paths, files = Paths(), set[str]()
    with path.open("rb") as file:
        stream = Unzipped(file)
        for entry in read_tar(stream):
            if top is None:
                top = _top(entry.path, project, version)
            _add(entry, top, paths, files)
            if entry.path == f"{top}/{_INFO}":
                metadata = _metadata(entry, stream)
            else:
                stream.skip(entry.size)
    if metadata is None:
        raise BadArchive(f"it has no {_INFO} in its top folder")
    return Contents(metadata)


def read_info(file: BinaryIO) -> bytes:
    """The PKG-INFO of any .tar.gz that has one in its top folder; what follows is not read. Raises BadArchive."""
    stream = Unzipped(file)
    for entry in read_tar(stream):
        if entry.path.count("/") == 1 and entry.path.endswith(f"/{_INFO}"):
            return _metadata(entry, stream)
        stream.skip(entry.size)
    raise BadArchive(f"it has no {_INFO} in its top folder")


def newest_time(path: Path) -> int:
    """When the newest member of an sdist was last changed, in seconds since the epoch, as far as it can be read; 0
    where that is not told. The same bytes always give the same number. Raises OSError."""
    newest = 0
    with path.open("rb") as file, contextlib.suppress(BadArchive):
        stream = Unzipped(file)
        for entry in read_tar(stream):
            newest = max(newest, entry.time)
            stream.skip(entry.size)
    return newest


def _top(path: str, project: ProjectName, version: str) -> str:
    """The top folder, read off the first member; raises BadArchive unless it is called as the sdist."""
    top = path.split("/", 1)[0]
    try:
        right = names.filename(f"{top}.tar.gz", project).version == version
    except InvalidName:
        right = False
    if not right:
        raise BadArchive(f"its top folder {shown(top)} is not that of {project} {version}")
    return top


def _add(entry: Entry, top: str, paths: Paths, files: set[str]) -> None:
    """Takes one more member, if it stays where it belongs. Raises BadArchive."""
    paths.add(entry.path, folder=entry.kind == "folder")
    if entry.path != top and not entry.path.startswith(f"{top}/"):
        raise BadArchive(f"the member {shown(entry.path)} is outside of the top folder {shown(top)}")
    if entry.path == top and entry.kind != "folder":
        raise BadArchive(f"its top folder {shown(top)} is not a folder")
    if entry.kind == "file":
        files.add(entry.path)
    elif entry.kind == "hardlink" and entry.target not in files:
        raise BadArchive(f"the member {shown(entry.path)} is a link to no file before it")
    elif entry.kind == "link" and not _stays(entry, top):
        raise BadArchive(
            f"the member {shown(entry.path)} is a link out of the archive, or in a roundabout way"
        )


def _stays(link: Entry, top: str) -> bool:
    """Whether a symbolic link leads to a place below the top folder, read word by word.

    ``..`` may only stand in front: behind another link's name it would lead elsewhere than it reads. No member lies
    below a link, so where the link itself is, is as it reads.
    """
    target, folder = link.target, dirname(link.path)
    if not 0 < len(target) <= LONGEST_PATH:
        return False
    while target == ".." or target.startswith("../"):
        if folder == top:
            return False
        target, folder = target[3:], dirname(folder)
    return not target or path_problem(target) is None


def _metadata(entry: Entry, stream: Unzipped) -> bytes:
    if entry.kind != "file":
        raise BadArchive(f"its {_INFO} is not a file")
    if entry.size > LARGEST_METADATA:
        raise BadArchive(f"its {_INFO} is larger than any package needs")
    body = stream.read(entry.size)
    if len(body) != entry.size:
        raise BadArchive("it is cut off")
    return body
