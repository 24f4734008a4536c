"""What ``policy.toml`` says, as frozen data: a struct for each table. How it is read lives in read_policy."""

from datetime import timedelta
from typing import Literal

from msgspec import Struct

from wheelkeep.core.names import SourceName
from wheelkeep.core.rules import Rule
from wheelkeep.core.verdict import Waiver

GATES = ("allow", "deny", "cooldown", "hashes", "advisories", "licences", "formats", "provenance")
"""Every gate by its table's name."""

Severity = Literal["any", "low", "medium", "high", "critical"]


class AllowTable(Struct, frozen=True, kw_only=True):
    """Only these names and versions, or exactly the files of these locks."""

    packages: tuple[Rule, ...] = ()
    locks: tuple[str, ...] = ()
    """Paths as written: the caller knows the folder that they are relative to."""
    sources: tuple[SourceName, ...]


class DenyTable(Struct, frozen=True, kw_only=True):
    """Never these."""

    packages: tuple[Rule, ...] = ()
    hashes: tuple[str, ...] = ()
    """sha256, 64 lower-case hex digits without a prefix."""
    reason: str | None = None
    sources: tuple[SourceName, ...]


class CooldownTable(Struct, frozen=True, kw_only=True):
    """Nothing younger than this."""

    age: timedelta
    fixes: bool = False
    except_: tuple[Rule, ...] = ()
    sources: tuple[SourceName, ...]


class HashesTable(Struct, frozen=True, kw_only=True):
    """Bytes once listed never change; with ``required`` a file whose page tells no hash is blocked."""

    first_seen: bool = True
    required: bool = False
    sources: tuple[SourceName, ...]


class AdvisoriesTable(Struct, frozen=True, kw_only=True):
    """No file with a known advisory of at least this severity."""

    severity: Severity
    sources: tuple[SourceName, ...]


class LicencesTable(Struct, frozen=True, kw_only=True):
    """Only these SPDX licences."""

    allow: tuple[str, ...]
    unknown: Literal["block", "admit"] = "block"
    sources: tuple[SourceName, ...]


class FormatsTable(Struct, frozen=True, kw_only=True):
    """What kinds of files, and how large."""

    wheels_only: bool = False
    max_size: int | None = None
    """Bytes."""
    sources: tuple[SourceName, ...]


class ProvenanceTable(Struct, frozen=True, kw_only=True):
    """Which projects must carry a verified attestation (PEP 740)."""

    required: tuple[Rule, ...] = ()
    ratchet: bool = False
    sources: tuple[SourceName, ...]


class PolicyFile(Struct, frozen=True, kw_only=True):
    """A whole policy; a gate whose table is absent is None, but for ``hashes``, which is always on."""

    allow: AllowTable | None = None
    deny: DenyTable | None = None
    cooldown: CooldownTable | None = None
    hashes: HashesTable
    advisories: AdvisoriesTable | None = None
    licences: LicencesTable | None = None
    formats: FormatsTable | None = None
    provenance: ProvenanceTable | None = None
    waivers: tuple[Waiver, ...] = ()
    """In written order."""
