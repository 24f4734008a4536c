"""Links, by value: what was chained once must be verifiable by every later version."""

import hashlib

from wheelkeep.core.chain import BEGIN, link


def test_links_by_value() -> None:
    first = link(BEGIN, (1, 1763863200.5, "incident", "pypi", None, 'a"\u00e9', "{}"))
    told = '[1,1763863200.5,"incident","pypi",null,"a\\"\u00e9","{}"]'.encode()
    assert first == hashlib.sha256(bytes(32) + told).digest()
    assert link(first, (2, ("a", "b"))) == hashlib.sha256(first + b'[2,["a","b"]]').digest()
