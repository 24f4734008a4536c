"""Issuers of identity tokens: their keys, asked for over HTTPS, and whether a token is truly one of theirs.

OpenID Connect Discovery 1.0 tells where the keys are, RFC 7517 how they are written. Nothing that a client sends
chooses an address: only the configuration names issuers.
"""

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from wheelkeep.core.errors import IdentityRefused, Unanswered
from wheelkeep.core.identity import ALGORITHMS, Unproven
from wheelkeep.logs import get_logger
from wheelkeep.sources.client import Client
from wheelkeep.sources.limits import Limits
from wheelkeep.sources.reach import without_remedy

log = get_logger(__name__)

LEEWAY = 30
"""Seconds that the issuer's clock and ours may be apart."""
_LARGEST = 256 * 1024
# No redirect: an issuer's documents are where the standard puts them, or not at all.
_LIMITS = Limits(packed=_LARGEST, unpacked=_LARGEST, redirects=0, whole=10.0, tries=2)
_FRESH = 900.0
"""Seconds for which keys are believed: so long may one that was withdrawn still be good."""
_AGAIN = 10.0
"""Seconds between two looks for a key that is not there."""
_AFTER_TROUBLE = 5.0
_MOST_KEYS = 100
_PUBLIC = ("kty", "crv", "x", "y", "n", "e")
_RSA_BYTES = range(256, 1025)
"""Of the modulus: from 2048 bits, below which none is safe, to 8192, above which checking is long work."""


class Issuer:
    """One issuer, by the very URL that its tokens have in ``iss``; used in one event loop, to be closed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = Client(url=url, limits=_LIMITS)
        self._keys: Mapping[str, list[dict[str, Any]]] = {}
        self._asked = self._failed = -_FRESH
        self._trouble = ""
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        await self._client.close()

    async def proven(self, unproven: Unproven, audience: str) -> dict[str, Any]:
        """The claims of a token that this issuer signed, for this audience, to be used now.

        Raises IdentityRefused, and Unanswered where its keys cannot be had.
        """
        for key in await self._candidates(unproven):
            # In a thread: the library is big to load, and checking is work for a processor.
            claims = await asyncio.to_thread(_verified, unproven, key, self.url, audience)
            if claims is not None:
                return claims
        raise IdentityRefused("invalid-token", "the token's signature is not right")

    async def _candidates(self, unproven: Unproven) -> list[dict[str, Any]]:
        """The issuer's keys of the token's key id that may have made such a signature; at least one."""
        if not self._known(unproven.key_id):
            async with self._lock:
                await self._learn(unproven.key_id)
        found = [key for key in self._keys.get(unproven.key_id, ()) if _fits(key, unproven.algorithm)]
        if not found:
            raise IdentityRefused(
                "invalid-token", f"the token is signed with a key that {self.url} does not have for that"
            )
        return found

    def _known(self, key_id: str) -> bool:
        return key_id in self._keys and time.monotonic() - self._asked < _FRESH

    async def _learn(self, key_id: str) -> None:
        """Asks for the keys, unless they are fresh and were asked for a moment ago. Raises Unanswered."""
        now = time.monotonic()
        if self._known(key_id) or now - self._asked < _AGAIN:
            return
        if now - self._failed < _AFTER_TROUBLE:
            raise Unanswered(self._trouble, retry_after=_AFTER_TROUBLE)
        try:
            self._keys = _by_id(await self._document(await self._place()), self.url)
        except Unanswered as error:
            self._failed, self._trouble = time.monotonic(), without_remedy(error.reason)
            log.warning("issuer_unanswered", issuer=self.url, why=self._trouble)
            raise Unanswered(self._trouble, retry_after=error.retry_after) from None
        self._asked = time.monotonic()

    async def _place(self) -> str:
        """Where the keys are."""
        told = await self._document(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self.url:
            raise Unanswered(f"{self.url} calls itself by another name in its openid-configuration")
        place = told.get("jwks_uri")
        if not isinstance(place, str):
            raise Unanswered(f"{self.url} does not tell where its keys are")
        return place

    async def _document(self, url: str) -> dict[str, Any]:
        reply = await self._client.get(url, headers={"Accept": "application/json"}, largest=_LARGEST)
        if reply.status != 200:
            raise Unanswered(f"{url[:200]}: HTTP {reply.status}")
        try:
            return msgspec.json.decode(reply.body, type=dict[str, Any])
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            raise Unanswered(f"{url[:200]}: not a JSON object") from None


def _by_id(told: dict[str, Any], issuer: str) -> dict[str, list[dict[str, Any]]]:
    """The keys of a set (RFC 7517 5) by their ids; what is no key there is passed over, as the standard has it."""
    listed = told.get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise Unanswered(f"the keys of {issuer} cannot be read")
    found: dict[str, list[dict[str, Any]]] = {}
    for key in listed:
        if isinstance(key, dict) and isinstance(key_id := key.get("kid"), str):
            found.setdefault(key_id, []).append(key)
    return found


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    """Whether a key may be used to check a signature of the kind: by its type, its size and what it says of itself."""
    kind, curve = ALGORITHMS[algorithm]
    if key.get("kty") != kind or (curve is not None and key.get("crv") != curve):
        return False
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    if kind != "RSA":
        return True
    modulus, exponent = _number(key.get("n")), _number(key.get("e"))
    return len(modulus) in _RSA_BYTES and 0 < len(exponent) <= 4


def _number(told: object) -> bytes:
    if not isinstance(told, str) or len(told) > 2000:
        return b""
    try:
        return base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)).lstrip(b"\0")
    except (binascii.Error, ValueError):
        return b""


def _verified(unproven: Unproven, key: dict[str, Any], issuer: str, audience: str) -> dict[str, Any] | None:
    """The claims, once all is right; None: this key did not make the signature. Raises IdentityRefused."""
    import jwt  # noqa: PLC0415 - with the cryptography behind it, much to hold for a keep that has no publishers

    algorithm = unproven.algorithm
    try:
        # Of a key that gives its private half away, the public one is still all that is used.
        public = jwt.PyJWK({name: key[name] for name in _PUBLIC if name in key}, algorithm=algorithm)
    except Exception:
        return None
    try:
        claims: dict[str, Any] = jwt.decode(
            unproven.text,
            key=public,
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud"]},
        )
    except jwt.InvalidSignatureError:
        return None
    except jwt.ExpiredSignatureError:
        raise _refused("the token is expired") from None
    except jwt.ImmatureSignatureError:
        raise _refused("the token is of a time to come: the clocks do not agree") from None
    except jwt.InvalidAudienceError:
        raise _refused(f'the token is not made for the audience "{audience}" alone') from None
    except jwt.InvalidIssuerError:
        raise _refused("the token is another issuer's") from None
    except jwt.MissingRequiredClaimError as error:
        raise _refused(f"the token has no {error.claim}") from None
    except Exception as error:
        log.warning("identity_unreadable", issuer=issuer, why=type(error).__name__)
        raise _refused("the token cannot be read") from None
    # A token for several audiences could be used by each of them at the others.
    if claims["aud"] not in (audience, [audience]):
        raise _refused(f'the token is not made for the audience "{audience}" alone')
    return claims


def _refused(says: str) -> IdentityRefused:
    return IdentityRefused("invalid-token", says)
