"""Wrong tokens are counted by address: a few are free, and a minute later all is forgotten."""

import pytest

from wheelkeep.web import attempts
from wheelkeep.web.attempts import FREE, WINDOW, Attempts


def many(counted: Attempts, client: str, now: float = 0.0, count: int = FREE) -> list[float | None]:
    return [counted.wrong(client, b"%d" % number, now) for number in range(count)]


def test_a_few_are_free_and_more_must_wait_for_the_rest_of_the_minute() -> None:
    counted = Attempts()
    assert many(counted, "192.0.2.1") == [None] * FREE
    assert counted.wrong("192.0.2.1", b"x", 20.0) == WINDOW - 20
    assert counted.wrong("192.0.2.1", b"x", WINDOW - 1) == 1
    assert counted.wrong("192.0.2.1", b"x", WINDOW) is None
    assert many(counted, "192.0.2.1", WINDOW, FREE - 1) == [None] * (FREE - 1)
    assert counted.wrong("192.0.2.1", b"y", WINDOW) == WINDOW


def test_the_same_again_is_no_further_guess() -> None:
    counted = Attempts()
    assert [counted.wrong("192.0.2.1", b"old", 0.0) for _ in range(3 * FREE)] == [None] * 3 * FREE
    assert many(counted, "192.0.2.1", count=FREE - 1) == [None] * (FREE - 1)
    assert counted.wrong("192.0.2.1", b"one more", 1.0) == WINDOW - 1
    assert counted.wrong("192.0.2.1", b"old", 1.0) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "192.0.2.1", False),
        ("a socket", "a socket", True),
    ],
)
def test_what_is_one_address(one: str, other: str, same: bool) -> None:
    counted = Attempts()
    many(counted, one)
    assert (counted.wrong(other, b"x", 0.0) is not None) == same


def test_many_addresses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_MOST", 100)
    counted = Attempts()
    many(counted, "192.0.2.1")
    for number in range(99):
        counted.wrong(f"198.51.100.{number}", b"x", 1.0)
    assert counted.wrong("192.0.2.1", b"x", 1.0) is not None
    counted.wrong("203.0.113.1", b"x", 1.0)
    assert len(counted._wrong) == 100
    assert counted.wrong("192.0.2.1", b"x", 1.0) is None
