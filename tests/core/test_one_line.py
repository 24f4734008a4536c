"""Lines that people write and others are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.one_line import LONGEST_REASON, plain, read_line, read_reason


@given(st.text(max_size=40))
def test_what_is_taken_can_be_shown(text: str) -> None:
    try:
        line = read_line(text, what="it", most=20)
    except ValueError as error:
        assert str(error) == "it is one line of at most 20 letters"
        return
    assert line and line == line.strip()
    assert line.isprintable() and len(line) <= 20
    line.encode()


def test_a_reason() -> None:
    assert read_reason(" loses the last row ") == "loses the last row"
    with pytest.raises(ValueError, match="a reason is one line of at most 500 letters"):
        read_reason("a" * (LONGEST_REASON + 1))


@given(st.text(alphabet=st.characters(), max_size=40))
def test_what_cannot_be_printed_is_told_by_its_escape(text: str) -> None:
    assert plain(text).isprintable()
    assert plain(text) == text or not text.isprintable()
    assert plain(plain(text)) == plain(text)
    assert "".join(plain(text, lines=True).split()).isprintable()
