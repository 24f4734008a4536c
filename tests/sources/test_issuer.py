"""Whether a token is truly its issuer's: real signatures, and all that may be wrong with tokens, keys and answers."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import jwt
import pytest
import pytest_asyncio

from fakes import issuer as fake
from fakes.issuer import private, public, raw
from wheelkeep.core.errors import IdentityRefused, Unanswered
from wheelkeep.core.identity import read_unproven
from wheelkeep.sources.issuer import Issuer

AUDIENCE = "packages.acme.example"
CLAIMS = {"repository": "acme/lib"}
KEYS = "/keys"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def world() -> Iterator[fake.Issuer]:
    with fake.Issuer() as issuer:
        yield issuer


@pytest_asyncio.fixture
async def issuer(world: fake.Issuer) -> AsyncIterator[Issuer]:
    made = Issuer(world.url)
    yield made
    await made.close()


async def proven(issuer: Issuer, text: str) -> dict[str, Any]:
    return await issuer.proven(read_unproven(text), AUDIENCE)


async def refused(issuer: Issuer, text: str) -> str:
    with pytest.raises(IdentityRefused) as refusal:
        await proven(issuer, text)
    assert refusal.value.code in ("invalid-token", "invalid-payload")
    return refusal.value.reason


async def unanswered(issuer: Issuer, text: str) -> str:
    with pytest.raises(Unanswered) as outage:
        await proven(issuer, text)
    return outage.value.reason


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256", "EdDSA"])
async def test_a_good_token_is_believed(world: fake.Issuer, issuer: Issuer, algorithm: str) -> None:
    for _ in range(2):
        claims = await proven(issuer, world.sign(CLAIMS, audience=AUDIENCE, algorithm=algorithm))
        assert claims["repository"] == "acme/lib"
    assert world.asked == {DISCOVERY: 1, KEYS: 1}


async def test_what_is_signed_but_not_right(world: fake.Issuer, issuer: Issuer) -> None:
    now = int(time.time())
    wrong: list[tuple[dict[str, Any], Any, str]] = [
        ({"exp": now - 60}, AUDIENCE, "expired"),
        ({"nbf": now + 120}, AUDIENCE, "time to come"),
        ({"iat": now + 120}, AUDIENCE, "time to come"),
        ({"exp": None}, AUDIENCE, "no exp"),
        ({"iat": None}, AUDIENCE, "no iat"),
        ({"exp": "soon"}, AUDIENCE, "cannot be read"),
        ({"exp": [1]}, AUDIENCE, "cannot be read"),
        ({"nbf": {}}, AUDIENCE, "cannot be read"),
        ({"sub": 5}, AUDIENCE, "cannot be read"),
        ({"jti": 5}, AUDIENCE, "cannot be read"),
        ({}, "pypi", "not made for the audience"),
        ({}, AUDIENCE.upper(), "not made for the audience"),
        ({}, AUDIENCE + ".evil.example", "not made for the audience"),
        ({}, [AUDIENCE, "pypi"], "not made for the audience"),
        ({}, [AUDIENCE, AUDIENCE], "not made for the audience"),
        ({}, [AUDIENCE, 5], "not made for the audience"),
        ({}, {AUDIENCE: 1}, "not made for the audience"),
        ({"aud": None}, AUDIENCE, "no aud"),
        ({"iss": world.url + "/"}, AUDIENCE, "another issuer"),
        ({"iss": "https://other.example"}, AUDIENCE, "another issuer"),
    ]
    for claims, audience, says in wrong:
        assert says in await refused(issuer, world.sign(CLAIMS | claims, audience=audience)), claims
    # Some issuers always write a list; one for us alone is as good.
    assert await proven(issuer, world.sign(CLAIMS, audience=[AUDIENCE]))
    # Clocks may be apart by a little.
    assert await proven(issuer, world.sign({"exp": now - 10, "iat": now + 10}, audience=AUDIENCE))


async def test_what_is_not_signed_by_the_issuer(world: fake.Issuer, issuer: Issuer) -> None:
    good = world.sign(CLAIMS, audience=AUDIENCE)
    head, claims, signature = good.split(".")
    payload = world.payload(CLAIMS, AUDIENCE)
    header = {"alg": "RS256", "typ": "JWT", "kid": "rsa-0"}
    other = jwt.encode(payload, private("rsa", 7), "RS256", headers={"kid": "rsa-0"})
    changed = raw(header, payload | {"repository": "acme/other"}).split(".")[1]
    for text in (
        other,
        f"{head}.{changed}.{signature}",
        raw(header, payload),
        f"{head}.{claims}.{signature[:-6]}",
    ):
        assert "signature is not right" in await refused(issuer, text)
    for algorithm in ("PS256", "RS512"):  # the same key, another kind of signature
        assert "signature" in await refused(issuer, raw(header | {"alg": algorithm}, payload, b"x" * 256))
    # A key for one kind is no key for another, whatever the header says.
    for kid in ("ec-0", "okp-0"):
        text = jwt.encode(payload, private("rsa"), "RS256", headers={"kid": kid})
        assert "does not have for that" in await refused(issuer, text)
    for algorithm in ("none", "HS256"):
        with pytest.raises(IdentityRefused, match="signed by one of"):
            await proven(issuer, raw(header | {"alg": algorithm}, payload))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_one_letter_off_is_refused_wherever_it_is(
    world: fake.Issuer, issuer: Issuer, algorithm: str
) -> None:
    good = world.sign(CLAIMS, audience=AUDIENCE, algorithm=algorithm)
    for at in (*range(0, len(good), 7), len(good) - 1):
        for letter in {"A", "B", "_", ".", "="} - {good[at]}:
            with pytest.raises((IdentityRefused, Unanswered)):
                await proven(issuer, good[:at] + letter + good[at + 1 :])


async def test_addresses_and_keys_in_a_header_are_nothing_to_go_by(
    world: fake.Issuer, issuer: Issuer
) -> None:
    lure = {"jku": f"{world.url}/evil", "jwk": public("rsa", 9), "x5u": f"{world.url}/evil"}
    headers = {"kid": "rsa-9"} | lure
    text = jwt.encode(world.payload(CLAIMS, AUDIENCE), private("rsa", 9), "RS256", headers=headers)
    assert "does not have" in await refused(issuer, text)
    assert world.asked["/evil"] == 0


async def test_a_new_key_is_asked_for_and_not_too_often(
    world: fake.Issuer, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await proven(issuer, world.sign(CLAIMS, audience=AUDIENCE))
    world.has_keys(public("ec", 1))
    new = world.sign(CLAIMS, audience=AUDIENCE, algorithm="ES256", number=1)
    for _ in range(5):
        assert "does not have" in await refused(issuer, new)
    assert world.asked[KEYS] == 1
    monkeypatch.setattr("wheelkeep.sources.issuer._AGAIN", 0.0)
    assert await proven(issuer, new)
    assert world.asked[KEYS] == 2
    # What the issuer withdrew is good no more.
    assert "does not have" in await refused(issuer, world.sign(CLAIMS, audience=AUDIENCE))


async def test_keys_are_not_believed_for_ever(
    world: fake.Issuer, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = world.sign(CLAIMS, audience=AUDIENCE)
    assert await proven(issuer, text)
    world.say(KEYS, b"", 500)
    assert await proven(issuer, text)
    monkeypatch.setattr("wheelkeep.sources.issuer._FRESH", 0.0)
    monkeypatch.setattr("wheelkeep.sources.issuer._AGAIN", 0.0)
    assert "HTTP 500" in await unanswered(issuer, text)


async def test_junk_among_the_keys_is_passed_over(world: fake.Issuer, issuer: Issuer) -> None:
    own = {"kid": "rsa-0"}
    world.has_keys(
        None, 5, [], {}, {"kid": 5}, public("small", kid="x"), own | {"kty": "oct", "k": "c2VjcmV0"},
        own | {"kty": "RSA"}, own | {"kty": "RSA", "n": "!!", "e": 3},
        own | {"kty": "RSA", "n": "A" * 9000, "e": "AQAB"},
        public("small", kid="rsa-0"), public("rsa", use="enc"), public("rsa", alg="PS512"),
        public("rsa", key_ops=["sign"]), public("rsa", key_ops=5), public("rsa", e="_" * 40),
        public("ec", kid="rsa-0"), public("rsa", 3, kid="rsa-0"), public("rsa", alg="RS256", key_ops=["verify"]),
    )  # fmt: skip
    assert await proven(issuer, world.sign(CLAIMS, audience=AUDIENCE))
    small = raw({"alg": "RS256", "kid": "x"}, world.payload(CLAIMS, AUDIENCE))
    assert "does not have" in await refused(issuer, small)


@pytest.mark.parametrize(
    ("path", "told", "status", "headers", "says"),
    [
        (DISCOVERY, {"issuer": "https://other.example", "jwks_uri": "https://other.example"}, 200, {}, "another name"),
        (DISCOVERY, {"jwks_uri": "x"}, 200, {}, "another name"),
        (DISCOVERY, [], 200, {}, "not a JSON object"),
        (DISCOVERY, b"{", 200, {}, "not a JSON object"),
        (DISCOVERY, b"[" * 100_000, 200, {}, "not a JSON object"),
        (DISCOVERY, {}, 404, {}, "HTTP 404"),
        (DISCOVERY, {}, 302, {"Location": "/keys"}, "redirects"),
        (KEYS, {}, 307, {"Location": "/more"}, "redirects"),
        (KEYS, {}, 200, {}, "cannot be read"),
        (KEYS, {"keys": {}}, 200, {}, "cannot be read"),
        (KEYS, {"keys": [{"kid": str(at)} for at in range(101)]}, 200, {}, "cannot be read"),
        (KEYS, b" " * 300_000, 200, {}, "larger than"),
        (KEYS, b"", 429, {}, "HTTP 429"),
    ],
)  # fmt: skip
async def test_an_issuer_that_cannot_be_understood_is_away(
    world: fake.Issuer, issuer: Issuer, path: str, told: Any, status: int, headers: dict[str, str], says: str
) -> None:
    world.say(path, told, status, **headers)
    text = world.sign(CLAIMS, audience=AUDIENCE)
    assert says in await unanswered(issuer, text)
    asked = world.asked.total()
    assert says in await unanswered(issuer, text)
    assert world.asked.total() == asked, "an issuer in trouble is left in peace for a moment"


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:1/keys", "https://127.0.0.1/keys", "http://issuer.example/keys", "file:///etc/passwd",
              "https://169.254.169.254/latest", "", "https://[::1]/keys", "gopher://x"]
)  # fmt: skip
async def test_keys_are_not_fetched_from_inside_the_network(
    world: fake.Issuer, issuer: Issuer, place: str
) -> None:
    world.say(DISCOVERY, {"issuer": world.url, "jwks_uri": place})
    why = await unanswered(issuer, world.sign(CLAIMS, audience=AUDIENCE))
    assert "files =" not in why


async def test_no_keys_where_nobody_listens() -> None:
    issuer = Issuer("http://127.0.0.1:1")
    text = raw({"alg": "RS256", "kid": "k"}, {"iss": "http://127.0.0.1:1"})
    assert "no connection" in await unanswered(issuer, text)
    await issuer.close()
