"""What is read of a token before it is believed: little, and nothing that is not as it must be."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.issuer import raw
from wheelkeep.core.errors import IdentityRefused
from wheelkeep.core.identity import LONGEST, read_unproven

HEADER = {"alg": "RS256", "kid": "one", "typ": "JWT"}
CLAIMS = {"iss": "https://issuer.example"}


def test_what_it_says_of_itself() -> None:
    text = raw(HEADER, CLAIMS)
    read = read_unproven(text)
    assert (read.issuer, read.algorithm, read.key_id) == ("https://issuer.example", "RS256", "one")
    assert text.startswith(read.signed + ".")
    assert read_unproven(raw({"alg": "EdDSA", "kid": "one"}, CLAIMS)).algorithm == "EdDSA"


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"alg": "none"}, "signed by one of"),
        ({"alg": "None"}, "signed by one of"),
        ({"alg": "HS256"}, "signed by one of"),
        ({"alg": "rs256"}, "signed by one of"),
        ({"alg": None}, "signed by one of"),
        ({"alg": ["RS256"]}, "signed by one of"),
        ({"typ": "at+jwt"}, "type JWT"),
        ({"typ": 1}, "type JWT"),
        ({"typ": ["JWT"]}, "type JWT"),
        ({"crit": ["b64"], "b64": False}, "critical"),
        ({"kid": None}, "kid"),
        ({"kid": ""}, "kid"),
        ({"kid": 1}, "kid"),
        ({"kid": "x" * 513}, "kid"),
    ],
)
def test_headers_that_are_refused(header: dict[str, Any], says: str) -> None:
    with pytest.raises(IdentityRefused, match=says) as refused:
        read_unproven(raw(HEADER | header, CLAIMS))
    assert refused.value.code == "invalid-payload"


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", raw(HEADER, CLAIMS) + "=", raw(HEADER, CLAIMS) + "\n",
     raw([], CLAIMS), raw(HEADER, []), raw(HEADER, None), raw(HEADER, {}), raw(HEADER, {"iss": 1}),
     raw(HEADER, CLAIMS, b""), raw(HEADER, CLAIMS | {"x": "x" * LONGEST}), "é.é.é",
     raw(HEADER, CLAIMS).replace(".", "..", 1), raw(HEADER, {"iss": "\ud800"}), raw(HEADER, {"iss": float("nan")})],
)  # fmt: skip
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(IdentityRefused):
        read_unproven(text)


def test_depth_is_no_way_in() -> None:
    deep: Any = json.loads("[" * 500 + "]" * 500)
    with pytest.raises(IdentityRefused):
        read_unproven(raw(HEADER, {"iss": deep}))


@given(st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]{1,80}\.[A-Za-z0-9_-]{1,80}\.[A-Za-z0-9_-]{1,9}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(IdentityRefused):
        read_unproven(text)
