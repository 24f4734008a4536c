"""Whatever is printed, a terminal shows it and does nothing."""

import errno
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.cli.terminal import Plain
from wheelkeep.core.errors import WheelkeepError


def printed(text: str) -> str:
    stream = io.StringIO()
    print(text, end="", file=Plain(stream))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("demo 1.0 ö €", "demo 1.0 ö €"),
        ("two\nlines\tand a tab\n", "two\nlines\tand a tab\n"),
        ("\r12 of 40 files", "\r12 of 40 files"),
        ("fine\rgone", "fine\\rgone"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b[8mhidden", "\\x1b[8mhidden"),
        ("\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("a\u200bb\ud800", "a\\u200bb\\ud800"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert printed(text) == shown


@given(st.text(alphabet=st.characters(), max_size=60))
def test_no_text_is_obeyed(text: str) -> None:
    out = printed(f"x{text}")
    assert all(letter.isprintable() or letter in "\n\t\x1b" for letter in out)
    # What is left of commands is nothing but colours.
    assert all(piece[:1] == "[" and "m" in piece for piece in out.split("\x1b")[1:])


class Full(io.StringIO):
    def __init__(self, why: int) -> None:
        super().__init__()
        self.why = why

    def write(self, _: str) -> int:
        raise OSError(self.why, os.strerror(self.why))


def test_a_disk_that_takes_no_more_is_told_of() -> None:
    with pytest.raises(WheelkeepError, match="cannot be written: No space left on device"):
        print("x", file=Plain(Full(errno.ENOSPC)))
    with pytest.raises(BrokenPipeError):
        print("x", file=Plain(Full(errno.EPIPE)))


def test_it_is_a_stream() -> None:
    assert Plain(io.StringIO()).isatty() is False
