"""Going back in time does not forget which names were used, and which tokens revoked."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.made import file
from fakes.stores import Store
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import SourceName
from wheelkeep.core.token_text import RANDOM_BYTES, write
from wheelkeep.store.carried import carry_over
from wheelkeep.store.inventory import copy_database
from wheelkeep.store.tokens import Tokens
from wheelkeep.store.uploads import Taken

ACME = SourceName("acme")
OLD, NEW = file(source="acme"), file("demo-2.0-py3-none-any.whl", source="acme")


async def test_names_and_revocations_are_learned(store: Store, tmp_path: Path) -> None:
    older, newer = tmp_path / "older.sqlite", tmp_path / "newer.sqlite"
    now = datetime.now(UTC)
    tokens = Tokens(store.database)
    await store.uploads.add(OLD)
    for name in ("stays", "goes"):
        await tokens.add(write(os.urandom(RANDOM_BYTES)), name=name, scopes=(), created=now, expires=None)
    assert copy_database(store.path, older) == ""
    await store.uploads.add(NEW)
    await tokens.revoke("goes", now)
    assert copy_database(store.path, newer) == ""
    carried = carry_over(older, newer)
    assert (carried.names, carried.tokens) == (1, 1)
    assert carry_over(older, newer).names == 0

    (tmp_path / "back").mkdir()
    older.rename(tmp_path / "back" / "wheelkeep.sqlite")
    async with Store(tmp_path / "back") as back:
        assert await back.facts.hosted(ACME, OLD.project) == [OLD]
        assert await back.uploads.add(NEW) == Taken(NEW.filename, None)
        assert {token.name: token.revoked is not None for token in await Tokens(back.database).all()} == {
            "stays": False,
            "goes": True,
        }


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x" * 5000)
    with pytest.raises(WheelkeepError, match="cannot be read"):
        carry_over(tmp_path / "a", tmp_path / "b")
