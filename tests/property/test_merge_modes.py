"""Laws of the modes of merging, whatever the sources say and in whatever order they say it."""

import asyncio
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.version import Version

from fakes.made import DEMO, NOW, file, sha
from wheelkeep.core import merge
from wheelkeep.core.merge import Merged, Nowhere, Outcome
from wheelkeep.core.model import Absent, Answer, File, Found, Page, Unasked, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.policy import build
from wheelkeep.core.settings import MergeMode, Pin
from wheelkeep.index.gather import Place, Rule, gather

NAMES = [SourceName(name) for name in ("acme", "vendor", "pypi", "extra")]
VERSIONS = ["0.9", "1.0", "1.0.0", "1.0+cpu", "1.0.post1", "2.0rc1", "2.0", "99.0", "1!0.1"]
FILENAMES = [f"demo-{version}-py3-none-any.whl" for version in VERSIONS]
FILENAMES += ["demo-1.0.tar.gz", "demo-2.0.tar.gz", "demo-0.1-cp27-cp27m-win32.whl"]

modes = st.sampled_from(get_args(MergeMode))
Groups = list[list[Answer]]


def files(source: str, *, least: int = 0) -> st.SearchStrategy[tuple[File, ...]]:
    """Files of one page; the same name in two sources may have the same bytes or others."""
    one = st.builds(
        lambda name, text, yanked: file(name, source=source, sha256=sha(text), yanked=yanked),
        st.sampled_from(FILENAMES),
        st.sampled_from("ab"),
        st.none() | st.just("broken"),
    )
    return st.lists(one, min_size=least, max_size=5, unique_by=lambda each: each.filename).map(tuple)


def found(source: SourceName, *, least: int = 0) -> st.SearchStrategy[Found]:
    return st.builds(
        lambda told, claims: Found(source=source, page=Page(project=DEMO, files=told), claims=claims),
        files(source, least=least),
        st.booleans() if least == 0 else st.just(False),
    )


def answers(source: SourceName) -> st.SearchStrategy[Answer]:
    return st.one_of(
        found(source),
        found(source, least=1),
        st.just(Absent(source=source)),
        st.just(Unreachable(source=source, reason="it is away")),
        st.just(Unasked(source=source, gate="allow", sentence="not listed")),
    )


@st.composite
def asked(draw: st.DrawFn, *, clean: bool = False) -> Groups:
    """Answers in groups, the best first; each source once. ``clean``: every source answers."""
    groups: Groups = []
    for source in draw(st.permutations(NAMES)):
        answer = draw(found(source) | st.just(Absent(source=source)) if clean else answers(source))
        if groups and draw(st.booleans()):
            groups[-1].append(answer)
        else:
            groups.append([answer])
    return groups


pins = st.lists(
    st.builds(
        Pin,
        packages=st.sampled_from([(), ("*",), ("demo",), ("d*",), ("other",)]),
        source=st.none() | st.sampled_from(NAMES),
        version=st.none() | st.sampled_from(["1.0", "2.*", "1!0.1"]),
        priority=st.sampled_from([-1, 1, 499, 500, 501, 990]),
    ).map(lambda pin: replace(pin, version=None) if pin.packages in {(), ("*",)} else pin),
    max_size=4,
).map(tuple)


def shown(outcome: Outcome) -> tuple[File, ...]:
    return outcome.page.files if isinstance(outcome, Merged) else ()


def names_of(told: tuple[File, ...]) -> set[str]:
    return {each.filename for each in told}


def origins(told: tuple[File, ...]) -> set[tuple[str, str]]:
    return {(each.source, each.filename) for each in told}


def holder(groups: Groups) -> int | None:
    """The place of the best group that has the name, where all answered."""
    for at, group in enumerate(groups):
        if any(isinstance(answer, Found) and merge.has(answer) for answer in group):
            return at
    return None


@given(asked(clean=True), st.data())
def test_strict_adding_to_a_lower_source_changes_nothing(groups: Groups, data: st.DataObject) -> None:
    at = holder(groups)
    if at is None:
        return
    more: Groups = [
        [data.draw(found(answer.source, least=1)) for answer in group] for group in groups[at + 1 :]
    ]
    before, after = merge.merge("strict", DEMO, groups), merge.merge("strict", DEMO, groups[: at + 1] + more)
    assert isinstance(before, Merged)
    assert before == after


@given(asked(clean=True), st.data())
def test_floor_a_lower_source_neither_replaces_nor_upgrades(groups: Groups, data: st.DataObject) -> None:
    at = holder(groups)
    if at is None:
        return
    alone = shown(merge.merge("floor", DEMO, groups[: at + 1]))
    assert alone == shown(merge.merge("strict", DEMO, groups))
    for _ in range(3):
        more: Groups = [
            [data.draw(found(answer.source, least=1)) for answer in group] for group in groups[at + 1 :]
        ]
        whole = shown(merge.merge("floor", DEMO, groups[: at + 1] + more))
        assert whole[: len(alone)] == alone
        added = whole[len(alone) :]
        if not alone:
            assert not added
        for each in added:
            assert all(Version(each.version) < Version(better.version) for better in alone)


@given(asked(clean=True))
def test_floor_each_source_is_under_all_above_it(groups: Groups) -> None:
    files_shown = shown(merge.merge("floor", DEMO, groups))
    above: list[Version] = []
    for group in groups:
        told = [each for answer in group if isinstance(answer, Found) for each in answer.page.files]
        members = {answer.source for answer in group}
        for each in files_shown:
            if each.source in members:
                assert all(Version(each.version) < better for better in above)
        above += [Version(each.version) for each in told]


@given(asked(clean=True), pins)
def test_what_a_mode_adds(groups: Groups, stanzas: tuple[Pin, ...]) -> None:
    """A blend shows every name of a file once, floor a part of that, strict a part of floor; pinned a part too."""
    everything = {
        each.filename
        for group in groups
        for answer in group
        if isinstance(answer, Found)
        for each in answer.page.files
    }
    blend = shown(merge.merge("unsafe-blend", DEMO, groups))
    assert names_of(blend) == everything
    assert len(blend) == len(everything)
    floor = origins(shown(merge.merge("floor", DEMO, groups)))
    assert origins(shown(merge.merge("strict", DEMO, groups))) <= floor <= origins(blend)
    assert names_of(shown(merge.merge("pinned", DEMO, groups, stanzas))) <= everything


class Late:
    """A source whose answer comes when it is let go."""

    remote = False

    def __init__(self, answer: Answer) -> None:
        self.name = answer.source
        self.go = asyncio.Event()
        self._answer = answer

    async def page(self, project: ProjectName, *, patience: float = 0.0) -> Answer:
        await self.go.wait()
        return self._answer


@given(modes, asked(), st.permutations(NAMES), pins)
def test_the_order_in_which_answers_come_does_not_matter(
    mode: MergeMode, groups: Groups, order: list[SourceName], stanzas: tuple[Pin, ...]
) -> None:
    async def gathered() -> Outcome:
        late = {answer.source: Late(answer) for group in groups for answer in group}
        everything = Selection(None, ())
        places = [[Place(late[answer.source], everything) for answer in group] for group in groups]  # type: ignore[arg-type]
        asking = asyncio.create_task(
            gather(
                DEMO,
                places,
                Rule(mode, stanzas),
                Reservations([]),
                build(None, remote=frozenset()),
                now=NOW,
                patience=0,
            )
        )
        for name in order:
            await asyncio.sleep(0)
            late[name].go.set()
        return (await asking).outcome

    assert asyncio.run(gathered()) == merge.merge(mode, DEMO, groups, stanzas)


@given(modes, st.permutations(NAMES), st.data(), pins)
def test_a_group_equals_the_union_of_its_sources(
    mode: MergeMode, order: list[SourceName], data: st.DataObject, stanzas: tuple[Pin, ...]
) -> None:
    told = [data.draw(found(source)) for source in order]
    group: list[Answer] = [*told[1:3]]
    outcome = merge.merge(mode, DEMO, [[told[0]], group, [told[3]]], stanzas)
    if mode == "pinned":
        # Numbers are the sources' own, so a group is only their order.
        assert outcome == merge.merge(mode, DEMO, [[each] for each in told], stanzas)
        return
    whole = merge.union(DEMO, [each.page for each in told[1:3]])
    as_one = Found(source=order[1], page=whole, claims=told[1].claims or told[2].claims)
    expected = merge.merge(mode, DEMO, [[told[0]], [as_one], [told[3]]], stanzas)
    assert shown(outcome) == shown(expected)
    assert isinstance(outcome, Merged) == isinstance(expected, Merged)


@given(modes, asked(), st.integers(0, 3), st.integers(0, 3), pins)
def test_an_outage_never_equals_an_absence(
    mode: MergeMode, groups: Groups, at: int, place: int, stanzas: tuple[Pin, ...]
) -> None:
    at %= len(groups)
    place %= len(groups[at])
    cut = [list(group) for group in groups]
    cut[at][place] = Unreachable(source=groups[at][place].source, reason="it is away")
    outcome = merge.merge(mode, DEMO, cut, stanzas)
    if isinstance(outcome, Unreachable):
        return
    # Only in strict may something be said without it, and then by a better group that decides alone.
    assert mode == "strict"
    assert not isinstance(outcome, Nowhere)
    assert outcome == merge.strict(DEMO, groups[:at])


def number(text: str, groups: Groups, stanzas: tuple[Pin, ...]) -> int:
    """A version's number, said once more in the plainest words."""
    own = {}
    for group in groups:
        for answer in group:
            if isinstance(answer, Found) and text in {each.version for each in answer.page.files}:
                general = [p for p in stanzas if p.packages in {(), ("*",)} and p.source == answer.source]
                own[answer.source] = general[0].priority if general else 500
    for pin in stanzas:
        if pin.packages not in {("demo",), ("d*",)} or (pin.source is not None and pin.source not in own):
            continue
        public, release = Version(text), Version((pin.version or "0").removesuffix(".*"))
        if pin.version is None:
            return pin.priority
        if pin.version.endswith(".*") and (public.epoch, public.release[:1]) == (0, release.release):
            return pin.priority
        if not pin.version.endswith(".*") and Version(public.public) == release:
            return pin.priority
    return max(own.values())


@given(asked(clean=True), pins)
def test_pinned_shows_the_version_with_the_largest_number_above_zero(
    groups: Groups, stanzas: tuple[Pin, ...]
) -> None:
    offered = {
        each.version
        for group in groups
        for answer in group
        if isinstance(answer, Found)
        for each in answer.page.files
    }
    numbers = {text: number(text, groups, stanzas) for text in offered}
    there = {each.version for each in shown(merge.merge("pinned", DEMO, groups, stanzas))}
    assert len(there) == (1 if any(each > 0 for each in numbers.values()) else 0)
    for text in there:
        assert numbers[text] == max(numbers.values()) > 0


@given(modes, asked(), pins)
def test_a_file_name_in_two_sources_is_the_better_ones(
    mode: MergeMode, groups: Groups, stanzas: tuple[Pin, ...]
) -> None:
    outcome = merge.merge(mode, DEMO, groups, stanzas)
    told = shown(outcome)
    assert len(names_of(told)) == len(told)
    hidden: set[SourceName] = set()
    if mode == "pinned" and isinstance(outcome, Merged) and outcome.choice is not None:
        candidate = outcome.choice.candidate
        if candidate is not None and candidate.pin is None:
            hidden = {source for source, own in outcome.choice.numbers.items() if own < 0}
    first: dict[str, File] = {}
    for group in groups:
        for answer in group:
            if isinstance(answer, Found) and answer.source not in hidden:
                for each in answer.page.files:
                    first.setdefault(each.filename, each)
    for each in told:
        assert each is first[each.filename]
