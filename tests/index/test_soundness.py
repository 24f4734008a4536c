"""Damaged bytes are found before they are given to anybody, once for all who ask, and without holding up others."""

import asyncio
import hashlib
import threading

import pytest

from fakes.stores import Store
from wheelkeep.index import soundness
from wheelkeep.store import trust
from wheelkeep.store.hashing import hash_all

BYTES = b"the bytes of a wheel" * 1000
SHA256 = hashlib.sha256(BYTES).hexdigest()


def flip(store: Store) -> str:
    """One bit, as a bad disk does; gives what the bytes hash to now."""
    path = store.blobs.path(SHA256)
    damaged = bytes([BYTES[0] ^ 1]) + BYTES[1:]
    path.chmod(0o644)
    path.write_bytes(damaged)
    return hashlib.sha256(damaged).hexdigest()


async def test_damage_is_set_aside_and_told_once(store: Store) -> None:
    await store.keep(BYTES)
    assert await store.soundness.sound(SHA256)
    came = flip(store)
    assert await asyncio.gather(*(store.soundness.sound(SHA256) for _ in range(5))) == [False] * 5
    assert store.damaged == [(SHA256, came, None)]
    assert not store.blobs.has(SHA256)
    assert not await store.soundness.sound(SHA256)
    assert len(store.damaged) == 1
    await store.keep(BYTES)
    assert await store.soundness.sound(SHA256)


async def test_a_large_file_that_is_read_holds_up_no_small_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = await store.keep(b"small")
    large = [await store.keep(BYTES + bytes([number])) for number in range(4)]
    go = threading.Event()

    def slow(path: trust.Path, **options: object) -> tuple[dict[str, str], int]:
        if path.name != small:
            go.wait(20)
        return hash_all(path)

    monkeypatch.setattr(soundness, "_LARGE", 1_000)
    monkeypatch.setattr(trust, "hash_all", slow)
    waiting = [asyncio.create_task(store.soundness.sound(sha256)) for sha256 in large]
    await asyncio.sleep(0)
    assert await store.soundness.sound(small)
    assert not any(task.done() for task in waiting)
    go.set()
    assert all(await asyncio.gather(*waiting))
