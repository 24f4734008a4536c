"""What a token looks like: ``wk_`` ID ``_`` SECRET CHECKSUM. Chance is the caller's to give; nothing is looked up here.

All three parts are base62 (digits, capitals, small letters: in that order of value). ID is 11 letters and no secret:
by it the token is found. SECRET is 33 letters that stand for 192 random bits. CHECKSUM is 6 letters, the CRC-32 (that
of zlib, RFC 1952 8) of all that stands before it: a scanner for leaked secrets knows a token by it without asking
anybody, and a slip in typing is seen at once. As a pattern: ``wk_[0-9A-Za-z]{11}_[0-9A-Za-z]{39}``.
"""

import re
import zlib

RANDOM_BYTES = 32
"""How much chance a token is made of: 8 bytes for the public ID, 24 for the secret."""

_ID_BYTES = 8
_ID, _SECRET, _CHECKSUM = 11, 33, 6
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(
    rf"(wk_([0-9A-Za-z]{{{_ID}}})_([0-9A-Za-z]{{{_SECRET}}}))([0-9A-Za-z]{{{_CHECKSUM}}})", re.ASCII
)


def write(random: bytes) -> str:
    """The token that RANDOM_BYTES unforeseeable bytes make; raises ValueError for more or fewer."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a token is made of {RANDOM_BYTES} bytes, not of {len(random)}")
    body = f"wk_{_base62(random[:_ID_BYTES], _ID)}_{_base62(random[_ID_BYTES:], _SECRET)}"
    return body + _checksum(body)


def read(text: str) -> tuple[str, str] | None:
    """The ID and the secret of what looks like a token and has a true checksum; None for everything else."""
    found = _TOKEN.fullmatch(text)
    if found is None or found[4] != _checksum(found[1]):
        return None
    return found[2], found[3]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")).to_bytes(4), _CHECKSUM)


def _base62(value: bytes, length: int) -> str:
    """The bytes as one big-endian number, in ``length`` letters, zeros in front."""
    number = int.from_bytes(value)
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        letters.append(_LETTERS[rest])
    return "".join(reversed(letters))
