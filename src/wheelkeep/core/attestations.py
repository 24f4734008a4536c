"""Attestations (PEP 740) as documents: those that come with an upload, and the provenance that an index serves.

Nobody's signature is checked here; what is checked is that one speaks of this very file, in a form that is known.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from wheelkeep.core.attested import Publisher

LARGEST = 1_000_000
"""Characters of the ``attestations`` field, and bytes of a provenance document."""
_MOST = 16
_STATEMENT = "https://in-toto.io/Statement/v1"
_WORKFLOWS = {"GitHub": "workflow", "GitLab": "workflow_filepath"}
"""What a publisher of a kind calls the file that describes its build, as the public index spells it."""


def read_attestations(text: str, filename: str, sha256: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The attestations of a form's field, and what is wrong with them."""
    try:
        told = msgspec.json.decode(text, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, RecursionError):
        return [], ["attestations is no JSON list of attestations (PEP 740)"]
    if not told or len(told) > _MOST:
        return [], [f"attestations must be 1 to {_MOST} attestations"]
    problems = [
        f"attestation {number} {says}"
        for number, one in enumerate(told, 1)
        if (says := misfit(one, filename, sha256)) is not None
    ]
    return told, problems


def misfit(attestation: dict[str, Any], filename: str, sha256: str) -> str | None:
    """What is wrong with one, as the end of a sentence; None where it is an attestation of this very file."""
    envelope = attestation.get("envelope")
    if attestation.get("version") != 1 or not isinstance(envelope, dict):
        return "is not of version 1 with an envelope"
    if not isinstance(attestation.get("verification_material"), dict):
        return "has no verification material"
    try:
        statement = msgspec.json.decode(base64.b64decode(envelope["statement"], validate=True))
        base64.b64decode(envelope["signature"], validate=True)
        kind = statement["_type"]
        (subject,) = statement["subject"]
        name, digest = subject["name"], subject["digest"]["sha256"]
    except (KeyError, TypeError, ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        return "has a statement that cannot be read, or not exactly one subject"
    if kind != _STATEMENT or not isinstance(name, str):
        return "has a statement of another kind than in-toto's of version 1"
    if digest != sha256 or not _same_name(name, filename):
        return "speaks of another file, or of other bytes"
    return None


def _same_name(told: str, filename: str) -> bool:
    """Whether both are one distribution's name: what signs may spell it otherwise than what uploads."""
    if told == filename:
        return True
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(told) == parse_wheel_filename(filename)
        return parse_sdist_filename(told) == parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False


def read_provenance(body: bytes) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The attestations of a provenance document, each with the publisher that the index names for it.

    Raises ValueError with the end of a sentence.
    """
    if len(body) > LARGEST:
        raise ValueError(f"its provenance is longer than {LARGEST} bytes")
    try:
        document = msgspec.json.decode(body)
        if document["version"] != 1:
            raise ValueError("its provenance is of a version that is not known")
        told = [
            (bundle["publisher"], attestation)
            for bundle in document["attestation_bundles"]
            for attestation in bundle["attestations"]
        ]
    except (KeyError, TypeError, msgspec.MsgspecError, RecursionError):
        raise ValueError("its provenance is not as PEP 740 has it") from None
    if not told or len(told) > _MOST:
        raise ValueError(f"its provenance does not hold 1 to {_MOST} attestations")
    if not all(isinstance(part, dict) for pair in told for part in pair):
        raise ValueError("its provenance is not as PEP 740 has it")
    return told


def write_provenance(told: Sequence[tuple[dict[str, Any], Publisher | None]]) -> bytes:
    """The provenance document of attestations as they were given, each with who signed it.

    None: that could not be verified, and the document says so; a token proves no identity that others could check.
    """
    bundles: dict[Publisher | None, list[dict[str, Any]]] = {}
    for attestation, publisher in told:
        bundles.setdefault(publisher, []).append(attestation)
    written = [
        {"publisher": _claim(publisher), "attestations": given} for publisher, given in bundles.items()
    ]
    return msgspec.json.encode({"version": 1, "attestation_bundles": written})


def _claim(publisher: Publisher | None) -> dict[str, Any]:
    if publisher is None:
        return {"kind": "unverified", "claims": None}
    if (workflow := _WORKFLOWS.get(publisher.kind)) is not None:
        return {
            "kind": publisher.kind,
            "repository": publisher.name,
            workflow: publisher.workflow,
            "environment": None,
        }
    if publisher.kind == "Google":
        return {"kind": publisher.kind, "email": publisher.name}
    return {"kind": "certificate", "issuer": publisher.kind, "identity": publisher.name}


def contradiction(claim: dict[str, Any], publisher: Publisher) -> str | None:
    """Why what an index says of a publisher is not what the certificate says; None: it is, or it says nothing.

    A publisher of a kind that is not known here is the index's own affair: the certificate alone decides then.
    """
    kind = claim.get("kind")
    mine = _claim(publisher)
    if kind not in ("GitHub", "GitLab", "Google", "certificate"):
        return None
    names = ("repository", "email", "issuer", "identity", *_WORKFLOWS.values())
    wrong = kind != mine["kind"] or any(
        str(claim[key]).casefold() != str(mine.get(key)).casefold()
        for key in names
        if claim.get(key) is not None
    )
    if not wrong:
        return None
    named = claim.get("repository") or claim.get("email") or claim.get("identity")
    return f"its page names {str(kind)[:40]} {str(named)[:100]}, its certificate {publisher.words}"
