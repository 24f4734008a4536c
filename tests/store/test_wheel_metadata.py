"""METADATA out of wheels that mean harm: read within bounds, or refused with one kind of error."""

import io
import random
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.dists import metadata, wheel
from wheelkeep.store import wheel_metadata
from wheelkeep.store.wheel_metadata import (
    LARGEST_DIRECTORY,
    LARGEST_METADATA,
    NeedBytes,
    NoMetadata,
    Pieces,
    read_metadata,
    read_metadata_of,
)

PLAIN = wheel("demo", "1.0")[1]
EXPECTED = metadata("demo", "1.0").encode()
NAME = "demo-1.0.dist-info/METADATA"


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return made.getvalue()


def read(body: bytes) -> bytes:
    return read_metadata(io.BytesIO(body))


def refused(body: bytes) -> str:
    with pytest.raises(NoMetadata) as caught:
        read(body)
    return str(caught.value)


def patched(body: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """The zip with some bytes of its last such record changed."""
    at = body.rindex(signature) + offset
    return body[:at] + value + body[at + len(value) :]


def test_of_bytes_and_of_a_file(tmp_path: Path) -> None:
    assert read(PLAIN) == EXPECTED
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(PLAIN)
    assert read_metadata_of(path) == EXPECTED


def test_stored_is_as_good_as_deflated() -> None:
    assert read(packed((NAME, b"Name: demo\n"), method=zipfile.ZIP_STORED)) == b"Name: demo\n"


def test_a_comment_at_the_end_is_borne() -> None:
    made = io.BytesIO(PLAIN)
    with zipfile.ZipFile(made, "a") as archive:
        archive.comment = b"and more" * 1000
    assert read(made.getvalue()) == EXPECTED


@pytest.mark.parametrize("body", [b"", b"PK", b"<html>", b"PK\x05\x06" + bytes(10), bytes(100_000)])
def test_what_is_no_zip(body: bytes) -> None:
    refused(body)


def test_an_empty_zip_and_one_without_metadata() -> None:
    assert "no METADATA" in refused(packed())
    assert "no METADATA" in refused(packed(("demo.py", b""), ("demo-1.0.dist-info/RECORD", b"")))
    for name in ("METADATA", "a/demo.dist-info/METADATA", ".dist-info/METADATA", f"{NAME}/x", f"/{NAME}"):
        assert "no METADATA" in refused(packed((name, b"x")))


def test_two_are_none() -> None:
    two = packed((NAME, b"Name: a"), ("other-1.0.dist-info/METADATA", b"Name: b"))
    assert "more than one" in refused(two)
    with pytest.warns(UserWarning, match="Duplicate"):
        same = packed((NAME, b"Name: a"), (NAME, b"Name: b"))
    assert "more than one" in refused(same)
    hidden = packed((NAME, b"Name: a"), (f"{NAME}\x01x", b"Name: b")).replace(b"\x01x", b"\x00x")
    assert "more than one" in refused(hidden)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_no_builder_uses(method: int) -> None:
    assert "do not use" in refused(packed((NAME, b"Name: demo"), method=method))


def test_encrypted() -> None:
    body = packed((NAME, b"Name: demo"))
    assert "do not use" in refused(patched(body, b"PK\x01\x02", 8, b"\x01"))


def test_a_packing_that_nobody_knows() -> None:
    assert "do not use" in refused(patched(packed((NAME, b"x")), b"PK\x01\x02", 10, b"\x63"))


def test_a_bomb() -> None:
    assert "larger than any package" in refused(packed((NAME, bytes(LARGEST_METADATA + 1))))
    assert read(packed((NAME, bytes(LARGEST_METADATA)))) == bytes(LARGEST_METADATA)


def test_a_bomb_that_tells_a_small_size() -> None:
    body = packed((NAME, bytes(200 * 1024 * 1024)))
    small = patched(body, b"PK\x01\x02", 24, struct.pack("<I", 10))
    tracemalloc.start()
    try:
        refused(small)
        assert tracemalloc.get_traced_memory()[1] < 6 * LARGEST_METADATA
    finally:
        tracemalloc.stop()


def test_wrong_sums_are_seen() -> None:
    refused(patched(packed((NAME, b"Name: demo")), b"PK\x01\x02", 16, b"\x00\x00\x00\x00"))


def test_a_name_that_its_own_head_denies() -> None:
    body = packed((NAME, b"Name: demo"))
    at = body.index(b"demo-1.0")
    refused(body[:at] + b"evil" + body[at + 4 :])


def huge(*, sixty_four: bool) -> io.BytesIO:
    """A zip whose directory is as large as it says: more than a wheel's is, and never read."""

    class Sparse(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            self.largest = max(self.largest, size or 0)
            return super().read(size)

    size = LARGEST_DIRECTORY + 1
    body = bytes(size)
    if sixty_four:
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, 0)
        body += record + struct.pack("<4sLQL", b"PK\x06\x07", 0, size, 1)
    told = 46 if sixty_four else size
    return Sparse(body + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, told, 0, 0))


@pytest.mark.parametrize("sixty_four", [False, True])
def test_a_huge_directory_is_refused_unread_whichever_record_tells_it(sixty_four: bool) -> None:
    file = huge(sixty_four=sixty_four)
    with pytest.raises(NoMetadata, match="zip directory is larger"):
        read_metadata(file)
    assert file.largest <= LARGEST_DIRECTORY  # type: ignore[attr-defined]


def test_too_many_members_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_metadata, "_MOST_MEMBERS", 5)
    members = [(f"demo/{number}.py", b"") for number in range(5)]
    assert "too many members" in refused(packed(*members, (NAME, b"Name: demo")))
    assert read(packed(*members[1:], (NAME, b"Name: demo"))) == b"Name: demo"
    # The number that the end record tells is not what counts.
    lie = patched(packed(*members, (NAME, b"Name: demo")), b"PK\x05\x06", 8, b"\x01\x00\x01\x00")
    assert "too many members" in refused(lie)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated(share: float) -> None:
    refused(PLAIN[: int(len(PLAIN) * share)])


@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_whatever_is_wrong_it_is_one_kind_of_error(changes: list[tuple[int, int]]) -> None:
    body = bytearray(PLAIN)
    for at, value in changes:
        body[at] = value
    try:
        found = read(bytes(body))
    except NoMetadata:
        return
    assert zlib.crc32(found) == zlib.crc32(EXPECTED) or len(found) <= LARGEST_METADATA


def in_pieces(body: bytes, *, tail: int, ahead: int) -> tuple[bytes, list[tuple[int, int]]]:
    """Reads by asking for what is missing; the answers, and which pieces were asked for."""
    pieces, asked = Pieces(len(body)), []
    pieces.add(max(0, len(body) - tail), body[-tail:])
    while True:
        try:
            return read_metadata(pieces), asked
        except NeedBytes as need:
            assert 0 <= need.start < need.end <= len(body)
            asked.append((need.start, need.end))
            pieces.add(need.start, body[need.start : need.end + ahead])
            pieces.seek(0)


def test_pieces_of_a_large_wheel() -> None:
    big = random.Random(1).randbytes(2_000_000)
    body = wheel("demo", "1.0", files={"demo/data.bin": big, "demo/more.bin": big[::-1]})[1]
    found, asked = in_pieces(body, tail=100, ahead=0)
    assert found == EXPECTED
    assert sum(end - start for start, end in asked) < 5_000
    found, asked = in_pieces(body, tail=24 * 1024, ahead=4096)
    assert (found, asked) == (EXPECTED, [])


@given(st.integers(1, 1000), st.integers(0, 500))
def test_pieces_of_any_size_come_to_the_same(tail: int, ahead: int) -> None:
    assert in_pieces(PLAIN, tail=tail, ahead=ahead)[0] == EXPECTED


def test_pieces_that_overlap_and_reads_beyond_the_end() -> None:
    pieces = Pieces(10)
    pieces.add(0, b"0123")
    pieces.add(2, b"23456789")
    assert pieces.read(4) == b"0123"
    pieces.seek(-3, io.SEEK_END)
    assert (pieces.read(), pieces.read(), pieces.tell()) == (b"789", b"", 10)
    pieces.seek(1)
    with pytest.raises(NeedBytes):
        pieces.read(9)
    pieces.seek(1)
    pieces.seek(2, io.SEEK_CUR)
    assert pieces.read(100) == b"3456789"
    with pytest.raises(OSError, match="before the start"):
        pieces.seek(-1)


def test_a_huge_directory_in_pieces_is_not_asked_for() -> None:
    file = huge(sixty_four=True).getvalue()
    pieces = Pieces(len(file))
    pieces.add(len(file) - 1000, file[-1000:])
    with pytest.raises(NoMetadata, match="zip directory is larger"):
        read_metadata(pieces)
