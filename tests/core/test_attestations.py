"""Attestations are kept for the very file that they speak of, and for no other."""

import base64
import json
from typing import Any

import pytest

from wheelkeep.core.attestations import (
    LARGEST,
    contradiction,
    misfit,
    read_attestations,
    read_provenance,
    write_provenance,
)
from wheelkeep.core.attested import Publisher

WHEEL, SHA = "demo-1.0-py3-none-any.whl", "ab" * 32


KIND = "https://in-toto.io/Statement/v1"


def attestation(name: str = WHEEL, sha256: str = SHA, kind: str = KIND, **more: Any) -> dict[str, Any]:
    subject = [{"name": name, "digest": {"sha256": sha256}}]
    statement = {"_type": kind, "subject": subject, "predicate": None}
    envelope = {"statement": encoded(json.dumps(statement)), "signature": encoded("signed")}
    return {"version": 1, "verification_material": {"certificate": "AA=="}, "envelope": envelope} | more


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def read(told: Any) -> tuple[list[dict[str, Any]], list[str]]:
    return read_attestations(told if isinstance(told, str) else json.dumps(told), WHEEL, SHA)


def test_what_is_given_is_read() -> None:
    given = [attestation(), attestation(more={"any": "thing"})]
    assert read(given) == (given, [])


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
        ([attestation("demo-1.0-py3-none-any.whl.exe")], "speaks of another file"),
        ([attestation(5)], "of another kind"),  # type: ignore[arg-type]
        ([attestation(kind="https://in-toto.io/Statement/v0.1")], "of another kind"),
    ],
)
def test_what_is_not_kept(told: Any, says: str) -> None:
    _, problems = read(told)
    assert len(problems) == 1
    assert says in problems[0]


def test_another_spelling_of_the_name_is_the_same_file() -> None:
    assert misfit(attestation("Demo-1.0.0-py3-none-any.whl"), WHEEL, SHA) is None
    assert misfit(attestation("de.mo-1.0.tar.gz"), "de_mo-1.0.tar.gz", SHA) is None


GITHUB = Publisher(kind="GitHub", name="acme/demo", workflow="release.yml", number="7")
GITLAB = Publisher(kind="GitLab", name="acme/sub/demo", workflow=".gitlab-ci.yml")
GOOGLE = Publisher(kind="Google", name="builder@acme.example")
OWN = Publisher(kind="https://login.acme.example", name="https://ci.acme.example/demo")


def test_a_provenance_document_names_who_signed() -> None:
    given = [attestation(more={"number": number}) for number in range(5)]
    written = write_provenance(list(zip(given, (GITHUB, GITLAB, GITHUB, GOOGLE, None), strict=True)))
    document = json.loads(written)
    assert document["version"] == 1
    assert [bundle["publisher"]["kind"] for bundle in document["attestation_bundles"]] == [
        "GitHub",
        "GitLab",
        "Google",
        "unverified",
    ]
    assert document["attestation_bundles"][0]["attestations"] == [given[0], given[2]]
    read_back = read_provenance(written)
    assert [told for _, told in read_back] == [given[0], given[2], given[1], given[3], given[4]]
    claims = [claim for claim, _ in read_back]
    assert [contradiction(claims[at], one) for at, one in ((0, GITHUB), (2, GITLAB), (3, GOOGLE))] == [
        None
    ] * 3
    assert contradiction(claims[4], OWN) is None


@pytest.mark.parametrize(
    ("claim", "publisher"),
    [
        ({"kind": "GitHub", "repository": "evil/demo"}, GITHUB),
        ({"kind": "GitHub", "repository": ["acme/demo"]}, GITHUB),
        ({"kind": "GitHub", "repository": "acme/demo", "workflow": "other.yml"}, GITHUB),
        ({"kind": "GitLab", "repository": "acme/demo"}, GITHUB),
        ({"kind": "Google", "email": "other@acme.example"}, GOOGLE),
        ({"kind": "GitHub", "repository": "acme/demo"}, OWN),
        ({"kind": "certificate", "issuer": OWN.kind, "identity": "other"}, OWN),
    ],
)
def test_an_index_that_names_somebody_else_is_contradicted(
    claim: dict[str, Any], publisher: Publisher
) -> None:
    says = contradiction(claim, publisher)
    assert says is not None and publisher.words in says


def test_an_index_may_name_a_publisher_less_fully_or_in_its_own_way() -> None:
    claims = ({"kind": "GitHub", "repository": "Acme/Demo"}, {"kind": "ActiveState"}, {}, {"kind": 5})
    assert [contradiction(claim, GITHUB) for claim in claims] == [None] * 4


BUNDLE = {"publisher": {}, "attestations": [{}]}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "not as PEP 740"),
        (b"[" * 100_000, "not as PEP 740"),
        (b"[]", "not as PEP 740"),
        (b"{}", "not as PEP 740"),
        (b"\xff", "not as PEP 740"),
        ({"version": 2, "attestation_bundles": [BUNDLE]}, "of a version"),
        ({"version": 1, "attestation_bundles": 5}, "not as PEP 740"),
        ({"version": 1, "attestation_bundles": [{"publisher": 1, "attestations": [{}]}]}, "not as PEP 740"),
        ({"version": 1, "attestation_bundles": [{"publisher": {}, "attestations": ["x"]}]}, "not as PEP 740"),
        ({"version": 1, "attestation_bundles": []}, "1 to 16"),
        ({"version": 1, "attestation_bundles": [BUNDLE] * 17}, "1 to 16"),
        (b" " * (LARGEST + 1), "longer than"),
    ],
)
def test_what_is_no_provenance(document: Any, says: str) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(ValueError, match=says):
        read_provenance(body)
