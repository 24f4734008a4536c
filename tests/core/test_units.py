from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.units import read_duration, read_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("10m", 600), ("1h30m", 5400), ("7d", 604800), ("2w", 1209600), ("1w1d1h1m1s", 694861)],
)
def test_durations(text: str, seconds: int) -> None:
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "10", "m", "1.5h", "-1d", "1 d", "1D", "1y", "0s", "0d0h", "1d\n", "\u0661d", "9999999w"]
)
def test_not_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|years"):
        read_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1B", 1),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("500MB", 500_000_000),
        ("500 mb", 500_000_000),
        ("2GiB", 2 * 1024**3),
        ("1.5GB", 1_500_000_000),
        ("0.5KiB", 512),
        ("1TB", 10**12),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "500", "MB", "-1MB", "1XB", "1M", "0MB", "1e3MB", "1MB\n", "1  MB"])
def test_not_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="size"):
        read_size(text)


@given(st.text(max_size=30))
def test_any_text_is_a_value_or_a_sentence(text: str) -> None:
    for read in (read_duration, read_size):
        try:
            read(text)
        except ValueError as error:
            assert str(error)
