"""How a verdict reads: in a page, in an address, for a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.gates import admitted, blocked
from wheelkeep.core.verdict import Decision, Outcome, Verdict, slug


def test_only_an_admission_admits() -> None:
    assert admitted("allow", "allow-listed", "listed").admits
    assert not blocked("deny", "deny-package", "denied", "ask").admits
    assert not Verdict(gate="cooldown", outcome=Outcome.HELD, code="cooldown-young", sentence="young").admits


def test_a_decision_is_what_stands_against_it() -> None:
    against = blocked("deny", "deny-package", "denied", "ask")
    assert Decision(verdicts=(against,)).admitted
    assert not Decision(verdicts=(against,), against=against).admitted


def test_the_words_that_clients_print() -> None:
    verdict = blocked("deny", "deny-package", 'INC-42 (denied as "ctx>=1")', "ask")
    assert verdict.label == 'wheelkeep: deny: INC-42 (denied as "ctx>=1")'
    assert verdict.words == "INC-42-denied-as-ctx-1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo 1.0 is not listed", "demo-1.0-is-not-listed"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\r\nSet-Cookie: x=1", "a-Set-Cookie-x-1"),
        ("<script>", "script"),
        ("Grüße", "Gr-e"),
        ("!!!", "blocked"),
        ("", "blocked"),
        (".", "blocked"),
        ("x" * 300, "x" * 120),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    assert slug(text) == expected


@given(st.text(max_size=300))
def test_a_slug_is_one_plain_part_of_an_address(text: str) -> None:
    made = slug(text)
    assert 0 < len(made) <= 120
    assert set(made) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    assert made.strip("-.") == made
