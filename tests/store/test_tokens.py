"""Tokens in the database: found by their whole text alone, of which nothing is kept."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from fakes.stores import Store
from wheelkeep.core import token_text
from wheelkeep.core.access import Scope, read_scope
from wheelkeep.store.database import Database
from wheelkeep.store.tables import tokens as table
from wheelkeep.store.tokens import NameInUse, Token, Tokens

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


def text(seed: int = 1) -> str:
    return token_text.write(bytes([seed]) * token_text.RANDOM_BYTES)


@pytest.fixture
def tokens(store: Store) -> Tokens:
    return Tokens(store.database)


async def add(
    tokens: Tokens,
    name: str,
    token: str,
    *scopes: str,
    expires: datetime | None = None,
    created: datetime = NOW,
) -> Token:
    read = tuple(read_scope(scope) for scope in scopes)
    return await tokens.add(token, name=name, scopes=read, created=created, expires=expires)


async def test_a_token_is_found_by_its_text_with_all_that_was_said_of_it(tokens: Tokens) -> None:
    until = NOW + timedelta(days=90)
    made = await add(tokens, "ci", text(), "read:main", "publish:acme:acme-*", expires=until)
    assert await tokens.find(text()) == made
    assert made.scopes == (Scope("read", "main"), Scope("publish", "acme", "acme-*"))
    assert (made.name, made.created, made.expires, made.revoked, made.last_used) == (
        "ci",
        NOW,
        until,
        None,
        None,
    )
    assert f"wk_{made.id}_" in text()


async def test_nothing_else_finds_it(tokens: Tokens) -> None:
    await add(tokens, "ci", text(), "admin")
    # The right ID with another secret, and a true checksum.
    same_id = token_text.write(bytes([1]) * 8 + bytes([2]) * 24)
    assert same_id[:14] == text()[:14]
    for wrong in (same_id, text(2), "", text()[:-1], text()[:14], text().upper(), "é", "\0"):
        assert await tokens.find(wrong) is None


async def test_the_text_is_nowhere_on_the_disk(store: Store, tokens: Tokens) -> None:
    await add(tokens, "ci", text(), "admin")
    await tokens.find(text())
    read = token_text.read(text())
    assert read is not None
    kept = b"".join(path.read_bytes() for path in store.data.rglob("*") if path.is_file())
    assert read[0].encode() in kept
    assert read[1].encode() not in kept


async def test_a_name_is_in_use_until_it_is_revoked(tokens: Tokens) -> None:
    await add(tokens, "ci", text(1), "admin", expires=NOW - timedelta(days=1))
    with pytest.raises(NameInUse, match='called "ci"'):
        await add(tokens, "ci", text(2), "admin")
    assert await tokens.find(text(2)) is None
    assert await tokens.revoke("ci", NOW)
    await add(tokens, "ci", text(2), "admin", created=NOW + timedelta(seconds=1))
    assert [token.revoked for token in await tokens.all()] == [NOW, None]
    await tokens.revoke("ci", NOW)
    await add(tokens, "ci", text(3), "admin")


async def test_a_revoked_token_is_found_as_revoked_and_only_once(tokens: Tokens) -> None:
    await add(tokens, "ci", text(1), "admin")
    await add(tokens, "cd", text(2), "admin")
    assert await tokens.revoke("ci", NOW)
    assert not await tokens.revoke("ci", NOW + timedelta(days=1))
    assert not await tokens.revoke("other", NOW)
    found = [await tokens.find(text(1)), await tokens.find(text(2))]
    assert [token and token.revoked for token in found] == [NOW, None]


async def test_last_used_is_noted_once_a_minute(tokens: Tokens) -> None:
    token = await add(tokens, "ci", text(), "admin")

    async def used(seconds: float) -> float:
        await tokens.used(token, NOW + timedelta(seconds=seconds))
        (now,) = await tokens.all()
        assert now.last_used is not None
        return (now.last_used - NOW).total_seconds()

    assert [await used(seconds) for seconds in (0, 1, 59, 60, 61, 119, 500)] == [0, 0, 0, 60, 60, 60, 500]


async def test_what_another_process_does_is_seen(store: Store, tokens: Tokens) -> None:
    other = Database(store.path)
    await add(Tokens(other), "ci", text(), "admin")
    assert await tokens.find(text()) is not None
    await Tokens(other).revoke("ci", NOW)
    found = await tokens.find(text())
    assert found is not None
    assert found.revoked == NOW
    await other.close()


async def test_a_scope_of_another_version_allows_nothing(store: Store, tokens: Tokens) -> None:
    await add(tokens, "ci", text(), "admin")
    async with store.database.write() as connection:
        await connection.execute(update(table).values(scopes='["teleport:main", "read:main"]'))
    found = await tokens.find(text())
    assert found is not None
    assert found.scopes == (Scope("read", "main"),)


async def test_only_the_text_of_a_token_is_kept_as_one(tokens: Tokens) -> None:
    with pytest.raises(ValueError, match="not the text of a token"):
        await add(tokens, "ci", "hunter2", "admin")


async def test_tokens_are_listed_the_oldest_first(tokens: Tokens) -> None:
    for seed in (3, 1, 2):
        await add(tokens, str(seed), text(seed), "admin", created=NOW + timedelta(seconds=seed))
    assert [token.name for token in await tokens.all()] == ["1", "2", "3"]


async def test_the_comparison_is_made_for_unknown_tokens_too(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long an answer takes must not tell which IDs there are."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("hmac.compare_digest", compare)
    await add(tokens, "ci", text(1), "admin")
    for each in (text(1), text(2), "nonsense"):
        await tokens.find(each)
    assert len(compared) == 3
    assert {len(one) for pair in compared for one in pair} == {32}


async def test_pages_in_the_order_of_the_list(tokens: Tokens) -> None:
    for seed in range(1, 6):
        await add(tokens, f"t{seed}", text(seed), created=NOW + timedelta(seconds=seed // 2))
    whole = await tokens.all()
    seen: list[Token] = []
    while page := await tokens.page(after=(seen[-1].created, seen[-1].id) if seen else None, limit=2):
        seen += page
    assert seen == whole
    assert await tokens.page(after=(NOW + timedelta(days=1), ""), limit=2) == []


async def test_a_token_is_got_and_ended_by_its_id(tokens: Tokens) -> None:
    made = await add(tokens, "ci", text(), "admin")
    assert await tokens.get(made.id) == made
    assert await tokens.get("nothing") is None
    assert await tokens.end("nothing", NOW) is None
    ended = await tokens.end(made.id, NOW)
    assert ended is not None and ended.revoked == NOW
    assert await tokens.end(made.id, NOW + timedelta(days=1)) == ended


async def test_what_becomes_of_a_token_is_in_the_ledger_without_its_secret(store: Store) -> None:
    tokens, text = Tokens(store.database), token_text.write(bytes(token_text.RANDOM_BYTES))
    scopes = (read_scope("admin"),)
    made = await tokens.add(text, name="ci", scopes=scopes, created=NOW, expires=None, by="ada")
    assert await tokens.revoke("ci", NOW, by="bob")
    assert not await tokens.revoke("ci", NOW, by="eve")
    await tokens.end(made.id, NOW, by="eve")
    told = [
        entry
        async for _, entry in store.ledger.lines(
            kind=None, source=None, project=None, since=None, until=None, before=None
        )
    ]
    assert [(entry.kind, entry.detail["by"]) for entry in told] == [
        ("token revoked", "bob"),
        ("token created", "ada"),
    ]
    assert all(entry.detail["token"] == made.id and entry.detail["scopes"] == ["admin"] for entry in told)
    assert text.rpartition("_")[2] not in repr(told)
