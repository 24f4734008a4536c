"""Tokens that trusted publishing made: ordinary ones, each for an identity that was shown once and never again."""

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from wheelkeep.core.access import Scope
from wheelkeep.store.database import Database
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.tables import identities, tokens
from wheelkeep.store.tokens import token_row

_REMEMBERED = timedelta(days=1)
"""How long an expired token is still known, so that whoever sends it hears that it expired."""


class MintedTokens:
    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def add(
        self,
        text: str,
        *,
        name: str,
        scopes: tuple[Scope, ...],
        created: datetime,
        expires: datetime,
        identity: bytes,
        until: datetime,
        entry: Entry,
    ) -> bool:
        """Keeps a new token and its line in the ledger, durably; False, and nothing, where the identity was used.

        ``identity``: the sha256 of what stays the same however an identity is shown again; ``until``: when it stops
        being good by itself. Of two that come at once one is first, whatever process each is in. Tokens that expired
        a day ago go.
        """
        row = token_row(text, name=name, scopes=scopes, created=created, expires=expires)
        used = select(identities.c.sha256).where(identities.c.sha256 == identity)
        gone = (created - _REMEMBERED).timestamp()
        async with self._database.write() as connection:
            if (await connection.execute(used)).first() is not None:
                return False
            await connection.execute(delete(identities).where(identities.c.until < created.timestamp()))
            await connection.execute(delete(tokens).where(tokens.c.minted == 1, tokens.c.expires < gone))
            await connection.execute(insert(identities).values(sha256=identity, until=until.timestamp()))
            await connection.execute(insert(tokens).values(**row, minted=1))
            await self._ledger.write(connection, [entry])
        return True
