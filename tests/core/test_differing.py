"""Two wheels differ in what the sentences say, and in nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from wheelkeep.core.differing import MOST, Member, differences


def member(name: str, content: str = "") -> Member:
    return Member(name=name, size=len(content), sha256=content.rjust(64, "0"))


def test_each_member_that_differs_is_named() -> None:
    one = [member("a.py", "x"), member("b.so", "aa"), member("c", "1")]
    other = [member("b.so", "bb"), member("a.py", "yyy"), member("d\x1b[2J")]
    assert differences(one, other) == (
        "a.py differs: 1 and 3 bytes",
        "b.so differs: as long",
        "c is only in the first",
        "d\\x1b[2J is only in the second",
    )


def test_the_same_members_differ_in_order_or_in_how_they_are_packed() -> None:
    one = [member("a"), member("b")]
    assert differences(one, one[::-1]) == ("the same members, in another order",)
    assert differences(one, one) == ("the same members, packed otherwise",)


@given(st.sets(st.text(max_size=5), max_size=60), st.sets(st.text(max_size=5), max_size=60))
def test_there_is_a_sentence_for_each_and_an_end_to_them(one: set[str], other: set[str]) -> None:
    found = differences([member(name) for name in sorted(one)], [member(name) for name in sorted(other)])
    differing = len(one ^ other)
    assert len(found) == (min(differing, MOST) + (differing > MOST) if differing else 1)
    assert all(line.isprintable() for line in found)
    if differing > MOST:
        assert found[-1] == f"and {differing - MOST} more"
