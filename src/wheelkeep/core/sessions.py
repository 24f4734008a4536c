"""Publishing sessions of the Upload API 2.0 (PEP 694, round 4 of 29 July 2026): their states, who may use one, how long
one lives, and what the requests about one must say.

Nothing here is put off to later processing, which the PEP allows, so its states ``processing`` (of both) and ``error``
(of a publishing session) do not occur.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct
from packaging.version import InvalidVersion

from wheelkeep.core import names
from wheelkeep.core.access import Caller
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName
from wheelkeep.core.upload_rules import filename_problem

API_VERSION = "2.0"
MEDIA = "application/vnd.pypi.upload.v2+json"
MECHANISM = "http-post-bytes"
LIFE = timedelta(days=7)
"""How long a session stays open; the PEP recommends no less than a week."""
LONGEST_LIFE = timedelta(days=30)
"""To how long it can be extended, from its creation on."""
RETAINED = timedelta(days=7)
"""How long one that has ended still tells how."""
MOST_FILES = 1000
"""Files that a session ever gets, deleted ones included."""

SessionState = Literal["open", "published", "canceled"]
SessionEvent = Literal["change", "publish", "cancel"]
FileState = Literal["pending", "completed", "error", "canceled"]
FileEvent = Literal["send", "complete", "fail", "delete"]
State: TypeAlias = SessionState | FileState
Event: TypeAlias = SessionEvent | FileEvent

_SESSION: dict[tuple[SessionState, SessionEvent], SessionState] = {
    ("open", "change"): "open",
    ("open", "publish"): "published",
    ("open", "cancel"): "canceled",
    # Told twice, since the first answer may have been lost.
    ("canceled", "cancel"): "canceled",
}
_FILE: dict[tuple[FileState, FileEvent], FileState] = {
    ("pending", "send"): "pending",
    ("pending", "complete"): "completed",
    ("pending", "fail"): "error",
    ("pending", "delete"): "canceled",
    ("completed", "complete"): "completed",
    ("completed", "delete"): "canceled",
    ("error", "delete"): "canceled",
    ("canceled", "delete"): "canceled",
}

_MOST_HASHES = 16
_WEAK = frozenset({"md5", "sha1"})
_HEX = re.compile(r"[0-9a-fA-F]{2,1024}", re.ASCII)


def session_after(state: SessionState, event: SessionEvent) -> SessionState | None:
    """What a session becomes; None: the event is refused, and nothing changes."""
    return _SESSION.get((state, event))


def file_after(state: FileState, event: FileEvent) -> FileState | None:
    """What a file of an open session becomes; None: the event is refused, and nothing changes."""
    return _FILE.get((state, event))


def replaceable(state: FileState) -> bool:
    """Whether a new file may take the place of one in this state without a word about the old one."""
    return state in ("completed", "canceled")


def may_use(creator: str, caller: Caller) -> bool:
    """Whether a session is the caller's to see and to use: it made it, or is an admin.

    That it may publish the project at all is asked beside this, at every request. The PEP lets an index be stricter
    than it is itself, which lets in everybody who may publish the project.
    """
    return caller.name == creator or caller.is_admin


def until(created: datetime) -> datetime:
    """When a new session ends by itself; in whole seconds, as the PEP has them told."""
    return (created + LIFE).replace(microsecond=0)


def extended(created: datetime, expires: datetime, seconds: int) -> datetime:
    """The later end of a session that is to live so many seconds more; never an earlier one."""
    most = (created + LONGEST_LIFE).replace(microsecond=0)
    more = timedelta(seconds=min(seconds, int(LONGEST_LIFE.total_seconds())))
    return max(expires, min(expires + more, most))


class BadRequest(ValueError):
    """A request that cannot be read; ``problems``: each with the key that it is about."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(says for _, says in problems))
        self.problems = problems


class NewSession(Struct, frozen=True):
    """A session that is asked for."""

    project: ProjectName
    version: str
    """PEP 440, in normal form."""


class NewFile(Struct, frozen=True):
    """A file that is announced."""

    filename: str
    size: int
    hashes: dict[str, str]
    """Lower-case hex by hashlib's names; at least one of them is secure."""
    mechanism: str


def read_new_session(body: bytes) -> NewSession:
    """Raises BadRequest."""
    document, problems = _read(body)
    name, told = _text(document, "name", problems), _text(document, "version", problems)
    project = version = None
    try:
        project = names.project(name) if name else None
    except InvalidName as error:
        problems.append(("name", f"name: {error}"))
    try:
        version = str(names.version(told)) if told else None
    except InvalidVersion:
        problems.append(("version", f"version: {told[:80]!a} is no version (PEP 440)"))
    if problems or project is None or version is None:
        raise BadRequest(problems)
    return NewSession(project, version)


def read_new_file(body: bytes, session: NewSession) -> NewFile:
    """An announced file, held against what the session is for. Raises BadRequest."""
    document, problems = _read(body)
    filename = _text(document, "filename", problems)
    if filename and (says := filename_problem(filename, session.project, session.version)) is not None:
        problems.append(("filename", says))
    size = document.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        problems.append(("size", "size: give the file's number of bytes"))
        size = 0
    hashes = _hashes(document.get("hashes"), problems)
    mechanism = _text(document, "mechanism", problems)
    if problems:
        raise BadRequest(problems)
    return NewFile(filename, size, hashes, mechanism)


def read_extension(body: bytes) -> int:
    """For how many seconds more. Raises BadRequest."""
    document, problems = _read(body)
    seconds = document.get("extend-for")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
        problems.append(("extend-for", "extend-for: give a number of seconds"))
    if problems:
        raise BadRequest(problems)
    assert isinstance(seconds, int)
    return seconds


def read_action(body: bytes) -> None:
    """A request that says nothing but the version of the API. Raises BadRequest."""
    _, problems = _read(body)
    if problems:
        raise BadRequest(problems)


def _read(body: bytes) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    try:
        document: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise BadRequest([("body", "the body is no JSON object")]) from None
    meta = document.get("meta")
    if not isinstance(meta, dict) or meta.get("api-version") != API_VERSION:
        return document, [("meta", f'meta: give "api-version" as "{API_VERSION}", the one version here')]
    return document, []


def _text(document: Mapping[str, Any], key: str, problems: list[tuple[str, str]]) -> str:
    """A text that must be there; one that is not is noted, and stands as empty for whoever reads on."""
    value = document.get(key)
    if isinstance(value, str) and value:
        return value
    problems.append((key, f"{key}: must be there, as text"))
    return ""


def _hashes(given: object, problems: list[tuple[str, str]]) -> dict[str, str]:
    if not isinstance(given, dict) or not given or len(given) > _MOST_HASHES:
        problems.append(
            ("hashes", f"hashes: give 1 to {_MOST_HASHES} of them by hashlib's names, such as sha256")
        )
        return {}
    for name, value in given.items():
        length = _digest_size(name)
        if length is None:
            problems.append(("hashes", f"hashes: {name[:40]!a} is not known here"))
        elif not isinstance(value, str) or not _HEX.fullmatch(value) or len(value) != 2 * length:
            problems.append(("hashes", f"hashes: {name} must have {2 * length} hexadecimal digits"))
    if not any(name in hashlib.algorithms_guaranteed and name not in _WEAK for name in given):
        problems.append(("hashes", "hashes: give a secure one, such as sha256"))
    return {name: value.lower() for name, value in given.items() if isinstance(value, str)}


def _digest_size(algorithm: str) -> int | None:
    """Bytes of a digest; None for what hashlib does not have, and for what needs to be told a length."""
    if algorithm not in hashlib.algorithms_available or algorithm.startswith("shake"):
        return None
    try:
        return hashlib.new(algorithm, usedforsecurity=False).digest_size or None
    except ValueError:
        return None


SESSION_EVENTS: tuple[SessionEvent, ...] = get_args(SessionEvent)
FILE_EVENTS: tuple[FileEvent, ...] = get_args(FileEvent)
