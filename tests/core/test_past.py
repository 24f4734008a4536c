"""What a date means, when a file came, and a page as it was."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from fakes.made import file, page
from wheelkeep.core import pins
from wheelkeep.core.model import File, Page, Status
from wheelkeep.core.past import Removed, appeared, is_moment, page_at, read_moment

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def uploaded(version: str, day: int | None) -> File:
    made = file(f"demo-{version}-py3-none-any.whl")
    return replace(made, upload_time=f"2026-11-{day:02}T00:00:00Z" if day is not None else None)


def shown(seen: Page) -> dict[str, str | None]:
    return {one.version: one.yanked for one in seen.files}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2016-12-31t15:59:60.5-08:00", datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-11-23", NOW),
        ("2026-11-01T12:00:00Z", at(1, 12)),
        ("2026-11-01t12:00:00.5z", at(1, 12) + timedelta(seconds=0.5)),
        ("2026-11-01T12:00:00+02:00", at(1, 10)),
    ],
)
def test_a_date_is_its_end_and_a_moment_itself(text: str, moment: datetime) -> None:
    assert read_moment(text, NOW) == moment
    assert is_moment(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24", "2026-11-23T12:00:01Z", "9999-12-31", "2026-02-30", "2026-11-01T12:00:00", "2026-11-01T25:00:00Z",
        "20261101", "2026-11-1", "2026-11-01T12:00:60Z", "2026-11-01T23:59:60+01:00", "2026-11-01T12:00:00+02:60",
        "0001-01-01T00:00:00+23:00", "", "release", "2026-11-01 12:00:00Z", "٢026-11-01",
    ],
)  # fmt: skip
def test_what_is_no_moment_or_still_to_come_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no date such as|is still to come"):
        read_moment(text, NOW)


def test_a_backdated_file_counts_from_first_sight() -> None:
    """Its page was looked at after the time that it claims, and did not have it."""
    stored, _ = pins.overlay(None, page(uploaded("1", 1)), at(2))
    honest, backdated = uploaded("2", 12), uploaded("3", 5)
    laid, _ = pins.overlay(stored, page(uploaded("1", 1), honest, backdated), at(20), at(10))
    came = {one.version: appeared(one) for one in laid.files}
    assert came == {"1": at(1), "2": at(12), "3": at(20)}
    assert shown(page_at(laid, at(15))) == {"1": None, "2": None}
    assert page_at(laid, at(20)) is laid


def test_a_file_without_a_time_counts_from_first_sight_and_that_is_told() -> None:
    stored, _ = pins.overlay(None, page(uploaded("1", 1), uploaded("2", None)), at(10))
    before = page_at(stored, at(5))
    assert shown(before) == {"1": None}
    assert before.status is not None
    assert before.status.status == "active"
    assert "1 file not shown: no page tells when" in str(before.status.reason)
    told = replace(stored, status=Status("archived", "for good"))
    assert page_at(told, at(5)).status == Status("archived", "for good")
    assert page_at(stored, at(10)) is stored


def test_before_the_first_look_at_another_index_it_is_told_what_is_not_known() -> None:
    """Of what this keep has itself, everything is known."""
    stored, _ = pins.overlay(None, page(uploaded("1", 1)), at(10))
    gone = Removed(replace(uploaded("0", 1), first_seen=at(8)), at(9))
    assert page_at(stored, at(5)) is page_at(stored, at(10), elsewhere=True) is stored
    seen = page_at(stored, at(5), elsewhere=True)
    assert (shown(seen), seen.status) == (
        {"1": None},
        Status(
            "active", "first looked at on 2026-11-10: what was yanked or deleted before is not known here"
        ),
    )
    assert page_at(stored, at(9), [gone], elsewhere=True) is stored
    both, _ = pins.overlay(None, page(uploaded("2", None)), at(10))
    assert "1 file not shown" in str(page_at(both, at(5), elsewhere=True).status)
    assert "first looked at on 2026-11-10" in str(page_at(both, at(5), elsewhere=True).status)


def test_yanks_are_as_they_were() -> None:
    stored, _ = pins.overlay(None, page(uploaded("1", 1)), at(2))
    for day, reason in ((5, "bad"), (7, None), (9, "worse")):
        told = page(replace(uploaded("1", 1), yanked=reason))
        stored, _ = pins.overlay(stored, told, at(day), at(day) - DAY)
    assert [shown(page_at(stored, at(day)))["1"] for day in (1, 4, 5, 6, 7, 8, 9, 20)] == [
        None, None, "bad", "bad", None, None, "worse", "worse",
    ]  # fmt: skip


def test_what_was_removed_was_there_before() -> None:
    gone = Removed(replace(uploaded("1", 1), first_seen=at(1)), at(5))
    here = page(uploaded("2", 3))
    assert shown(page_at(here, at(4), [gone])) == {"2": None, "1": None}
    assert shown(page_at(here, at(5), [gone])) == {"2": None}
    assert shown(page_at(here, at(2), [gone])) == {"1": None}
    assert page_at(here, at(2), [gone]).versions == ()


def test_a_page_remembers_no_more_than_it_can_carry() -> None:
    stored, _ = pins.overlay(None, page(uploaded("1", 1)), at(2))
    for minute in range(200):
        told = page(replace(uploaded("1", 1), yanked=f"for {minute}"))
        stored, _ = pins.overlay(stored, told, at(3) + timedelta(minutes=minute))
    assert len(stored.files[0].before) == 50
