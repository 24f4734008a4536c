"""Minting: a proven identity of a configured publisher is exchanged, once, for a token that is good for a while."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from wheelkeep.core import token_text
from wheelkeep.core.access import Scope
from wheelkeep.core.errors import IdentityRefused
from wheelkeep.core.identity import Unproven, read_unproven
from wheelkeep.core.names import SourceName
from wheelkeep.core.publishers import MINTED, Publisher
from wheelkeep.logs import get_logger
from wheelkeep.sources.issuer import LEEWAY, Issuer
from wheelkeep.store.ledger import Entry
from wheelkeep.store.minted import MintedTokens

log = get_logger(__name__)

LIFETIME = timedelta(minutes=15)
"""The least that PEP 807 allows."""
_LONGEST_SHOWN = 200


class Minted(Struct, frozen=True):
    """A token, and when it expires; its text is told this once."""

    text: str
    expires: datetime


class Mint:
    """Takes identities of the publishers of all hosted sources. ``audience``: whom an identity must be made for."""

    def __init__(
        self,
        publishers: Sequence[Publisher],
        *,
        audience: str,
        issuers: Mapping[str, Issuer],
        minted: MintedTokens,
    ) -> None:
        self.audience = audience
        self._publishers = publishers
        self._issuers = issuers
        self._minted = minted

    def serves(self, source: SourceName) -> bool:
        """Whether anybody may publish to the source this way."""
        return any(publisher.source == source for publisher in self._publishers)

    async def close(self) -> None:
        for issuer in self._issuers.values():
            await issuer.close()

    async def mint(self, text: str) -> Minted:
        """A token for the identity token ``text``. Raises IdentityRefused, and Unanswered where its issuer is away."""
        unproven = read_unproven(text)
        issuer = self._issuers.get(unproven.issuer)
        if issuer is None:
            raise IdentityRefused(
                "invalid-payload",
                f"no publisher of this keep is of the issuer {unproven.issuer[:_LONGEST_SHOWN]}",
            )
        claims = await issuer.proven(unproven, self.audience)
        now = datetime.now(UTC)
        fitting = self._fitting(issuer.url, claims, now)
        token = token_text.write(os.urandom(token_text.RANDOM_BYTES))
        scopes = tuple(dict.fromkeys(scope for publisher in fitting for scope in publisher.scopes))
        expires = now + LIFETIME
        name = MINTED + fitting[0].name
        added = await self._minted.add(
            token,
            name=name,
            scopes=scopes,
            created=now,
            expires=expires,
            identity=_spent(unproven, claims),
            until=_end(claims),
            entry=_entry(token, name, scopes, fitting, claims, now, expires),
        )
        if not added:
            raise IdentityRefused("invalid-reuse-token", "this token was used already: each is taken once")
        log.info("token_minted", token=name, issuer=issuer.url, scopes=[str(scope) for scope in scopes])
        return Minted(token, expires)

    def _fitting(self, issuer: str, claims: dict[str, Any], now: datetime) -> list[Publisher]:
        """The publishers whose claims the identity meets, in written order. Raises IdentityRefused for none."""
        known = [publisher for publisher in self._publishers if publisher.issuer == issuer]
        fitting = [one for one in known if not one.differs(claims) and not one.is_over(now.date())]
        if fitting:
            return fitting
        for one in known:
            why = list(one.differs(claims)) or [f"it held until {one.until}"]
            log.warning("identity_fits_no_publisher", publisher=one.name, source=one.source, differs=why)
        # What the publishers want is told to the operator alone: an issuer's tokens may be anybody's.
        shown = {
            name: claims[name] for one in known for claim in one.claims if (name := claim.name) in claims
        }
        says = ", ".join(f"{name} = {str(value)[:_LONGEST_SHOWN]!r}" for name, value in sorted(shown.items()))
        raise IdentityRefused(
            "invalid-publisher",
            f"the token is good, but no publisher of this keep is what it says: {says or 'nothing that is asked'}",
        )


def _spent(unproven: Unproven, claims: dict[str, Any]) -> bytes:
    """What an identity is known by: the issuer's own number for it, else all that was signed.

    Never the whole text: some kinds of signature can be written in more than one way.
    """
    number = claims.get("jti")
    told = f"jti\0{unproven.issuer}\0{number}" if isinstance(number, str) and number else unproven.signed
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()


def _end(claims: dict[str, Any]) -> datetime:
    seconds = min(int(claims["exp"]) + LEEWAY, 253_000_000_000)
    return datetime.fromtimestamp(seconds, UTC)


def _entry(
    token: str,
    name: str,
    scopes: tuple[Scope, ...],
    fitting: Sequence[Publisher],
    claims: dict[str, Any],
    now: datetime,
    expires: datetime,
) -> Entry:
    """The ledger's line: who was let in, and the claims that decided."""
    read = token_text.read(token)
    assert read is not None
    decided = {claim.name: claims[claim.name] for publisher in fitting for claim in publisher.claims}
    detail = {
        "by": name,
        "token": read[0],
        "issuer": fitting[0].issuer,
        "claims": decided,
        "scopes": [str(scope) for scope in scopes],
        "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
    }
    return Entry(kind="token minted", at=now, source=fitting[0].source, detail=detail)
