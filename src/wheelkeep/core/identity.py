"""An identity token (OpenID Connect, a JWT of RFC 7519 signed as of RFC 7515) before anything of it is believed.

What stands in it decides only whose keys to ask for. Whether it is true is found out in sources/issuer.
"""

import base64
import binascii
import re
from typing import Any

import msgspec
from msgspec import Struct

from wheelkeep.core.errors import IdentityRefused

LONGEST = 16_384
"""Characters of a token; those of CI services have some two thousand."""
ALGORITHMS: dict[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""What may sign, with the type and curve of its keys (RFC 7518, RFC 8037): never ``none``, never a shared secret."""

_LONGEST_KEY_ID = 512
_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TYPES = (None, "jwt", "application/jwt")


class Unproven(Struct, frozen=True):
    """What a token says of itself."""

    text: str
    issuer: str
    algorithm: str
    key_id: str

    @property
    def signed(self) -> str:
        """All but the signature: whatever is written into that, this is what stays the same."""
        return self.text.rpartition(".")[0]


def read_unproven(text: str) -> Unproven:
    """Reads a token in its compact form. Raises IdentityRefused for all that is no token that could be believed."""
    if len(text) > LONGEST:
        raise _malformed(f"the token is longer than {LONGEST} characters")
    parts = text.split(".")
    if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
        raise _malformed("the token is not a signed JWT: three parts in base64url with a dot between")
    header, claims = _object(parts[0]), _object(parts[1])
    algorithm, kind, key_id = header.get("alg"), header.get("typ"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _malformed(f"the token must be signed by one of {', '.join(ALGORITHMS)}")
    # Other types are for other ends, such as access tokens (RFC 8725 3.11).
    if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
        raise _malformed("the token is not of the type JWT")
    if "crit" in header:
        raise _malformed("the token has critical extensions, and none is known")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= _LONGEST_KEY_ID:
        raise _malformed("the token does not name the key that signed it (kid)")
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise _malformed("the token does not name its issuer (iss)")
    return Unproven(text, issuer, algorithm, key_id)


def _object(part: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (binascii.Error, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise _malformed("the token is not a JWT: its parts are not JSON objects") from None


def _malformed(says: str) -> IdentityRefused:
    return IdentityRefused("invalid-payload", says)
