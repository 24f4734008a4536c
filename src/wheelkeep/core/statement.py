"""What this keep states of a wheel that it built, and the signature over it.

The statement is an in-toto Statement v1 (github.com/in-toto/attestation) with SLSA's provenance v1 as its predicate
(slsa.dev/spec/v1.0/provenance); the envelope is DSSE 1.0 (github.com/secure-systems-lab/dsse), signed by the Ed25519
key of the keep's log. It is no attestation of PEP 740: that would need a certificate, which this key has not.
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from wheelkeep.core.built import Built, Material
from wheelkeep.core.notes import PrivateKey, PublicKey, Signature

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:wheelkeep:build:1"
"""What the fields of a build's definition mean: docs/guide/build.md says it."""


class Signed(Struct, frozen=True, kw_only=True):
    """One signature of an envelope."""

    keyid: str
    """The key's name and id, as a verifier's key has them: ``name+id``."""
    sig: str
    """Base64."""


class Envelope(Struct, frozen=True, kw_only=True):
    """A signed statement, as it is kept and handed on."""

    payload: str
    """The statement's bytes in base64."""
    payloadType: str  # noqa: N815 - DSSE's word
    signatures: tuple[Signed, ...]


def write_statement(built: Built, key: PublicKey) -> bytes:
    """The statement about a build, by the keep that has the key; the same build is always the same bytes."""
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": built.filename, "digest": {"sha256": built.sha256}}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "sdist": built.sdist.filename,
                    "index": built.path,
                    "python": built.tools.python,
                    "platform": built.tools.platform,
                },
                "internalParameters": {
                    "SOURCE_DATE_EPOCH": built.epoch,
                    "sandboxed": built.tools.sandboxed,
                },
                "resolvedDependencies": [_dependency(one) for one in (built.sdist, *built.requirements)],
            },
            "runDetails": {
                "builder": {
                    "id": builder_of(key),
                    "version": {"wheelkeep": built.tools.wheelkeep, "uv": built.tools.uv},
                },
                "metadata": {
                    "invocationId": f"urn:uuid:{built.id}",
                    "startedOn": _moment(built.began),
                    "finishedOn": _moment(built.ended),
                },
            },
            # Names of one's own begin with their owner's, where the predicate has none for it.
            "wheelkeep_reproducible": built.reproducible,
        },
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def builder_of(key: PublicKey) -> str:
    """The builder's id: the keep, by its log's key."""
    return f"urn:wheelkeep:builder:{quote(keyid(key), safe='')}"


def keyid(key: PublicKey) -> str:
    return f"{key.name}+{key.id.hex()}"


def sign(statement: bytes, key: PrivateKey) -> Envelope:
    """The statement in its envelope."""
    signature = key.sign(_authenticated(PAYLOAD, statement))
    return Envelope(
        payload=base64.b64encode(statement).decode(),
        payloadType=PAYLOAD,
        signatures=(Signed(keyid=keyid(key.public), sig=base64.b64encode(signature.value).decode()),),
    )


def verify(envelope: Envelope, key: PublicKey) -> dict[str, Any]:
    """The statement, once a signature of the key over it is found to be true. Raises ValueError with a sentence."""
    if envelope.payloadType != PAYLOAD:
        raise ValueError(f"it is {envelope.payloadType[:80]!a}, and no statement of in-toto")
    statement = _bytes(envelope.payload)
    mine = [one for one in envelope.signatures if one.keyid == keyid(key)]
    if not mine:
        raise ValueError(f"the key {keyid(key)} did not sign it")
    text = _authenticated(envelope.payloadType, statement)
    if not all(key.verifies(Signature(key.name, key.id, _bytes(one.sig)), text) for one in mine):
        raise ValueError(f"the signature of {keyid(key)} does not fit the statement")
    try:
        read: dict[str, Any] = msgspec.json.decode(statement, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ValueError(f"the statement is not JSON: {error}") from None
    if read.get("_type") != STATEMENT or read.get("predicateType") != PREDICATE:
        raise ValueError("it is signed, and is no statement about how something was built")
    return read


def _authenticated(kind: str, payload: bytes) -> str:
    """What is signed (DSSE's pre-authentication encoding): its first word keeps it apart from every signed note."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise ValueError("the statement is not UTF-8") from None
    return f"DSSEv1 {len(kind.encode())} {kind} {len(payload)} {text}"


def _dependency(one: Material) -> dict[str, Any]:
    # A package URL (the type pypi) names the file; which source it came from is this keep's own affair.
    uri = f"pkg:pypi/{one.project}@{quote(one.version, safe='')}?file_name={quote(one.filename, safe='')}"
    return {
        "name": one.filename,
        "uri": uri,
        "digest": {"sha256": one.sha256},
        "annotations": {"source": one.source},
    }


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what should be base64 is not") from None
