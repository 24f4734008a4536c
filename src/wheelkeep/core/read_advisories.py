"""Advisories as others write them, read as if they meant harm: OSV records, and the list in PyPI's legacy JSON.

What cannot be understood is read in the way that blocks more: a bound that is no version is no bound, a record that
names no versions means all of them, and one that names more than are read says so.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from wheelkeep.core import checked, names
from wheelkeep.core.advisory import Advisory, Span
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.names import ProjectName
from wheelkeep.core.severity import read_severity

_LONGEST_ID = 120
_LONGEST_SUMMARY = 300
_MOST_ALIASES = 50
_MOST_EVENTS = 5_000
_MOST_VERSIONS = 20_000
_MOST_ADVISORIES = 1_000
_MOST_FIXES = 200


class Record(Struct, frozen=True, kw_only=True):
    """One OSV record: what it says of each PyPI project that it names."""

    id: str
    modified: datetime
    """Aware, UTC; the beginning of time where it is not told."""
    advisories: tuple[Advisory, ...] = ()
    """Empty: it is withdrawn, or about other ecosystems alone."""
    withdrawn: bool = False


def read_osv(value: Any) -> Record:
    """Reads one record (OSV schema 1.x). Raises ValueError with a sentence for what is none."""
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - what is wrong is the text
    identity = _identity(value.get("id"))
    if identity is None:
        raise ValueError("it has no id, so it is no OSV record")
    if not isinstance(value.get("affected", []), list):
        raise ValueError(f'"affected" of {identity} is not a list')  # noqa: TRY004
    return Record(
        id=identity,
        modified=_moment(value.get("modified")),
        advisories=() if value.get("withdrawn") else _affected(identity, value),
        withdrawn=bool(value.get("withdrawn")),
    )


def _affected(identity: str, record: dict[str, Any]) -> tuple[Advisory, ...]:
    by_project: dict[ProjectName, list[dict[str, Any]]] = {}
    for entry in record.get("affected", []):
        package = entry.get("package") if isinstance(entry, dict) else None
        # "PyPI" may be followed by a suffix (OSV: "ecosystem:suffix").
        if not isinstance(package, dict) or str(package.get("ecosystem")).partition(":")[0] != "PyPI":
            continue
        try:
            project = names.project(str(package.get("name")))
        except InvalidName:
            continue
        by_project.setdefault(project, []).append(entry)
    return tuple(_of_project(identity, project, record, entries) for project, entries in by_project.items())


def _of_project(
    identity: str, project: ProjectName, record: dict[str, Any], entries: list[dict[str, Any]]
) -> Advisory:
    spans: list[Span] = []
    versions: list[str] = []
    fixed: list[str] = []
    cut = False
    for entry in entries:
        cut = cut or _too_long(entry)
        said, fixes = _spans(entry.get("ranges"))
        spans += said if said or _names_some(entry.get("versions")) else [Span()]
        versions += _versions(entry.get("versions"))
        fixed += fixes
    return Advisory(
        id=identity,
        project=project,
        aliases=_aliases(record.get("aliases"), identity),
        severity="critical" if identity.startswith("MAL-") else _severity(record, entries),
        summary=_line(record.get("summary")) or _line(record.get("details")),
        versions=tuple(dict.fromkeys(versions)),
        spans=tuple(dict.fromkeys(spans)),
        fixed=tuple(dict.fromkeys(fixed)),
        cut=cut,
    )


def _too_long(entry: dict[str, Any]) -> bool:
    """Whether an entry has more events or versions than are read of it."""
    ranges, versions = entry.get("ranges"), entry.get("versions")
    events = (
        [one.get("events") for one in ranges if isinstance(one, dict)] if isinstance(ranges, list) else []
    )
    return any(isinstance(some, list) and len(some) > _MOST_EVENTS for some in events) or (
        isinstance(versions, list) and len(versions) > _MOST_VERSIONS
    )


def _names_some(versions: Any) -> bool:
    """Whether versions are named at all, be it by names that no file can have."""
    return isinstance(versions, list) and any(isinstance(text, str) for text in versions)


def _severity(record: dict[str, Any], entries: list[dict[str, Any]]) -> str | None:
    told = [record.get("severity"), _specific(record.get("database_specific"))]
    for entry in entries:
        told += [
            entry.get("severity"),
            _specific(entry.get("database_specific")),
            _specific(entry.get("ecosystem_specific")),
        ]
    return read_severity(*told)


def _specific(value: Any) -> Any:
    return value.get("severity") if isinstance(value, dict) else None


def _spans(ranges: Any) -> tuple[list[Span], list[str]]:
    """The spans of all ranges, and the versions in which it is fixed."""
    found: list[Span] = []
    fixed: list[str] = []
    for one in ranges if isinstance(ranges, list) else ():
        events = one.get("events") if isinstance(one, dict) else None
        if isinstance(events, list) and one.get("type") in ("ECOSYSTEM", "SEMVER"):
            told = [event for event in events[:_MOST_EVENTS] if isinstance(event, dict)]
            found += _from_events(told)
            fixed += _versions([event["fixed"] for event in told if "fixed" in event])
    return found, fixed


def _from_events(events: Iterable[dict[str, Any]]) -> list[Span]:
    """Introductions and ends, in the order of versions and not of writing (OSV: "events" is unordered)."""
    starts: list[tuple[Version | None, str | None]] = []
    ends: list[tuple[Version, bool, str]] = []
    for event in events:
        for kind, text in event.items():
            version = _normal(text)
            if kind == "introduced":
                starts.append((None, None) if text == "0" or version is None else (Version(version), version))
            elif kind in ("fixed", "limit", "last_affected") and version is not None:
                ends.append((Version(version), kind == "last_affected", version))
    ends.sort()
    found: list[Span] = []
    for start, since in starts:
        # The first end behind the start, or a last affected version that is the start itself.
        at = bisect_left(ends, (start, True, "")) if start is not None else 0
        end = ends[at] if at < len(ends) else None
        if end is None:
            found.append(Span(since=since))
        elif end[1]:
            found.append(Span(since=since, upto=end[2]))
        else:
            found.append(Span(since=since, before=end[2]))
    # Ends without a beginning: everything up to the last of them.
    if not starts and ends:
        found.append(Span(upto=ends[-1][2]) if ends[-1][1] else Span(before=ends[-1][2]))
    return found


def read_told(value: Any, project: ProjectName) -> tuple[Advisory, ...] | None:
    """Reads ``vulnerabilities`` of the legacy JSON: no versions, only in which each is mended (``fixed_in``).

    Withdrawn ones are left out. None where the document has no such list, so that nothing is told.
    """
    if not isinstance(value, list) or len(value) > _MOST_ADVISORIES:
        return None
    found: list[Advisory] = []
    for entry in value:
        if not isinstance(entry, dict) or entry.get("withdrawn"):
            continue
        identity = _identity(entry.get("id")) or "an advisory without an id"
        severity = read_severity(entry.get("severity"), _specific(entry.get("database_specific")))
        fixes = entry.get("fixed_in")
        # Some of them alone would say that more is mended than is; none says that nothing is.
        few = isinstance(fixes, list) and len(fixes) <= _MOST_FIXES
        found.append(
            Advisory(
                id=identity,
                project=project,
                aliases=_aliases(entry.get("aliases"), identity),
                severity="critical" if identity.startswith("MAL-") else severity,
                summary=_line(entry.get("summary")) or _line(entry.get("details")),
                fixed=tuple(_versions(fixes)) if few else (),
            )
        )
    return tuple(found)


def _identity(value: Any) -> str | None:
    if not isinstance(value, str) or not value.isprintable() or not value.isascii():
        return None
    text = value.strip()
    return text if 0 < len(text) <= _LONGEST_ID and " " not in text else None


def _aliases(value: Any, identity: str) -> tuple[str, ...]:
    told = value[:_MOST_ALIASES] if isinstance(value, list) else ()
    found = dict.fromkeys(alias for text in told if (alias := _identity(text)) is not None)
    found.pop(identity, None)
    return tuple(found)


def _versions(value: Any) -> list[str]:
    told = value[:_MOST_VERSIONS] if isinstance(value, list) else ()
    return [text for one in told if (text := _normal(one)) is not None]


def _normal(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > 250:
        return None
    try:
        return str(names.version(value))
    except InvalidVersion:
        return None


def _line(value: Any) -> str:
    """The first line of a text, for people."""
    text = checked.reason(value.strip().partition("\n")[0]) if isinstance(value, str) else None
    return (text or "")[:_LONGEST_SUMMARY]


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)
