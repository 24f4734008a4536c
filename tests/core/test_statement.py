"""What is stated of a build is signed as it is: nothing of it can be another's, or changed."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.builds import KEY, built, material
from wheelkeep.core.notes import PLAIN, PrivateKey
from wheelkeep.core.statement import PAYLOAD, Envelope, Signed, builder_of, sign, verify, write_statement

MADE = built()
STATEMENT = write_statement(MADE, KEY.public)
ENVELOPE = sign(STATEMENT, KEY)


def test_a_statement_names_the_wheel_and_all_that_it_was_made_of() -> None:
    told = verify(ENVELOPE, KEY.public)
    assert told == json.loads(STATEMENT)
    assert told["subject"] == [{"name": MADE.filename, "digest": {"sha256": MADE.sha256}}]
    predicate = told["predicate"]
    made_of = predicate["buildDefinition"]["resolvedDependencies"]
    assert [one["digest"]["sha256"] for one in made_of] == [MADE.sdist.sha256, MADE.requirements[0].sha256]
    assert made_of[0]["uri"] == "pkg:pypi/demo@1.0?file_name=demo-1.0.tar.gz"
    assert predicate["runDetails"]["builder"]["id"] == builder_of(KEY.public)
    assert predicate["wheelkeep_reproducible"] == "untold"


def test_the_same_build_is_the_same_bytes() -> None:
    assert write_statement(built(), KEY.public) == STATEMENT
    assert write_statement(built(requirements=(material(),)), KEY.public) != STATEMENT


@given(st.integers(0, len(STATEMENT) - 1), st.integers(1, 127))
def test_no_byte_of_it_can_be_changed(at: int, change: int) -> None:
    other = bytearray(STATEMENT)
    other[at] = (other[at] ^ change) & 0x7F
    forged = replace(ENVELOPE, payload=base64.b64encode(other).decode())
    with pytest.raises(ValueError, match=r"does not fit|UTF-8"):
        verify(forged, KEY.public)


@pytest.mark.parametrize(
    ("envelope", "says"),
    [
        (replace(ENVELOPE, payloadType="application/json"), "no statement of in-toto"),
        (replace(ENVELOPE, signatures=()), "did not sign it"),
        (replace(ENVELOPE, signatures=(Signed(keyid="other+00000000", sig="AA=="),)), "did not sign it"),
        (replace(ENVELOPE, payload="?"), "base64"),
        (replace(ENVELOPE, payload=base64.b64encode(b"\xff").decode()), "UTF-8"),
        (sign(b"[]", KEY), "not JSON"),
        (sign(b"{}", KEY), "no statement about how"),
    ],
)
def test_what_is_no_statement_is_refused(envelope: Envelope, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        verify(envelope, KEY.public)


def test_another_key_of_the_same_name_signs_nothing_for_it() -> None:
    other = PrivateKey(KEY.public.name, PLAIN, bytes(32))
    with pytest.raises(ValueError, match="did not sign it"):
        verify(sign(STATEMENT, other), KEY.public)


def test_the_signature_is_what_others_compute_by_the_format_alone() -> None:
    """Held against DSSE's text with the library, as a verifier of somebody else's would."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    payload = base64.b64decode(ENVELOPE.payload)
    signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
    key = Ed25519PublicKey.from_public_bytes(KEY.public.raw)
    key.verify(base64.b64decode(ENVELOPE.signatures[0].sig), signed)
