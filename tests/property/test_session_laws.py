"""Laws of publishing sessions (PEP 694): which states can be reached, and which are for ever."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.sessions import (
    FILE_EVENTS,
    LIFE,
    LONGEST_LIFE,
    SESSION_EVENTS,
    FileEvent,
    FileState,
    SessionEvent,
    SessionState,
    extended,
    file_after,
    replaceable,
    session_after,
    until,
)

session_events = st.lists(st.sampled_from(SESSION_EVENTS), max_size=20)
file_events = st.lists(st.sampled_from(FILE_EVENTS), max_size=20)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def sessions_after(events: list[SessionEvent]) -> list[SessionState]:
    """The states that a new session goes through; what is refused changes nothing."""
    states: list[SessionState] = ["open"]
    for event in events:
        states.append(session_after(states[-1], event) or states[-1])
    return states


def files_after(events: list[FileEvent]) -> list[FileState]:
    states: list[FileState] = ["pending"]
    for event in events:
        states.append(file_after(states[-1], event) or states[-1])
    return states


@given(session_events)
def test_a_session_ends_once(events: list[SessionEvent]) -> None:
    """Published or canceled, never both, whatever comes in whatever order, and for ever."""
    states = sessions_after(events)
    ends = [state for state in states if state != "open"]
    assert len(set(ends)) <= 1
    assert states == ["open"] * (len(states) - len(ends)) + ends


@given(session_events)
def test_the_first_that_ends_a_session_decides(events: list[SessionEvent]) -> None:
    decided = next((event for event in events if event != "change"), None)
    last = sessions_after(events)[-1]
    assert last == {None: "open", "publish": "published", "cancel": "canceled"}[decided]


@given(session_events, st.sampled_from(SESSION_EVENTS))
def test_what_ended_takes_no_change(events: list[SessionEvent], event: SessionEvent) -> None:
    state = sessions_after(events)[-1]
    if state != "open":
        assert session_after(state, event) in (None, state)
        assert session_after(state, "change") is None and session_after(state, "publish") is None


@given(file_events)
def test_only_a_file_that_was_completed_is_completed(events: list[FileEvent]) -> None:
    """Nothing leads there from an error: such a file is deleted, and announced anew."""
    states = files_after(events)
    for before, after in pairwise(states):
        assert after != "completed" or before in ("pending", "completed")
        assert before != "error" or after in ("error", "canceled")
        assert before != "canceled" or after == "canceled"
    assert "completed" not in states or "complete" in events


@given(file_events)
def test_every_file_can_be_deleted(events: list[FileEvent]) -> None:
    assert file_after(files_after(events)[-1], "delete") == "canceled"


@given(file_events, st.sampled_from(FILE_EVENTS))
def test_what_is_on_its_way_is_not_replaced(events: list[FileEvent], event: FileEvent) -> None:
    """Bytes go only to a file that is pending, and only one that is not may be replaced."""
    state = files_after(events)[-1]
    assert (file_after(state, "send") is not None) == (state == "pending")
    assert not (replaceable(state) and file_after(state, "send") is not None)


@given(moments, st.lists(st.integers(1, 10**15), max_size=10))
def test_an_end_only_moves_on_and_not_for_ever(created: datetime, asked: list[int]) -> None:
    expires = until(created)
    assert created + LIFE - timedelta(seconds=1) < expires <= created + LIFE
    for seconds in asked:
        later = extended(created, expires, seconds)
        assert expires <= later <= created + LONGEST_LIFE
        assert later.microsecond == 0
        expires = later
