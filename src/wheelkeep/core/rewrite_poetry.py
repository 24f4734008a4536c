"""``poetry.lock`` with another source. It has no addresses of files: a package names a source of the project's file.

Poetry takes no lock whose ``content-hash`` is not that of ``pyproject.toml``, where the source is to be added too; so
the digest of what that file will be is written. How poetry makes it: ``Locker._get_content_hash`` of poetry 1.0 to 2.3.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from wheelkeep.core.rewritten import MARK, SOURCE, Address, Rewritten, data_of, quoted, replaced
from wheelkeep.core.toml_lines import KeyPath, layout

_PROJECT_KEYS = ("requires-python", "dependencies", "optional-dependencies")
_OLD_KEYS = ("dependencies", "source", "extras", "dev-dependencies")


def rewrite_poetry(path: str, text: str, to: Address, project: Mapping[str, Any] | None) -> Rewritten:
    """Every package of an index comes from the source ``SOURCE``. Raises ConfigError.

    ``project``: the data of the ``pyproject.toml`` beside the lock, None where there is none.
    """
    bare = text.removeprefix(MARK)
    data = data_of(bare)
    ending = "\r\n" if "\r\n" in bare else "\n"
    told = {"type": "legacy", "url": to.simple.rstrip("/"), "reference": SOURCE}
    lines = ending.join(f"{key} = {quoted(value)}" for key, value in told.items())
    ends = _ends(bare)
    wanted: dict[KeyPath, str] = {}
    inserted: list[tuple[int, str]] = []
    changed = 0
    for at, package in enumerate(data.get("package", [])):
        source = package.get("source")
        if source is None:
            end = ends.get(at, len(bare))
            gap = "" if bare[:end].endswith(ending * 2) else ending
            inserted.append((end, f"{gap}[package.source]{ending}{lines}{ending}{ending}"))
            package["source"] = dict(told)
        elif source.get("type") == "legacy":
            wanted |= {("package", at, "source", key): value for key, value in told.items()}
        changed += source is None or (source.get("type") == "legacy" and source != told)
    digest, left = _digest(data, to, project)
    if digest is not None:
        wanted["metadata", "content-hash"] = digest
    after = replaced(path, text, wanted, inserted, data)
    return Rewritten(text=after, changed=changed, left=left)


def _ends(text: str) -> dict[int, int]:
    """Where each package's tables end: at the next header that is not one of them."""
    ends: dict[int, int] = {}
    last: KeyPath = ()
    for start, path in layout(text).tables:
        if last and path[:2] != last:
            ends[int(last[1])] = start
        last = path[:2] if path[0] == "package" else ()
    return ends


def _digest(
    data: dict[str, Any], to: Address, project: Mapping[str, Any] | None
) -> tuple[str | None, tuple[str, ...]]:
    """The ``content-hash`` once the source is in the project's file; None, and why, where it is left as it is."""
    old = data.get("metadata", {}).get("content-hash")
    if old is None:
        return None, ()
    if project is None:
        return None, ("content-hash is left: there is no pyproject.toml beside the lock, so run poetry lock",)
    after = _sourced(project, {"name": SOURCE, "url": to.simple, "priority": "primary"})
    for groups in (True, False):
        if old in (content_hash(project, groups=groups), content_hash(after, groups=groups)):
            return content_hash(after, groups=groups), ()
    return None, (
        "content-hash is left: it is not that of the pyproject.toml beside the lock; run poetry lock",
    )


def _sourced(project: Mapping[str, Any], source: dict[str, str]) -> Mapping[str, Any]:
    tool = project.get("tool", {})
    poetry = tool.get("poetry", {})
    there: Sequence[Any] = poetry.get("source", [])
    if any(_same(one, source) for one in there):
        return project
    others = [one for one in there if not (isinstance(one, dict) and one.get("name") == SOURCE)]
    return {**project, "tool": {**tool, "poetry": {**poetry, "source": [*others, source]}}}


def _same(one: Any, source: dict[str, str]) -> bool:
    url = str(one.get("url")).rstrip("/") if isinstance(one, dict) else None
    return url == source["url"].rstrip("/") and one.get("name") == source["name"]


def content_hash(project: Mapping[str, Any], *, groups: bool) -> str:
    """Poetry's digest of what a project's file asks for; ``groups``: as poetry has it from 2.3 on."""
    grouped = project.get("dependency-groups", {}) if groups else {}
    poetry = project.get("tool", {}).get("poetry", {})
    told = project.get("project", {})
    asked = {key: told[key] for key in _PROJECT_KEYS if told.get(key) is not None}
    older = {
        key: poetry.get(key)
        for key in (*_OLD_KEYS, "group")
        if poetry.get(key) is not None or not (key == "group" or asked or grouped)
    }
    newer = ({"project": asked} if asked else {}) | ({"dependency-groups": grouped} if grouped else {})
    relevant = {**newer, "tool": {"poetry": older}} if newer else older
    return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()
