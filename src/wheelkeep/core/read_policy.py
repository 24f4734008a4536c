"""``policy.toml`` to PolicyFile: every mistake at once, with its line. What the gates do lives in gates."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal, TypeVar, get_args

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from wheelkeep.core.names import SourceName
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.policy_file import (
    GATES,
    AdvisoriesTable,
    AllowTable,
    CooldownTable,
    DenyTable,
    FormatsTable,
    HashesTable,
    LicencesTable,
    PolicyFile,
    ProvenanceTable,
    Severity,
)
from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.toml_source import Document, Table
from wheelkeep.core.verdict import Waiver

T = TypeVar("T")
Sources = tuple[SourceName, ...]

_HASH = re.compile(r"sha256:([0-9A-Fa-f]{64})", re.ASCII)
_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_UNKNOWN: tuple[Literal["block", "admit"], ...] = ("block", "admit")


def read_policy(text: str, *, file: str, sources: Mapping[SourceName, bool]) -> PolicyFile:
    """Reads a policy's text. ``sources`` has every source of the configuration, and whether it is remote.

    ``file`` is its name in mistakes. Raises ConfigError with every mistake; the empty text is the policy of
    an index that has none.
    """
    document = Document(text, file=file)
    root = document.root
    every = tuple(sources)
    remote = tuple(name for name, is_remote in sources.items() if is_remote)

    def gate(key: str, read: Callable[[Table, Sources], T | None], default: Sources = remote) -> T | None:
        table = root.table(key)
        if table is None:
            return None
        result = read(table, _read_governed(table, every, default))
        table.done()
        return result

    policy = PolicyFile(
        allow=gate("allow", _read_allow),
        deny=gate("deny", _read_deny, default=every),
        cooldown=gate("cooldown", _read_cooldown),
        hashes=gate("hashes", _read_hashes) or HashesTable(sources=remote),
        advisories=gate("advisories", _read_advisories),
        licences=gate("licences", _read_licences),
        formats=gate("formats", _read_formats),
        provenance=gate("provenance", _read_provenance),
        waivers=_read_waivers(root),
    )
    root.done()
    document.settle()
    return policy


def _read_governed(table: Table, every: Sources, default: Sources) -> Sources:
    """The sources that a gate governs. An empty list would switch the gate off while it seems to be on."""

    def known(text: str) -> SourceName:
        name = SourceName(text)
        if name not in every:
            raise ValueError(f'"{text}" is not a source of the configuration: {suggestion(text, every)}')
        return name

    if table.elements("sources") == []:
        table.wrong(
            "sources", "is empty, so the gate would do nothing: name its sources or take the table out"
        )
    given = table.each("sources", known)
    return default if given is None else given


def _read_rules(table: Table, key: str) -> tuple[Rule, ...]:
    return table.each(key, lambda text: read_rule(text, globs=True)) or ()


def _read_allow(table: Table, sources: Sources) -> AllowTable:
    packages = _read_rules(table, "packages")
    return AllowTable(packages=packages, locks=table.each("locks", _read_path) or (), sources=sources)


def _read_deny(table: Table, sources: Sources) -> DenyTable:
    return DenyTable(
        packages=_read_rules(table, "packages"),
        hashes=table.each("hashes", _read_hash) or (),
        reason=table.parsed("reason", _read_line),
        sources=sources,
    )


def _read_cooldown(table: Table, sources: Sources) -> CooldownTable:
    table.need("age", 'write how old a file must be, such as age = "7d"')
    return CooldownTable(
        age=table.duration("age") or timedelta(),
        fixes=table.flag("fixes", default=False),
        except_=_read_rules(table, "except"),
        sources=sources,
    )


def _read_hashes(table: Table, sources: Sources) -> HashesTable:
    first_seen = table.flag("first_seen", default=True)
    return HashesTable(first_seen=first_seen, required=table.flag("required", default=False), sources=sources)


def _read_advisories(table: Table, sources: Sources) -> AdvisoriesTable:
    table.need("severity", 'write the least severity that blocks, such as severity = "high", or "any"')
    return AdvisoriesTable(severity=table.choice("severity", _SEVERITIES, default="any"), sources=sources)


def _read_licences(table: Table, sources: Sources) -> LicencesTable:
    table.need("allow", 'write the SPDX identifiers that are allowed, such as allow = ["MIT", "Apache-2.0"]')
    return LicencesTable(
        allow=table.each("allow", _read_licence) or (),
        unknown=table.choice("unknown", _UNKNOWN, default="block"),
        sources=sources,
    )


def _read_formats(table: Table, sources: Sources) -> FormatsTable:
    wheels_only = table.flag("wheels_only", default=False)
    return FormatsTable(wheels_only=wheels_only, max_size=table.size("max_size"), sources=sources)


def _read_provenance(table: Table, sources: Sources) -> ProvenanceTable:
    required = _read_rules(table, "required")
    return ProvenanceTable(required=required, ratchet=table.flag("ratchet", default=False), sources=sources)


def _read_waivers(root: Table) -> tuple[Waiver, ...]:
    read = [_read_waiver(table) for table in root.tables("waiver")]
    return tuple(waiver for waiver in read if waiver is not None)


def _read_waiver(table: Table) -> Waiver | None:
    """An exception without its who, why and until when is a hole, so all of them are needed."""
    table.need("package", 'write what it is for, such as package = "urllib3==2.5.1"')
    table.need("gates", 'write the gates that it lifts, such as gates = ["cooldown"]')
    table.need("reason", "write why")
    table.need("by", "write who answers for it")
    table.need("until", "write its last day, such as until = 2026-12-31")
    package = table.parsed("package", _read_waived)
    gates = table.each("gates", _read_gate)
    if gates == () and not table.elements("gates"):
        table.wrong("gates", 'is empty: write the gates that it lifts, such as gates = ["cooldown"]')
    reason, by, until = table.parsed("reason", _read_line), table.parsed("by", _read_line), table.day("until")
    table.done()
    if package is None or gates is None or reason is None or by is None or until is None:
        return None
    return Waiver(package=package, gates=gates, reason=reason, by=by, until=until)


def _read_waived(text: str) -> str:
    return read_rule(text).text


def _read_gate(text: str) -> str:
    if text not in GATES:
        raise ValueError(f'"{text}" is not a gate: {suggestion(text, GATES)}')
    return text


def _read_hash(text: str) -> str:
    found = _HASH.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text[:80]}" is not a hash: write "sha256:" and 64 hex digits')
    return found[1].lower()


def _read_path(text: str) -> str:
    if not text.isprintable():
        raise ValueError("is not a path: it holds a control character")
    return text


def _read_line(text: str) -> str:
    """Words that pages, addresses and logs will show."""
    if not text.isprintable():
        raise ValueError("must be one line of text without control characters")
    return text.strip()


def _read_licence(text: str) -> str:
    try:
        licence = canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        raise ValueError(
            f'"{text[:80]}" is not an SPDX identifier, such as "MIT" or "BSD-3-Clause"'
        ) from None
    if {"AND", "OR"} & set(licence.replace("(", " ").replace(")", " ").split()):
        raise ValueError(f'"{text[:80]}" is more than one licence: write each by itself')
    return licence
