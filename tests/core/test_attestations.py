"""Attestations are kept for the very file that they speak of, and for no other."""

import base64
import json
from typing import Any

import pytest

from wheelkeep.core.attestations import read_attestations

WHEEL, SHA = "demo-1.0-py3-none-any.whl", "ab" * 32


def attestation(name: str = WHEEL, sha256: str = SHA, **more: Any) -> dict[str, Any]:
    subject = [{"name": name, "digest": {"sha256": sha256}}]
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicate": None}
    envelope = {"statement": encoded(json.dumps(statement)), "signature": encoded("signed")}
    return {"version": 1, "verification_material": {"certificate": "AA=="}, "envelope": envelope} | more


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def read(told: Any) -> tuple[bytes | None, list[str]]:
    return read_attestations(told if isinstance(told, str) else json.dumps(told), WHEEL, SHA)


def test_what_is_given_is_kept() -> None:
    given = [attestation(), attestation(more={"any": "thing"})]
    body, problems = read(given)
    assert problems == [] and body is not None
    document = json.loads(body)
    assert document["version"] == 1
    (bundle,) = document["attestation_bundles"]
    assert bundle["attestations"] == given
    assert bundle["publisher"]["kind"] == "unverified"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("", "no JSON list"),
        ("{}", "no JSON list"),
        ("[1]", "no JSON list"),
        ("[" * 100_000, "no JSON list"),
        ([], "must be 1 to 16"),
        ([attestation()] * 17, "must be 1 to 16"),
        ([attestation(version=2)], "attestation 1 is not of version 1"),
        ([attestation(envelope=None)], "with an envelope"),
        ([attestation(verification_material=None)], "has no verification material"),
        ([attestation(envelope={"statement": "!", "signature": "AA=="})], "cannot be read"),
        ([attestation(envelope={"statement": encoded("{}"), "signature": "AA=="})], "cannot be read"),
        ([attestation(envelope={"statement": encoded("[]"), "signature": "AA=="})], "cannot be read"),
        ([attestation(envelope={"statement": 1, "signature": "AA=="})], "cannot be read"),
        ([attestation(), attestation("demo-2.0-py3-none-any.whl")], "attestation 2 speaks of another file"),
        ([attestation(sha256="cd" * 32)], "or of other bytes"),
    ],
)
def test_what_is_not_kept(told: Any, says: str) -> None:
    body, problems = read(told)
    assert body is None
    assert says in problems[0]


def test_a_statement_has_one_subject() -> None:
    statement = {"subject": [{"name": WHEEL, "digest": {"sha256": SHA}}] * 2}
    envelope = {"statement": encoded(json.dumps(statement)), "signature": "AA=="}
    assert "not exactly one subject" in read([attestation(envelope=envelope)])[1][0]
