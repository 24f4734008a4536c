"""One alert or incident as it is posted to the webhook: stable keys, all of them always there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from wheelkeep.core.advisory import is_malware


class Notice(Struct, frozen=True, kw_only=True):
    """What is told of one entry of the ledger."""

    id: int
    """The entry's number: the same alert has the same one each time it is sent."""
    kind: str
    """``advisory``, ``malware``, ``quarantine``, or an incident's: ``hash-changed``, ``bytes-differ`` …"""
    at: datetime
    text: str
    """One sentence for people; chat services show what is under this key."""
    keep: str | None
    """The ``public_url`` of whoever tells."""
    source: str | None
    project: str | None
    version: str | None
    filename: str | None
    files: tuple[str, ...]
    """All that it is about: the one file, or the first hundred of a quarantined project that are kept."""
    sha256: str | None
    advisory: str | None
    aliases: tuple[str, ...]
    severity: str | None
    fixed: tuple[str, ...]
    stands: str | None
    """Of an incident: the hash that was first."""
    came: str | None
    """And the other one, which is not believed."""
    reason: str | None
    """What the origin says of a quarantine."""
    holders: int
    """How many were given the file."""
    whom: tuple[str, ...]
    """The first hundred of them."""


def notice(
    number: int,
    *,
    incident: bool,
    at: datetime,
    source: str | None,
    project: str | None,
    version: str | None,
    filename: str | None,
    detail: Mapping[str, Any],
    keep: str | None,
) -> Notice:
    """The notice of an entry of kind ``alert``, or of an ``incident``, with what its detail tells."""
    told = {key: str(value) for key, value in detail.items() if value not in (None, "")}
    advisory = told.get("advisory")
    kind = told.get("what") or ("malware" if advisory and is_malware(advisory) else "advisory")
    holders = int(told["holders"]) if told.get("holders", "").isdigit() else 0
    return Notice(
        id=number,
        kind=kind,
        at=at,
        text=_sentence(kind, filename or project or "", source, told, holders, incident=incident),
        keep=keep,
        source=source,
        project=project,
        version=version,
        filename=filename,
        files=_parts(told.get("files")) or ((filename,) if filename else ()),
        sha256=told.get("sha256") or (told.get("stands") if incident else None),
        advisory=advisory,
        aliases=_parts(told.get("aliases")),
        severity=told.get("severity"),
        fixed=_parts(told.get("fixed")),
        stands=told.get("stands"),
        came=told.get("came"),
        reason=told.get("reason"),
        holders=holders,
        whom=_parts(told.get("whom")),
    )


def _sentence(
    kind: str, what: str, source: str | None, told: Mapping[str, str], holders: int, *, incident: bool
) -> str:
    where = f" from {source}" if source else ""
    if kind == "log-broken":
        return f"wheelkeep: the transparency log is broken, and nothing is signed: {told.get('reason', '')}"
    if incident:
        hashes = (
            f": {told['stands']} stands, {told['came']} came" if told.keys() >= {"stands", "came"} else ""
        )
        return f"wheelkeep: {kind.replace('-', ' ')}: {what}{where}{hashes}"
    had = f"; {holders} {'has' if holders == 1 else 'have'} it" if holders else "; nobody was given it"
    if kind == "quarantine":
        why = f" ({told['reason']})" if "reason" in told else ""
        return f"wheelkeep: {what}{where} is in quarantine at its origin{why}{had}"
    severity = told.get("severity", "severity not told")
    return f"wheelkeep: {told.get('advisory', kind)} ({severity}) is about {what}{where}, which is kept here{had}"


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(", ")) if text else ()
