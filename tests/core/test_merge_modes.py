"""The modes beside strict: floor, pinned and unsafe-blend, and what all of them have in common."""

import pytest
from msgspec.structs import replace

from fakes.made import DEMO, file, found, later, sha
from wheelkeep.core import merge
from wheelkeep.core.merge import Merged, Nowhere
from wheelkeep.core.model import Absent, Answer, Status, Unasked, Unreachable
from wheelkeep.core.names import SourceName
from wheelkeep.core.settings import MergeMode, Pin

ACME, VENDOR, PYPI = SourceName("acme"), SourceName("vendor"), SourceName("pypi")
DOWN = Unreachable(source=VENDOR, reason="it answered 503")
NOT_ASKED = Unasked(source=VENDOR, gate="allow", sentence="demo is not on the allow list")
MODES: list[MergeMode] = ["strict", "floor", "pinned", "unsafe-blend"]
OTHERS = MODES[1:]


def absent(source: str, good_until: object = None) -> Absent:
    return Absent(source=SourceName(source), good_until=good_until)  # type: ignore[arg-type]


def shown(mode: MergeMode, *groups: Answer | list[Answer], pins: tuple[Pin, ...] = ()) -> list[str]:
    """Source and version of every file, such as ``acme 1.0``."""
    outcome = merged(mode, *groups, pins=pins)
    assert isinstance(outcome, Merged), outcome
    return [f"{one.source} {one.version}" for one in outcome.page.files]


def merged(mode: MergeMode, *groups: Answer | list[Answer], pins: tuple[Pin, ...] = ()) -> merge.Outcome:
    return merge.merge(mode, DEMO, [group if isinstance(group, list) else [group] for group in groups], pins)


# Floor.


def test_floor_fills_in_the_past() -> None:
    assert shown("floor", found("acme", "1.0", "1.2"), found("pypi", "0.9", "1.0", "1.1", "2.0")) == [
        "acme 1.0",
        "acme 1.2",
        "pypi 0.9",
    ]


def test_the_floor_sinks_with_every_source_shown_or_not() -> None:
    groups = [found("acme", "2.0"), found("vendor", "3.0", "1.5"), found("pypi", "0.5", "1.2", "1.6", "4.0")]
    assert shown("floor", *groups) == ["acme 2.0", "vendor 1.5", "pypi 0.5", "pypi 1.2"]
    # What vendor may not show still bounds what comes below it.
    groups = [found("acme", "2.0"), found("vendor", "3.0"), found("pypi", "2.5", "1.9")]
    assert shown("floor", *groups) == ["acme 2.0", "pypi 1.9"]


@pytest.mark.parametrize(
    ("better", "worse", "added"),
    [
        ("1.0", ["1.0", "1.0.0", "1", "1.0.post1", "1.0+local", "1!0.1", "1.0.1.dev1"], []),
        (
            "1.0",
            ["1.0rc1", "1.0.dev3", "0.9+zzz", "0.9.post9"],
            ["1.0rc1", "1.0.dev3", "0.9+zzz", "0.9.post9"],
        ),
        ("1.0+cpu", ["1.0", "1.0+cpu", "1.0+cuda"], ["1.0"]),
        ("1!0.1", ["99.0", "1!0.1"], ["99.0"]),
        ("2.0rc1", ["1.9", "2.0b9", "2.0"], ["1.9", "2.0b9"]),
        ("1.0.post1", ["1.0", "1.0.post1.dev2"], ["1.0", "1.0.post1.dev2"]),
    ],
)
def test_older_is_what_pep_440_calls_older(better: str, worse: list[str], added: list[str]) -> None:
    assert shown("floor", found("acme", better), found("pypi", *worse)) == [
        f"acme {better}",
        *(f"pypi {version}" for version in added),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        file("demo-1.0-py3-none-any.whl", source="acme", yanked="broken"),
        file("demo-1.0-cp27-cp27m-win32.whl", source="acme"),
        file("demo-1.0.tar.gz", source="acme", gone=True),
    ],
)
def test_any_file_is_a_version_of_its_source(odd: object) -> None:
    assert shown("floor", found("acme", odd, "3.0"), found("pypi", "0.9", "2.0")) == [  # type: ignore[arg-type]
        "acme 1.0",
        "acme 3.0",
        "pypi 0.9",
    ]


def test_a_group_has_one_floor() -> None:
    group: list[Answer] = [found("acme", "2.0"), found("vendor", "1.0", "3.0")]
    assert shown("floor", group, found("pypi", "0.9", "1.5")) == [
        "acme 2.0",
        "vendor 1.0",
        "vendor 3.0",
        "pypi 0.9",
    ]


def test_below_a_claim_without_a_file_nothing_is_shown() -> None:
    for claim in (found("acme", claims=True), found("acme", status="quarantined")):
        assert shown("floor", claim, found("pypi", "1.0")) == []
        assert shown("floor", found("vendor", "2.0"), claim, found("pypi", "1.0")) == ["vendor 2.0"]


def test_below_what_was_not_asked_nothing_is_shown() -> None:
    assert shown("floor", found("acme", "2.0"), NOT_ASKED, found("pypi", "1.0")) == ["acme 2.0"]
    group: list[Answer] = [found("acme", "2.0"), NOT_ASKED]
    assert shown("floor", group, found("pypi", "1.0")) == ["acme 2.0"]
    # Where nothing is above it, it is said why, as in strict.
    for mode in ("strict", "floor"):
        assert merged(mode, absent("acme"), NOT_ASKED, found("pypi", "1.0")) == NOT_ASKED


def test_a_lower_page_tells_nothing_but_older_files() -> None:
    low = found("pypi", "1.0", "9.0", status="quarantined")
    low = replace(low, page=replace(low.page, versions=("1.0", "8.0", "9.0")))
    outcome = merged("floor", found("acme", "2.0"), low)
    assert isinstance(outcome, Merged)
    assert (outcome.page.status, outcome.page.versions) == (None, ("1.0",))
    own = merged("floor", found("acme", "2.0", status="deprecated"), low)
    assert isinstance(own, Merged)
    assert own.page.status == Status("deprecated")


# Unsafe blend.


def test_a_blend_shows_everything() -> None:
    groups = [found("acme", "1.0"), found("vendor", claims=True), found("pypi", "0.9", "1.1", "2.0rc1")]
    assert shown("unsafe-blend", *groups) == ["acme 1.0", "pypi 0.9", "pypi 1.1", "pypi 2.0rc1"]
    assert shown("unsafe-blend", NOT_ASKED, found("pypi", "1.0")) == ["pypi 1.0"]


# Pinned: the rules themselves are in test_pinned.


def test_pinned_shows_the_candidate_and_says_why() -> None:
    pins = (Pin(packages=("demo",), version="1.*", priority=990),)
    outcome = merged("pinned", found("acme", "2.0", status="archived"), found("pypi", "1.0"), pins=pins)
    assert isinstance(outcome, Merged)
    assert outcome.choice is not None
    assert outcome.choice.candidate is not None
    assert outcome.choice.candidate.pin == pins[0]
    # The status is that of those whose files are shown.
    assert (outcome.page.versions, outcome.page.status) == (("1.0",), None)
    assert [one.source for one in outcome.page.files] == [PYPI]


def test_pinned_where_nothing_is_left_to_show() -> None:
    pins = (Pin(source=PYPI, priority=-1),)
    outcome = merged("pinned", absent("acme"), found("pypi", "1.0", status="deprecated"), pins=pins)
    assert isinstance(outcome, Merged)
    assert (outcome.page.files, outcome.page.versions) == ((), ())
    assert outcome.page.status == Status("deprecated")
    assert outcome.owners == (PYPI,)


@pytest.mark.parametrize(
    ("pins", "settled"),
    [
        ((), False),
        ((Pin(source=ACME, priority=501),), True),
        ((Pin(source=VENDOR, priority=499),), True),
        ((Pin(source=VENDOR, priority=-1),), True),
        ((Pin(source=ACME, priority=501), Pin(packages=("demo",), version="9.*", priority=990)), False),
        ((Pin(source=ACME, priority=501), Pin(packages=("demo",), source=PYPI, priority=990)), True),
    ],
)
def test_a_source_that_was_not_asked_may_have_the_candidate(pins: tuple[Pin, ...], settled: bool) -> None:
    outcome = merged("pinned", found("acme", "1.0"), NOT_ASKED, found("pypi", "0.9"), pins=pins)
    assert isinstance(outcome, Merged) is settled
    assert settled or outcome == NOT_ASKED


# All of them.


@pytest.mark.parametrize("mode", MODES)
def test_a_file_name_in_two_sources_is_the_better_ones(mode: MergeMode) -> None:
    name = "demo-1.0-py3-none-any.whl"
    ours, theirs = file(name, source="acme", sha256=sha("a")), file(name, source="pypi", sha256=sha("p"))
    for groups in (
        [[found("acme", ours)], [found("pypi", theirs)]],
        [[found("acme", ours), found("pypi", theirs)]],
    ):
        outcome = merge.merge(mode, DEMO, groups)
        assert isinstance(outcome, Merged)
        assert outcome.page.files == (ours,)


@pytest.mark.parametrize("mode", OTHERS)
def test_an_outage_anywhere_decides(mode: MergeMode) -> None:
    assert merged(mode, found("acme", "1.0"), DOWN, found("pypi", "0.9")) == DOWN
    assert merged(mode, found("acme", "1.0"), [found("pypi", "0.9"), DOWN]) == DOWN
    assert merged(mode, NOT_ASKED, absent("acme"), DOWN) == DOWN
    stale = merged(mode, found("acme", "1.0"), found("pypi", stale="it is away"))
    assert stale == Unreachable(source=PYPI, reason="it is away")


@pytest.mark.parametrize("mode", MODES)
def test_nowhere_and_not_asked(mode: MergeMode) -> None:
    until = later(minutes=3)
    assert merged(mode, absent("acme"), found("pypi", good_until=until)) == Nowhere(good_until=until)
    assert merged(mode, absent("acme"), NOT_ASKED, absent("pypi")) == NOT_ASKED
    assert merged(mode) == Nowhere()


@pytest.mark.parametrize("mode", MODES)
def test_a_name_that_is_claimed_without_a_file_is_an_empty_page(mode: MergeMode) -> None:
    assert shown(mode, found("acme", claims=True), absent("pypi")) == []


@pytest.mark.parametrize("mode", OTHERS)
def test_a_page_is_as_old_as_its_oldest_answer(mode: MergeMode) -> None:
    outcome = merged(
        mode,
        found("acme", "1.0", good_until=later(minutes=9)),
        absent("vendor", later(minutes=2)),
        found("pypi", "0.9", good_until=later(minutes=5), stale="it is away"),
    )
    assert isinstance(outcome, Merged)
    assert (outcome.good_until, outcome.stale) == (later(minutes=2), "it is away")
    assert outcome.owners == (ACME, PYPI)
