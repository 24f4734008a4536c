"""API tokens, one row each. Of a token's text only the sha256 is kept: what is read here lets nobody in."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, and_, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from wheelkeep.core import token_text
from wheelkeep.core.access import Scope, read_scope
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.publishers import MINTED
from wheelkeep.store.database import Database
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.tables import tokens

USED_EVERY = 60.0
"""Seconds between two notes of when a token was last used."""
_NO_TOKEN = bytes(32)
"""What an unknown token is compared with: no text has it as its hash."""


class NameInUse(WheelkeepError):
    """Another token of that name is there and not revoked."""


class Token(Struct, frozen=True, kw_only=True):
    """What is known of a token. Moments are in UTC."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    last_used: datetime | None = None
    """To the minute or so."""
    minted: bool = False
    """Made by trusted publishing, for a quarter of an hour; several may have one name."""


class Tokens:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._ledger = Ledger(database)

    async def add(
        self,
        text: str,
        *,
        name: str,
        scopes: tuple[Scope, ...],
        created: datetime,
        expires: datetime | None,
        by: str = "",
    ) -> Token:
        """Keeps a new token and its line in the ledger; ``text`` is what ``token_text.write`` made, ``by`` who makes
        it. Raises NameInUse, and ValueError for a text that is no token.
        """
        if name.startswith(MINTED):
            raise NameInUse(f'names that begin with "{MINTED}" are those of trusted publishers: take another')
        row = token_row(text, name=name, scopes=scopes, created=created, expires=expires)
        token = Token(id=row["id"], name=name, scopes=scopes, created=created, expires=expires)
        try:
            async with self._database.write() as connection:
                await connection.execute(tokens.insert().values(row))
                await self._ledger.write(connection, [_noted("token created", token, created, by)])
        except IntegrityError:
            raise NameInUse(
                f'there is a token called "{name}" already: revoke it first, or take another name'
            ) from None
        return token

    async def find(self, text: str) -> Token | None:
        """The token whose whole text this is, in force or not; None where there is none."""
        read = token_text.read(text)
        row = None
        if read is not None:
            async with self._database.read() as connection:
                row = (await connection.execute(select(tokens).where(tokens.c.id == read[0]))).first()
        # Compared whether or not the ID is known, and in constant time: how long it takes tells nothing.
        same = hmac.compare_digest(_hash(text), row.sha256 if row is not None else _NO_TOKEN)
        return _token(row) if same and row is not None else None

    async def all(self) -> list[Token]:
        """Every token that there ever was, less minted ones that expired long ago; the oldest first."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(tokens).order_by(tokens.c.created, tokens.c.id))
            return [_token(row) for row in rows]

    async def page(self, *, after: tuple[datetime, str] | None, limit: int) -> list[Token]:
        """Tokens in the same order, those that come after one that was made at a moment and has an id.

        That one need not be there any more: minted ones go.
        """
        query = select(tokens).order_by(tokens.c.created, tokens.c.id).limit(limit)
        if after is not None:
            query = query.where(
                tuple_(tokens.c.created, tokens.c.id) > tuple_(after[0].timestamp(), after[1])
            )
        async with self._database.read() as connection:
            return [_token(row) for row in await connection.execute(query)]

    async def get(self, id_: str) -> Token | None:
        """The token of an id, in force or not."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(tokens).where(tokens.c.id == id_))).first()
        return _token(row) if row is not None else None

    async def end(self, id_: str, now: datetime, *, by: str = "") -> Token | None:
        """Ends the token of an id for good, unless it ended before, and gives it; None: there is none."""
        await self._end(tokens.c.id == id_, now, by)
        return await self.get(id_)

    async def revoke(self, name: str, now: datetime, *, by: str = "") -> bool:
        """Ends the token of that name for good; False where none of that name is left to be revoked."""
        return await self._end(tokens.c.name == name, now, by)

    async def _end(self, which: ColumnElement[bool], now: datetime, by: str) -> bool:
        meant = and_(which, tokens.c.revoked.is_(None))
        async with self._database.write() as connection:
            found = [_token(row) for row in await connection.execute(select(tokens).where(meant))]
            if found:
                await connection.execute(update(tokens).where(meant).values(revoked=now.timestamp()))
                await self._ledger.write(connection, [_noted("token revoked", one, now, by) for one in found])
        return bool(found)

    async def used(self, token: Token, now: datetime) -> None:
        """Notes that a token was used, unless that was noted less than a minute ago."""
        last = tokens.c.last_used
        statement = update(tokens).where(
            tokens.c.id == token.id, or_(last.is_(None), last <= now.timestamp() - USED_EVERY)
        )
        async with self._database.write() as connection:
            await connection.execute(statement.values(last_used=now.timestamp()))


def token_row(
    text: str, *, name: str, scopes: tuple[Scope, ...], created: datetime, expires: datetime | None
) -> dict[str, Any]:
    """What the table keeps of a new token. Raises ValueError for a text that is no token."""
    read = token_text.read(text)
    if read is None:
        raise ValueError("this is not the text of a token")
    return {
        "id": read[0],
        "name": name,
        "sha256": _hash(text),
        "scopes": msgspec.json.encode([str(scope) for scope in scopes]).decode(),
        "created": created.timestamp(),
        "expires": expires.timestamp() if expires is not None else None,
    }


def _noted(kind: str, token: Token, at: datetime, by: str) -> Entry:
    """The ledger's line about a token, without its secret."""
    detail = {
        "by": by,
        "token": token.id,
        "name": token.name,
        "scopes": [str(scope) for scope in token.scopes],
        "expires": f"{token.expires:%Y-%m-%dT%H:%M:%SZ}" if token.expires is not None else "",
    }
    return Entry(kind=kind, at=at, detail=detail)


def _hash(text: str) -> bytes:
    # Of 192 random bits a plain hash is enough: there is nothing to be guessed that a slow one would protect.
    return hashlib.sha256(text.encode()).digest()


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=_scopes(row.scopes),
        created=datetime.fromtimestamp(row.created, UTC),
        expires=_moment(row.expires),
        revoked=_moment(row.revoked),
        last_used=_moment(row.last_used),
        minted=bool(row.minted),
    )


def _scopes(text: str) -> tuple[Scope, ...]:
    """The scopes of a row; one that this version cannot read allows nothing."""
    found = []
    for each in msgspec.json.decode(text, type=list[str]):
        try:
            found.append(read_scope(each))
        except ValueError:
            continue
    return tuple(found)


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
