"""One advisory: which versions it means, compared with the specification's own way of asking one by one."""

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from fakes.made import DEMO
from fakes.osv import record
from wheelkeep.core.advisory import Advisory, Line, Span, past
from wheelkeep.core.read_advisories import read_osv

VERSIONS = ["0.9", "1.0a1", "1.0", "1.0+build", "1.0.post1", "1.5", "2.0rc1", "2.0", "2.0.1", "1!0.1"]


def affected(*spans: Span, named: tuple[str, ...] = ()) -> set[str]:
    return Line(VERSIONS).affected(Advisory(id="X-1", project=DEMO, spans=spans, versions=named))


def test_spans() -> None:
    assert affected(Span()) == set(VERSIONS)
    assert affected(Span(before="1.0")) == {"0.9", "1.0a1"}
    assert affected(Span(since="1.0", before="2.0")) == {"1.0", "1.0+build", "1.0.post1", "1.5", "2.0rc1"}
    assert affected(Span(since="1.0", upto="1.0")) == {"1.0", "1.0+build"}
    assert affected(Span(since="3.0", before="1.0")) == set()
    assert affected(Span(since="2.0.1")) == {"2.0.1", "1!0.1"}


def test_named_versions_mean_their_local_ones_too() -> None:
    assert affected(named=("1.0", "7.0")) == {"1.0", "1.0+build"}
    assert affected(named=("1.0+build",)) == {"1.0+build"}


def test_the_first_after_the_last_affected_one() -> None:
    line = Line(VERSIONS)
    assert line.after(Span(upto="1.0")) == "1.0.post1"
    assert line.after(Span(upto="1!2")) is None
    assert line.after(Span(before="1.0")) is None


def test_past_its_fix() -> None:
    assert past("2.0", ["2.0"])
    assert past("3.0", ["1.5.3", "2.0.1"])
    assert past("1.5.4", ["1.5.3", "2.0.1"])
    assert not past("1.5.2", ["1.5.3", "2.0.1"])
    assert not past("1.6", ["1.5.3", "2.0.1"])
    assert not past("2.0rc1", ["2.0"])
    assert not past("9", [])
    assert past("5.1", ["5", "6"])
    assert not past("1!5.0", ["5", "1!6"])


@given(st.lists(st.sampled_from([*VERSIONS, "1", "2", "1.0.1", "1.5.0.1", "3", "1!1"]), max_size=4))
def test_what_is_not_past_its_fix_is_found_at_once(fixed: list[str]) -> None:
    line = Line(VERSIONS)
    assert line.unmended(fixed) == [text for text in line.texts if not past(text, fixed)]


numbers = st.sampled_from(
    ["0", "0.9", "1.0a1", "1.0", "1.0.post1", "1.2", "1.5", "2.0rc1", "2.0", "3.0", "1!0.1"]
)
events = st.lists(
    st.tuples(st.sampled_from(["introduced", "fixed", "last_affected"]), numbers), min_size=1, max_size=5
)


def naive(version: str, told: list[tuple[str, str]]) -> bool:
    """OSV's evaluation: events in order of versions, the last one that counts decides."""
    at = Version(version)
    vulnerable = False
    for kind, text in sorted(told, key=lambda event: Version(event[1])):
        if kind == "introduced" and (text == "0" or at >= Version(text)):
            vulnerable = True
        elif (kind == "fixed" and at >= Version(text)) or (kind == "last_affected" and at > Version(text)):
            vulnerable = False
    return vulnerable


@given(events, st.lists(st.sampled_from([one for one in VERSIONS if "+" not in one]), unique=True))
def test_spans_agree_with_asking_one_by_one(told: list[tuple[str, str]], versions: list[str]) -> None:
    if not any(kind == "introduced" for kind, _ in told) or len({text for _, text in told}) < len(told):
        return  # the specification wants a beginning, and says nothing of two events at one version
    (advisory,) = read_osv(record(events=[{kind: text} for kind, text in told])).advisories
    assert Line(versions).affected(advisory) == {one for one in versions if naive(one, told)}
