"""Uploads: the legacy upload API that twine, uv, poetry, pdm, flit and hatch speak (packaging.python.org).

``POST /{index}/legacy/`` and ``POST /{index}/`` put one file into the source that the index publishes to. Whoever may
not is told so before the file is read.
"""

from msgspec.structs import replace

from wheelkeep.core.access import Caller, Publish, Read, allows, needed
from wheelkeep.core.names import SourceName
from wheelkeep.core.upload_rules import Claim
from wheelkeep.core.upload_rules import read_form as read_claim
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.receive import Incoming, Kept, Refused
from wheelkeep.logs import get_logger
from wheelkeep.web import problem
from wheelkeep.web.auth import Auth
from wheelkeep.web.body import Body, BodyBrokenOffError, BodyTooLargeError
from wheelkeep.web.form import Form, FormError, FormTooLargeError, read_form
from wheelkeep.web.respond import SAFE, Request, Response

log = get_logger(__name__)

LARGEST_FILE = 20 * 1000**3
"""Bytes of one file."""
_LARGEST_BODY = LARGEST_FILE + 100_000_000


class _RefusedError(Exception):
    """Raised while the form is read, to answer at once."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class _Bounded:
    """Passes the file's bytes on until there are too many."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._came = 0

    async def push(self, piece: bytes) -> None:
        self._came += len(piece)
        if self._came > LARGEST_FILE:
            raise FormTooLargeError(f"the file is larger than {LARGEST_FILE} bytes")
        await self._incoming.push(piece)


class Uploads:
    def __init__(self, keep: Keep, auth: Auth) -> None:
        self._keep = keep
        self._auth = auth

    async def post(self, request: Request, index: Index) -> Response:
        """Answers one upload; what is left of its body is read once the answer is on its way."""
        body = Body(request, most=_LARGEST_BODY)
        return replace(await self._post(request, index, body), after=body.drain)

    async def _post(self, request: Request, index: Index, body: Body) -> Response:
        source = index.settings.publish
        if source is None:
            return await no_uploads(request, index, self._auth)
        caller = await self._auth.check(request, Publish(source))
        if isinstance(caller, Response):
            return caller
        upload = _Upload(self._keep, request, source, caller)
        try:
            form = await read_form(request.header(b"content-type"), body.chunks(), upload.begin)
            return await upload.end(form)
        except _RefusedError as refused:
            return refused.response
        except FormError as error:
            return problem.bad_upload(request, (str(error),))
        except (FormTooLargeError, BodyTooLargeError) as error:
            return problem.too_large(request, str(error) or f"more than {LARGEST_FILE} bytes are not taken")
        except BodyBrokenOffError:
            return problem.broken_off(request)
        except OSError as error:
            log.error("store_cannot_take_upload", source=source, why=str(error))
            return problem.unavailable(
                request, f"the keep's disk cannot take it: {error.strerror}", retry_after=30
            )
        finally:
            await upload.close()


class _Upload:
    """One upload, from the moment its form is read."""

    def __init__(self, keep: Keep, request: Request, source: SourceName, caller: Caller) -> None:
        self._receiver = keep.receiver
        self._request = request
        self._source = source
        self._caller = caller
        self._incoming: Incoming | None = None

    async def begin(self, form: Form) -> _Bounded:
        """The file's bytes are next: whatever can be refused without them is refused now."""
        claim = read_claim(form.fields, form.filename)
        if "name" in form.fields:
            # Clients send it first. One that does not is held to the same at the end, before anything is kept.
            self._check_scope(claim)
            refused = await self._receiver.before(
                self._source, claim, by=self._caller.name, admin=self._caller.is_admin
            )
            if refused is not None:
                raise _RefusedError(self._refusal(refused))
        self._incoming = self._receiver.incoming(claim)
        return _Bounded(self._incoming)

    async def end(self, form: Form) -> Response:
        """All has come: decides, and keeps the file."""
        claim = read_claim(form.fields, form.filename)
        self._check_scope(claim)
        if self._incoming is None:
            return problem.bad_upload(self._request, claim.problems)
        outcome = await self._receiver.receive(
            self._source,
            claim,
            self._incoming,
            by=self._caller.name,
            admin=self._caller.is_admin,
            asker=self._request.asker,
        )
        if isinstance(outcome, Refused):
            return self._refusal(outcome)
        return _kept(outcome)

    def _check_scope(self, claim: Claim) -> None:
        """What is not known to be within the token's scope goes no further. Raises _RefusedError."""
        if claim.project is None:
            raise _RefusedError(problem.bad_upload(self._request, claim.problems))
        want = Publish(self._source, claim.project)
        if not allows(self._caller.scopes, want):
            raise _RefusedError(problem.forbidden(self._request, needed(want)))

    def _refusal(self, refused: Refused) -> Response:
        if refused.why in ("elsewhere", "closed", "owned"):
            return problem.not_published_here(self._request, refused.problems[0])
        return problem.bad_upload(self._request, refused.problems)

    async def close(self) -> None:
        if self._incoming is not None:
            await self._incoming.close()


async def no_uploads(request: Request, index: Index, auth: Auth) -> Response:
    """That an index takes no uploads; of a closed one this too is told to its readers alone."""
    if index.closed and isinstance(refused := await auth.check(request, Read(index.name)), Response):
        return refused
    return problem.no_uploads(request, index.name)


def _kept(kept: Kept) -> Response:
    how = "is published" if kept.new else "was here before with the same bytes; nothing was changed"
    headers = ((b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *SAFE)
    return Response(200, headers, f"{kept.filename} {how}; sha256 {kept.sha256}\n".encode())
