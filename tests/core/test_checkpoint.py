"""Checkpoints: the example of the specification, and what is none."""

import pytest

from wheelkeep.core.checkpoint import Checkpoint, read_checkpoint, read_signed
from wheelkeep.core.notes import PLAIN, Note, PrivateKey

TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
KEY = PrivateKey("example.com/behind-the-sofa", PLAIN, bytes(32))


def test_it_is_read_as_it_is_written() -> None:
    found = read_checkpoint(TEXT)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert str(found) == TEXT
    assert read_checkpoint(TEXT + "more of it\n") == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        TEXT[:-1],
        TEXT + "\n",
        TEXT.replace("\n2", "\n02"),
        TEXT.replace("\n2", "\n-2"),
        TEXT.replace("2I=", "2J="),
        TEXT.replace("CsUY", ""),
        TEXT.replace("20852163", "1" * 19),
    ],
)
def test_other_text_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no checkpoint"):
        read_checkpoint(text)


def test_only_what_the_logs_own_key_signed_is_taken() -> None:
    note = Note(TEXT).signed(KEY.sign(TEXT))
    assert read_signed(str(note), KEY.public) == (note, read_checkpoint(TEXT))
    other = PrivateKey("example.com/behind-the-sofa", PLAIN, bytes(range(32)))
    with pytest.raises(ValueError, match="not signed by"):
        read_signed(str(note), other.public)
    foreign = str(Checkpoint("other.example", 1, bytes(32)))
    with pytest.raises(ValueError, match=r"is of other\.example"):
        read_signed(str(Note(foreign).signed(KEY.sign(foreign))), KEY.public)
