"""The Upload API 2.0 (PEP 694, round 4 of 29 July 2026): ``/{index}/upload/2.0/`` and what lies below.

It is there where the configuration has the word ``upload-2.0`` in ``experimental``. Every request is held against the
token's scope and against who made the session; what comes back is worded in ``session_documents`` and ``problem``.
"""

import hmac

from msgspec.structs import replace

from wheelkeep.core import attestations
from wheelkeep.core.access import Caller, Publish, allows, needed
from wheelkeep.core.names import SourceName
from wheelkeep.core.negotiate import takes
from wheelkeep.core.sessions import (
    MECHANISM,
    MEDIA,
    BadRequest,
    NewSession,
    may_use,
    read_action,
    read_extension,
    read_new_file,
    read_new_session,
)
from wheelkeep.index.index import Index
from wheelkeep.index.receive import Refused
from wheelkeep.index.sessions import Clash, Stager
from wheelkeep.logs import get_logger
from wheelkeep.store.sessions import Session, Staged
from wheelkeep.web import problem, urls
from wheelkeep.web.auth import Auth
from wheelkeep.web.body import Body, BodyBrokenOffError, BodyTooLargeError
from wheelkeep.web.respond import Headers, Request, Response
from wheelkeep.web.session_documents import Links, nothing, of_file, of_session, told
from wheelkeep.web.upload import LARGEST_FILE, no_uploads

log = get_logger(__name__)

_LARGEST_REQUEST = 100_000
"""Bytes of a request that is JSON."""


class _RefusedError(Exception):
    """Raised wherever a request goes no further."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class PublishingSessions:
    """The API of every index that takes uploads."""

    def __init__(self, stager: Stager, auth: Auth, *, public_url: str | None) -> None:
        self._stager = stager
        self._auth = auth
        self._public_url = public_url

    async def answer(self, request: Request, index: Index, parts: list[str]) -> Response:
        """``parts``: those of the path behind ``upload/2.0``."""
        asked = _Asked(self._stager, self._auth, request, index, self._public_url)
        try:
            response = await asked.route(parts[:-1] if parts[-1:] == [""] else parts)
        except _RefusedError as refused:
            response = refused.response
        except BadRequest as bad:
            response = told(problem.bad_request(request, str(bad)), bad.problems)
        except BodyTooLargeError:
            response = problem.too_large(request, "more bytes came than are taken here")
        except BodyBrokenOffError:
            response = problem.broken_off(request)
        except OSError as error:
            log.error("store_cannot_stage", index=index.name, why=str(error))
            says = f"the keep's disk cannot take it: {error.strerror}"
            response = problem.unavailable(request, says, retry_after=30)
        response = told(response)
        return replace(response, after=asked.body.drain) if request.method == "POST" else response


class _Asked:
    """One request."""

    def __init__(
        self, stager: Stager, auth: Auth, request: Request, index: Index, public_url: str | None
    ) -> None:
        self._stager = stager
        self._auth = auth
        self._request = request
        self._index = index
        self._origin = urls.origin(request, public_url)
        self.body = Body(request, most=LARGEST_FILE)

    async def route(self, parts: list[str]) -> Response:
        source = self._index.settings.publish
        if source is None:
            return await no_uploads(self._request, self._index, self._auth)
        caller = await self._auth.check(self._request, Publish(source))
        if isinstance(caller, Response):
            return caller
        if not takes(self._request.header(b"accept"), MEDIA):
            return problem.takes_only(self._request, MEDIA)
        match parts:
            case []:
                self._only("POST")
                return await self._create(source, caller)
            case [key, *rest]:
                session = await self._session(key, source, caller)
                match rest:
                    case []:
                        self._only("GET", "HEAD", "DELETE")
                        return await self._whole(session)
                    case [("publish" | "extend" | "files") as what]:
                        self._only("POST")
                        return await self._act(session, caller, what)
                    case [token, file, *rest] if hmac.compare_digest(token, session.token):
                        return await self._file(session, session.file(file), rest)
        return problem.not_found(self._request, "nothing is at this address")

    async def _session(self, key: str, source: SourceName, caller: Caller) -> Session:
        """The session, if it is this index's and the caller's. Raises _RefusedError."""
        session = await self._stager.find(key)
        if session is None or session.index != self._index.name or session.source != source:
            raise _RefusedError(problem.not_found(self._request, "no session is here, or it was long ago"))
        self._may_publish(caller, NewSession(session.project, session.version), source)
        refused = await self._stager.not_owned(session, caller.name, admin=caller.is_admin)
        if refused is not None:
            raise _RefusedError(self._refusal(refused))
        if not may_use(session.creator, caller):
            raise _RefusedError(
                problem.not_yours(
                    self._request, "a session is used by the token that made it, or by an admin"
                )
            )
        return session

    def _may_publish(self, caller: Caller, release: NewSession, source: SourceName) -> None:
        want = Publish(source, release.project)
        if not allows(caller.scopes, want):
            raise _RefusedError(problem.forbidden(self._request, needed(want)))

    async def _create(self, source: SourceName, caller: Caller) -> Response:
        new = read_new_session(await self._json())
        self._may_publish(caller, new, source)
        made = await self._stager.create(self._index.name, source, new, by=caller.name, admin=caller.is_admin)
        if not isinstance(made, Session):
            return self._refusal(made)
        return of_session(201, made, self._links(made), located=True)

    async def _whole(self, session: Session) -> Response:
        if self._request.method != "DELETE":
            return of_session(200, session, self._links(session))
        self._done(await self._stager.cancel(session), session)
        return nothing()

    async def _act(self, session: Session, caller: Caller, what: str) -> Response:
        body = await self._json()
        if what == "files":
            return await self._announce(session, body)
        if what == "extend":
            seconds = read_extension(body)
            self._open(session)
            await self._stager.extend(session, seconds)
            return await self._now(200, session)
        read_action(body)
        self._open(session)
        self._done(
            await self._stager.publish(
                session, by=caller.name, admin=caller.is_admin, asker=self._request.asker
            ),
            session,
        )
        return await self._now(201, session, located=True)

    async def _announce(self, session: Session, body: bytes) -> Response:
        new = read_new_file(body, NewSession(session.project, session.version))
        if new.mechanism != MECHANISM:
            says = f"mechanism: {new.mechanism[:80]!a} is not known here: use {MECHANISM}"
            return told(problem.unprocessable(self._request, says), [("mechanism", says)])
        self._open(session)
        if new.size > LARGEST_FILE:
            says = f"{new.filename} has more than {LARGEST_FILE} bytes"
            return told(problem.conflict(self._request, (says,)), [("size", says)])
        made = await self._stager.add_file(session, new)
        if isinstance(made, Clash):
            return self._refusal(made)
        return of_file(202, session, made, self._links(session), located=True)

    async def _file(self, session: Session, staged: Staged | None, rest: list[str]) -> Response:
        if staged is None or len(rest) > 1:
            return problem.not_found(self._request, "the session has no such file")
        match rest:
            case []:
                self._only("GET", "HEAD", "DELETE")
                if self._request.method != "DELETE":
                    return of_file(200, session, staged, self._links(session))
                if staged.state != "canceled":
                    self._done(await self._stager.delete_file(session, staged), session)
                return nothing()
            case ["complete"]:
                self._only("POST")
                read_action(await self._json())
                self._open(session)
                self._done(await self._stager.complete(session, staged), session, staged)
                return await self._now_file(201, session, staged)
            case ["bytes"]:
                return await self._bytes(session, staged)
            case ["attestations"]:
                return await self._attest(session, staged)
        return problem.not_found(self._request, "the session has no such file")

    async def _bytes(self, session: Session, staged: Staged) -> Response:
        self._only("POST")
        self._kind("application/octet-stream")
        self._pending(session, staged)
        incoming = self._stager.incoming(session, staged)
        came = 0
        try:
            async for piece in self.body.chunks():
                came += len(piece)
                if came > staged.size:
                    says = f"more than the {staged.size} bytes came that were announced: send the file again"
                    return problem.bad_upload(self._request, (says,))
                await incoming.push(piece)
            self._done(await self._stager.take(session, staged, incoming), session, staged)
        finally:
            await incoming.close()
        return nothing()

    async def _attest(self, session: Session, staged: Staged) -> Response:
        self._only("POST")
        self._kind("application/json")
        self._pending(session, staged)
        body = await self._small(attestations.LARGEST)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return problem.bad_upload(
                self._request, ("attestations is no JSON list of attestations (PEP 740)",)
            )
        self._done(await self._stager.attest(session, staged, text), session, staged)
        return nothing()

    async def _now(self, status: int, session: Session, *, located: bool = False) -> Response:
        """The session as it is after what was done."""
        found = await self._stager.find(session.id) or session
        return of_session(status, found, self._links(found), located=located)

    async def _now_file(self, status: int, session: Session, staged: Staged) -> Response:
        found = await self._stager.find(session.id) or session
        links = self._links(found)
        return of_file(status, found, found.file(staged.id) or staged, links, located=True)

    def _only(self, *methods: str) -> None:
        if self._request.method not in methods:
            raise _RefusedError(problem.method_not_allowed(self._request, ", ".join(methods).encode()))

    def _kind(self, wanted: str) -> None:
        given = (self._request.header(b"content-type") or "").partition(";")[0].strip().lower()
        if given != wanted:
            raise _RefusedError(problem.unsupported(self._request, wanted))

    async def _json(self) -> bytes:
        self._kind(MEDIA)
        return await self._small(_LARGEST_REQUEST)

    async def _small(self, most: int) -> bytes:
        pieces, came = [], 0
        async for piece in self.body.chunks():
            came += len(piece)
            if came > most:
                raise BodyTooLargeError
            pieces.append(piece)
        return b"".join(pieces)

    def _open(self, session: Session) -> None:
        if session.state != "open":
            says = f"the session is {session.state}, and takes no changes any more"
            raise _RefusedError(told(problem.conflict(self._request, (says,)), [("session", says)]))

    def _pending(self, session: Session, staged: Staged) -> None:
        self._open(session)
        if staged.state != "pending":
            says = f"{staged.filename} is {staged.state}, and takes no more bytes: announce the file anew"
            raise _RefusedError(told(problem.conflict(self._request, (says,)), [(staged.filename, says)]))

    def _done(self, outcome: Refused | Clash | None, session: Session, staged: Staged | None = None) -> None:
        """Raises _RefusedError where something was not done."""
        if outcome is not None:
            raise _RefusedError(self._refusal(outcome, staged.filename if staged is not None else "session"))

    def _refusal(self, outcome: Refused | Clash, about: str = "session") -> Response:
        if isinstance(outcome, Refused):
            if outcome.why in ("elsewhere", "closed", "owned"):
                return problem.not_published_here(self._request, outcome.problems[0])
            refused = problem.bad_upload(self._request, outcome.problems)
            return told(refused, [(about, says) for says in outcome.problems])
        headers: Headers = ()
        if outcome.session is not None:
            headers = ((b"location", self._links(outcome.session).session.encode()),)
        says = [sentence for _, sentence in outcome.problems]
        return told(problem.conflict(self._request, says, headers=headers), outcome.problems)

    def _links(self, session: Session) -> Links:
        return Links(self._origin, session)
