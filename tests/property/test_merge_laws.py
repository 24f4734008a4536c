"""Laws of merging and pinning that hold whatever the sources say."""

from datetime import timedelta
from functools import cache
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.made import DEMO, NOW, file, sha
from wheelkeep.core import merge, pins
from wheelkeep.core.merge import Merged, Nowhere
from wheelkeep.core.model import Absent, Answer, File, Found, Page, Status, Unasked, Unreachable
from wheelkeep.core.names import SourceName

NAMES = [SourceName(name) for name in ("acme", "vendor", "pypi", "extra")]
FILENAMES = [f"demo-{version}-py3-none-any.whl" for version in ("0.9", "1.0", "2.0", "99.0")]
FILENAMES += ["demo-1.0.tar.gz", "demo-3.0.zip"]

HASHES = [sha("a"), sha("b"), sha("c")]

hashes = st.sampled_from(HASHES)
moments = st.none() | st.integers(0, 3600).map(lambda seconds: NOW + timedelta(seconds=seconds))
statuses = st.none() | st.sampled_from(["active", "quarantined"]).map(lambda word: Status(word))  # type: ignore[arg-type]


@cache
def files(source: str, *, least: int = 0) -> st.SearchStrategy[tuple[File, ...]]:
    """Files of one page: each name once."""
    every = [
        file(name, source=source, sha256=sha256, size=size, yanked=yanked, url=f"https://x.example/{sha256}")
        for name, sha256, (size, yanked) in product(
            FILENAMES, [*HASHES, None], [(None, None), (1, None), (2, "broken")]
        )
    ]
    one = st.sampled_from(every)
    return st.lists(one, min_size=least, max_size=4, unique_by=lambda each: each.filename).map(tuple)


@cache
def pages(source: str, *, least: int = 0) -> st.SearchStrategy[Page]:
    return st.builds(
        lambda told, status: Page(project=DEMO, files=told, status=status),
        files(source, least=least),
        statuses,
    )


@cache
def answers(source: SourceName) -> st.SearchStrategy[Answer]:
    found = st.builds(
        Found,
        source=st.just(source),
        page=pages(source),
        claims=st.booleans(),
        stale=st.none() | st.just("it is away"),
        good_until=moments,
    )
    return st.one_of(
        found,
        st.builds(Absent, source=st.just(source), good_until=moments),
        st.just(Unreachable(source=source, reason="it is away")),
        st.just(Unasked(source=source, gate="allow", sentence="not listed")),
    )


@st.composite
def asked(draw: st.DrawFn) -> list[list[Answer]]:
    """Answers in groups, the best first; each source once."""
    groups: list[list[Answer]] = []
    for source in draw(st.permutations(NAMES)):
        if groups and draw(st.booleans()):
            groups[-1].append(draw(answers(source)))
        else:
            groups.append([draw(answers(source))])
    return groups


def settled(groups: list[list[Answer]]) -> merge.Outcome:
    return merge.strict(DEMO, groups) or merge.nowhere(groups)


@given(asked(), st.data())
def test_what_a_lower_source_says_never_changes_what_is_decided_above(
    groups: list[list[Answer]], data: st.DataObject
) -> None:
    for at in range(1, len(groups)):
        above = merge.strict(DEMO, groups[:at])
        if above is None:
            continue
        below = [[data.draw(answers(answer.source)) for answer in group] for group in groups[at:]]
        assert settled(groups[:at] + below) == above


@given(asked(), st.data())
def test_files_that_a_lower_source_adds_never_join_a_page(
    groups: list[list[Answer]], data: st.DataObject
) -> None:
    before = settled(groups)
    if not isinstance(before, Merged):
        return
    low = SourceName("lowest")
    more = Found(source=low, page=data.draw(pages(low, least=1)))
    assert settled([*groups, [more]]) == before


@given(asked())
def test_all_files_are_of_the_owners(groups: list[list[Answer]]) -> None:
    outcome = settled(groups)
    if isinstance(outcome, Merged):
        assert {each.source for each in outcome.page.files} <= set(outcome.owners)
        together = [{answer.source for answer in group} for group in groups]
        assert any(set(outcome.owners) <= sources for sources in together)
        names = [each.filename for each in outcome.page.files]
        assert len(names) == len(set(names))


@given(asked(), st.integers(0, 3), st.integers(0, 3))
def test_an_outage_never_equals_an_absence(groups: list[list[Answer]], at: int, place: int) -> None:
    """Where a source is cut off, nothing is shown that a source below it says."""
    at = at % len(groups)
    place = place % len(groups[at])
    source = groups[at][place].source
    cut = [list(group) for group in groups]
    cut[at][place] = Unreachable(source=source, reason="it is away")
    outcome, below = settled(cut), {answer.source for group in groups[at + 1 :] for answer in group}
    assert not isinstance(outcome, Nowhere)
    if isinstance(outcome, Merged):
        assert not set(outcome.owners) & (below | {answer.source for answer in groups[at]})
        assert outcome == settled(groups)


@given(asked())
def test_nowhere_only_after_clean_answers_of_all(groups: list[list[Answer]]) -> None:
    if isinstance(settled(groups), Nowhere):
        for answer in (answer for group in groups for answer in group):
            assert isinstance(answer, Absent | Found)
            assert isinstance(answer, Absent) or answer.stale is None


@given(asked())
def test_no_page_outlives_an_answer_that_it_rests_on(groups: list[list[Answer]]) -> None:
    outcome = settled(groups)
    if not isinstance(outcome, Merged | Nowhere):
        return
    rests: list[Answer] = []
    for group in groups:
        rests += group
        if isinstance(outcome, Merged) and set(outcome.owners) & {answer.source for answer in group}:
            break
    for answer in rests:
        if isinstance(answer, Found | Absent) and answer.good_until is not None:
            assert outcome.good_until is not None
            assert outcome.good_until <= answer.good_until


@given(st.permutations(NAMES[:3]), st.data())
def test_a_group_equals_the_union_of_its_sources(order: list[SourceName], data: st.DataObject) -> None:
    group = [Found(source=source, page=data.draw(pages(source, least=1))) for source in order]
    outcome = merge.strict(DEMO, [group])
    assert isinstance(outcome, Merged)
    expected: dict[str, File] = {}
    for answer in group:
        for each in answer.page.files:
            expected.setdefault(each.filename, each)
    assert {each.filename: each for each in outcome.page.files} == expected
    whole = Found(source=order[0], page=merge.union(DEMO, [answer.page for answer in group]))
    as_one = merge.strict(DEMO, [[whole]])
    assert isinstance(as_one, Merged)
    assert as_one.page == outcome.page


told = st.lists(pages("pypi"), min_size=1, max_size=4)


@given(told)
def test_a_first_hash_never_changes_and_nothing_ever_leaves(history: list[Page]) -> None:
    stored: Page | None = None
    first: dict[str, str] = {}
    seen: set[str] = set()
    for minute, each in enumerate(history):
        before = stored
        stored, incidents = pins.overlay(stored, each, NOW + timedelta(minutes=minute))
        here = {one.filename: one for one in stored.files}
        assert len(here) == len(stored.files)
        for name, sha256 in first.items():
            assert here[name].sha256 == sha256
        seen |= {one.filename for one in each.files}
        assert set(here) == seen
        listed = {one.filename for one in each.files}
        suspect = each.status is not None and each.status.status == "quarantined"
        assert {name for name, one in here.items() if not one.gone} == (set() if suspect else listed)
        for incident in incidents:
            assert incident.first == first[incident.filename] != incident.told
        broken = {
            one.filename
            for one in each.files
            if one.sha256 and first.get(one.filename, one.sha256) != one.sha256
        }
        assert {incident.filename for incident in incidents} <= broken
        assert (
            broken
            == {one.filename for one in each.files if here[one.filename].changed and one.sha256} & broken
        )
        first |= {name: one.sha256 for name, one in here.items() if one.sha256 and name not in first}
        for one in before.files if before else ():
            assert here[one.filename].first_seen == one.first_seen


@given(told)
def test_a_page_laid_over_twice_is_laid_over_once(history: list[Page]) -> None:
    stored: Page | None = None
    for each in history:
        stored, _ = pins.overlay(stored, each, NOW)
        again, incidents = pins.overlay(stored, each, NOW + timedelta(days=1))
        assert (again, incidents) == (stored, ())


@given(told, st.data())
def test_nothing_leaves_when_the_name_does(history: list[Page], data: st.DataObject) -> None:
    stored: Page | None = None
    for each in history:
        stored, _ = pins.overlay(stored, each, NOW)
        if data.draw(st.booleans()):
            gone = pins.all_gone(stored)
            assert gone == replace(
                stored,
                files=tuple(
                    one if one.gone else replace(one, gone=True, left="project") for one in stored.files
                ),
            )
            stored = gone


@given(pages("pypi", least=1), hashes, st.integers(0, 9), st.data())
def test_what_the_bytes_teach_never_changes_a_hash(
    stored: Page, sha256: str, size: int, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([one.filename for one in stored.files]))
    taught = pins.learned(stored, name, sha256=sha256, size=size)
    for before, after in zip(stored.files, taught.files, strict=True):
        assert after.sha256 == (before.sha256 or (sha256 if before.filename == name else None))
        if before.filename != name:
            assert after == before
