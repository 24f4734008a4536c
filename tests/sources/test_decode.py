"""Bodies are unpacked within their bounds, in any pieces, or refused."""

import gzip
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import faults
from wheelkeep.core.errors import Unanswered
from wheelkeep.sources.decode import ALLOWANCE, Decoder

MANY = 1 << 30


def unpacked(
    encoding: str, body: bytes, *, piece: int = 1 << 16, packed: int = MANY, limit: int = MANY
) -> bytes:
    decoder = Decoder(encoding, packed=packed, unpacked=limit)
    content = b"".join(decoder.feed(body[at : at + piece]) for at in range(0, len(body), piece))
    decoder.finish()
    return content


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@given(
    st.binary(max_size=5000),
    st.integers(1, 400),
    st.sampled_from(
        [
            ("gzip", gzip.compress),
            ("X-GZip", gzip.compress),
            ("deflate", zlib.compress),
            ("deflate", raw_deflate),
            ("identity", bytes),
            ("", bytes),
        ]
    ),
)
def test_whatever_the_pieces(data: bytes, piece: int, way: tuple[str, object]) -> None:
    encoding, pack = way
    assert unpacked(encoding, pack(data), piece=piece) == data  # type: ignore[operator]


def test_a_gzip_body_of_several_parts() -> None:
    assert unpacked("gzip", gzip.compress(b"one ") + gzip.compress(b"two"), piece=7) == b"one two"


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip,identity", "compress", "gz ip"])
def test_other_packings_are_refused(encoding: str) -> None:
    with pytest.raises(Unanswered, match="not asked for"):
        Decoder(encoding, packed=MANY, unpacked=MANY)


def test_an_empty_body_is_empty_whatever_it_says() -> None:
    assert unpacked("gzip", b"") == b""


@pytest.mark.parametrize(
    "body",
    [
        b"plain",
        gzip.compress(b"x", mtime=0) + b"rubbish",
        gzip.compress(b"x" * 99, mtime=0)[:-9] + b"12345678x",
    ],
    ids=["plain", "rubbish after", "wrong checksum"],
)
def test_damage(body: bytes) -> None:
    with pytest.raises(Unanswered):
        unpacked("gzip", body)


@pytest.mark.parametrize("cut", [1, 4, 8, 30])
def test_cut_short(cut: int) -> None:
    body = gzip.compress(random.Random(1).randbytes(1000))
    with pytest.raises(Unanswered, match="cut short"):
        unpacked("gzip", body[:-cut])


def test_too_much_to_come_in() -> None:
    with pytest.raises(Unanswered, match="larger than"):
        unpacked("identity", bytes(1001), packed=1000)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_too_much_to_come_out(encoding: str) -> None:
    data = random.Random(1).randbytes(2000)
    body = gzip.compress(data) if encoding == "gzip" else data
    assert unpacked(encoding, body, limit=2000) == data
    with pytest.raises(Unanswered, match="more than"):
        unpacked(encoding, body, limit=1999)


def test_a_bomb_costs_little() -> None:
    """A megabyte that unpacks to a gigabyte stops at the ratio, whatever came before."""
    decoder = Decoder("gzip", packed=MANY, unpacked=MANY)
    bomb = faults.bomb()
    out = 0
    with pytest.raises(Unanswered, match="25 times"):
        for at in range(0, len(bomb), 4096):
            out += len(decoder.feed(bomb[at : at + 4096]))
    assert out <= ALLOWANCE + 25 * 8 * 4096


def test_the_whole_bomb_in_one_piece() -> None:
    bomb = faults.bomb()
    with pytest.raises(Unanswered, match="unpacks to more than"):
        Decoder("gzip", packed=MANY, unpacked=64 << 20).feed(bomb)


def test_many_small_parts_are_no_answer() -> None:
    with pytest.raises(Unanswered, match="too many parts"):
        unpacked("gzip", gzip.compress(b"") * 2000)


def test_small_pages_may_be_repetitive() -> None:
    data = b" " * ALLOWANCE
    assert unpacked("gzip", gzip.compress(data)) == data
