"""Names of snapshots, and how two of them differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.made import file, page, versions
from wheelkeep.core.names import ProjectName
from wheelkeep.core.snapshot import Ref, Summary, compare, read_ref, read_snapshot_name, summary

DEMO, OTHER = ProjectName("demo"), ProjectName("other")


@pytest.mark.parametrize("name", ["release", "2026.11", "r-1_2.3", "a" * 64, "0"])
def test_a_name_is_a_plain_word(name: str) -> None:
    assert read_snapshot_name(name) == name
    assert read_ref(name) == Ref(name)
    assert read_ref(f"{name}~12") == Ref(name, 12)


@pytest.mark.parametrize(
    "name",
    ["", "Release", "2026-11-01", "2026-11-01-rc", "a" * 65, "-a", "a/b", "a~0", "a~x", "a~1~2", "ä", "a b"],
)
def test_dates_and_other_texts_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a snapshot"):
        read_ref(name)
    with pytest.raises(ValueError, match="is no name for a snapshot"):
        read_snapshot_name(name)


def told(*numbers: str) -> dict[ProjectName, Summary]:
    return {DEMO: summary(page(*versions(*numbers)))}


def test_a_difference_reads_like_release_notes() -> None:
    before = {**told("1.0", "1.2"), OTHER: summary(page(file("other-1.0-py3-none-any.whl"), project="other"))}
    found = compare(before, {**told("1.2", "1.10"), ProjectName("new"): summary(page(*versions("3.0")))})
    [changed] = found.changed
    assert (changed.kind, changed.before, changed.after) == ("upgraded", "1.2", "1.10")
    assert (changed.added, changed.removed) == (("1.10",), ("1.0",))
    assert [(one.project, one.versions) for one in found.added] == [("new", ("3.0",))]
    assert [(one.project, one.versions) for one in found.removed] == [("other", ("1.0",))]
    assert (found.files_added, found.files_removed) == (2, 2)
    assert compare(told("2.0"), told("1.0")).changed[0].kind == "downgraded"
    assert compare(told("1.0", "2.0"), told("2.0")).changed[0].kind == "changed"
    again = {DEMO: summary(page(file("demo-1.0-py3-none-any.whl", sha256="f" * 64)))}
    [changed] = compare(told("1.0"), again).changed
    assert (changed.kind, changed.before, changed.after, changed.added) == ("files", "1.0", "1.0", ())
    assert (changed.files_added, changed.files_removed) == (1, 1)
    yanked = summary(page(*versions("1.0"), file("demo-2.0-py3-none-any.whl", yanked="bad")))
    assert yanked.versions == ("1.0",)


numbers = st.sets(st.sampled_from(["1.0", "1.1", "2.0", "3.0"]))


@given(numbers, numbers)
def test_there_and_back_is_the_same_and_to_itself_nothing(one: set[str], other: set[str]) -> None:
    there, back = compare(told(*one), told(*other)), compare(told(*other), told(*one))
    assert (there.added, there.removed) == (back.removed, back.added)
    assert [(each.added, each.removed) for each in there.changed] == [
        (each.removed, each.added) for each in back.changed
    ]
    assert (there.files_added, there.files_removed) == (back.files_removed, back.files_added)
    assert compare(told(*one), told(*one)).nothing
    assert [(each.files_added, each.files_removed) for each in there.changed] == [
        (each.files_removed, each.files_added) for each in back.changed
    ]
    assert there.nothing == (one == other)
