"""What a database that is brought back from an older backup must learn from a newer copy of itself.

Going back in time forgets. Two things must not be forgotten: that a file name was used, since it is never given to
other bytes, and that a token was revoked.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError

_NAMES = """
    INSERT OR IGNORE INTO hosted_files (source, filename, project, file)
    SELECT source, filename, project, NULL FROM newer.hosted_files
"""
_IDENTITIES = "INSERT OR IGNORE INTO identities SELECT * FROM newer.identities"
_REVOKED = """
    UPDATE tokens SET revoked = (SELECT revoked FROM newer.tokens AS later WHERE later.id = tokens.id)
    WHERE revoked IS NULL
    AND EXISTS (SELECT 1 FROM newer.tokens AS later WHERE later.id = tokens.id AND later.revoked IS NOT NULL)
"""


class Carried(Struct, frozen=True, kw_only=True):
    """What was learned."""

    names: int
    """File names that were used later, and stay used without their files."""
    tokens: int
    """Tokens that were revoked later."""


def carry_over(path: Path, newer: Path) -> Carried:
    """Reads ``newer``, a later copy of the main database, into ``path``. Raises WheelkeepError."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("ATTACH DATABASE ? AS newer", (str(newer),))
            connection.execute("BEGIN IMMEDIATE")
            names = connection.execute(_NAMES).rowcount
            connection.execute(_IDENTITIES)
            tokens = connection.execute(_REVOKED).rowcount
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise WheelkeepError(f"the newer database cannot be read: {error}") from None
    return Carried(names=names, tokens=tokens)
