from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.units import read_duration, read_moment, read_size, size_words, time_words


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
    for read in (read_duration, lambda told: read_moment(told, MOMENT), read_size):
        try:
            read(text)
        except ValueError as error:
            assert str(error)


MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7d", datetime(2026, 11, 15, 12, 0, tzinfo=UTC)),
        ("1h30m", datetime(2026, 11, 22, 10, 30, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:00:00Z", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01t08:00:00.250+02:00", datetime(2026, 11, 1, 6, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-11-01 08:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_day_or_an_hour_or_so_long_ago(text: str, moment: datetime) -> None:
    assert read_moment(text, MOMENT) == moment
    later = timedelta(days=1 if len(text) == 10 else 0)
    assert read_moment(text, MOMENT, end=True) == moment + later


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7", "0d", "2026-02-30", "2026-W01-1", "20261101", "0001-01-01T00:00+14:00"],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|no time"):
        read_moment(text, MOMENT)


def test_sizes_and_times_as_people_read_them() -> None:
    sizes = [size_words(size) for size in (0, 1023, 1024, 1536 * 1024, 4 * 1024**3)]
    assert sizes == ["0 bytes", "1023 bytes", "1 KiB", "1.5 MiB", "4 GiB"]
    assert [time_words(seconds) for seconds in (0.5, 59, 90, 1800)] == ["0.5 s", "59 s", "90 s", "30 min"]
