from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.said import Said, cleaned


def test_a_terminals_commands_are_left_out() -> None:
    said = b"\x1b[31mred\x1b[0m \x1b]0;title\x07a\x1b[2Jb\r\n\x1b(Bc\x00\x08\x9b31m\rd\xe2\x80\xaee\tf"
    assert cleaned(said) == "red ab\nc�31m\nde\tf"


def test_the_end_is_kept() -> None:
    said = Said(10)
    for number in range(100):
        said.add(f"{number:03}".encode())
    assert (said.size, said.text()) == (300, "6097098099")


@given(pieces=st.lists(st.binary(max_size=30)), most=st.integers(1, 40))
def test_whatever_comes_the_last_bytes_are_kept_and_nothing_is_obeyed(pieces: list[bytes], most: int) -> None:
    said = Said(most)
    for piece in pieces:
        said.add(piece)
    assert said.text() == cleaned(b"".join(pieces)[-most:])
    assert all(letter.isprintable() or letter in "\n\t" for letter in said.text())
