"""Minting: which publishers an identity is, what its token may do, and that it is taken once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from fakes import issuer as fake
from fakes.issuer import private
from fakes.stores import Store
from wheelkeep.core.errors import IdentityRefused
from wheelkeep.core.names import SourceName
from wheelkeep.core.publishers import Claim, Pattern, Publisher
from wheelkeep.index.mint import Mint
from wheelkeep.sources.issuer import Issuer
from wheelkeep.store.minted import MintedTokens
from wheelkeep.store.tokens import Token, Tokens

AUDIENCE = "packages.acme.example"
ACME, OTHER = SourceName("acme"), SourceName("other")


@dataclass
class World:
    issuer: fake.Issuer
    store: Store
    mint: Mint

    async def minted(self, claims: dict[str, Any], **more: Any) -> Token:
        made = await self.mint.mint(self.issuer.sign(claims, audience=AUDIENCE, **more))
        found = await Tokens(self.store.database).find(made.text)
        assert found is not None and found.expires == made.expires
        return found

    async def refused(self, text: str) -> IdentityRefused:
        with pytest.raises(IdentityRefused) as refusal:
            await self.mint.mint(text)
        return refusal.value


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    with fake.Issuer() as issuer:
        lib, any_lib = Claim("repository", ("acme/lib",)), Claim("repository", (Pattern("acme/*"),))
        release = Claim("environment", ("release",))
        made = [
            (ACME, "acme/lib", (lib, release), ("acme-lib", "acme-x-*"), None),
            (OTHER, "acme/*", (any_lib,), ("other-*",), None),
            (ACME, "late", (lib, release), ("late-*",), date(2020, 1, 1)),
        ]
        publishers = [
            Publisher(source=source, name=name, issuer=issuer.url, claims=claims, projects=globs, until=until)
            for source, name, claims, globs, until in made
        ]
        async with Store(folder / "data") as store:
            mint = Mint(
                publishers,
                audience=AUDIENCE,
                issuers={issuer.url: Issuer(issuer.url)},
                minted=MintedTokens(store.database, store.ledger),
            )
            yield World(issuer, store, mint)
            await mint.close()


async def test_the_token_may_do_what_its_publishers_may(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        before = datetime.now(UTC)
        token = await here.minted({"repository": "acme/other", "environment": "release"})
        assert (token.name, [str(scope) for scope in token.scopes]) == (
            "trusted:acme/*",
            ["publish:other:other-*"],
        )
        assert token.minted and token.expires is not None
        assert timedelta(minutes=15) <= token.expires - before <= timedelta(minutes=16)
        # Two that fit: the first in the file lends its name. The third held until a day that is over.
        token = await here.minted({"repository": "acme/lib", "environment": "release"})
        assert token.name == "trusted:acme/lib"
        assert [str(scope) for scope in token.scopes] == [
            "publish:acme:acme-lib",
            "publish:acme:acme-x-*",
            "publish:other:other-*",
        ]
        assert (here.mint.serves(ACME), here.mint.serves(SourceName("none"))) == (True, False)


async def test_the_ledger_has_the_claims_that_decided(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        claims = {"repository": "acme/lib", "environment": "release", "actor": "ann"}
        token = await here.minted(claims)
        (entry,) = await here.store.ledger.last("token minted")
        assert (entry.source, entry.project) == ("acme", None)
        assert token.expires is not None
        assert entry.detail == {
            "by": "trusted:acme/lib",
            "token": token.id,
            "issuer": here.issuer.url,
            "claims": {"repository": "acme/lib", "environment": "release"},
            "scopes": [str(scope) for scope in token.scopes],
            "expires": f"{token.expires:%Y-%m-%dT%H:%M:%SZ}",
        }


@pytest.mark.parametrize(
    "claims",
    [{}, {"repository": "Acme/lib", "environment": "release"}, {"repository": "acme/lib/x"},
     {"repository": ["acme/lib"]}, {"repository": "evil/acme/lib"}, {"repository": "acmee/lib"},
     {"environment": "release"}],
)  # fmt: skip
async def test_a_good_token_of_nobody_here(tmp_path: Path, claims: dict[str, Any]) -> None:
    async with world(tmp_path) as here:
        refusal = await here.refused(here.issuer.sign(claims, audience=AUDIENCE))
        assert refusal.code == "invalid-publisher"
        # It tells what the token says, and nothing of what would do.
        assert all(str(value) in refusal.reason for value in claims.values())
        assert (
            "acme/*" not in refusal.reason and "release" in claims.values()
        ) or "release" not in refusal.reason
        assert await here.store.ledger.last("token minted") == []


async def test_an_identity_is_taken_once_however_it_is_written(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        text = here.issuer.sign({"repository": "acme/lib"}, audience=AUDIENCE)
        outcomes = await asyncio.gather(*(here.mint.mint(text) for _ in range(4)), return_exceptions=True)
        refusals = [one for one in outcomes if isinstance(one, IdentityRefused)]
        assert [refusal.code for refusal in refusals] == ["invalid-reuse-token"] * 3
        # The issuer's own number is what counts, where it has one ...
        numbered = {"repository": "acme/lib", "jti": "7"}
        await here.minted(numbered)
        again = here.issuer.sign(
            numbered | {"exp": here.issuer.payload({}, "")["exp"] + 9}, audience=AUDIENCE
        )
        assert (await here.refused(again)).code == "invalid-reuse-token"
        # ... and else what was signed: the same claims signed anew by ECDSA are another text, and no other identity.
        payload = here.issuer.payload({"repository": "acme/lib", "jti": None}, AUDIENCE)
        first, second = (
            jwt.encode(payload, private("ec", 0), "ES256", headers={"kid": "ec-0"}) for _ in range(2)
        )
        assert first != second
        await here.mint.mint(first)
        assert (await here.refused(second)).code == "invalid-reuse-token"


async def test_only_configured_issuers_are_asked(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        text = here.issuer.sign({"iss": here.issuer.url + "/", "repository": "acme/lib"}, audience=AUDIENCE)
        assert (await here.refused(text)).code == "invalid-payload"
        assert here.issuer.asked.total() == 0
