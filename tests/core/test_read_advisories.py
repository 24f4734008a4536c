"""Records as others write them: what is told, and what is read in the way that blocks more."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.made import DEMO
from fakes.osv import HIGH, record
from wheelkeep.core import read_advisories
from wheelkeep.core.advisory import Advisory, Span
from wheelkeep.core.read_advisories import read_osv, read_told


def only(value: dict[str, Any]) -> Advisory:
    (advisory,) = read_osv(value).advisories
    return advisory


def test_a_record() -> None:
    read = read_osv(
        record("GHSA-1", "De_Mo", aliases=["CVE-1", "GHSA-1", 3, "a b"], modified="2026-02-03T04:05:06.7Z")
    )
    assert read.modified == datetime(2026, 2, 3, 4, 5, 6, 700_000, UTC)
    assert read.advisories == (
        Advisory(
            id="GHSA-1",
            project="de-mo",
            aliases=("CVE-1",),
            severity="high",
            summary="What GHSA-1 is about",
            spans=(Span(before="2.0"),),
            fixed=("2.0",),
        ),
    )


def test_events_of_several_series() -> None:
    told = [{"introduced": "2.0"}, {"fixed": "2.0.1"}, {"introduced": "1.0"}, {"fixed": "1.5.3"}]
    advisory = only(record(events=told))
    assert set(advisory.spans) == {Span(since="2.0", before="2.0.1"), Span(since="1.0", before="1.5.3")}
    assert set(advisory.fixed) == {"2.0.1", "1.5.3"}


@pytest.mark.parametrize(
    ("events", "span"),
    [
        ([{"introduced": "0"}], Span()),
        ([{"introduced": "junk"}, {"fixed": "also junk"}], Span()),
        ([{"introduced": "0"}, {"last_affected": "1.0"}], Span(upto="1.0")),
        ([{"introduced": "0"}, {"limit": "1.0"}], Span(before="1.0")),
        ([{"fixed": "1.0"}], Span(before="1.0")),
    ],
)
def test_bounds_that_are_none(events: list[dict[str, str]], span: Span) -> None:
    assert only(record(events=events)).spans == (span,)


def test_one_that_names_no_versions_means_all() -> None:
    assert only(record(events=[])).spans == (Span(),)
    git = {"type": "GIT", "events": [{"introduced": "0"}]}
    affected = [{"package": {"ecosystem": "PyPI", "name": "demo"}, "ranges": [git]}]
    assert only(record(affected=affected)).spans == (Span(),)
    assert only(record(events=[], versions=["1.0", "01.5", "not one"])).spans == ()
    assert only(record(events=[], versions=["1.0", "01.5", "not one"])).versions == ("1.0", "1.5")


def test_malware_is_critical_and_withdrawn_is_nothing() -> None:
    assert only(record("MAL-2026-1", vector=None)).severity == "critical"
    assert only(record("MAL-2026-1")).malware
    assert only(record(vector=None)).severity is None
    assert only(record(vector=None, database_specific={"severity": "MODERATE"})).severity == "medium"
    assert only(record(vector=HIGH, database_specific={"severity": "LOW"})).severity == "high"
    gone = read_osv(record(withdrawn="2026-01-02T00:00:00Z"))
    assert (gone.withdrawn, gone.advisories) == (True, ())


def test_other_ecosystems_are_passed_over() -> None:
    value = record()
    value["affected"] += [
        {"package": {"ecosystem": "npm", "name": "demo"}},
        {"package": {"ecosystem": "PyPI", "name": "/"}},
        7,
    ]
    assert [one.project for one in read_osv(value).advisories] == ["demo"]
    assert read_osv(record(affected=[])).advisories == ()


@pytest.mark.parametrize(
    "value", [None, [], 3, "x", {}, {"id": ""}, {"id": "a b"}, {"id": "x\n"}, {"id": "X", "affected": 3}]
)
def test_what_is_no_record(value: object) -> None:
    if value == {"id": "x\n"}:
        value = {"id": "\nx"}
    with pytest.raises(ValueError, match=r"."):
        read_osv(value)


def test_the_list_of_a_legacy_document() -> None:
    told = [
        {
            "id": "PYSEC-1",
            "aliases": ["CVE-1"],
            "fixed_in": ["1.10", "junk"],
            "details": "Long\nstory",
            "withdrawn": None,
        },
        {"id": "PYSEC-2", "fixed_in": [], "withdrawn": "2026-01-01T00:00:00Z"},
        "junk",
    ]
    assert read_told(told, DEMO) == (
        Advisory(id="PYSEC-1", project=DEMO, aliases=("CVE-1",), summary="Long", fixed=("1.10",)),
    )
    assert read_told([], DEMO) == ()
    assert read_told([{}], DEMO) == (Advisory(id="an advisory without an id", project=DEMO),)
    for nothing in (None, {}, "x", [{}] * 5_001):
        assert read_told(nothing, DEMO) is None


@pytest.mark.parametrize("versions", ["1.0", {"a": 1}, [1, None]])
def test_versions_that_are_no_list_of_names_name_none_so_all_are_meant(versions: Any) -> None:
    assert only(record(events=[], versions=versions)).spans == (Span(),)
    assert only(record(events=[], versions=["no version at all"])).spans == ()


def test_more_fixes_than_anything_has_mend_nothing() -> None:
    (advisory,) = read_told([{"id": "X-1", "fixed_in": [f"1.{n}" for n in range(500)]}], DEMO) or ()
    assert advisory.fixed == ()
    assert read_told([{"id": f"X-{n}"} for n in range(2_000)], DEMO) is None


numbers = st.integers(0, 9).map(lambda number: f"{number}.0")


@given(st.lists(numbers, min_size=1, max_size=5), st.lists(st.tuples(st.booleans(), numbers), max_size=5))
def test_each_beginning_has_the_first_end_behind_it(starts: list[str], ends: list[tuple[bool, str]]) -> None:
    events = [{"introduced": one} for one in starts]
    events += [{"last_affected" if last else "fixed": one} for last, one in ends]
    spans = only(record(events=events)).spans
    expected = []
    for start in starts:
        behind = [
            (float(end), last)
            for last, end in ends
            if float(end) > float(start) or (last and float(end) == float(start))
        ]
        end, last = min(behind, default=(None, False))
        told = f"{end:.1f}" if end is not None else None
        expected.append(Span(since=start, upto=told if last else None, before=None if last else told))
    assert spans == tuple(dict.fromkeys(expected))


def test_one_that_names_more_than_is_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_advisories, "_MOST_VERSIONS", 2)
    monkeypatch.setattr(read_advisories, "_MOST_EVENTS", 2)
    assert not only(record(versions=["1.0", "2.0"])).cut
    named = only(record(events=[], versions=["1.0", "2.0", "3.0"]))
    assert (named.cut, named.versions) == (True, ("1.0", "2.0"))
    assert only(record(events=[{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}])).cut
