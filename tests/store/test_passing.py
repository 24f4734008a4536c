"""A disk that takes no more ends the keeping of a download, and not the download."""

import errno
import hashlib

import pytest

from fakes.stores import Store
from wheelkeep.store.blobs import Filling
from wheelkeep.store.passing import Passing

PIECES = [b"one", b"two", b"three"]
SHA256 = hashlib.sha256(b"".join(PIECES)).hexdigest()


async def test_what_the_disk_takes_is_kept(store: Store) -> None:
    passing = Passing(store.blobs)
    assert passing.write_all(PIECES) == 11 == passing.size == passing.on_disk
    assert await passing.keep() == SHA256 == passing.sha256
    await passing.close()
    assert store.blobs.has(SHA256)


@pytest.mark.parametrize("after", range(4))
async def test_a_full_disk_is_told_and_hashing_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Also where only the last step, the syncing, finds it full."""
    write, left = Filling.write, [after]

    def full(filling: Filling, piece: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(filling, piece)

    def put(filling: Filling, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Filling, "write", full)
    monkeypatch.setattr(Filling, "_put", put)
    passing = Passing(store.blobs)
    passing.also({"md5"})
    passing.write_all(PIECES)
    assert passing.on_disk == len(b"".join(PIECES[:after]))
    assert passing.read(0, passing.on_disk) == b"".join(PIECES[:after])
    assert passing.sha256 == SHA256
    assert passing.digests() == {"md5": hashlib.md5(b"".join(PIECES)).hexdigest()}
    assert await passing.keep() is None
    assert passing.why is not None and passing.why.errno == errno.ENOSPC
    await passing.close()
    assert not list((store.data / "tmp").iterdir())


async def test_a_disk_that_takes_nothing_at_all(store: Store) -> None:
    (store.data / "tmp").rmdir()
    passing = Passing(store.blobs)
    passing.write_all(PIECES)
    assert (passing.on_disk, passing.sha256) == (0, SHA256)
    assert await passing.keep() is None
    await passing.close()
