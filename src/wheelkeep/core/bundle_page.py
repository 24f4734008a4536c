"""A project in a bundle: its files as a page of the Simple API, read by the reader of any origin's, and beside
it what no page tells.

Nothing is repaired here: a bundle that tells of a file what this reader would have left out is no bundle.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core import bundle, chain, checked, merkle, names
from wheelkeep.core.attestations import LARGEST
from wheelkeep.core.bundle import Document, Line, NotABundle, State, read_moment, written
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.errors import InvalidName, NotAPage
from wheelkeep.core.listing import ListedFile, Listing
from wheelkeep.core.log_entries import SeenFile, read_entry
from wheelkeep.core.model import Departure, File, Page, Status, Was
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.notes import base64_bytes
from wheelkeep.core.pins import MOST_BEFORE
from wheelkeep.core.read_json import read_json
from wheelkeep.core.write_json import write_json

_BASE = "https://bundle.invalid/"
"""What addresses in a bundle are relative to where its keep had none: a name that leads nowhere (RFC 2606)."""
_KIND = re.compile(r"[a-z]{1,20}", re.ASCII)
_LARGEST_DETAIL = 256 * 1024
_MOST_NESTED = 5
_END_OF_TIME = 253_402_300_800.0
"""Seconds since the epoch at which the calendar of datetime ends."""
_DIGEST = re.compile(r"(?:[a-z0-9_]{1,20}:)?[0-9a-f]{1,128}", re.ASCII)


class Project(Struct, frozen=True, kw_only=True):
    """What a bundle says of a project in one source."""

    source: SourceName
    project: ProjectName
    kind: bundle.SourceKind
    checked: datetime
    files: tuple[File, ...]
    status: Status | None
    states: Mapping[str, State]
    used: tuple[str, ...]
    blocked: Mapping[str, str]
    lines: tuple[Line, ...]

    @property
    def page(self) -> Page:
        return Page(project=self.project, files=self.files, status=self.status)


def write_page(files: Sequence[File], status: Status | None, project: ProjectName) -> msgspec.Raw:
    """The files as a page (PEP 691)."""
    listed = tuple(
        ListedFile(
            filename=file.filename,
            url=file.url if "://" in file.url else file.filename,
            hashes={**file.digests, "sha256": file.sha256 or ""},
            size=file.size,
            upload_time=file.upload_time,
            requires_python=file.requires_python,
            yanked=file.yanked,
            metadata=file.metadata,
            provenance=file.provenance if file.provenance and "://" in file.provenance else None,
        )
        for file in files
    )
    return msgspec.Raw(write_json(Listing(name=project, files=listed, status=status)))


def write_state(file: File, provenance: bytes | None) -> State:
    """What the page does not tell of a file; its place in the log is added by who knows it."""
    return State(
        first_seen=written(file.first_seen) if file.first_seen is not None else None,
        late=file.late,
        absent=written(file.absent) if file.absent is not None else None,
        before=tuple(bundle.Was(until=written(was.until), yanked=was.yanked) for was in file.before),
        gone=file.gone,
        left=file.left,
        unstated=file.unstated,
        changed=file.changed,
        provenance=_readable(provenance) if provenance is not None else None,
    )


def read_project(document: Document, checkpoint: Checkpoint) -> Project:
    """Reads a document whole, its proofs and the links of its lines with it. Raises NotABundle."""
    source, project = bundle.names_of(document)
    try:
        page = read_json(bytes(document.page), url=_BASE, project=project, source=source)
        told = len(msgspec.json.decode(document.page, type=_Counted).files)
    except (NotAPage, msgspec.DecodeError) as error:
        raise NotABundle(f"the page of {project} in it cannot be read: {error}") from None
    if len(page.files) != told or document.states.keys() != {file.filename for file in page.files}:
        raise NotABundle(f"the page of {project} in it lists what is no file of {project}")
    files = tuple(
        _file(file, document.states[file.filename], document.kind, checkpoint) for file in page.files
    )
    for line in document.lines:
        _line(line, source, project)
    for name in document.used:
        if not _fits(name, project) or document.kind != "hosted" or name in document.states:
            raise NotABundle(f"it tells of a removed file of {project} that is none")
    for name, says in document.blocked.items():
        if not _fits(name, project) or name in document.states or checked.reason(says) != says:
            raise NotABundle(f"it tells of a blocked file of {project} that is none")
    return Project(
        source=source,
        project=project,
        kind=document.kind,
        checked=read_moment(document.checked),
        files=files,
        status=page.status,
        states=document.states,
        used=document.used,
        blocked=document.blocked,
        lines=document.lines,
    )


def _fits(filename: str, project: ProjectName) -> bool:
    """Whether a name is a file's of the project: another's would be used up there, reserved or not."""
    try:
        names.filename(filename, project)
    except InvalidName:
        return False
    return True


def _readable(document: bytes) -> str | None:
    """What an origin told as attestations long ago may be anything."""
    try:
        text = document.decode()
    except UnicodeDecodeError:
        return None
    return text if _is_document(text) else None


def _is_document(text: str) -> bool:
    try:
        return len(text) <= LARGEST and isinstance(msgspec.json.decode(text), dict)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return False


class _Counted(Struct):
    files: list[msgspec.Raw]


def _file(file: File, state: State, kind: bundle.SourceKind, checkpoint: Checkpoint) -> File:
    if file.sha256 is None or file.size is None:
        raise NotABundle(f"it tells no hash or no size of {file.filename}")
    if state.left is not None and state.left not in get_args(Departure):
        raise NotABundle(f"it tells of no known way in which {file.filename} left")
    if state.provenance is not None and not _is_document(state.provenance):
        raise NotABundle(f"the attestations of {file.filename} in it cannot be read")
    if state.changed is not None and not _DIGEST.fullmatch(state.changed):
        raise NotABundle(f"it tells of {file.filename} what is no digest")
    reasons = [was.yanked for was in state.before]
    if len(reasons) > MOST_BEFORE or any(checked.reason(told) != told for told in reasons):
        raise NotABundle(f"it tells of {file.filename} a reason that cannot be shown")
    _prove(file, state, checkpoint)
    return replace(
        file,
        url=file.url if kind == "remote" else file.filename,
        first_seen=_moment(state.first_seen),
        late=state.late,
        absent=_moment(state.absent),
        before=tuple(Was(until=read_moment(was.until), yanked=was.yanked) for was in state.before),
        gone=state.gone,
        left=_departure(state.left),
        unstated=state.unstated,
        changed=state.changed,
    )


def _departure(word: str | None) -> Departure | None:
    return next((one for one in get_args(Departure) if one == word), None)


def _moment(text: str | None) -> datetime | None:
    return read_moment(text) if text is not None else None


def _prove(file: File, state: State, checkpoint: Checkpoint) -> None:
    """The file's first sight is in the log that the bundle's keep signed, where it says so."""
    if state.entry is None or state.place is None:
        return
    try:
        entry = read_entry(state.entry.encode())
        hashes = [base64_bytes(one) for one in state.proof]
    except ValueError as error:
        raise NotABundle(f"{file.filename}: {error}") from None
    same = (
        isinstance(entry, SeenFile)
        and (entry.source, entry.project) == (file.source, file.project)
        and (entry.filename, entry.sha256) == (file.filename, file.sha256)
    )
    leaf = merkle.leaf_hash(state.entry.encode())
    if not same or not merkle.includes(leaf, state.place, checkpoint.size, hashes, checkpoint.root):
        raise NotABundle(f"it does not prove what its log has of {file.filename}")


def _line(line: Line, source: SourceName, project: ProjectName) -> None:
    parts = (line.number, line.at, line.kind, line.source, line.project, line.filename, line.detail)
    try:
        before, link = bytes.fromhex(line.before), bytes.fromhex(line.link)
        detail = msgspec.json.decode(line.detail)
    except (ValueError, RecursionError):
        raise NotABundle(f"a line of the ledger about {project} in it cannot be read") from None
    if (
        (line.source, line.project) != (source, project)
        or not (line.filename is None or _fits(line.filename, project))
        or not (0 < line.number < 1 << 63 and 0 <= line.at < _END_OF_TIME and _KIND.fullmatch(line.kind))
        or not (isinstance(detail, dict) and len(line.detail) <= _LARGEST_DETAIL and _is_flat(detail))
    ):
        raise NotABundle(f"it has a line of the ledger with {project} that is not about it")
    if chain.link(before, parts) != link:
        raise NotABundle(f"the line {line.number} of the ledger about {project} in it was changed")


def _is_flat(value: object, left: int = _MOST_NESTED) -> bool:
    """Whether a detail is nested no deeper than any of a ledger: what can be read here must be so wherever it lies."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_is_flat(one, left - 1) for one in inner)
