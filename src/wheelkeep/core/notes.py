"""Signed notes (c2sp.org/signed-note): text with the signatures below it, and the keys that make and check them.

Two kinds of signatures are known: Ed25519 over the text, and a witness's cosignature of a checkpoint with the time at
which it was made (c2sp.org/tlog-cosignature). Those of others are kept and say nothing.
"""

import base64
import binascii
import hashlib
import re

from msgspec import Struct
from msgspec.structs import replace

PLAIN, COSIGNED = 1, 4
"""The kinds of signatures, by the byte that their keys begin with."""
_KINDS = (PLAIN, COSIGNED)
_DASH = "\u2014"
_LONGEST = 64 * 1024
_MOST_SIGNATURES = 64
_NAME = re.compile(r"[^\s+]+")
_KEY = re.compile(r"(?P<name>[^\s+]{1,200})\+(?P<id>[0-9a-f]{8})\+(?P<body>[A-Za-z0-9+/]+={0,2})")


class Signature(Struct, frozen=True):
    """One line below a note."""

    name: str
    id: bytes
    """Four bytes that, with the name, say which key made it."""
    value: bytes

    def __str__(self) -> str:
        return f"{_DASH} {self.name} {base64.b64encode(self.id + self.value).decode()}"


class Note(Struct, frozen=True):
    """Text that ends with a newline, and what was signed below it; nothing of it is verified by being read."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}\n" + "".join(f"{one}\n" for one in self.signatures)

    def signed(self, *signatures: Signature) -> "Note":
        """The note with further signatures, each in the place of one that the same key made before."""
        new = {(one.name, one.id) for one in signatures}
        kept = tuple(one for one in self.signatures if (one.name, one.id) not in new)
        return replace(self, signatures=(*kept, *signatures))

    def of(self, key: "PublicKey") -> Signature | None:
        """The signature of a key, verified; None: there is none. Raises ValueError for one that is not true."""
        for one in self.signatures:
            if (one.name, one.id) == (key.name, key.id):
                if not key.verifies(one, self.text):
                    raise ValueError(f"the signature of {key.name} does not fit what is signed")
                return one
        return None


class PublicKey(Struct, frozen=True):
    """Whose signature is looked for; ``str`` is the form in which such keys are handed on (a vkey)."""

    name: str
    kind: int
    raw: bytes
    """32 bytes (RFC 8032)."""

    @property
    def id(self) -> bytes:
        told = self.name.encode() + b"\n" + bytes([self.kind]) + self.raw
        return hashlib.sha256(told).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.raw).decode()}"

    def verifies(self, signature: Signature, text: str) -> bool:
        """Whether a signature of this key is one of the text."""
        # Loaded where signatures are looked at: most processes never do.
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        value, message = signature.value, text.encode()
        if self.kind == COSIGNED:
            message = _cosigned(int.from_bytes(value[:8], "big"), text)
            value = value[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(value, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class PrivateKey:
    """Signs. It never shows itself; ``seed`` is for the one place that keeps it."""

    __slots__ = ("public", "seed")

    def __init__(self, name: str, kind: int, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        self.seed = seed
        raw = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        self.public = PublicKey(name, kind, raw)

    def sign(self, text: str, *, seconds: int = 0) -> Signature:
        """Signs a note's text; ``seconds`` since the epoch is what a cosignature says of its time."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        if self.public.kind == COSIGNED:
            value = seconds.to_bytes(8, "big") + key.sign(_cosigned(seconds, text))
        else:
            value = key.sign(text.encode())
        return Signature(self.public.name, self.public.id, value)

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.name})"


def cosigned_at(signature: Signature) -> int:
    """The time, in seconds since the epoch, that a cosignature tells."""
    return int.from_bytes(signature.value[:8], "big")


def read_note(text: str) -> Note:
    """Reads a note; raises ValueError with a sentence that says what is wrong."""
    if len(text) > _LONGEST:
        raise ValueError("it is too long to be a signed note")
    if any(letter < " " and letter != "\n" for letter in text) or not text.endswith("\n"):
        raise ValueError("it is no signed note")
    body, gap, lines = text.rpartition("\n\n")
    if not gap or not body:
        raise ValueError("it is no signed note: nothing is signed below it")
    signed = lines.split("\n")[:-1]
    if not signed or len(signed) > _MOST_SIGNATURES:
        raise ValueError("it is no signed note: it has no signature, or too many")
    return Note(f"{body}\n", tuple(_signature(line) for line in signed))


def read_key(text: str) -> PublicKey:
    """Reads a vkey: ``name+id+key``. Raises ValueError."""
    found = _KEY.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be a key in the form name+id+base64, as /log/key tells it")
    body = base64_bytes(found["body"])
    if len(body) != 33 or body[0] not in _KINDS:
        raise ValueError("is not an Ed25519 key of a log or of a witness")
    key = PublicKey(found["name"], body[0], body[1:])
    if key.id.hex() != found["id"]:
        raise ValueError(f"is damaged: its id should be {key.id.hex()}")
    return key


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH or not _NAME.fullmatch(parts[1]):
        raise ValueError("it is no signed note: a signature's line is not written as one")
    value = base64_bytes(parts[2])
    if len(value) < 5:
        raise ValueError("it is no signed note: a signature is too short")
    return Signature(parts[1], value[:4], value[4:])


def base64_bytes(text: str) -> bytes:
    """Reads base64 in its one normal form (RFC 4648); raises ValueError."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what should be base64 is not") from None
    if base64.b64encode(value).decode() != text:
        raise ValueError("what should be base64 is not in its normal form")
    return value


def _cosigned(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
