"""The front door: our own ASGI callable, before any framework. Memory first, then the routes of interface section 3."""

import contextlib
import re
import time
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkeep.core import measures
from wheelkeep.core.access import Read, allows
from wheelkeep.core.errors import Unwritable
from wheelkeep.core.negotiate import etag_matches
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.scrub import Scrub
from wheelkeep.logs import get_logger
from wheelkeep.web import metrics, problem
from wheelkeep.web.asked import Asked
from wheelkeep.web.auth import Auth
from wheelkeep.web.body import Body
from wheelkeep.web.built import BuiltWheels
from wheelkeep.web.crowd import Peer
from wheelkeep.web.documents import Documents
from wheelkeep.web.files import Files
from wheelkeep.web.home import Home
from wheelkeep.web.log import Log
from wheelkeep.web.project import Projects
from wheelkeep.web.respond import (
    SAFE,
    Answer,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    answer,
    private,
    request_id,
    unsecret,
)
from wheelkeep.web.sessions import PublishingSessions
from wheelkeep.web.simple import SimpleApi, redirect
from wheelkeep.web.stage import Stages
from wheelkeep.web.trusted import Trusted
from wheelkeep.web.upload import Uploads

if TYPE_CHECKING:
    from wheelkeep.web.api.router import Api

log = get_logger(__name__)
_LONGEST_PATH = 2048
SAFE_METHODS = ("GET", "HEAD")
# A POST is never redirected, as clients would make a GET of it: both spellings are answered.
_UPLOADS: tuple[list[str], ...] = ([], [""], ["legacy"], ["legacy", ""])
_OF_THE_PAST = ("simple", "files", "packages", "blocked", "pypi", "integrity")
"""What an index as it was answers below its address; pages for people are of today."""
# Printable ASCII without the backslash, which some readers take for a slash.
_HOST = re.compile(rb"(?:[\w.~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?", re.ASCII)
_JOINED = "no address here has an encoded slash"
_SPELLING = re.compile(r"/[\x20-\x5b\x5d-\x7e]*")


class App:
    """One worker's web face of a keep."""

    def __init__(self, keep: Keep, *, started: Callable[[], None] = lambda: None) -> None:
        self._keep = keep
        self._tally = keep.tally
        self._started = started
        self._auth = Auth(keep.tokens)
        asked = Asked(keep.asks, self._auth)
        self._simple = SimpleApi(public_url=keep.settings.public_url, asked=asked)
        self._files = Files(keep, asked)
        self._documents = Documents(keep, asked)
        self._home = Home(keep)
        self._projects, self._built = Projects(keep), BuiltWheels(keep)
        self._scrub = Scrub(keep)
        self._uploads = Uploads(keep, self._auth)
        self._log = Log(keep, self._auth)
        self._trusted = Trusted(keep, self._auth)
        self._sessions = self._stages = None
        if (stager := keep.stager) is not None:
            self._sessions = PublishingSessions(stager, self._auth, public_url=keep.settings.public_url)
            self._stages = Stages(keep, stager, self._files, self._documents, self._staged_simple)
        main = keep.settings.main
        self._main = keep.indexes[main.name] if main is not None else None
        self.busy: set[Peer | None] = set()
        """Who is being answered at the moment, less those whose answer lay ready."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self._keep.start(serving=True)
                except Exception as error:
                    log.exception("start_failed")
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                self._tally.share()
                for index in self._keep.indexes.values():
                    await self._keep.note_policy(index)
                self._scrub.start()
                await send({"type": "lifespan.startup.complete"})
                self._started()
            else:
                with contextlib.suppress(Exception):
                    await self._scrub.close()
                    await self._auth.close()
                    await self._keep.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = coding = agent = none_match = host = None
        odd = chunked = False
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = value if accept is None else accept + b", " + value
            elif name == b"accept-encoding":
                coding = value if coding is None else coding + b", " + value
            elif name == b"if-none-match":
                none_match = value
            elif name == b"user-agent":
                agent = value
            elif name == b"host":
                odd = odd or host is not None or not _is_host(value)
                host = value
            elif name == b"transfer-encoding":
                odd = odd or chunked or scope["method"] in SAFE_METHODS or value.strip().lower() != b"chunked"
                chunked = True
        # The server hands on an empty Host where there is none.
        odd = odd or (not host and scope["http_version"] == "1.1")
        key = None
        if scope["method"] == "GET" and not odd:
            # As it was written: what is spelt otherwise is looked at before it is answered from memory.
            key = (scope["raw_path"], scope["query_string"], accept, coding)
            ready = self._simple.hot(key, time.time()) if self._keep.current else None
            if ready is not None and not _has_it(none_match, ready.etag):
                length = (b"content-length", b"%d" % len(ready.body))
                headers = [*ready.headers, length, (b"x-request-id", request_id())]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send(ready.ok)
                numbers = self._tally.numbers
                numbers[measures.MEMORY_PAGES] += 1
                numbers[measures.WARM_PAGE] += 1
                return
        peer = scope.get("client")
        if peer is not None:
            self.busy.add(peer)
        try:
            await self._routed(Request(scope, receive), key, agent, send, odd=odd)
        finally:
            self.busy.discard(peer)

    async def _routed(
        self,
        request: Request,
        key: tuple[object, ...] | None,
        agent: bytes | None,
        send: Send,
        *,
        odd: bool,
    ) -> None:
        began = time.perf_counter()
        try:
            if not self._keep.current:
                await self._keep.catch_up()
            response = problem.ambiguous(request) if odd else await self._route(request, key)
        except Unwritable as error:
            log.error("not_written", request=request.id.decode(), path=request.shown, why=str(error))
            response = problem.unavailable(request, str(error), retry_after=30)
        except Exception:
            log.exception("request_failed", request=request.id.decode(), path=request.shown)
            response = problem.unavailable(
                request, "the keep could not deal with this request", retry_after=30
            )
        if request.method not in SAFE_METHODS and not odd:
            response = _heard(request, response)
        try:
            await answer(request, response, send)
        finally:
            kind = measures.kind_of(request.path, request.method)
            self._tally.add(measures.request(kind, response.status))
            log.info(
                "request",
                request=request.id.decode(),
                method=request.method,
                path=request.shown,
                status=response.status,
                seconds=round(time.perf_counter() - began, 4),
                agent=unsecret(agent.split(b" ")[0].decode("latin-1"))[:60] if agent else None,
            )

    async def _route(self, request: Request, key: tuple[object, ...] | None) -> Answer:
        path = request.path
        if len(path) > _LONGEST_PATH or not _SPELLING.fullmatch(path):
            return problem.not_found(request, "no address here is spelt like this")
        parts = path.split("/")[1:]
        alias = parts[0] == "simple" and self._main is not None
        name, past, when = parts[0].partition("@")
        index = self._main if alias else self._keep.indexes.get(name)  # type: ignore[call-overload]
        if index is not None and past:
            return await self._past_route(request, index, when, parts)
        if request.method == "POST" and index is not None and not alias and parts[1:] in _UPLOADS:
            return await self._uploads.post(request, index)
        if self._sessions is not None and index is not None and not alias and parts[1:3] == ["upload", "2.0"]:
            return await self._sessions.answer(request, index, parts[3:])
        if index is not None and index.closed:
            # Before anything is looked at: what is not told to everybody is told by no code and no redirect either,
            # and it never lies ready for whoever sends the same bytes.
            who = await self._auth.check(request, Read(index.name))
            if isinstance(who, Response):
                return who
            request.caller = who.name
            return private(await self._index_route(request, index, parts, None, alias=alias))
        if index is not None:
            return await self._index_route(request, index, parts, key, alias=alias)
        if request.joined:
            return problem.not_found(request, _JOINED)
        if parts[0] == "api":
            return await self._api.answer(request)
        return await self._top_route(request, path)

    async def _past_route(self, request: Request, index: Index, when: str, parts: list[str]) -> Answer:
        """``/{index}@{when}/…``: the same answers, from the index as it was. Nothing can be put into the past."""
        if index.closed:
            who = await self._auth.check(request, Read(index.name))
            if isinstance(who, Response):
                return who
            request.caller = who.name
        if request.method not in SAFE_METHODS:
            return problem.method_not_allowed(request)
        if parts[1:2] and parts[1] in _OF_THE_PAST:
            try:
                view = await self._keep.views.find(index, when)
            except ValueError as error:
                return problem.not_found(request, str(error))
            answer = await self._index_route(request, view, parts, None, alias=False)
        else:
            answer = problem.not_found(request, "the pages of an index as it was are below simple/")
        return private(answer) if index.closed else answer

    @cached_property
    def _api(self) -> "Api":
        # Made when it is first asked for: most workers serve pages and files alone.
        from wheelkeep.web.api.router import Api  # noqa: PLC0415

        return Api(self._keep, self._auth)

    async def _index_route(
        self, request: Request, index: Index, parts: list[str], key: tuple[object, ...] | None, *, alias: bool
    ) -> Answer:
        if request.method not in SAFE_METHODS and parts[1:2] != ["upload"]:
            # What is below upload/ is answered before this, or is no address at all.
            if not alias and parts[1:] in _UPLOADS[2:]:
                return problem.method_not_allowed(request, b"POST")
            return problem.method_not_allowed(request, uploads=_uploads_at(index))
        if request.joined:
            return problem.not_found(request, _JOINED)
        match parts if alias else parts[1:]:
            case []:
                return redirect(f"{index.name}/", request)
            case [""]:
                return await self._home.page([index], depth=1)
            case ["project", text] if text and _plain(text):
                return redirect(f"{text}/", request)
            case ["project", text, ""]:
                return await self._projects.page(request, index, text)
            case ["simple", *rest]:
                return await self._simple_route(request, index, rest, key, alias=alias)
            case ["files", *rest]:
                return await self._files.file(request, index, rest)
            case ["packages", *rest] if rest:
                return await self._files.package(request, index, rest)
            case ["blocked", *rest]:
                return await self._files.explain_block(request, index, rest)
            case ["built", *rest]:
                return await self._built.statement(request, index, rest)
            case ["pypi", *rest]:
                return await self._documents.json(request, index, rest)
            case ["integrity", *rest]:
                return await self._documents.provenance(request, index, rest)
            case ["stage", *rest] if self._stages is not None and not alias:
                return await self._stages.answer(request, index, rest)
            case ["legacy"] | ["legacy", ""] if not alias:
                return problem.method_not_allowed(request, b"POST")
        return problem.not_found(request, f"the index {index.name} has nothing at this address")

    async def _staged_simple(self, request: Request, index: Index, parts: list[str]) -> Answer:
        return await self._simple_route(request, index, parts, None, alias=False)

    async def _simple_route(
        self, request: Request, index: Index, parts: list[str], key: tuple[object, ...] | None, *, alias: bool
    ) -> Answer:
        match parts:
            case []:
                return redirect("simple/", request)
            case [""]:
                return await self._simple.root(request, index)
            case [text]:
                return (
                    redirect(f"{text}/", request)
                    if _plain(text)
                    else problem.not_found(request, "no such name")
                )
            case [text, ""]:
                return await self._simple.page(request, index, text, key, alias=alias)
        return problem.not_found(request, "a page's address is simple/{project}/")

    async def _top_route(self, request: Request, path: str) -> Answer:
        if path == "/_/oidc/mint-token":
            if request.method != "POST":
                return problem.method_not_allowed(request, b"POST")
            return await self._trusted.mint(request)
        if path == "/log/cosignatures" and request.method == "POST":
            return await self._log.cosign(request)
        if request.method not in SAFE_METHODS and path.rstrip("/").endswith("/legacy"):
            # The mistake that uploaders make: an address without an index, or with one that is not there.
            return problem.not_found(request, "no index is called that: uploads go to /{index}/legacy/")
        if request.method not in SAFE_METHODS:
            uploads = "/{index}/legacy/" if request.method == "POST" else None
            return problem.method_not_allowed(request, uploads=uploads)
        if path.startswith("/log/"):
            return await self._log.answer(request, path.removeprefix("/log/"))
        match path:
            case "/":
                return await self._home.page(await self._readable(request), depth=0)
            case "/static/wheelkeep.css":
                return self._home.style()
            case "/_/oidc/audience":
                return self._trusted.audience(request)
            case "/.well-known/pytp":
                return self._trusted.discover(request)
            case "/metrics":
                return await metrics.answer(self._keep)
            case "/healthz":
                return _word(200, "ok")
            case "/readyz":
                ready = await self._keep.ready()
                return _word(200, "ready") if ready else _word(503, "sources are still being read")
        return problem.not_found(request, "no index is called that, and nothing else is at this address")

    async def _readable(self, request: Request) -> list[Index]:
        """The indexes that may be spoken of to whoever sent the request."""
        indexes = list(self._keep.indexes.values())
        if not any(index.closed for index in indexes):
            return indexes
        caller = await self._auth.caller(request)
        scopes = caller.scopes if caller is not None else ()
        return [index for index in indexes if not index.closed or allows(scopes, Read(index.name))]


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    """Whether a Host reads the same to everybody (RFC 9110 7.2, less what only a list of hosts would have)."""
    return _HOST.fullmatch(value) is not None


def _uploads_at(index: Index) -> str | None:
    return f"/{index.name}/legacy/" if index.settings.publish is not None else None


def _heard(request: Request, response: Answer) -> Answer:
    """The answer, and what is left of the request's body read behind it: who is still sending must find it."""
    if not isinstance(response, Response) or response.after is not None:
        return response
    return replace(response, after=Body(request, most=0).drain)


def _has_it(none_match: bytes | None, etag: bytes) -> bool:
    return none_match is not None and etag_matches(none_match.decode("latin-1"), etag.decode())


def _word(status: int, text: str) -> Response:
    headers = ((b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *SAFE)
    return Response(status, headers, f"{text}\n".encode())


def _plain(text: str) -> bool:
    """Whether a name may be put into a Location as it is; all others are no project's."""
    return all(letter.isalnum() or letter in "._-" for letter in text)
