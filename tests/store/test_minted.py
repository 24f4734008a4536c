"""Minted tokens in the database: one an identity, sharing a name, and gone a day after they expired."""

from datetime import UTC, datetime, timedelta

import pytest

from fakes.stores import Store
from wheelkeep.core import token_text
from wheelkeep.core.access import Scope
from wheelkeep.store.ledger import Entry
from wheelkeep.store.minted import MintedTokens
from wheelkeep.store.tokens import NameInUse, Tokens

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
NAME = "trusted:acme/lib"


async def add(store: Store, seed: int, identity: bytes, at: datetime = NOW) -> bool:
    return await MintedTokens(store.database, store.ledger).add(
        text(seed),
        name=NAME,
        scopes=(Scope("publish", "acme", "acme-lib"),),
        created=at,
        expires=at + timedelta(minutes=15),
        identity=identity,
        until=at + timedelta(minutes=5),
        entry=Entry(kind="token minted", at=at, detail={"by": NAME}),
    )


def text(seed: int) -> str:
    return token_text.write(bytes([seed]) * token_text.RANDOM_BYTES)


async def test_it_is_an_ordinary_token_and_written_down(store: Store) -> None:
    assert await add(store, 1, b"one")
    found = await Tokens(store.database).find(text(1))
    assert found is not None and found.minted
    assert (found.name, found.scopes, found.expires) == (
        NAME,
        (Scope("publish", "acme", "acme-lib"),),
        NOW + timedelta(minutes=15),
    )
    (entry,) = await store.ledger.last("token minted")
    assert entry.detail == {"by": NAME}


async def test_an_identity_is_taken_once(store: Store) -> None:
    assert await add(store, 1, b"one")
    assert not await add(store, 2, b"one", NOW + timedelta(minutes=4))
    assert await add(store, 3, b"two")
    assert await Tokens(store.database).find(text(2)) is None
    assert len(await store.ledger.last("token minted")) == 2


async def test_all_of_a_name_are_revoked_together(store: Store) -> None:
    tokens = Tokens(store.database)
    assert await add(store, 1, b"one") and await add(store, 2, b"two")
    assert await tokens.revoke(NAME, NOW)
    assert [token.revoked for token in await tokens.all()] == [NOW, NOW]
    assert not await tokens.revoke(NAME, NOW)
    assert await add(store, 3, b"three")


async def test_long_expired_ones_go_and_nobody_elses(store: Store) -> None:
    tokens = Tokens(store.database)
    await tokens.add(text(9), name="ci", scopes=(), created=NOW, expires=NOW + timedelta(minutes=1))
    assert await add(store, 1, b"one")
    assert await add(store, 2, b"two", NOW + timedelta(hours=23))
    assert await tokens.find(text(1)) is not None
    assert await add(store, 3, b"three", NOW + timedelta(days=1, minutes=16))
    assert [token.name for token in await tokens.all()] == ["ci", NAME, NAME]
    assert await tokens.find(text(1)) is None


async def test_an_operators_token_never_has_such_a_name(store: Store) -> None:
    with pytest.raises(NameInUse, match="trusted publishers"):
        await Tokens(store.database).add(text(1), name=NAME, scopes=(), created=NOW, expires=None)
