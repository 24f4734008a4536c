"""The documents beside the Simple API: the legacy JSON, made anew from the judged page, and attestations (PEP 740)."""

import hashlib
from email.errors import MessageError
from typing import Any

import msgspec
from packaging.metadata import parse_email

from wheelkeep.core import names
from wheelkeep.core.errors import FileMissing, InvalidName, Unanswered
from wheelkeep.core.links import absolute
from wheelkeep.core.merge import Nowhere, newest
from wheelkeep.core.model import File, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.verdict import Decision
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.view import View
from wheelkeep.web import problem, urls
from wheelkeep.web.asked import Asked
from wheelkeep.web.respond import SAFE, Headers, Request, Response
from wheelkeep.web.simple import conditional, project_of, redirect

_JSON: Headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-cache"), *SAFE)
# What the origin's ``info`` may pass on: text, and lists of text; all else is not for us to vouch for.
_INFO_TEXTS = (
    "author", "author_email", "description", "description_content_type", "docs_url", "home_page", "keywords",
    "license", "license_expression", "maintainer", "maintainer_email", "platform", "summary",
)  # fmt: skip
_TROUBLE_TEXTS = ("id", "details", "summary", "source", "withdrawn")
_TROUBLE_LISTS = ("aliases", "fixed_in")
_MOST_TROUBLES = 1_000
_MOST_LINKS = 100
_INFO_LISTS = ("classifiers", "dynamic", "license_files", "provides_extra", "requires_dist")


class Documents:
    def __init__(self, keep: Keep, asked: Asked) -> None:
        self._keep = keep
        self._asked = asked

    async def json(self, request: Request, index: Index, parts: list[str]) -> Response:
        """``/{index}/pypi/{project}/json`` and ``/{index}/pypi/{project}/{version}/json``."""
        if len(parts) not in (2, 3) or parts[-1] != "json":
            return problem.not_found(
                request, "the address is pypi/{project}/json or pypi/{project}/{version}/json"
            )
        try:
            project = names.project(parts[0])
        except InvalidName as error:
            return problem.not_found(request, str(error))
        if project != parts[0]:
            return redirect("../" * (len(parts) - 1) + "/".join([project, *parts[1:]]), request)
        view = await index.page(project)
        if isinstance(view, Nowhere):
            return problem.no_project(request, project)
        if isinstance(view, Unreachable):
            return problem.unreachable(request, view)
        if view.against is not None:
            await self._asked.note(request, index, project, view.against)
        version = parts[1] if len(parts) == 3 else None
        document = await self._document(index, view, version, depth=len(parts) + 1)
        if document is None:
            return problem.not_found(request, f"{project} has no version {version} in this index")
        body = msgspec.json.encode(document)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
        return conditional(request, etag, (*_JSON, (b"etag", etag)), body)

    async def _document(
        self, index: Index, view: View, version: str | None, *, depth: int
    ) -> dict[str, Any] | None:
        base = urls.json_files_base(self._keep.settings.public_url, index.path, depth=depth)
        omit = index.settings.withheld == "omit"
        pairs = list(zip(view.judged.page.files, view.judged.decisions, strict=True))
        if version is not None:
            version = next((file.version for file, _ in pairs if _same_version(file.version, version)), None)
            if version is None:
                return None
        admitted = [file for file, decision in pairs if decision.admitted]
        # As the public index has it: a yanked release is the newest only where every one is yanked.
        current = version or newest([file for file in admitted if file.yanked is None]) or newest(admitted)
        releases: dict[str, list[dict[str, Any]]] = {}
        for file, decision in pairs:
            if decision.admitted or not omit:
                releases.setdefault(file.version, []).append(_release(file, decision, base))
        origin = await self._origin(view)
        files = [file for file, _ in pairs if file.version == current]
        yanked = [_yanked(file, decision) for file, decision in pairs if file.version == current]
        told = origin or {"info": await self._described(files) | {"version": current}}
        document: dict[str, Any] = {
            "info": _info(view.project, current, told, files, yanked),
            "last_serial": 0,
            "releases": releases,
            "urls": releases.get(current or "", []),
            "vulnerabilities": await _vulnerabilities(index, view, current, origin),
        }
        if owners := await self._keep.owners_of(view.project, view.owners):
            roles = [{"role": "Owner", "user": owner} for owner in owners]
            document["ownership"] = {"roles": roles, "organization": None}
        if version is not None:
            del document["releases"]
        return document

    async def _origin(self, view: View) -> dict[str, Any]:
        """What the owning source's own document says; empty where it has none or does not answer."""
        for owner in view.owners:
            try:
                body = await self._keep.sources[owner].document("json", view.project)
            except Unanswered:
                continue
            if body is None:
                continue
            try:
                told = msgspec.json.decode(body, type=dict[str, Any])
            except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
                continue
            return {
                "info": told["info"] if isinstance(told.get("info"), dict) else {},
                "vulnerabilities": _troubles(told.get("vulnerabilities")),
            }
        return {}

    async def _described(self, files: list[File]) -> dict[str, Any]:
        """What the metadata of a release says, of sources that have no document of their own: it lies here."""
        for file in files:
            source = self._keep.source_of(file)
            if source.remote or file.kind != "wheel":
                continue
            try:
                body = await self._keep.metadata.get(source, file, may_fetch=False)
            except (Unanswered, FileMissing):
                continue
            if body is not None:
                return read_info(body)
        return {}

    async def provenance(self, request: Request, index: Index, parts: list[str]) -> Response:
        """``/{index}/integrity/{project}/{version}/{filename}/provenance``: passed on as it is now (PEP 740)."""
        project = project_of(parts[0]) if len(parts) == 4 and parts[3] == "provenance" else None
        if project is None:
            return problem.not_found(
                request, "the address is integrity/{project}/{version}/{filename}/provenance"
            )
        view = await index.page(project)
        if isinstance(view, Unreachable):
            return problem.unreachable(request, view)
        entry = view.by_name.get(parts[2]) if isinstance(view, View) else None
        if entry is None or entry[0].provenance is None or not _same_version(entry[0].version, parts[1]):
            return problem.not_found(request, f"no attestations are known for {parts[2][:200]}")
        file = entry[0]
        try:
            body = await self._keep.source_of(file).document("provenance", file.filename, file.provenance)
        except Unanswered as error:
            return problem.unavailable(request, error.reason, retry_after=error.retry_after)
        if body is None:
            return problem.not_found(request, f"no attestations are known for {file.filename}")
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
        kind = (b"content-type", b"application/vnd.pypi.integrity.v1+json")
        # Written anew: only what reads as JSON goes out.
        try:
            checked = msgspec.json.encode(msgspec.json.decode(body))
        except (ValueError, RecursionError):
            return problem.unavailable(request, "its origin's attestations cannot be read", retry_after=None)
        return conditional(request, etag, (kind, *_JSON[1:], (b"etag", etag)), checked)


def _troubles(told: object) -> list[dict[str, Any]]:
    """What an origin says against a release, less all that no client knows; ``link`` leads to a web page or nowhere."""
    found = []
    for entry in told[:_MOST_TROUBLES] if isinstance(told, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            continue
        texts = {key: entry[key] for key in _TROUBLE_TEXTS if isinstance(entry.get(key), str)}
        lists = {key: entry[key] for key in _TROUBLE_LISTS if _is_texts(entry.get(key))}
        link = entry.get("link")
        found.append(
            {"withdrawn": None, **texts, **lists, "link": absolute(link) if isinstance(link, str) else None}
        )
    return found


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


async def _vulnerabilities(
    index: Index, view: View, current: str | None, origin: dict[str, Any]
) -> list[Any]:
    """What is known against the version that a document speaks of, in the form that the public index gives it."""
    if current is None:
        return []
    if origin.get("info", {}).get("version") == current:
        told: list[Any] = origin["vulnerabilities"]
        return told
    return [
        {
            "id": trouble.ids[0],
            "aliases": list(trouble.ids[1:]),
            "details": trouble.summary,
            "summary": trouble.summary or None,
            "fixed_in": list(trouble.fixed),
            "link": None,
            "source": "osv",
            "withdrawn": None,
        }
        for trouble in await index.against(view, current)
    ]


def read_info(body: bytes) -> dict[str, Any]:
    """Core metadata under the names that the legacy JSON has; what cannot be read is left out. Never raises."""
    try:
        raw = parse_email(body)[0]
    except (ValueError, MessageError, RecursionError):
        return {}
    joined = {"keywords": raw.get("keywords", []), "platform": raw.get("platforms", [])}
    return {**raw, **{key: ",".join(words) for key, words in joined.items() if words}}


def _links(told: object) -> dict[str, str] | None:
    """A project's links by their labels, those alone that lead to web pages; null where there are none."""
    if not isinstance(told, dict):
        return None
    links = {
        label: link
        for label, link in list(told.items())[:_MOST_LINKS]
        if isinstance(link, str) and absolute(link) is not None
    }
    return links or None


def _same_version(known: str, asked: str) -> bool:
    try:
        return names.version(known) == names.version(asked)
    except ValueError:
        return False


def _yanked(file: File, decision: Decision) -> str | None:
    return file.yanked if decision.against is None else decision.against.label


def _release(file: File, decision: Decision, base: str) -> dict[str, Any]:
    yanked = _yanked(file, decision)
    stamp = file.upload_time
    return {
        "digests": {"sha256": file.sha256} if file.sha256 is not None else dict(file.digests),
        "filename": file.filename,
        "packagetype": "bdist_wheel" if file.kind == "wheel" else "sdist",
        "python_version": file.filename.rsplit("-", 3)[1] if file.kind == "wheel" else "source",
        "requires_python": file.requires_python,
        "size": file.size,
        "upload_time": stamp.rstrip("Z").split(".")[0] if stamp is not None else None,
        "upload_time_iso_8601": stamp,
        "url": urls.file(base, file.project, file.sha256, file.filename),
        "yanked": yanked is not None,
        "yanked_reason": yanked or None,
    }


def _info(
    project: ProjectName,
    version: str | None,
    origin: dict[str, Any],
    files: list[File],
    yanked: list[str | None],
) -> dict[str, Any]:
    """``yanked``: why each of the files is shown as yanked, where it is."""
    told: dict[str, Any] = origin.get("info", {})
    info: dict[str, Any] = {key: told[key] if isinstance(told.get(key), str) else None for key in _INFO_TEXTS}
    for key in _INFO_LISTS:
        value = told.get(key)
        info[key] = value if _is_texts(value) else None
    # Never null at the public index, so there is who goes over them without a look.
    info["classifiers"] = info["classifiers"] or []
    info["project_urls"] = _links(told.get("project_urls"))
    # The origin's dependencies are those of its own newest version, which need not be the newest admitted one.
    if told.get("version") != version:
        info["requires_dist"] = None
    info |= {
        "name": project,
        "version": version,
        "requires_python": next((file.requires_python for file in files if file.requires_python), None),
        "yanked": bool(yanked) and None not in yanked,
        "yanked_reason": next((reason for reason in yanked if reason), None),
    }
    return info
