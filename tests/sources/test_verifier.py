"""Verifying: true attestations are told from every kind of forgery, by the real libraries and a trust root on disk."""

import asyncio
import base64
import hashlib
import json
import socket
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fakes.attesters import Authority, authority
from wheelkeep.core.attested import Fact, Publisher
from wheelkeep.sources.verifier import Unverifiable, Verifier

NAME, CONTENT = "demo-1.0-py3-none-any.whl", b"the wheel"
SHA = hashlib.sha256(CONTENT).hexdigest()
DER = Encoding.DER
ACME = Publisher(kind="GitHub", name="acme/demo", workflow="release.yml")


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verifier]:
    made = Verifier([authority().root(tmp_path_factory.mktemp("root") / "trusted_root.json")])
    yield made
    made.close()


async def judged(verifier: Verifier, document: dict[str, Any], filename: str = NAME, sha: str = SHA) -> Fact:
    return await verifier.judge(json.dumps(document).encode(), filename, sha)


def of(*attestations: dict[str, Any], **claim: Any) -> dict[str, Any]:
    bundle = {"publisher": claim or {"kind": "unheard-of"}, "attestations": list(attestations)}
    return {"version": 1, "attestation_bundles": [bundle]}


def signed(**who: Any) -> dict[str, Any]:
    return authority().attestation(NAME, SHA, **who)


async def test_a_true_one_tells_who_signed(verifier: Verifier) -> None:
    assert await judged(verifier, authority().provenance(NAME, CONTENT)) == Fact(
        state="verified", publishers=(ACME,)
    )
    told = await judged(verifier, of(signed(number="42")))
    assert told.publishers[0].number == "42"


async def test_forges_and_others_are_told_apart(verifier: Verifier) -> None:
    gitlab = signed(issuer="https://gitlab.com", repository="acme/sub/demo", workflow=".gitlab-ci.yml")
    own = signed(issuer="https://login.acme.example")
    told = await judged(verifier, of(gitlab, own, signed()))
    assert [(one.kind, one.name) for one in told.publishers] == [
        ("GitLab", "acme/sub/demo"),
        (
            "https://login.acme.example",
            "https://github.com/acme/demo/.github/workflows/release.yml@refs/tags/v1",
        ),
        ("GitHub", "acme/demo"),
    ]


async def test_nobody_is_asked(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert (await judged(verifier, of(signed()))).state == "verified"
    public = Verifier([None])
    assert (await judged(public, of(signed()))).state == "foreign"
    public.close()


def change(told: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one part replaced; a callable is given what was there."""
    made = json.loads(json.dumps(told))
    *way, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    at = made
    for step in way:
        at = at[step]
    at[last] = value(at[last]) if callable(value) else value
    return made


def flip(text: str) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return base64.b64encode(raw).decode()


ENTRY = "verification_material/transparency_entries/0"
FORGERIES: dict[str, Any] = {
    "another signature": lambda: change(signed(), "envelope/signature", signed()["envelope"]["signature"]),
    "a signature spoilt": lambda: change(signed(), "envelope/signature", flip),
    "a signature of nothing": lambda: change(signed(), "envelope/signature", ""),
    "another certificate": lambda: change(
        signed(), "verification_material/certificate", signed()["verification_material"]["certificate"]
    ),
    "no certificate": lambda: change(signed(), "verification_material/certificate", "AAAA"),
    "the authority itself as the signer": lambda: change(
        signed(),
        "verification_material/certificate",
        base64.b64encode(authority().certificate.public_bytes(DER)).decode(),
    ),
    "another's log entry": lambda: change(
        signed(),
        "verification_material/transparency_entries",
        signed()["verification_material"]["transparency_entries"],
    ),
    "no log entry": lambda: change(signed(), "verification_material/transparency_entries", []),
    "a log entry of junk": lambda: change(signed(), ENTRY, {"logIndex": "x"}),
    "a promise spoilt": lambda: change(signed(), f"{ENTRY}/inclusionPromise/signedEntryTimestamp", flip),
    "no promise": lambda: change(signed(), f"{ENTRY}/inclusionPromise", None),
    "another time": lambda: change(signed(), f"{ENTRY}/integratedTime", lambda at: str(int(at) + 1)),
    "a checkpoint of junk": lambda: change(signed(), f"{ENTRY}/inclusionProof/checkpoint/envelope", "junk"),
    "a tree of another root": lambda: change(signed(), f"{ENTRY}/inclusionProof/rootHash", flip),
    "signed when the certificate was over": lambda: signed(late=timedelta(hours=1)),
    "signed before the certificate": lambda: signed(late=timedelta(hours=-1)),
    "a kind that nobody knows": lambda: signed(kind="https://evil.example/anything"),
    "the statement of another file": lambda: authority().attestation("demo-2.0-py3-none-any.whl", SHA),
    "the statement of other bytes": lambda: authority().attestation(NAME, "0" * 64),
    "a statement swapped after signing": lambda: change(
        authority().attestation(NAME, "0" * 64), "envelope/statement", signed()["envelope"]["statement"]
    ),
    "a repository that is none": lambda: signed(issuer="https://token.actions.githubusercontent.com/"),
    "another version": lambda: change(signed(), "version", 2),
    "junk": lambda: {"version": 1, "envelope": {}, "verification_material": {}},
}


@pytest.mark.parametrize("forgery", [name for name in FORGERIES if name != "a repository that is none"])
async def test_forgeries(verifier: Verifier, forgery: str) -> None:
    told = await judged(verifier, of(FORGERIES[forgery]()))
    assert (told.state, told.publishers) == ("false", ())
    assert told.why and told.why.isprintable() and len(told.why) < 200


async def test_one_true_attestation_is_enough_and_a_false_one_beside_it_proves_nothing(
    verifier: Verifier,
) -> None:
    told = await judged(verifier, of(FORGERIES["a signature spoilt"](), signed(repository="acme/other")))
    assert [one.name for one in told.publishers] == ["acme/other"]


async def test_an_issuer_that_looks_like_a_forge_is_not_one(verifier: Verifier) -> None:
    told = await judged(verifier, of(FORGERIES["a repository that is none"]()))
    assert told.publishers[0].kind == "https://token.actions.githubusercontent.com/"


async def test_the_index_must_not_name_another_publisher(verifier: Verifier) -> None:
    claim = {"kind": "GitHub", "repository": "acme/demo", "workflow": "release.yml"}
    told = await judged(verifier, of(signed(repository="evil/demo"), **claim))
    assert told.state == "false"
    assert told.why == "its page names GitHub acme/demo, its certificate GitHub evil/demo"
    assert (await judged(verifier, of(signed(), **claim))).state == "verified"


async def test_an_authority_that_no_trust_root_has_is_foreign_not_false(
    verifier: Verifier, tmp_path: Path
) -> None:
    other = Authority()
    given = other.provenance(NAME, CONTENT)
    assert (await judged(verifier, given)).state == "foreign"
    # So is one that says that it is by an authority of ours, and is not.
    spoilt = change(signed(), "verification_material/certificate", flip)
    assert (await judged(verifier, of(spoilt))).state == "foreign"
    both = Verifier([authority().root(tmp_path / "one.json"), other.root(tmp_path / "two.json")])
    assert (await judged(both, given)).state == "verified"
    assert both.digest != verifier.digest
    both.close()


@pytest.mark.parametrize("body", [b"", b"[" * 50_000, b'{"version": 1}', b"\xff\xfe", b" " * 2_000_000])
async def test_junk_is_false(verifier: Verifier, body: bytes) -> None:
    assert (await verifier.judge(body, NAME, SHA)).state == "false"


async def test_many_at_once(verifier: Verifier) -> None:
    given = json.dumps(authority().provenance(NAME, CONTENT)).encode()
    told = await asyncio.gather(*(verifier.judge(given, NAME, SHA) for _ in range(20)))
    assert all(one.state == "verified" for one in told)


async def test_without_the_libraries_nothing_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wheelkeep.sources.signatures", None)
    lacking = Verifier([None])
    with pytest.raises(Unverifiable, match="is not installed"):
        await judged(lacking, of(signed()))
    lacking.close()


@pytest.mark.parametrize(
    "text", ["", "{}", '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}']
)
async def test_a_trust_root_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trusted_root.json"
    path.write_text(text)
    broken = Verifier([path])
    with pytest.raises(Unverifiable, match="a trust root cannot be used"):
        await judged(broken, of(signed()))
    path.unlink()
    with pytest.raises(Unverifiable, match="cannot be read"):
        _ = Verifier([path]).digest
    broken.close()
