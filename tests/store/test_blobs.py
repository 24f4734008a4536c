"""Bytes are in the store whole and under their own hash, or not at all."""

import errno
import fcntl
import hashlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.stores import Store
from wheelkeep.store import blobs as module
from wheelkeep.store import trust
from wheelkeep.store.blobs import Blobs, Mismatch, stream
from wheelkeep.store.hashing import hash_file

BYTES = b"the bytes of a wheel" * 1000
SHA256 = hashlib.sha256(BYTES).hexdigest()

_HOLDS = """
import os, sys, pathlib
from wheelkeep.store.blobs import Blobs
blobs = Blobs(pathlib.Path(sys.argv[1]))
if sys.argv[2] == "claim":
    held = blobs.claim("demo")
else:
    held = blobs.filling()
    held.write(b"half")
print("holding" if held else "refused", flush=True)
sys.stdin.read()
"""


def holder(data: Path, what: str) -> subprocess.Popen[str]:
    """Another process on the same data, that holds something until it is ended."""
    return subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(data), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def parts(store: Store) -> list[Path]:
    return list((store.data / "tmp").glob("*.part"))


async def test_bytes_are_kept_under_their_hash(store: Store) -> None:
    assert not store.blobs.has(SHA256)
    assert await store.keep(BYTES) == SHA256
    path = store.data / "blobs" / "sha256" / SHA256[:2] / SHA256
    assert store.blobs.path(SHA256) == path
    assert path.read_bytes() == BYTES
    assert store.blobs.size(SHA256) == len(BYTES)
    assert list(store.blobs.all()) == [(SHA256, path)]
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert parts(store) == []


async def test_nothing_is_there_before_it_is_kept(store: Store) -> None:
    filling = store.blobs.filling()
    filling.write(BYTES[:100])
    filling.write(BYTES[100:])
    assert not store.blobs.has(SHA256)
    assert list(store.blobs.all()) == []
    assert (filling.sha256, filling.size) == (SHA256, len(BYTES))
    assert filling.read(50, 150) == BYTES[50:150]
    await filling.keep()
    assert filling.read(0, len(BYTES)) == BYTES
    await filling.close()
    assert store.blobs.has(SHA256)


async def test_what_is_not_kept_leaves_nothing(store: Store) -> None:
    filling = store.blobs.filling()
    filling.write(BYTES)
    assert len(parts(store)) == 1
    await filling.close()
    await filling.close()
    assert parts(store) == []
    assert list(store.blobs.all()) == []


async def test_the_same_bytes_twice_are_one_file(store: Store) -> None:
    first, second = store.blobs.filling(), store.blobs.filling()
    for filling in (first, second):
        filling.write_all([BYTES[:7], BYTES[7:]])
    assert await first.keep() == await second.keep() == SHA256
    await first.close()
    await second.close()
    assert store.blobs.path(SHA256).read_bytes() == BYTES
    assert len(list(store.blobs.all())) == 1


async def test_no_bytes_are_a_file_too(store: Store) -> None:
    assert await store.keep(b"") == hashlib.sha256(b"").hexdigest()
    assert store.blobs.size(hashlib.sha256(b"").hexdigest()) == 0


async def test_further_digests_on_the_way(store: Store) -> None:
    filling = store.blobs.filling()
    filling.also({"md5", "sha512"})
    filling.write(BYTES)
    assert filling.digests() == {
        "md5": hashlib.md5(BYTES).hexdigest(),
        "sha512": hashlib.sha512(BYTES).hexdigest(),
    }
    await filling.close()


async def test_a_large_file_is_synced_on_the_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(module.os, "fdatasync", synced.append)
    filling = store.blobs.filling()
    for _ in range(3):
        filling.write(bytes(9 * 1024 * 1024))
        filling.sync_some()
    sha256 = await filling.keep()
    await filling.close()
    assert synced
    assert store.blobs.size(sha256) == 27 * 1024 * 1024


async def test_bytes_are_on_the_disk_before_their_name_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss of power leaves no name without its bytes, and what was told of as kept has its name."""
    done: list[str] = []
    sync, rename = os.fsync, Path.rename

    def synced(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "bytes")
        sync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        done.append("name")
        return rename(path, target)

    monkeypatch.setattr(module.os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    await store.keep(BYTES)
    # The first folder is that in which the blob's own folder is new.
    assert done == ["bytes", "folder", "name", "folder"]


async def test_a_full_disk_says_so_and_keeps_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filling = store.blobs.filling()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "write", full)
        with pytest.raises(OSError, match="No space"):
            filling.write(BYTES)
    await filling.close()
    assert parts(store) == []


async def test_leftovers_of_a_crash_are_cleared_by_the_next_start(store: Store) -> None:
    dead, alive = holder(store.data, "filling"), holder(store.data, "filling")
    for process in (dead, alive):
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
    own = store.blobs.filling()
    assert len(parts(store)) == 3
    kill(dead)
    Blobs(store.data)
    # What a living process, this one too, is about to fill stays.
    assert len(parts(store)) == 2
    own.write(BYTES)
    assert await own.keep() == SHA256
    await own.close()
    kill(alive)
    Blobs(store.data)
    assert parts(store) == []


async def test_bytes_from_elsewhere_are_taken_over(store: Store) -> None:
    """They stay where they are, too; what is damaged there, or in the store, does not."""
    path = store.data / "elsewhere"
    path.write_bytes(BYTES)
    with pytest.raises(Mismatch):
        store.blobs.adopt(path, "0" * 64)
    assert not list(store.blobs.all())
    for _ in range(2):
        store.blobs.adopt(path, SHA256)
        assert store.blobs.check(SHA256) and path.read_bytes() == BYTES
    target = store.blobs.path(SHA256)
    target.unlink()
    target.write_bytes(b"damaged")
    store.blobs.adopt(path, SHA256)
    assert store.blobs.check(SHA256).good
    path.unlink()
    assert store.blobs.check(SHA256).good
    with pytest.raises(FileNotFoundError):
        store.blobs.adopt(path, SHA256)
    assert list((store.data / "tmp").iterdir()) == []


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSPC])
async def test_a_file_system_without_second_names(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = store.data / "elsewhere"
    path.write_bytes(BYTES)

    def none(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", none)
    if code == errno.ENOSPC:
        with pytest.raises(OSError, match="No space left"):
            store.blobs.adopt(path, SHA256)
    else:
        store.blobs.adopt(path, SHA256)
        assert store.blobs.check(SHA256).good
        assert store.blobs.path(SHA256).stat().st_ino != path.stat().st_ino
    assert store.blobs.has(SHA256) == (code != errno.ENOSPC)
    assert list((store.data / "tmp").iterdir()) == []


async def test_a_second_name_that_a_crash_left_goes_after_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = store.data / "tmp" / "1-ab.link"
    left.write_bytes(BYTES)
    Blobs(store.data)
    assert left.exists()
    monkeypatch.setattr(module, "_LINKED_FOR", -1.0)
    Blobs(store.data)
    assert not left.exists()


def test_one_claim_at_a_time(store: Store) -> None:
    claim = store.blobs.claim("demo")
    assert claim is not None
    assert store.blobs.claim("demo") is None
    other = store.blobs.claim("other")
    assert other is not None
    other.release()
    claim.release()
    again = store.blobs.claim("demo")
    assert again is not None
    again.release()
    assert list((store.data / "tmp").iterdir()) == []


def test_a_claim_holds_between_processes_and_dies_with_its_holder(store: Store) -> None:
    other = holder(store.data, "claim")
    assert other.stdout is not None
    assert other.stdout.readline() == "holding\n"
    assert store.blobs.claim("demo") is None
    kill(other)
    claim = store.blobs.claim("demo")
    assert claim is not None
    refused = holder(store.data, "claim")
    assert refused.communicate("")[0] == "refused\n"
    claim.release()


def test_a_file_system_without_locks_is_an_error_and_no_endless_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(OSError, match="not supported"):
        store.blobs.claim("demo")


async def test_damage_is_set_aside(store: Store) -> None:
    await store.keep(BYTES)
    path = store.blobs.path(SHA256)
    path.chmod(0o644)
    path.write_bytes(b"X" + BYTES[1:])
    assert hash_file(path) == (hashlib.sha256(b"X" + BYTES[1:]).hexdigest(), len(BYTES))
    store.blobs.set_aside(SHA256)
    assert not store.blobs.has(SHA256)
    assert (store.data / "damaged" / SHA256).read_bytes() == b"X" + BYTES[1:]
    await store.keep(BYTES)
    assert hash_file(path) == (SHA256, len(BYTES))


async def test_what_came_into_the_place_of_damage_stays(store: Store) -> None:
    """Another process may have healed it between the check and the act."""
    await store.keep(BYTES)
    path = store.blobs.path(SHA256)
    path.chmod(0o644)
    path.write_bytes(b"X" + BYTES[1:])
    checked = store.blobs.check(SHA256)
    assert not checked.good
    await store.keep(BYTES)
    assert not store.blobs.set_aside(SHA256, checked.stamp)
    assert path.read_bytes() == BYTES
    path.unlink()
    assert not store.blobs.set_aside(SHA256)


async def test_what_came_between_the_last_look_and_the_act_is_put_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.keep(BYTES)
    path, other = store.blobs.path(SHA256), store.data / "tmp" / "other"
    stamp = store.blobs.check(SHA256).stamp
    other.write_bytes(BYTES)
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        if self == path:
            rename(other, path)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    assert not store.blobs.set_aside(SHA256, stamp)
    assert path.read_bytes() == BYTES


async def test_bytes_are_trusted_while_nobody_touched_them(store: Store) -> None:
    await store.keep(BYTES)
    path = store.blobs.path(SHA256)
    assert not store.blobs.trusted(SHA256)
    assert store.blobs.check(SHA256).good
    assert store.blobs.trusted(SHA256)
    state = path.stat()
    path.chmod(0o644)
    path.write_bytes(b"X" + BYTES[1:])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert not store.blobs.trusted(SHA256)
    assert not store.blobs.check(SHA256).good
    assert not store.blobs.trusted(SHA256)
    path.unlink()
    assert not store.blobs.check(SHA256).good
    assert not Blobs(store.data).trusted(SHA256)


async def test_what_cannot_be_read_for_another_reason_is_not_called_damaged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.keep(BYTES)
    for code, is_damage in ((errno.EIO, True), (errno.EMFILE, False), (errno.ENOMEM, False)):

        def broken(*_: object, code: int = code, **__: object) -> tuple[dict[str, str], int]:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(trust, "hash_all", broken)
        if is_damage:
            assert not store.blobs.check(SHA256).good
        else:
            with pytest.raises(OSError):
                store.blobs.check(SHA256)


async def test_trust_has_a_bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_MOST_TRUSTED", 2)
    kept = [await store.keep(bytes([number])) for number in range(4)]
    for sha256 in kept:
        assert store.blobs.check(sha256).good
        assert store.blobs.trusted(sha256)
    assert sum(map(store.blobs.trusted, kept)) <= 2


async def test_streaming(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.keep(BYTES)
    monkeypatch.setattr(module, "READ_AT_ONCE", 777)
    path = store.blobs.path(SHA256)
    for start, end in ((0, len(BYTES)), (5, 6), (1000, 4000), (7, 7)):
        pieces = [piece async for piece in stream(path, start, end)]
        assert b"".join(pieces) == BYTES[start:end]
        assert all(0 < len(piece) <= 777 for piece in pieces)


async def test_a_file_that_shrinks_under_the_reader_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"short")
    with pytest.raises(OSError, match="shorter"):
        [piece async for piece in stream(path, 0, 100)]


async def test_a_folder_that_went_away_keeps_nothing_open(store: Store) -> None:
    """What ends in the middle of a fault ends quietly: the file is kept already, or is not."""
    filling = store.blobs.filling()
    filling.write(b"bytes")
    claim = store.blobs.claim("somebody's")
    assert claim is not None
    sha256 = await filling.keep()
    other = store.blobs.filling()
    tmp = store.data / "tmp"
    tmp.rename(store.data / "away")
    tmp.write_text("")
    await filling.close()
    await other.close()
    claim.release()
    assert store.blobs.has(sha256)
    tmp.unlink()
    (store.data / "away").rename(tmp)
    again = store.blobs.claim("somebody's")
    assert again is not None
    again.release()
