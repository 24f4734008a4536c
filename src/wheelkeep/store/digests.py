"""Digests of bytes that come piece by piece."""

import hashlib

from wheelkeep.store.hashing import new_digest


class Digests:
    """The sha256, and what else is asked for before the first piece."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._others: dict[str, hashlib._Hash | hashlib.blake2b] = {}

    def also(self, algorithms: set[str]) -> None:
        """Computes further ones on the way (hashlib's names, and blake2b_256)."""
        self._others = {name: new_digest(name) for name in algorithms}

    def update(self, piece: bytes) -> None:
        self._hash.update(piece)
        for other in self._others.values():
            other.update(piece)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def others(self) -> dict[str, str]:
        return {name: other.hexdigest() for name, other in self._others.items()}
