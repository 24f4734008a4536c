"""Who may act on a project that has owners."""

import pytest

from wheelkeep.core.names import project
from wheelkeep.core.owners import LONGEST, read_owner, stranger

DEMO = project("demo")


def test_without_owners_nobody_is_a_stranger() -> None:
    assert stranger(DEMO, (), "ci") is None


def test_an_owner_is_none_and_all_others_are() -> None:
    assert stranger(DEMO, ("ada", "ci"), "ci") is None
    says = stranger(DEMO, ("ada", "team"), "ci")
    assert says == "demo is owned by ada, team: it takes a token of that name, or one with the scope admin"
    assert stranger(DEMO, ("ci",), "CI") is not None


def test_names() -> None:
    assert read_owner(" Ada L. ") == "Ada L."
    for text in ("", "  ", "a\nb", "a\x1b[31m", "a\u202eb", "\ud800", "a" * (LONGEST + 1)):
        with pytest.raises(ValueError, match="a name is one line"):
            read_owner(text)
