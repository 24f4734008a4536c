"""What is written into the database comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import DecodeError, ValidationError

from fakes.made import NOW, file, page, sha, versions
from wheelkeep.core.model import File
from wheelkeep.store.packed import pack_file, pack_page, squeeze, unpack_file, unpack_page, unsqueeze


def test_a_page_with_everything() -> None:
    full = file(
        digests={"sha512": "0" * 128},
        size=0,
        upload_time="2020-02-02T00:00:00.000000Z",
        requires_python="<4 & 'ü'",
        yanked="",
        metadata=sha("m"),
        provenance="https://upstream.example/proof",
        first_seen=NOW,
        gone=True,
        changed=sha("b"),
    )
    whole = page(full, *versions("2.0"), told=("1.0", "3.0"), status="quarantined")
    assert unpack_page(pack_page(whole)) == whole
    assert unpack_file(pack_file(full)) == full


@pytest.mark.parametrize("metadata", [None, True, False, sha("m")])
@pytest.mark.parametrize("yanked", [None, "", "broken"])
def test_not_told_is_not_the_same_as_empty(metadata: bool | str | None, yanked: str | None) -> None:
    one = file(sha256=None, metadata=metadata, yanked=yanked)
    read = unpack_file(pack_file(one))
    assert (read.metadata, read.yanked, read.sha256) == (metadata, yanked, None)
    assert read.metadata is metadata or isinstance(metadata, str)


@given(st.binary(max_size=2000), st.integers(0, 60))
def test_bytes_come_back(body: bytes, times: int) -> None:
    assert unsqueeze(squeeze(body * times)) == body * times


def test_what_repeats_is_small() -> None:
    assert len(squeeze(b"the same " * 10_000)) < 1000


def test_what_is_no_page_is_not_taken_for_one() -> None:
    with pytest.raises((DecodeError, ValidationError)):
        unpack_page(squeeze(b"\x80"))
    with pytest.raises((DecodeError, ValidationError)):
        unpack_file(b"\x80")
    assert isinstance(unpack_file(pack_file(file())), File)
