"""Attestations that come with an upload (PEP 740): read, held against the file that they speak of, and laid out.

Nobody's signature is checked here: what is kept is what was given, for those who verify when they install.
"""

import base64
import binascii
from typing import Any

import msgspec

LARGEST = 1_000_000
"""Characters of the ``attestations`` field."""
_MOST = 16
_PUBLISHER = {"kind": "unverified", "claims": None}
"""Who published is for the index to say (PEP 740), and a token proves no identity that others could check."""


def read_attestations(text: str, filename: str, sha256: str) -> tuple[bytes | None, list[str]]:
    """The provenance document (JSON, version 1) of a form's ``attestations``, and what is wrong with them."""
    try:
        told = msgspec.json.decode(text, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, RecursionError):
        return None, ["attestations is no JSON list of attestations (PEP 740)"]
    if not told or len(told) > _MOST:
        return None, [f"attestations must be 1 to {_MOST} attestations"]
    problems = [
        f"attestation {number} {says}"
        for number, one in enumerate(told, 1)
        if (says := _problem(one, filename, sha256)) is not None
    ]
    if problems:
        return None, problems
    bundle = {"publisher": _PUBLISHER, "attestations": told}
    return msgspec.json.encode({"version": 1, "attestation_bundles": [bundle]}), []


def _problem(attestation: dict[str, Any], filename: str, sha256: str) -> str | None:
    """What is wrong with one, as the end of a sentence; None where it is an attestation of this very file."""
    envelope = attestation.get("envelope")
    if attestation.get("version") != 1 or not isinstance(envelope, dict):
        return "is not of version 1 with an envelope"
    if not isinstance(attestation.get("verification_material"), dict):
        return "has no verification material"
    try:
        statement = msgspec.json.decode(base64.b64decode(envelope["statement"], validate=True))
        base64.b64decode(envelope["signature"], validate=True)
        (subject,) = statement["subject"]
        spoken_of = (subject["name"], subject["digest"]["sha256"])
    except (KeyError, TypeError, ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        return "has a statement that cannot be read, or not exactly one subject"
    if spoken_of != (filename, sha256):
        return "speaks of another file, or of other bytes"
    return None
