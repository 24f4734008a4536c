"""Writes what a wheelkeep consists of (CycloneDX 1.6, JSON): sbom.py FOLDER. The versions are those of
requirements/run.txt; their licences, and who needs whom, are those of this environment.
"""

import os
import re
import sys
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from uuid import UUID

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
_LOCKED = re.compile(r"(?m)^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\\n]+?))? \\$")


def bom(locked: str, *, version: str, at: datetime) -> Bom:
    """The bill of materials of one lock; the same arguments and environment give the same one."""
    whole = _component("wheelkeep", version, ComponentType.APPLICATION)
    made = Bom()
    made.metadata.component = whole
    made.metadata.timestamp = at
    made.serial_number = UUID(
        bytes=sha256(f"wheelkeep {version} {at}\n{locked}".encode()).digest()[:16], version=4
    )
    parts = {"wheelkeep": whole}
    for name, number, marker in _LOCKED.findall(locked):
        part = _component(name, number, ComponentType.LIBRARY)
        if marker:
            part.properties.add(Property(name="wheelkeep:only-where", value=marker))
        parts[canonicalize_name(name)] = part
        made.components.add(part)
    for name, part in parts.items():
        needed = (canonicalize_name(other) for other in _needs(name))
        made.register_dependency(part, [parts[other] for other in sorted(set(needed)) if other in parts])
    return made


def _component(name: str, version: str, kind: ComponentType) -> Component:
    purl = PackageURL("pypi", name=canonicalize_name(name), version=version)
    part = Component(name=name, version=version, type=kind, purl=purl, bom_ref=str(purl))
    part.scope = ComponentScope.REQUIRED if kind is ComponentType.LIBRARY else None
    licence = (found := _installed(name)) and found.metadata.get("License-Expression")
    if licence:
        part.licenses.add(LicenseFactory().make_with_expression(licence))
    return part


def _needs(name: str) -> list[str]:
    """What a distribution requires of others, with the extras that the lock has; nothing where it is not installed."""
    found = _installed(name)
    return [Requirement(line).name for line in (found.requires or [])] if found is not None else []


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def main() -> None:
    at = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "1580601600")), UTC)
    version = distribution("wheelkeep").version
    text = JsonV1Dot6(
        bom((ROOT / "requirements/run.txt").read_text(), version=version, at=at)
    ).output_as_string(indent=2)
    if (wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)) is not None:
        sys.exit(f"the bill of materials is not valid: {wrong}")
    (Path(sys.argv[1]) / f"wheelkeep-{version}.cdx.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
