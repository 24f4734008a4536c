"""The page at ``/{index}/project/{name}/``: a project's files with their verdicts, and what it says of itself."""

import asyncio
from email.errors import MessageError
from urllib.parse import urlsplit

from msgspec import Struct
from packaging.metadata import RawMetadata, parse_email

from wheelkeep.core import names
from wheelkeep.core.errors import FileMissing, InvalidName, Unanswered
from wheelkeep.core.merge import Nowhere, newest
from wheelkeep.core.model import File, Unreachable
from wheelkeep.core.verdict import Decision
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.view import View
from wheelkeep.web import problem, urls
from wheelkeep.web.built import told
from wheelkeep.web.readme import LONGEST, Readmes
from wheelkeep.web.respond import SAFE_HTML, Request, Response
from wheelkeep.web.simple import redirect
from wheelkeep.web.template import Template

_MOST_FILES = 200
_PATIENCE = 3.0
"""Seconds that a source may take to say what a project is; without that, its files are shown alone."""
_HEADERS = ((b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-cache"), *SAFE_HTML)


class About(Struct, frozen=True, kw_only=True):
    """What a project's newest release says of itself; every text is somebody else's."""

    summary: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    description: str = ""
    content_type: str | None = None


class Projects:
    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._readmes = Readmes()
        self._template = Template("project.html")

    async def page(self, request: Request, index: Index, text: str) -> Response:
        try:
            project = names.project(text)
        except InvalidName as error:
            return problem.not_found(request, str(error))
        if project != text:
            return redirect(f"../{project}/", request)
        view = await index.page(project)
        if isinstance(view, Nowhere):
            return problem.no_project(request, project)
        if isinstance(view, Unreachable):
            return problem.unreachable(request, view)
        html = await self._html(index, view)
        return Response(200, _HEADERS, html.encode())

    async def _html(self, index: Index, view: View) -> str:
        pairs = list(zip(view.judged.page.files, view.judged.decisions, strict=True))
        if index.settings.withheld == "omit":
            pairs = [(file, decision) for file, decision in pairs if decision.admitted]
        pairs.sort(key=lambda pair: (names.version(pair[0].version), pair[0].filename), reverse=True)
        admitted = [file for file, decision in pairs if decision.admitted]
        current = newest([file for file in admitted if file.yanked is None]) or newest(admitted)
        about = await self._about([file for file in admitted if file.version == current])
        readme = (
            await self._readmes.html(about.description, about.content_type) if about.description else None
        )
        settings = self._keep.settings
        files = urls.json_files_base(settings.public_url, index.name, depth=3)
        built = {one.built.sha256 for one in await told(self._keep, index, view.project)}
        return self._template.render(
            index=index.name,
            project=view.project,
            version=current,
            about=about,
            status=view.judged.page.status,
            stale=view.stale,
            owners=view.owners,
            simple=f"{urls.base(settings)}/{index.name}/simple/",
            files=[
                _row(file, decision, files) | {"built": urls.statement(file) if file.sha256 in built else ""}
                for file, decision in pairs[:_MOST_FILES]
            ],
            more=max(0, len(pairs) - _MOST_FILES),
            readme=readme,
            text=about.description[:LONGEST],
        )

    async def _about(self, files: list[File]) -> About:
        """From the core metadata of the release's first wheel, else of what else is known of it."""
        for file in sorted(files, key=lambda file: file.kind != "wheel"):
            try:
                async with asyncio.timeout(_PATIENCE):
                    body = await self._metadata(file)
            except (TimeoutError, Unanswered, FileMissing):
                continue
            if body is not None:
                return read_about(body)
        return About()

    async def _metadata(self, file: File) -> bytes | None:
        if file.kind == "wheel":
            return await self._keep.metadata.get(self._keep.source_of(file), file, may_fetch=False)
        known = await self._keep.facts.metadata(file.source, file.filename)
        return known.body if known is not None else None


def read_about(body: bytes) -> About:
    """Reads core metadata (PEP 566 and later); what cannot be read is left out. Never raises."""
    try:
        raw: RawMetadata = parse_email(body)[0]
    except (ValueError, MessageError, RecursionError):
        return About()
    told = {
        "Requires Python": raw.get("requires_python"),
        "Licence": raw.get("license_expression") or raw.get("license"),
        "Author": raw.get("author") or raw.get("author_email"),
        "Maintainer": raw.get("maintainer") or raw.get("maintainer_email"),
    }
    links = {"Home page": raw.get("home_page") or ""} | raw.get("project_urls", {})
    return About(
        summary=raw.get("summary", "")[:1000],
        facts=tuple((name, value.strip()[:300]) for name, value in told.items() if value and value.strip()),
        links=tuple((name[:100], url) for name, url in links.items() if _harmless(url))[:20],
        description=raw.get("description", ""),
        content_type=raw.get("description_content_type"),
    )


def _harmless(url: str) -> bool:
    """Whether a link leads to a web page and to nothing else."""
    try:
        split = urlsplit(url)
    except ValueError:
        return False
    return split.scheme in ("http", "https") and bool(split.hostname) and len(url) < 2000


def _row(file: File, decision: Decision, base: str) -> dict[str, str]:
    against = decision.against
    if against is not None:
        mark, verdict = "bad", f"{against.gate}: {against.sentence}"
    elif file.yanked is not None:
        mark, verdict = "idle", f"yanked: {file.yanked}" if file.yanked else "yanked"
    else:
        mark, verdict = "good", "admitted"
    return {
        "version": file.version,
        "filename": file.filename,
        "url": urls.file(base, file.project, file.sha256, file.filename) if against is None else "",
        "size": _size(file.size),
        "uploaded": (file.upload_time or "")[:10],
        "mark": mark,
        "verdict": verdict,
    }


def _size(size: int | None) -> str:
    if size is None:
        return ""
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{size / 1000:.1f} KB"
