"""Refusals: one place for their words, status codes and shape (RFC 9457), as JSON or, for browsers, as HTML."""

import math
from collections.abc import Sequence
from html import escape

import msgspec
from msgspec import Struct

from wheelkeep.core.model import Unreachable
from wheelkeep.core.names import IndexName, ProjectName
from wheelkeep.core.negotiate import prefers_html
from wheelkeep.core.verdict import Verdict
from wheelkeep.index.index import WHERE_TO_ASK
from wheelkeep.web.respond import SAFE, SAFE_HTML, Headers, Request, Response

_NOT_KEPT: Headers = ((b"cache-control", b"no-store"), (b"vary", b"Accept"))


def problem(
    request: Request,
    status: int,
    title: str,
    detail: str,
    *,
    headers: Headers = (),
    **more: str | Struct,
) -> Response:
    """A refusal; ``detail`` is what installers show to their user, ``more`` what programs read (a page: its words)."""
    if prefers_html(request.header(b"accept")):
        lines = "".join(
            f"<p>{escape(key)}: {escape(value)}</p>" for key, value in more.items() if isinstance(value, str)
        )
        page = (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
            f"<body><h1>{escape(title)}</h1><p>{escape(detail)}</p>{lines}</body></html>"
        )
        kind = (b"content-type", b"text/html; charset=utf-8")
        return Response(status, (kind, *SAFE_HTML, *_NOT_KEPT, *headers), page.encode())
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    kind = (b"content-type", b"application/problem+json")
    return Response(status, (kind, *SAFE, *_NOT_KEPT, *headers), msgspec.json.encode(document))


def unauthorized(request: Request, detail: str) -> Response:
    """No credentials that are in force. The challenge makes pip, uv and browsers look for some (RFC 9110 11.6.1)."""
    challenge = (b"www-authenticate", b'Basic realm="wheelkeep"')
    return problem(request, 401, "A token is needed", detail, headers=(challenge,))


def forbidden(request: Request, scope: str) -> Response:
    """Good credentials, but not for this. ``scope``: the narrowest one that would do."""
    return problem(
        request,
        403,
        "Not within the token's scopes",
        f"this needs a token with the scope {scope}",
        scope=scope,
    )


def too_many(request: Request, detail: str, *, retry_after: float) -> Response:
    seconds = str(max(1, math.ceil(retry_after))).encode()
    return problem(request, 429, "Too many attempts", detail, headers=((b"retry-after", seconds),))


def not_found(request: Request, detail: str) -> Response:
    return problem(request, 404, "Not found", detail)


def no_project(request: Request, project: ProjectName) -> Response:
    return not_found(request, f"no source of this index has a project called {project}")


def unreachable(request: Request, outage: Unreachable) -> Response:
    """A source that might have the answer did not give one: never the next source's files."""
    return unavailable(
        request,
        f"the source {outage.source} might have it, but {outage.reason}",
        retry_after=outage.retry_after,
    )


def unavailable(request: Request, detail: str, *, retry_after: float | None) -> Response:
    seconds = str(max(1, math.ceil(min(retry_after or 5.0, 3600.0)))).encode()
    return problem(request, 503, "Not to be had at the moment", detail, headers=((b"retry-after", seconds),))


def ambiguous(request: Request) -> Response:
    """What a proxy in between may read otherwise than we do (RFC 9112 3.2, 6.1 and 11.2): nothing behind it is read."""
    return problem(
        request,
        400,
        "Not a clear request",
        "a request has exactly one Host that is a host and nothing else; Transfer-Encoding is chunked, once, and "
        "only where something is sent",
        headers=((b"connection", b"close"),),
    )


def not_acceptable(request: Request) -> Response:
    return problem(
        request,
        406,
        "Not acceptable",
        "this address answers in application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html or text/html",
    )


def takes_only(request: Request, media_type: str) -> Response:
    return problem(request, 406, "Not acceptable", f"this address answers in {media_type}")


def unsupported(request: Request, media: str) -> Response:
    return problem(request, 415, "Unsupported media type", f"send this as Content-Type: {media}")


def unprocessable(request: Request, detail: str) -> Response:
    return problem(request, 422, "Unprocessable content", detail)


def not_yours(request: Request, detail: str) -> Response:
    """The scope would do, but what is asked for belongs to somebody else."""
    return problem(request, 403, "Not yours", detail)


def method_not_allowed(
    request: Request, allowed: bytes = b"GET, HEAD", *, uploads: str | None = None
) -> Response:
    """``uploads``: where they go instead, for whoever took the address of pages for it."""
    hint = f": uploads go to {uploads}" if uploads is not None and request.method == "POST" else ""
    return problem(
        request,
        405,
        "Method not allowed",
        f"{request.method} is not answered here{hint}",
        headers=((b"allow", allowed),),
    )


def not_minted(
    request: Request, status: int, code: str, detail: str, *, retry_after: float | None = None
) -> Response:
    """No token for an identity. ``message`` and ``errors`` are as PyPI has them: its publish action prints those."""
    document = {
        "type": "about:blank",
        "title": "No token was minted",
        "status": status,
        "detail": detail,
        "message": "Token request failed",
        "errors": [{"code": code, "description": detail}],
    }
    wait: Headers = ()
    if retry_after is not None:
        wait = ((b"retry-after", str(max(1, math.ceil(min(retry_after, 3600.0)))).encode()),)
    # Never as HTML: a person reads this through a program.
    kind = (b"content-type", b"application/problem+json")
    return Response(status, (kind, *SAFE, *_NOT_KEPT, *wait), msgspec.json.encode(document))


def no_uploads(request: Request, index: IndexName) -> Response:
    return problem(
        request,
        403,
        "Uploads are not taken",
        f"the index {index} takes no uploads: its configuration names no source to publish to",
    )


def bad_upload(request: Request, problems: Sequence[str]) -> Response:
    """Everything that is wrong with an upload, a line each: twine and uv show it to whoever uploads."""
    return problem(request, 400, "Not published", "\n".join(problems))


def not_published_here(request: Request, detail: str) -> Response:
    """The token would do, but the source has no room for such a name."""
    return problem(request, 403, "Not published", detail)


def too_large(request: Request, detail: str) -> Response:
    return problem(request, 413, "Too large", detail)


def bad_request(request: Request, detail: str) -> Response:
    """What came cannot be read, or says what cannot be."""
    return problem(request, 400, "Not understood", detail)


def conflict(
    request: Request, problems: Sequence[str], *, headers: Headers = (), **more: str | Struct
) -> Response:
    """All is well with the request, but not with what it is about; nothing was done."""
    return problem(request, 409, "Not as things are", "\n".join(problems), headers=headers, **more)


def owned(request: Request, detail: str) -> Response:
    """The scope would do, but the project has owners, and whoever asks is none of them."""
    return problem(request, 403, "Owned by others", detail)


def not_json(request: Request) -> Response:
    return problem(request, 415, "Unsupported media type", "the body must be sent as application/json")


def broken_off(request: Request) -> Response:
    """The client sent nothing more for a long time; one that went away does not see this."""
    return problem(
        request, 408, "Broken off", "the upload broke off before its end, and nothing of it was kept"
    )


def enough(request: Request, detail: str) -> Response:
    """A build asked for more than one may."""
    return problem(request, 403, "Too much", detail)


def blocked(request: Request, verdict: Verdict, filename: str) -> Response:
    """Why a file is withheld, and how to ask for an exception."""
    remedy = verdict.remedy or WHERE_TO_ASK
    return problem(
        request,
        403,
        f"Blocked by the policy: {verdict.gate}",
        f"{filename}: {verdict.label}. To change that, {remedy}.",
        gate=verdict.gate,
        code=verdict.code,
        remedy=remedy,
    )


def unknown_block(request: Request, gate: str, words: str, filename: str) -> Response:
    """A block that cannot be looked up any more: what its own address says."""
    return problem(
        request,
        403,
        f"Blocked by the policy: {gate}",
        f"{filename}: wheelkeep: {gate}: {words.replace('-', ' ')}. To change that, {WHERE_TO_ASK}.",
        gate=gate,
        remedy=WHERE_TO_ASK,
    )


def no_longer_blocked(request: Request, filename: str) -> Response:
    return problem(
        request,
        403,
        "No longer blocked",
        f"{filename} is not blocked any more: ask for it again at its own address",
    )
