"""A wheel's members as they lie there, each with the hash of what it holds."""

import hashlib
from pathlib import Path

import pytest

from fakes.dists import wheel
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.members import read_members


def test_every_member_is_told(tmp_path: Path) -> None:
    name, packed = wheel("demo", "1.0", files={"demo.py": b"x = 1\n", "demo/data": b""})
    path = tmp_path / name
    path.write_bytes(packed)
    found = {member.name: member for member in read_members(path)}
    assert found["demo.py"].sha256 == hashlib.sha256(b"x = 1\n").hexdigest()
    assert (found["demo.py"].size, found["demo/data"].size) == (6, 0)
    assert "demo-1.0.dist-info/RECORD" in found


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "demo.whl"
    path.write_bytes(b"PK")
    with pytest.raises(BadArchive):
        read_members(path)
