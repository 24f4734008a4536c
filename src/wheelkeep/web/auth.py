"""Who asks: the token out of a request's credentials, and whether it may do what its sender wants.

Credentials are HTTP Basic (RFC 7617) with the user ``__token__`` and the token as password, or Bearer (RFC 6750).
What is answered to those who may not is worded in ``problem``; a token's text goes nowhere from here.
"""

import asyncio
import base64
import binascii
import hashlib
import time
from datetime import UTC, datetime

from msgspec import Struct

from wheelkeep.core.access import Caller, Want, allows, needed
from wheelkeep.logs import get_logger
from wheelkeep.store.tokens import USED_EVERY, Token, Tokens
from wheelkeep.web import problem
from wheelkeep.web.attempts import Attempts
from wheelkeep.web.respond import Request, Response

log = get_logger(__name__)

USER = "__token__"
_KEPT_FOR = 0.2
"""Seconds for which a token that was found good is not looked up again: so long may another process's revoking take."""
_MOST_KEPT = 1024


class _Kept(Struct, frozen=True):
    token: Token
    until: float


class Auth:
    """One worker's doorkeeper.

    Wrong tokens are counted per client address, each once; after twenty within a minute further ones are answered by
    429 for the rest of it. Right ones are let in all the same: behind a proxy or a shared address everybody has the
    same one, and a guess at 192 random bits is hopeless at any speed. The limit spares the database and the log.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._kept: dict[bytes, _Kept] = {}
        self._noted: dict[str, float] = {}
        self._attempts = Attempts()
        self._writing: set[asyncio.Task[None]] = set()

    async def check(self, request: Request, want: Want) -> Caller | Response:
        """The caller, if it may do what it wants; else the refusal to send.

        401: no credentials, or none that are in force; 403: good ones without the scope; 429: too many wrong ones.
        """
        known = await self._known(request)
        if isinstance(known, Response):
            return known
        caller = Caller(known.name, known.scopes)
        return caller if allows(caller.scopes, want) else problem.forbidden(request, needed(want))

    async def caller(self, request: Request) -> Caller | None:
        """The caller at an address that answers everybody; None for those without credentials that are in force."""
        if request.header(b"authorization") is None:
            return None
        known = await self._known(request)
        return None if isinstance(known, Response) else Caller(known.name, known.scopes)

    async def close(self) -> None:
        """Waits until what is to be noted is written."""
        if self._writing:
            await asyncio.wait(self._writing)

    async def _known(self, request: Request) -> Token | Response:
        given = request.header(b"authorization")
        if given is None:
            return problem.unauthorized(
                request, f"this needs a token: give it as the password of the user {USER}"
            )
        text = _token_of(given)
        token = await self._find(text) if text is not None else None
        if token is None:
            return self._wrong(request, text)
        now = datetime.now(UTC)
        # Whoever has the whole text may know what became of it, and need not guess any more: that is not counted.
        if token.revoked is not None:
            return problem.unauthorized(request, f"this token was revoked on {token.revoked:%Y-%m-%d}")
        if token.expires is not None and token.expires <= now:
            return problem.unauthorized(request, f"this token expired on {token.expires:%Y-%m-%d}")
        self._note_use(token, now)
        return token

    async def _find(self, text: str) -> Token | None:
        now = time.monotonic()
        key = hashlib.sha256(text.encode()).digest()
        if (kept := self._kept.get(key)) is not None and now < kept.until:
            return kept.token
        token = await self._tokens.find(text)
        self._kept.pop(key, None)
        if token is not None and token.revoked is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            # From before the look, so that no revocation in between is missed for longer.
            self._kept[key] = _Kept(token, now + _KEPT_FOR)
        return token

    def wrong(self, request: Request, guess: bytes) -> float | None:
        """Counts a wrong credential; the seconds until the sender's address may try again, None while they are few."""
        client = request.scope.get("client")
        return self._attempts.wrong(str(client[0]) if client else "", guess, time.monotonic())

    def _wrong(self, request: Request, text: str | None) -> Response:
        if not text:
            # There is nothing in them that could be a guess.
            return problem.unauthorized(
                request, f"these credentials are no token: the user must be {USER}, the password the token"
            )
        if (wait := self.wrong(request, text.encode())) is not None:
            return problem.too_many(request, "too many wrong tokens came from this address", retry_after=wait)
        return problem.unauthorized(request, "this token is not known here")

    def _note_use(self, token: Token, now: datetime) -> None:
        """Has it noted that the token was used, once a minute; nobody waits for that."""
        moment = time.monotonic()
        if moment - self._noted.get(token.id, -USED_EVERY) < USED_EVERY:
            return
        if len(self._noted) >= _MOST_KEPT:
            self._noted.clear()
        self._noted[token.id] = moment
        task = asyncio.get_running_loop().create_task(self._write_use(token, now))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write_use(self, token: Token, now: datetime) -> None:
        try:
            await self._tokens.used(token, now)
        except Exception as error:
            # A disk that is full or cannot be written stops writes, not reads.
            log.warning("token_use_not_noted", token=token.name, why=type(error).__name__)


def _token_of(given: str) -> str | None:
    """The token in an ``Authorization`` header; None where there is none to be had."""
    scheme, _, rest = given.partition(" ")
    rest = rest.strip(" ")
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return password if colon and user == USER else None
