"""The way of a request below ``/api``: its operation, its permission, what it sent, its answer.

The permission comes first, and in this one place: until it is given, nothing is looked at but the address.
"""

import msgspec

from wheelkeep.core.access import Admin, Caller, Known, Want
from wheelkeep.core.errors import InvalidName, NotOwned
from wheelkeep.index.keep import Keep
from wheelkeep.web import problem
from wheelkeep.web.api import (
    audit,
    builds,
    indexes,
    ledger,
    owners,
    projects,
    releases,
    snapshots,
    sources,
    tokens,
    wanted,
)
from wheelkeep.web.api.describe import describe
from wheelkeep.web.api.operation import LARGEST_JSON, PARTS, Call, Operation, Refusal
from wheelkeep.web.api.pages import Pages
from wheelkeep.web.api.reading import UnreadableError, read_body, read_query
from wheelkeep.web.auth import Auth
from wheelkeep.web.body import Body, BodyBrokenOffError, BodyTooLargeError
from wheelkeep.web.respond import SAFE, Answer, Headers, Request, Response

PREFIX = "/api/v1"
_JSON: Headers = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"private, no-store"),
    *SAFE,
)


OPERATIONS: tuple[Operation, ...] = (
    *indexes.OPERATIONS,
    *builds.OPERATIONS,
    *sources.OPERATIONS,
    *projects.OPERATIONS,
    *owners.OPERATIONS,
    *releases.OPERATIONS,
    *tokens.OPERATIONS,
    *wanted.OPERATIONS,
    *snapshots.OPERATIONS,
    *ledger.OPERATIONS,
    *audit.OPERATIONS,
)
"""All there are: what is not here is not answered, and what is here is described."""


class Api:
    """One worker's management API."""

    def __init__(self, keep: Keep, auth: Auth) -> None:
        self._keep = keep
        self._auth = auth
        self._pages = Pages(lambda: describe(OPERATIONS, keep.settings.public_url))

    async def answer(self, request: Request) -> Answer:
        """Answers one request to ``/api/…``."""
        if request.path in ("/api/docs", f"{PREFIX}/openapi.json"):
            if request.method not in ("GET", "HEAD"):
                return problem.method_not_allowed(request)
            return self._pages.docs() if request.path == "/api/docs" else self._pages.description()
        path = request.path.removeprefix(PREFIX)
        if not request.path.startswith(f"{PREFIX}/"):
            return problem.not_found(
                request, "the management API is below /api/v1/; /api/docs says what is there"
            )
        asked = at(path).get(request.method)
        body = Body(request, most=asked.most if asked is not None else LARGEST_JSON)
        response = await self._answer(request, path, body)
        return msgspec.structs.replace(response, after=body.drain)

    async def _answer(self, request: Request, path: str, body: Body) -> Response:
        here = at(path)
        method = "GET" if request.method == "HEAD" else request.method
        operation = here.get(method)
        places, wants = self._wanted(path, operation)
        caller = Caller("", ())
        for want in wants:
            checked = await self._auth.check(request, want)
            if isinstance(checked, Response):
                return checked
            caller = checked
        if not here or (operation is not None and places is None):
            return problem.not_found(request, "nothing of the API is at this address; /api/docs says what is")
        if operation is None or places is None:
            methods = [*here, "HEAD"] if "GET" in here else list(here)
            return problem.method_not_allowed(request, ", ".join(sorted(methods)).encode())
        try:
            query = read_query(request.query, operation.query) if operation.query is not None else None
            sent = await _sent(request, operation, body)
            call = Call(
                keep=self._keep, request=request, caller=caller, places=places, query=query, body=sent
            )
            given = await operation.handle(call)
        except Refusal as refusal:
            return refusal.response
        except NotOwned as error:
            return problem.owned(request, str(error))
        except UnreadableError as error:
            return problem.bad_request(request, str(error))
        except BodyTooLargeError:
            return problem.too_large(request, f"a body of more than {operation.most} bytes is not taken")
        except BodyBrokenOffError:
            return problem.broken_off(request)
        return Response(operation.status, _JSON, msgspec.json.encode(given))

    def _wanted(
        self, path: str, operation: Operation | None
    ) -> tuple[dict[str, str] | None, tuple[Want, ...]]:
        """The open parts of an address, None where one cannot be, and what a caller needs to be told even that."""
        if operation is None:
            return {}, (Known(),)
        try:
            places = read_places(path, operation)
        except InvalidName:
            return None, (Admin(),)
        return places, tuple(operation.needs.wants(self._keep, places))


async def _sent(request: Request, operation: Operation, body: Body) -> object:
    """The body as what the operation takes. Raises UnreadableError, Refusal, BodyTooLargeError, BodyBrokenOffError."""
    if operation.takes is None and operation.raw is None:
        return None
    if operation.takes is None:
        return await _whole(body)
    kind, _, parameters = (request.header(b"content-type") or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise Refusal(problem.not_json(request))
    return read_body(await _whole(body), operation.takes)


async def _whole(body: Body) -> bytes:
    came = bytearray()
    async for piece in body.chunks():
        came += piece
    return bytes(came)


def at(path: str) -> dict[str, Operation]:
    """The operations at an address below ``/api/v1``, by method; empty where there is none."""
    parts = path.split("/")
    return {
        operation.method: operation
        for operation in OPERATIONS
        if len(shape := operation.path.split("/")) == len(parts)
        and all(part == own or (own.startswith("{") and part) for own, part in zip(shape, parts, strict=True))
    }


def read_places(path: str, operation: Operation) -> dict[str, str]:
    """The open parts of an address in normal form; raises InvalidName."""
    return {
        own[1:-1]: PARTS[own[1:-1]][0](part)
        for own, part in zip(operation.path.split("/"), path.split("/"), strict=True)
        if own.startswith("{")
    }
