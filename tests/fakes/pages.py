"""What the outside world's pages are: the Simple API (PEP 503, 691, 700, 714, 740, 792), legacy JSON."""

import hashlib
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Listed:
    """A file as the page lists it; ``sha256`` is what the page says, true or not."""

    filename: str
    project: str
    content: bytes
    sha256: str
    requires_python: str | None = None
    yanked: str | None = None
    upload_time: str | None = None
    metadata: bytes | None = None
    provenance: dict[str, Any] | None = None
    url: str | None = None

    @property
    def version(self) -> str:
        stem = re.sub(r"\.(tar\.gz|zip|whl)$", "", self.filename)
        return stem.split("-")[1] if self.filename.endswith(".whl") else stem.rpartition("-")[2]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def owner(filename: str) -> str:
    return filename.split("-", 1)[0] if filename.endswith(".whl") else filename.rpartition("-")[0]


def dump(value: object) -> bytes:
    return json.dumps(value).encode()


def root_json(names: Iterable[str]) -> bytes:
    return dump({"meta": {"api-version": "1.4"}, "projects": [{"name": name} for name in sorted(names)]})


def root_html(names: Iterable[str]) -> bytes:
    links = "".join(f'<a href="{name}/">{name}</a><br>\n' for name in sorted(names))
    return f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode()


def project_json(
    name: str, files: list[tuple[Listed, str, str | None]], told: tuple[str, str | None] | None
) -> bytes:
    page: dict[str, Any] = {
        "meta": {"api-version": "1.4"},
        "name": name,
        "versions": sorted({one.version for one, _, _ in files}),
        "files": [_file_json(one, link, proof) for one, link, proof in files],
    }
    if told is not None:
        page["project-status"] = {"status": told[0]} | ({"reason": told[1]} if told[1] else {})
    return dump(page)


def _file_json(one: Listed, link: str, proof: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filename": one.filename,
        "url": link,
        "hashes": {"sha256": one.sha256} if one.sha256 else {},
        "size": len(one.content),
    }
    if one.upload_time is not None:
        entry["upload-time"] = one.upload_time
    if one.requires_python is not None:
        entry["requires-python"] = one.requires_python
    if one.yanked is not None:
        entry["yanked"] = one.yanked or True
    if one.metadata is not None:
        entry["core-metadata"] = {"sha256": hashlib.sha256(one.metadata).hexdigest()}
    if proof is not None:
        entry["provenance"] = proof
    return entry


def project_html(
    name: str, files: list[tuple[Listed, str, str | None]], told: tuple[str, str | None] | None
) -> bytes:
    head = '<meta name="pypi:repository-version" content="1.4">'
    if told is not None:
        head += f'<meta name="pypi:project-status" content="{told[0]}">'
        if told[1]:
            head += f'<meta name="pypi:project-status-reason" content="{html.escape(told[1])}">'
    links = "".join(_file_html(one, link, proof) for one, link, proof in files)
    title = f"<title>Links for {name}</title>"
    return f"<!DOCTYPE html><html><head>{head}{title}</head><body>\n{links}</body></html>".encode()


def _file_html(one: Listed, link: str, proof: str | None) -> str:
    attributes = {"href": link + (f"#sha256={one.sha256}" if one.sha256 else "")}
    if one.requires_python is not None:
        attributes["data-requires-python"] = one.requires_python
    if one.yanked is not None:
        attributes["data-yanked"] = one.yanked
    if one.metadata is not None:
        said = f"sha256={hashlib.sha256(one.metadata).hexdigest()}"
        attributes |= {"data-core-metadata": said, "data-dist-info-metadata": said}
    if proof is not None:
        attributes["data-provenance"] = proof
    written = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<a {written}>{html.escape(one.filename)}</a><br>\n"


def legacy_json(
    project: str, files: list[tuple[Listed, str]], version: str | None, vulnerabilities: list[dict[str, Any]]
) -> bytes | None:
    """``/pypi/{project}/json``; the last listed version is the newest. None for a version not there."""
    releases: dict[str, list[dict[str, Any]]] = {}
    for one, link in files:
        releases.setdefault(one.version, []).append(_legacy_file(one, link))
    shown = version or next(reversed(releases), "0")
    if version is not None and version not in releases:
        return None
    info = {"name": project, "version": shown, "summary": f"The project {project}", "yanked": False}
    page = {
        "info": info,
        "last_serial": 1,
        "urls": releases.get(shown, []),
        "vulnerabilities": vulnerabilities,
    }
    return dump(page | ({} if version else {"releases": releases}))


def _legacy_file(one: Listed, link: str) -> dict[str, Any]:
    return {
        "filename": one.filename,
        "url": link,
        "digests": {"sha256": one.sha256},
        "size": len(one.content),
        "packagetype": "bdist_wheel" if one.filename.endswith(".whl") else "sdist",
        "requires_python": one.requires_python,
        "upload_time_iso_8601": one.upload_time,
        "yanked": one.yanked is not None,
        "yanked_reason": one.yanked or None,
    }
