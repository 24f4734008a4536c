"""The Simple API (PEP 503, 691, 700, 714, 792): pages and the root list, in the form and coding that is asked for."""

import asyncio
import hashlib
import re
import time
import weakref
from urllib.parse import quote

import zstandard
from isal import igzip
from msgspec import Struct

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName
from wheelkeep.core.listing import ListedFile, Listing
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import File, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.negotiate import Coding, Form, choose_coding, choose_form, etag_matches
from wheelkeep.core.verdict import Decision, Verdict
from wheelkeep.core.write_html import write_html, write_root_html
from wheelkeep.core.write_json import write_json, write_root_json
from wheelkeep.index.index import Index
from wheelkeep.index.view import View
from wheelkeep.web import problem, urls
from wheelkeep.web.asked import Asked
from wheelkeep.web.respond import SAFE, SAFE_HTML, Headers, Request, Response

_LOCAL = re.compile(r"[^a-z0-9]+")
_SMALLEST_CODED = 400
"""Bytes below which packing costs more than it saves."""
_HOT_MOST = 4096
_LONGEST_KEY = 2048
"""Bytes of a request that is kept as one seen before: path, query, and two headers."""


class Ready(Struct, frozen=True):
    """One rendering of a page, ready to be sent."""

    etag: bytes
    headers: Headers
    body: bytes
    ok: dict[str, object]
    """The body message, made once."""


class SimpleApi:
    """Pages of all indexes. ``hot`` holds, by the very bytes of a request, where its answer lies ready."""

    def __init__(self, *, public_url: str | None, asked: Asked) -> None:
        self._public_url = public_url
        self._asked = asked
        self._hot: dict[tuple[object, ...], weakref.ref[View]] = {}

    def hot(self, key: tuple[object, ...], now: float) -> Ready | None:
        """The ready answer to a request seen before, if its page is still good: no I/O, no parsing."""
        found = self._hot.get(key)
        if found is None:
            return None
        view = found()
        if view is None or not view.good(now):
            del self._hot[key]
            return None
        ready: Ready = view.renderings[key]
        return ready

    async def page(
        self, request: Request, index: Index, text: str, key: tuple[object, ...] | None, *, alias: bool
    ) -> Response:
        """One project's page. ``text``: the name as the client spelt it, now known to end with a slash."""
        try:
            project = names.project(text)
        except InvalidName as error:
            return problem.not_found(request, str(error))
        if project != text:
            return redirect(f"../{project}/", request)
        form = choose_form(request.header(b"accept"), request.format)
        if form is None:
            return problem.not_acceptable(request)
        view = index.recall(project, time.time()) or await index.page(project)
        if isinstance(view, Nowhere):
            return problem.no_project(request, project)
        if isinstance(view, Unreachable):
            return problem.unreachable(request, view)
        coding = choose_coding(request.header(b"accept-encoding"))
        # pip alone shows no reason when nothing is admitted, but for a Python version that does not fit.
        to_pip = view.judged.nothing_admitted and request.by_pip
        ready = self._rendering(index, view, form, coding, to_pip=to_pip, alias=alias)
        if view.against is not None:
            # Never among what lies ready: each ask is counted.
            await self._asked.note(request, index, project, view.against)
        elif key is not None and _is_short(key):
            if len(self._hot) >= _HOT_MOST:
                self._cool()
            view.renderings[key] = ready
            self._hot[key] = weakref.ref(view)
        return conditional(request, ready.etag, ready.headers, ready.body)

    def _cool(self) -> None:
        """Forgets which requests were seen, in the views too: a client can make ever new ones for the same page."""
        for key, found in self._hot.items():
            if (view := found()) is not None:
                view.renderings.pop(key, None)
        self._hot.clear()

    def _rendering(
        self, index: Index, view: View, form: Form, coding: Coding, *, to_pip: bool, alias: bool
    ) -> Ready:
        key = (form, coding, to_pip, alias)
        ready: Ready | None = view.renderings.get(key)
        if ready is None:
            raw = self._write(index, view, form, to_pip=to_pip, alias=alias)
            ready = view.renderings[key] = _ready(view, raw, form, coding)
            index.grew(view, len(ready.body))
        return ready

    def _write(self, index: Index, view: View, form: Form, *, to_pip: bool, alias: bool) -> bytes:
        listing = self.listing(index, view, to_pip=to_pip, alias=alias)
        return write_json(listing) if form.is_json else write_html(listing)

    def listing(self, index: Index, view: View, *, to_pip: bool = False, alias: bool = False) -> Listing:
        """What the page shows: every file with our own addresses, blocked ones yanked with the reason or left out."""
        omit = index.settings.withheld == "omit"
        page = view.judged.page
        files_base = urls.files_base(self._public_url, index.path, alias=alias)
        provenance_base = urls.provenance_base(self._public_url, index.path, alias=alias)
        listed: list[ListedFile] = []
        versions: dict[str, None] = dict.fromkeys(page.versions) if not omit else {}
        for file, decision in zip(page.files, view.judged.decisions, strict=True):
            if decision.against is not None and omit:
                continue
            versions[file.version] = None
            listed.append(_listed(file, decision, view, files_base, provenance_base, to_pip=to_pip))
        return Listing(name=page.project, files=tuple(listed), versions=tuple(versions), status=page.status)

    async def root(self, request: Request, index: Index) -> Response:
        """The root list: every name that the index would show something of."""
        form = choose_form(request.header(b"accept"), request.format)
        if form is None:
            return problem.not_acceptable(request)
        found = [name async for name in index.names()]
        coding = choose_coding(request.header(b"accept-encoding"))
        etag, body = await asyncio.to_thread(_root, found, form, coding)
        return conditional(request, etag, _headers(form, coding, etag, len(body)), body)


def _is_short(key: tuple[object, ...]) -> bool:
    return sum(len(part) for part in key if isinstance(part, str | bytes)) <= _LONGEST_KEY


def _listed(
    file: File, decision: Decision, view: View, files_base: str, provenance_base: str, *, to_pip: bool
) -> ListedFile:
    against = decision.against
    metadata: bool | str | None = None
    if file.kind == "wheel":
        known = view.learned.get(file.filename)
        told = file.metadata if isinstance(file.metadata, str) else True
        metadata = told if known is None else (known or False)
    return ListedFile(
        filename=file.filename,
        url=urls.file(files_base, file.project, file.sha256, file.filename),
        hashes={"sha256": file.sha256} if file.sha256 is not None else file.digests,
        size=file.size,
        upload_time=file.upload_time,
        requires_python=file.requires_python if against is None or not to_pip else _pip_only(against),
        yanked=file.yanked if against is None else against.label,
        metadata=metadata,
        provenance=urls.provenance(provenance_base, file.project, file.version, file.filename)
        if file.provenance is not None
        else None,
    )


def _pip_only(verdict: Verdict) -> str:
    """A Python version that nobody has and that says why: pip prints it (PEP 440 local version label)."""
    words = _LOCAL.sub(".", verdict.sentence.lower()).strip(".")[:100].strip(".")
    return f"==99+blocked.by.wheelkeep.{verdict.gate}" + (f".{words}" if words else "")


def _ready(view: View, raw: bytes, form: Form, coding: Coding) -> Ready:
    if len(raw) < _SMALLEST_CODED:
        coding = "identity"
    etag = _etag(raw, form, coding)
    body = _packed(raw, coding)
    headers = _headers(form, coding, etag, len(body), by_agent=view.judged.nothing_admitted)
    if view.stale is not None:
        # RFC 9211; the second is what older caches and people look for (RFC 7234 5.5.1).
        headers += (
            (b"cache-status", b"wheelkeep; hit; detail=stale"),
            (b"warning", b'110 wheelkeep "Response is Stale"'),
        )
    return Ready(etag, headers, body, {"type": "http.response.body", "body": body})


def _headers(form: Form, coding: Coding, etag: bytes, length: int, *, by_agent: bool = False) -> Headers:
    headers: Headers = (
        (b"content-type", form.content_type.encode()),
        (b"etag", etag),
        (b"vary", b"Accept, Accept-Encoding, User-Agent" if by_agent else b"Accept, Accept-Encoding"),
        # Always asked again, and nearly always answered by 304: a private release is seen the moment it is there.
        (b"cache-control", b"no-cache"),
        *(SAFE if form.is_json else SAFE_HTML),
    )
    return headers if coding == "identity" else (*headers, (b"content-encoding", coding.encode()))


def _etag(raw: bytes, form: Form, coding: Coding) -> bytes:
    return f'"{hashlib.sha256(raw).hexdigest()[:24]}-{form.name.lower()}-{coding}"'.encode()


def _packed(raw: bytes, coding: Coding) -> bytes:
    if coding == "gzip":
        return igzip.compress(raw, 1, mtime=0)
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=1).compress(raw)
    return raw


def _root(found: list[str], form: Form, coding: Coding) -> tuple[bytes, bytes]:
    raw = write_root_json(found) if form.is_json else write_root_html(found)
    return _etag(raw, form, coding), _packed(raw, coding)


def conditional(request: Request, etag: bytes, headers: Headers, body: bytes) -> Response:
    """200, or 304 where the client has it already (RFC 9110 13.1.2)."""
    if etag_matches(request.header(b"if-none-match"), etag.decode()):
        kept = {b"etag", b"vary", b"cache-control", b"cache-status", b"warning"}
        return Response(304, tuple(header for header in headers if header[0] in kept))
    return Response(200, headers, body)


def redirect(location: str, request: Request, *, status: int = 301) -> Response:
    """To another address of ours, relative to the one that was asked for; the query comes along.

    ``location`` is a path as it reads, not as it is spelt in a URL (RFC 3986 2.1).
    """
    location = quote(location, safe="/~!$&'()*+,;=:@")
    if request.query:
        location = f"{location}?{request.query.decode('latin-1')}"
    return Response(status, ((b"location", location.encode("latin-1")), *SAFE))


def project_of(text: str) -> ProjectName | None:
    """A name that is in its normal form already, or None."""
    try:
        project = names.project(text)
    except InvalidName:
        return None
    return project if project == text else None
