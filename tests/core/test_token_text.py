"""Tokens are made of what they are given, and a scanner knows one by its shape and its checksum."""

import re
import zlib

import pytest

from wheelkeep.core import token_text

RANDOM = bytes(range(1, 33))
TOKEN = token_text.write(RANDOM)


def test_the_same_bytes_make_the_same_token_and_others_another() -> None:
    assert token_text.write(RANDOM) == TOKEN
    made = {token_text.write(RANDOM[:at] + b"\xff" + RANDOM[at + 1 :]) for at in range(32)}
    assert len(made | {TOKEN}) == 33


@pytest.mark.parametrize("random", [RANDOM, bytes(32), b"\xff" * 32])
def test_the_shape_that_is_documented(random: bytes) -> None:
    text = token_text.write(random)
    assert re.fullmatch(r"wk_[0-9A-Za-z]{11}_[0-9A-Za-z]{39}", text)
    read = token_text.read(text)
    assert read is not None
    assert text.startswith(f"wk_{read[0]}_{read[1]}")
    assert (len(read[0]), len(read[1])) == (11, 33)


def test_the_checksum_is_that_of_zlib_in_base62() -> None:
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = 0
    for letter in TOKEN[-6:]:
        number = number * 62 + letters.index(letter)
    assert number == zlib.crc32(TOKEN[:-6].encode())


@pytest.mark.parametrize("count", [0, 31, 33])
def test_too_little_chance_makes_no_token(count: int) -> None:
    with pytest.raises(ValueError, match="made of 32 bytes"):
        token_text.write(bytes(count))


def test_no_letter_can_be_another() -> None:
    for at in range(len(TOKEN)):
        for letter in "0aZ_":
            wrong = TOKEN[:at] + letter + TOKEN[at + 1 :]
            assert (token_text.read(wrong) is not None) == (wrong == TOKEN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wk_",
        TOKEN[:-1],
        TOKEN + "0",
        f" {TOKEN}",
        f"{TOKEN}\n",
        TOKEN.upper(),
        TOKEN.replace("wk_", "pypi-"),
        "é",
    ],
)
def test_what_is_no_token(text: str) -> None:
    assert token_text.read(text) is None
