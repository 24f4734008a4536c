"""OSV records as databases publish them, and dumps of them."""

import json
import zipfile
from pathlib import Path
from typing import Any

HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"  # 7.5
LOW = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"  # 1.8


def record(
    identity: str = "GHSA-1", project: str = "demo", *, vector: str | None = HIGH, **told: Any
) -> dict[str, Any]:
    """One about everything before 2.0, unless ``events``, ``versions`` or ``affected`` say otherwise."""
    events = told.pop("events", [{"introduced": "0"}, {"fixed": "2.0"}])
    entry: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": project}}
    if events:
        entry["ranges"] = [{"type": "ECOSYSTEM", "events": events}]
    if "versions" in told:
        entry["versions"] = told.pop("versions")
    ordinary = {
        "schema_version": "1.6.0",
        "id": identity,
        "modified": "2026-01-01T00:00:00Z",
        "summary": f"What {identity} is about",
        "affected": [entry],
    }
    if vector is not None:
        ordinary["severity"] = [{"type": "CVSS_V3", "score": vector}]
    return ordinary | told


def dump(path: Path, *records: dict[str, Any]) -> Path:
    """A zip of them, as the databases give it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in records:
            archive.writestr(f"{one['id']}.json", json.dumps(one))
    return path
