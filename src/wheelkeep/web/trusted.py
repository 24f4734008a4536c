"""Trusted publishing: PyPI's two addresses, and the discovery of PEP 807.

uv and the publish action of PyPI know the two by heart, below the upload address's host; clients of PEP 807 ask which
they are. Nothing here is made of what a client sends as ``Host``.
"""

import math
from collections.abc import Mapping
from urllib.parse import unquote_plus, urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.errors import IdentityRefused, Unanswered
from wheelkeep.core.negotiate import takes
from wheelkeep.index.keep import Keep
from wheelkeep.index.mint import Mint, Minted
from wheelkeep.logs import get_logger
from wheelkeep.web import problem, urls
from wheelkeep.web.auth import Auth
from wheelkeep.web.body import Body, BodyBrokenOffError, BodyTooLargeError
from wheelkeep.web.respond import SAFE, Request, Response

log = get_logger(__name__)
MEDIA_TYPE = "application/vnd.pypi.pytp.v1+json"
_FEATURES = ("multi-use-token",)
_LARGEST_BODY = 64 * 1024
_NONE = "no trusted publisher is configured here: publish with a token"


class _Asked(Struct):
    """The body of a request for a token (PEP 807, "Token Minting")."""

    token: str
    features: list[str] | None = None


class Trusted:
    def __init__(self, keep: Keep, auth: Auth) -> None:
        self._keep = keep
        self._auth = auth
        self._mint = keep.mint

    def discover(self, request: Request) -> Response:
        """``/.well-known/pytp?discover=``: the addresses for an upload address, or 404 (PEP 807)."""
        if not takes(request.header(b"accept"), MEDIA_TYPE):
            return problem.takes_only(request, MEDIA_TYPE)
        public_url = self._keep.settings.public_url
        if self._mint is None or public_url is None:
            return problem.not_found(request, _NONE)
        if not self._serves(self._mint, public_url, _discovered(request.query)):
            return problem.not_found(request, "no trusted publisher is configured for this upload address")
        told = {
            "audience-endpoint": urls.audience(public_url),
            "token-mint-endpoint": urls.mint_token(public_url),
            "features": _FEATURES,
            "default-features": _FEATURES,
        }
        return _json(told)

    def audience(self, request: Request) -> Response:
        """``GET /_/oidc/audience``."""
        if self._mint is None:
            return problem.not_minted(request, 404, "not-enabled", _NONE)
        return _json({"audience": self._mint.audience})

    async def mint(self, request: Request) -> Response:
        """``POST /_/oidc/mint-token``; what is left of its body is read once the answer is on its way."""
        body = Body(request, most=_LARGEST_BODY)
        try:
            response = await self._minted(request, body)
        except Exception:
            # As everywhere, but in the form that these clients read.
            log.exception("request_failed", request=request.id.decode(), path=request.path)
            says = "the keep could not deal with this request"
            response = problem.not_minted(request, 503, "unavailable", says, retry_after=30)
        return replace(response, after=body.drain)

    async def _minted(self, request: Request, body: Body) -> Response:
        if self._mint is None:
            return problem.not_minted(request, 404, "not-enabled", _NONE)
        came = b""
        try:
            came = b"".join([piece async for piece in body.chunks()])
            minted = await self._mint.mint(_read(came))
        except BodyTooLargeError:
            return problem.not_minted(
                request, 413, "invalid-payload", f"more than {_LARGEST_BODY} bytes are not taken"
            )
        except BodyBrokenOffError:
            return problem.not_minted(request, 408, "invalid-payload", "the request broke off before its end")
        except IdentityRefused as refused:
            if (wait := self._auth.wrong(request, came)) is not None:
                says = "too many wrong tokens came from this address"
                return problem.not_minted(request, 429, "too-many-attempts", says, retry_after=wait)
            return problem.not_minted(request, 422, refused.code, refused.reason)
        except Unanswered as away:
            says = f"the issuer cannot be asked for its keys: {away.reason}"
            wait = away.retry_after or 5.0
            return problem.not_minted(request, 503, "issuer-unreachable", says, retry_after=wait)
        return _granted(minted)

    def _serves(self, mint: Mint, public_url: str, path: str | None) -> bool:
        """Whether a path is where uploads go to a source that has publishers."""
        before = urlsplit(public_url).path
        if path is None or not path.startswith(f"{before}/"):
            return False
        name, _, rest = path[len(before) + 1 :].partition("/")
        index = next((one for one in self._keep.indexes.values() if one.name == name), None)
        source = index.settings.publish if index is not None else None
        return source is not None and rest in ("", "legacy", "legacy/") and mint.serves(source)


def _discovered(query: bytes) -> str | None:
    """The path in ``discover``; some send the whole upload address, of which its path counts."""
    for part in query.split(b"&"):
        if part.startswith(b"discover="):
            asked = unquote_plus(part[9:].decode("latin-1"))
            try:
                return asked if asked.startswith("/") else urlsplit(asked).path
            except ValueError:
                return None
    return None


def _read(body: bytes) -> str:
    """The identity token in a body. Raises IdentityRefused."""
    try:
        asked = msgspec.json.decode(body, type=_Asked)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        says = 'the body must be JSON with the identity token in it: {"token": "…"}'
        raise IdentityRefused("invalid-payload", says) from None
    if any(feature not in _FEATURES for feature in asked.features or ()):
        raise IdentityRefused("invalid-payload", f"of features, only {', '.join(_FEATURES)} is there")
    return asked.token


def _granted(minted: Minted) -> Response:
    # Rounded up: a token must not be said to end before its least time is over.
    return _json({"success": True, "token": minted.text, "expires": math.ceil(minted.expires.timestamp())})


def _json(told: Mapping[str, object]) -> Response:
    kind = (b"content-type", MEDIA_TYPE.encode())
    return Response(200, (kind, (b"cache-control", b"no-store"), *SAFE), msgspec.json.encode(told))
