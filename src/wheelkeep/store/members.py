"""What lies in a wheel: its members with their hashes, for who compares two wheels."""

import hashlib
from pathlib import Path

from wheelkeep.core.differing import Member
from wheelkeep.store.zips import read_zip, unpack


def read_members(path: Path) -> list[Member]:
    """Every file of a wheel, in the order in which it lies there. Raises BadArchive, OSError."""
    with path.open("rb") as file:
        found = []
        for member in read_zip(file):
            digest = hashlib.sha256()
            for piece in () if member.folder else unpack(file, member):
                digest.update(piece)
            found.append(Member(name=member.name, size=member.size, sha256=digest.hexdigest()))
        return found
