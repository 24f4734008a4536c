"""Strict merging: the best source that has a name decides alone, and an outage is never an absence."""

import pytest
from msgspec.structs import replace

from fakes.made import DEMO, NOW, file, found, later, page, sha, versions
from wheelkeep.core import merge
from wheelkeep.core.merge import Merged, Nowhere
from wheelkeep.core.model import Absent, Found, Status, Unasked, Unreachable
from wheelkeep.core.names import SourceName

ACME, VENDOR, PYPI = SourceName("acme"), SourceName("vendor"), SourceName("pypi")
DOWN = Unreachable(source=VENDOR, reason="it answered 503", retry_after=7.0)
NOT_ASKED = Unasked(source=VENDOR, gate="allow", sentence="demo is not on the allow list")


def absent(source: str, good_until: object = None) -> Absent:
    return Absent(source=SourceName(source), good_until=good_until)  # type: ignore[arg-type]


def shown(outcome: object) -> list[tuple[str, str]]:
    assert isinstance(outcome, Merged)
    return [(one.source, one.version) for one in outcome.page.files]


def test_the_best_source_that_has_the_name_decides_alone() -> None:
    outcome = merge.strict(DEMO, [[absent("acme")], [found("vendor", "1.0")], [found("pypi", "1.0", "9.0")]])
    assert shown(outcome) == [("vendor", "1.0")]
    assert isinstance(outcome, Merged)
    assert outcome.owners == (VENDOR,)


def test_any_file_makes_a_name_had() -> None:
    for odd in (
        file("demo-0.1-cp27-cp27m-win32.whl", source="vendor"),
        file("demo-0.1.tar.gz", source="vendor"),
        file("demo-0.1.tar.gz", source="vendor", yanked="broken"),
        file("demo-0.1.tar.gz", source="vendor", gone=True),
    ):
        assert shown(merge.strict(DEMO, [[found("vendor", odd)], [found("pypi", "9.0")]])) == [
            ("vendor", "0.1")
        ]


def test_a_page_without_files_is_no_name() -> None:
    assert shown(merge.strict(DEMO, [[found("vendor")], [found("pypi", "1.0")]])) == [("pypi", "1.0")]
    assert merge.strict(DEMO, [[found("vendor")]]) is None


def test_a_claim_holds_a_name_without_a_file() -> None:
    outcome = merge.strict(DEMO, [[found("acme", claims=True)], [found("pypi", "1.0")]])
    assert shown(outcome) == []
    assert isinstance(outcome, Merged)
    assert outcome.owners == (ACME,)


def test_a_quarantined_project_is_nobody_else_s() -> None:
    outcome = merge.strict(DEMO, [[found("vendor", status="quarantined")], [found("pypi", "1.0")]])
    assert isinstance(outcome, Merged)
    assert (outcome.page.files, outcome.page.status) == ((), Status("quarantined"))
    for status in ("active", "archived", "deprecated"):
        lower = merge.strict(DEMO, [[found("vendor", status=status)], [found("pypi", "1.0")]])
        assert shown(lower) == [("pypi", "1.0")]


def test_a_page_of_which_no_file_can_be_read_is_no_absence() -> None:
    odd = found("vendor")
    outcome = merge.strict(
        DEMO, [[replace(odd, page=replace(odd.page, unread=True))], [found("pypi", "9.0")]]
    )
    assert isinstance(outcome, Merged)
    assert (shown(outcome), outcome.owners) == ([], ("vendor",))


def test_an_outage_above_decides_and_one_below_does_not() -> None:
    assert merge.strict(DEMO, [[DOWN], [found("pypi", "1.0")]]) == DOWN
    assert merge.strict(DEMO, [[absent("acme")], [DOWN], [found("pypi", "1.0")]]) == DOWN
    assert shown(merge.strict(DEMO, [[found("acme", "1.0")], [DOWN]])) == [("acme", "1.0")]


def test_an_outage_in_a_group_is_one_of_the_group() -> None:
    for answers in ([found("acme", "1.0"), DOWN], [DOWN, found("acme", "1.0")], [absent("acme"), DOWN]):
        assert merge.strict(DEMO, [answers, [found("pypi", "1.0")]]) == DOWN


def test_an_old_page_stands_in_only_while_it_shows_something() -> None:
    kept = merge.strict(DEMO, [[found("vendor", "1.0", stale="it is away")], [found("pypi", "1.0")]])
    assert isinstance(kept, Merged)
    assert (shown(kept), kept.stale) == ([("vendor", "1.0")], "it is away")
    nothing = merge.strict(DEMO, [[found("vendor", stale="it is away")], [found("pypi", "1.0")]])
    assert nothing == Unreachable(source=VENDOR, reason="it is away")
    claimed = merge.strict(DEMO, [[found("vendor", stale="it is away", claims=True)]])
    assert shown(claimed) == []


def test_a_source_that_was_not_asked_stands_before_the_lower_ones() -> None:
    assert merge.strict(DEMO, [[NOT_ASKED], [found("pypi", "1.0")]]) == NOT_ASKED
    assert shown(merge.strict(DEMO, [[found("acme", "1.0")], [NOT_ASKED]])) == [("acme", "1.0")]
    assert merge.strict(DEMO, [[absent("acme"), NOT_ASKED], [found("pypi", "1.0")]]) == NOT_ASKED
    assert shown(merge.strict(DEMO, [[NOT_ASKED, found("acme", "1.0")]])) == [("acme", "1.0")]


def test_nothing_is_settled_while_a_lower_group_is_to_be_asked() -> None:
    assert merge.strict(DEMO, []) is None
    assert merge.strict(DEMO, [[absent("acme")], [absent("vendor")]]) is None
    assert merge.strict(DEMO, [[]]) is None


def test_a_group_acts_as_one_source() -> None:
    both = "demo-1.0-py3-none-any.whl"
    first, second = file(both, source="vendor", sha256=sha("v")), file(both, source="pypi", sha256=sha("p"))
    group = [found("vendor", first), absent("acme"), found("pypi", second, "2.0")]
    outcome = merge.strict(DEMO, [group, [found("below", "3.0")]])
    assert shown(outcome) == [("vendor", "1.0"), ("pypi", "2.0")]
    assert isinstance(outcome, Merged)
    assert outcome.owners == (VENDOR, PYPI)


def test_a_group_is_as_old_as_its_oldest() -> None:
    group = [
        found("vendor", "1.0", good_until=later(minutes=9)),
        found("pypi", "2.0", good_until=later(minutes=5), stale="it is away"),
        absent("acme", later(minutes=3)),
    ]
    outcome = merge.strict(DEMO, [group])
    assert isinstance(outcome, Merged)
    assert (outcome.good_until, outcome.stale) == (later(minutes=3), "it is away")


@pytest.mark.parametrize("below", [later(minutes=9), None])
def test_an_absence_above_is_believed_no_longer_than_it_is_good(below: object) -> None:
    empty = replace(found("vendor"), good_until=later(minutes=4))
    for above in (absent("vendor", later(minutes=4)), empty):
        outcome = merge.strict(DEMO, [[absent("acme")], [above], [found("pypi", "1.0", good_until=below)]])
        assert isinstance(outcome, Merged)
        assert outcome.good_until == later(minutes=4)


def test_nowhere_is_good_until_the_first_may_have_it() -> None:
    answers = [[absent("acme")], [absent("vendor", later(minutes=4)), found("pypi", good_until=NOW)]]
    assert merge.nowhere(answers) == Nowhere(good_until=NOW)
    assert merge.nowhere([[absent("acme")]]) == Nowhere(good_until=None)


def test_union_keeps_order_versions_and_the_first_status() -> None:
    one = page(*versions("1.0"), told=("1.0", "1.1"))
    two = page(*versions("2.0"), told=("1.1", "2.0"), status="deprecated")
    three = page(status="archived")
    merged = merge.union(DEMO, [one, two, three])
    assert [each.version for each in merged.files] == ["1.0", "2.0"]
    assert merged.versions == ("1.0", "1.1", "2.0")
    assert merged.status == Status("deprecated")
    assert merge.union(DEMO, ()) == page()


def test_the_newest_version_as_a_client_would_choose() -> None:
    assert merge.newest(versions("1.9", "1.10", "2.0rc1")) == "1.10"
    assert merge.newest(versions("2.0rc1", "2.0.dev1")) == "2.0rc1"
    assert merge.newest([]) is None


def test_has() -> None:
    empty = Found(source=PYPI, page=page())
    assert not merge.has(empty)
    assert merge.has(replace(empty, claims=True))
    assert merge.has(replace(empty, page=replace(empty.page, unread=True)))
    assert merge.has(found("pypi", "1.0"))
