"""When what is stored may be used."""

from datetime import timedelta

import pytest

from fakes.made import NOW, later
from wheelkeep.core.freshness import LONGEST_PAUSE, Plan, pause_after_failure, pauses, plan, young

FRESH = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("age", "has_page", "expected"),
    [
        (0, True, Plan.USE),
        (599, True, Plan.USE),
        (600, True, Plan.REVALIDATE),
        (10**7, True, Plan.REVALIDATE),
        (599, False, Plan.USE),
        (600, False, Plan.ASK),
        (-1, True, Plan.REVALIDATE),
        (-1, False, Plan.ASK),
    ],
)
def test_plans(age: float, has_page: bool, expected: Plan) -> None:
    assert plan(checked=later(seconds=-age), has_page=has_page, fresh=FRESH, now=NOW) is expected


def test_what_was_never_asked_is_asked() -> None:
    assert plan(checked=None, has_page=False, fresh=FRESH, now=NOW) is Plan.ASK
    assert plan(checked=None, has_page=True, fresh=FRESH, now=NOW) is Plan.ASK


def test_pauses_grow_and_have_an_end() -> None:
    pauses = [pause_after_failure(count, FRESH).total_seconds() for count in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[0] == 1.0
    assert pauses[-1] == 60.0


def test_no_pause_is_longer_than_a_page_is_fresh() -> None:
    assert pause_after_failure(50, timedelta(seconds=5)) == timedelta(seconds=5)
    assert pause_after_failure(50, timedelta(milliseconds=1)) == timedelta(seconds=1)


def test_a_clock_that_was_set_back_ends_every_pause() -> None:
    assert [pauses(later(seconds=left), NOW) for left in (-1, 0, 1, 60, 61, 10**8)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert all(pause_after_failure(count, timedelta(days=1)) <= LONGEST_PAUSE for count in range(20))


def test_what_was_learnt_later_than_now_is_not_young() -> None:
    assert [young(later(seconds=at), NOW, FRESH) for at in (-600, -599, 0, 1)] == [False, True, True, False]
