"""Laws of the past: nothing is in it that was never seen, it only grows with time, and its end is the present."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.made import file, page
from wheelkeep.core import pins
from wheelkeep.core.model import File, Page
from wheelkeep.core.past import page_at

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=40)
moments = st.integers(0, 40).map(lambda days: START + timedelta(days=days))


@st.composite
def told(draw: st.DrawFn) -> Page:
    versions = draw(st.sets(st.integers(1, 5)))
    files = []
    for version in versions:
        moment = draw(st.none() | moments)
        time = f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment is not None else None
        made: File = file(f"demo-{version}.0-py3-none-any.whl")
        files.append(replace(made, upload_time=time, yanked=draw(st.none() | st.just("bad"))))
    return page(*files)


@st.composite
def stored(draw: st.DrawFn) -> Page:
    """What a source said over time, as it lies in the store."""
    laid: Page | None = None
    checked: datetime | None = None
    for day in sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=5))):
        now = START + timedelta(days=day)
        laid, _ = pins.overlay(laid, draw(told()), now, checked)
        checked = now
    assert laid is not None
    return laid


@given(stored(), moments, moments)
def test_the_past_is_a_part_of_what_was_seen_and_only_grows(
    seen: Page, one: datetime, other: datetime
) -> None:
    before, after = ({file.filename for file in page_at(seen, when).files} for when in sorted((one, other)))
    assert before <= after <= {file.filename for file in seen.files}


@given(stored())
def test_the_end_of_the_past_is_the_present(seen: Page) -> None:
    assert page_at(seen, END) is seen


@given(stored(), moments)
def test_the_bytes_are_those_of_now(seen: Page, when: datetime) -> None:
    """Nothing but what may change by the standards is otherwise."""
    now = {file.filename: file for file in seen.files}
    for each in page_at(seen, when).files:
        assert replace(each, yanked=now[each.filename].yanked) == now[each.filename]


@given(stored(), st.lists(told(), max_size=2), moments)
def test_what_is_learned_later_does_not_yank_the_past_anew(
    seen: Page, later: list[Page], when: datetime
) -> None:
    """A yank, or its end, holds from the moment at which it was seen."""
    before = {file.filename: file.yanked for file in page_at(seen, when).files}
    laid = seen
    for days, each in enumerate(later, 1):
        laid, _ = pins.overlay(laid, each, END + timedelta(days=days), END)
    after = {file.filename: file.yanked for file in page_at(laid, when).files}
    assert all(after[name] == yanked for name, yanked in before.items() if name in after)
