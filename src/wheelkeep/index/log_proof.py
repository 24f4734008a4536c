"""Proofs verified offline, by whoever has them and the log's key."""

import base64
import binascii

import msgspec
from msgspec import Struct

from wheelkeep.core import merkle
from wheelkeep.core.checkpoint import read_signed
from wheelkeep.core.notes import PublicKey, read_key
from wheelkeep.index.log_book import Proof


class _Proofs(Struct):
    proofs: list[Proof]


class Proven(Struct, frozen=True, kw_only=True):
    """What a proof shows."""

    entry: str
    good: bool
    key: str | None = None
    """Whose signature it is."""
    size: int | None = None
    says: str


def read_proofs(body: bytes) -> list[Proof]:
    """Reads what ``log prove --json`` printed. Raises ValueError."""
    try:
        return msgspec.json.decode(body, type=_Proofs).proofs
    except msgspec.DecodeError as error:
        raise ValueError(f"it is not what wheelkeep log prove --json prints: {error}") from None


def verify_proof(proof: Proof, key: PublicKey | None) -> Proven:
    """Holds a proof against a key; without one against the proof's own, which shows only that it fits together."""
    try:
        key = key if key is not None else read_key(proof.key)
        _, checkpoint = read_signed(proof.checkpoint, key)
        hashes = [base64.b64decode(hash_, validate=True) for hash_ in proof.proof]
    except (ValueError, binascii.Error) as error:
        return Proven(entry=proof.entry, good=False, says=str(error))
    leaf = merkle.leaf_hash(proof.entry.encode())
    good = merkle.includes(leaf, proof.index, checkpoint.size, hashes, checkpoint.root)
    if good:
        says = f"is entry {proof.index} of the {checkpoint.size} of {checkpoint.origin}"
    else:
        says = f"is not proven to be in the log of {checkpoint.origin}"
    return Proven(entry=proof.entry, good=good, key=str(key), size=checkpoint.size, says=says)
