"""The bytes of entries, by value: they are in the log for ever."""

from datetime import UTC, datetime

import pytest

from wheelkeep.core.log_entries import Head, Heads, SeenFile, micro, read_entry, write_entry, written_moment

SEEN = SeenFile(
    at="2026-11-23T02:03:04.000005Z",
    source="pypi",
    project="demo",
    filename="demo-1.0.tar.gz",
    sha256="ab" * 32,
    salt="cd" * 16,
)
HEADS = Heads(at=SEEN.at, ledger=Head(7, "ab" * 32), fetches=Head(0, "00" * 32), salt="cd" * 16)


def test_entries_by_value() -> None:
    assert write_entry(SEEN).decode() == (
        '{"type":"file","at":"2026-11-23T02:03:04.000005Z","source":"pypi","project":"demo",'
        f'"filename":"demo-1.0.tar.gz","sha256":"{"ab" * 32}","salt":"{"cd" * 16}"}}'
    )
    assert write_entry(HEADS).decode() == (
        f'{{"type":"heads","at":"2026-11-23T02:03:04.000005Z","ledger":{{"number":7,"link":"{"ab" * 32}"}},'
        f'"fetches":{{"number":0,"link":"{"00" * 32}"}},"salt":"{"cd" * 16}"}}'
    )
    assert [read_entry(write_entry(entry)) for entry in (SEEN, HEADS)] == [SEEN, HEADS]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"type":"else"}', b"\xff", b'{"type":"file"}'])
def test_other_bytes_are_no_entry(body: bytes) -> None:
    with pytest.raises(ValueError, match="no entry"):
        read_entry(body)


def test_moments_are_told_to_the_microsecond() -> None:
    moment = datetime(2026, 11, 23, 2, 3, 4, 5, tzinfo=UTC)
    assert written_moment(micro(moment)) == SEEN.at
