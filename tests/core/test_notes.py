"""Signed notes: the example of the specification by value, and everything that is none."""

import pytest

from wheelkeep.core import notes
from wheelkeep.core.notes import COSIGNED, PLAIN, Note, PrivateKey, read_key, read_note

KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72Iney"
    "aQM=\n"
)
OURS = PrivateKey("keep.example/log", PLAIN, bytes(range(32)))
WITNESS = PrivateKey("other.example/witness", COSIGNED, bytes(range(1, 33)))


def test_the_published_example() -> None:
    key, note = read_key(KEY), read_note(NOTE)
    assert str(key) == KEY
    assert str(note) == NOTE
    assert note.of(key) is not None
    with pytest.raises(ValueError, match="does not fit"):
        read_note(NOTE.replace("an example", "no example")).of(key)


def test_a_note_is_signed_read_and_cosigned() -> None:
    note = Note("a/log\n3\nroot\n").signed(OURS.sign("a/log\n3\nroot\n"))
    note = note.signed(WITNESS.sign(note.text, seconds=1_700_000_000))
    read = read_note(str(note))
    assert read == note
    assert read.of(OURS.public) is not None
    found = read.of(WITNESS.public)
    assert found is not None
    assert notes.cosigned_at(found) == 1_700_000_000
    # A later cosignature takes the place of the earlier.
    assert len(read.signed(WITNESS.sign(note.text, seconds=1_800_000_000)).signatures) == 2
    other = PrivateKey("keep.example/log", PLAIN, bytes(32))
    assert read.of(other.public) is None


def test_the_time_of_a_cosignature_is_signed() -> None:
    made = WITNESS.sign("text\n", seconds=5)
    moved = notes.Signature(made.name, made.id, (6).to_bytes(8, "big") + made.value[8:])
    assert WITNESS.public.verifies(made, "text\n")
    assert not WITNESS.public.verifies(moved, "text\n")
    assert not WITNESS.public.verifies(notes.Signature(made.name, made.id, b"short"), "text\n")


def test_text_with_empty_lines_ends_at_the_last_one() -> None:
    text = "one\n\ntwo\n"
    assert read_note(str(Note(text).signed(OURS.sign(text)))).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "text",
        "text\n",
        "text\n\n",
        "\n\n" + NOTE.split("\n\n")[1],
        NOTE[:-1],
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("—", "-"),
        NOTE.replace("Uw2Q", "Uw2"),
        NOTE.replace(" Uw", "  Uw"),
        NOTE + "more\n",
        NOTE.replace("example.com/foo", "a+b"),
        NOTE.replace("example.com/foo", "a\xa0b"),
        NOTE * 5000,
        "text\n\n— name AAAA\n",
        NOTE + NOTE.split("\n\n")[1] * 70,
        NOTE.replace("aQM=", "aQN="),
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"signed note|base64"):
        read_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        KEY[:-4],
        KEY.replace("530d", "530e"),
        KEY.replace("AekyeR", "BekyeR"),
        KEY.replace("com", "org"),
        KEY.replace("example.com/foo", "a b"),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|is not|is damaged|base64"):
        read_key(text)


def test_a_private_key_does_not_show_itself() -> None:
    assert OURS.seed.hex() not in repr(OURS)
    assert repr(OURS) == "PrivateKey(keep.example/log)"
