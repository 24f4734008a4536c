"""Several digests in one pass."""

import hashlib

from wheelkeep.store.digests import Digests


def test_all_see_every_piece() -> None:
    digests = Digests()
    digests.also({"md5", "blake2b_256"})
    for piece in (b"one", b"", b"two"):
        digests.update(piece)
    assert digests.sha256 == hashlib.sha256(b"onetwo").hexdigest()
    assert digests.others() == {
        "md5": hashlib.md5(b"onetwo").hexdigest(),
        "blake2b_256": hashlib.blake2b(b"onetwo", digest_size=32).hexdigest(),
    }
