"""The file of a bundle: whole or not at all, and nothing but what was written is read."""

import fcntl
import hashlib
import io
from pathlib import Path

import pytest

from fakes.bundles import bundle_of
from wheelkeep.core.bundle import Blob, NotABundle, read_lines, read_signed
from wheelkeep.store.bundle_file import BundleFile, Damaged, begins_a_bundle, lines, new_file, write_bundle

A, B = b"a" * 700, b"b" * 512
NAMES = {"demo-1.0-py3-none-any.whl": A, "demo-2.0-py3-none-any.whl": B}


def read(packed: bytes) -> list[bytes]:
    """All files of a bundle, read as an import does."""
    reader, documents = BundleFile(io.BytesIO(packed)), io.BytesIO()
    signed = read_signed(reader.note())
    reader.documents(signed.sha256, signed.size, documents)
    found = []
    for line in list(read_lines(lines(documents))):
        if isinstance(line, Blob):
            reader.begin_blob(line.sha256, line.size)
            content = b""
            while len(content) < line.size:
                content += reader.piece(line.size - len(content))
            reader.end_blob(line.size)
            if hashlib.sha256(content).hexdigest() != line.sha256:
                raise NotABundle("other bytes")
            found.append(content)
    reader.end()
    return found


def test_what_is_written_is_read(tmp_path: Path) -> None:
    whole = bundle_of(NAMES)
    reader, documents = BundleFile(io.BytesIO(whole)), io.BytesIO()
    note = reader.note()
    signed = read_signed(note)
    reader.documents(signed.sha256, signed.size, documents)
    blobs = []
    for content in sorted(NAMES.values(), key=lambda body: hashlib.sha256(body).hexdigest()):
        path = tmp_path / hashlib.sha256(content).hexdigest()
        path.write_bytes(content)
        blobs.append((path.name, len(content), path))
    with new_file(tmp_path / "x.bundle") as out:
        assert sorted(write_bundle(out, note, documents, blobs)) == [512, 700]
        assert not (tmp_path / "x.bundle").exists()
    assert (tmp_path / "x.bundle").read_bytes() == whole
    assert begins_a_bundle(tmp_path / "x.bundle")
    assert sorted(read(whole)) == [A, B]


def test_a_damaged_file_ends_it_and_nothing_is_left(tmp_path: Path) -> None:
    for content in (b"a" * 699, b"b" * 700, b"a" * 701, None):
        stored = tmp_path / "stored"
        stored.unlink(missing_ok=True)
        if content is not None:
            stored.write_bytes(content)
        blob = (hashlib.sha256(A).hexdigest(), 700, stored)
        with pytest.raises(Damaged), new_file(tmp_path / "x.bundle") as out:
            list(write_bundle(out, "note", io.BytesIO(b"{}"), [blob]))
        stored.unlink(missing_ok=True)
        assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_left_goes_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".a.bundle.4194000.part").write_bytes(b"half")
    (tmp_path / ".a.bundle.4194001.part").symlink_to(tmp_path / "mine")
    for name in ("mine", ".b.bundle.4194000.part", ".a.bundle.part", ".a.bundle.x.part"):
        (tmp_path / name).write_bytes(b"")
    held = tmp_path / ".a.bundle.4194002.part"
    with held.open("xb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        before = {path.name for path in tmp_path.iterdir()} - {".a.bundle.4194000.part"}
        with new_file(tmp_path / "a.bundle") as file:
            assert file is not None
    assert {path.name for path in tmp_path.iterdir()} == {*before, "a.bundle"}


def test_no_byte_can_be_another() -> None:
    whole = bundle_of(NAMES)
    for at in range(0, len(whole), 7):
        with pytest.raises(NotABundle):
            read(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])


def test_none_can_be_missing_and_none_can_follow() -> None:
    whole = bundle_of(NAMES)
    for end in range(0, len(whole), 61):
        with pytest.raises(NotABundle):
            read(whole[:end])
    for more in (b"\0", b"x", bytes(512)):
        with pytest.raises(NotABundle):
            read(whole + more)


def test_what_is_no_bundle_is_not_taken_for_one(tmp_path: Path) -> None:
    assert not begins_a_bundle(tmp_path / "absent")
    assert not begins_a_bundle(tmp_path)
    for content in (b"", b"PK\x03\x04", bytes(512)):
        (tmp_path / "x").write_bytes(content)
        assert not begins_a_bundle(tmp_path / "x")
