"""APT's rules for pins, one by one; the numbers in brackets are those of docs/guide/priorities.md."""

import pytest

from fakes.made import DEMO, file, page, sha, versions
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.pinned import Choice, choose, highest, own_number
from wheelkeep.core.settings import Pin

ACME, VENDOR, PYPI = SourceName("acme"), SourceName("vendor"), SourceName("pypi")


def pages(**told: list[str | File]) -> dict[SourceName, Page]:
    """Each source's versions or files, the best source first."""
    return {
        SourceName(source): page(
            *[one if isinstance(one, File) else versions(one, source=source)[0] for one in listed]
        )
        for source, listed in told.items()
    }


def pin(
    package: str | tuple[str, ...] = (),
    source: str | None = None,
    version: str | None = None,
    *,
    priority: int,
) -> Pin:
    return Pin(
        packages=(package,) if isinstance(package, str) else package,
        source=SourceName(source) if source is not None else None,
        version=version,
        priority=priority,
    )


def shown(choice: Choice) -> list[tuple[str, str]]:
    return [(one.source, one.version) for one in choice.files]


def chosen(told: dict[SourceName, Page], *pins: Pin) -> list[tuple[str, str]]:
    return shown(choose(DEMO, told, pins))


def test_without_pins_the_newest_wins() -> None:
    choice = choose(DEMO, pages(acme=["1.0"], pypi=["0.9", "2.0"]), ())
    assert shown(choice) == [("pypi", "2.0")]
    assert choice.candidate is not None
    assert (choice.candidate.number, choice.candidate.pin) == (500, None)
    assert choice.numbers == {ACME: 500, PYPI: 500}


def test_the_larger_number_goes_before_the_newer_version() -> None:
    assert chosen(pages(acme=["1.0"], pypi=["2.0"]), pin(source="acme", priority=501)) == [("acme", "1.0")]
    assert chosen(pages(acme=["1.0"], pypi=["2.0"]), pin(source="pypi", priority=499)) == [("acme", "1.0")]


def test_a_source_has_the_number_of_the_first_general_stanza() -> None:
    pins = [
        pin("demo", "acme", priority=1),
        pin(source="acme", priority=400),
        pin("*", "acme", priority=900),
        pin("*", "vendor", priority=7),
    ]
    assert own_number(ACME, pins) == 400
    assert own_number(VENDOR, pins) == 7
    assert own_number(PYPI, pins) == 500


def test_a_version_has_the_largest_number_of_its_sources() -> None:
    """And is then had from all of them (A1, A2)."""
    told = pages(acme=[file("demo-1.0.tar.gz", source="acme"), "2.0"], vendor=["1.0"], pypi=["1.0", "3.0"])
    assert chosen(told, pin(source="vendor", priority=600)) == [
        ("acme", "1.0"),
        ("vendor", "1.0"),
    ]


def test_the_first_stanza_with_a_package_decides_even_where_it_says_less() -> None:
    told = pages(acme=["1.0"], pypi=["2.0"])
    low = pin("demo", "acme", priority=200)
    assert chosen(told, pin(source="acme", priority=990), low) == [("pypi", "2.0")]
    # By its place in the file, not by how closely it is written.
    assert chosen(told, pin("d*", "acme", priority=400), pin("demo", "acme", priority=900)) == [
        ("pypi", "2.0")
    ]
    choice = choose(DEMO, told, [pin("d*", "acme", priority=700), low])
    assert choice.candidate is not None
    assert choice.candidate.pin == pin("d*", "acme", priority=700)


def test_a_stanza_matches_by_any_source_that_offers_the_version() -> None:
    told = pages(acme=["1.0", "3.0"], pypi=["1.0"])
    assert chosen(told, pin("demo", "pypi", priority=900)) == [("acme", "1.0")]


@pytest.mark.parametrize(
    ("package", "matches"),
    [
        ("demo", True),
        ("other", False),
        ("dem?", True),
        ("D_*", False),
        (("other", "demo"), True),
        (("other", "*"), True),
    ],
)
def test_a_package_is_a_name_a_glob_or_a_list(package: str | tuple[str, ...], matches: bool) -> None:
    told = pages(acme=["1.0"], pypi=["2.0"])
    assert chosen(told, pin(package, "acme", priority=900)) == [
        ("acme", "1.0") if matches else ("pypi", "2.0")
    ]


def test_globs_are_compared_in_normal_form() -> None:
    name = ProjectName("acme-tools")
    told = {
        ACME: page(*versions("1.0", project="acme_tools", source="acme"), project="acme-tools"),
        PYPI: page(*versions("2.0", project="acme_tools"), project="acme-tools"),
    }
    assert shown(choose(name, told, [pin("acme-*", "acme", priority=900)])) == [("acme", "1.0")]


@pytest.mark.parametrize(
    ("pattern", "version", "matches"),
    [
        ("1.26.*", "1.26.4", True),
        ("1.26.*", "1.26", True),
        ("1.26.*", "1.26.0rc1", True),
        ("1.26.*", "1.26.post1", True),
        ("1.26.*", "1.26.4+cpu", True),
        ("1.26.*", "1.260", False),
        ("1.26.*", "1.2", False),
        ("1.26.*", "1!1.26.4", False),
        ("1!1.*", "1!1.5", True),
        ("1!1.*", "1.5", False),
        ("1.0", "1.0", True),
        ("1.0", "1.0.0", True),
        ("1.0", "1", True),
        ("1.0", "1.0+cpu", True),
        ("1.0+cpu", "1.0+cpu", True),
        ("1.0+cpu", "1.0", False),
        ("1.0", "1.0.post1", False),
        ("1.0", "1.0rc1", False),
        ("1.0", "1.0.dev1", False),
        ("2.0rc1", "2.0rc1", True),
    ],
)
def test_a_version_is_what_stands_after_two_equals_signs(pattern: str, version: str, matches: bool) -> None:
    told = pages(acme=[version], pypi=["9!0.0"])
    expected = ("acme", version) if matches else ("pypi", "9!0.0")
    assert chosen(told, pin("demo", version=pattern, priority=900)) == [expected]


def test_source_and_version_must_both_match() -> None:
    told = pages(acme=["1.0", "1.1"], pypi=["1.0", "2.0"])
    assert chosen(told, pin("demo", "acme", "1.1", priority=900)) == [("acme", "1.1")]
    assert chosen(told, pin("demo", "pypi", "1.1", priority=900)) == [("pypi", "2.0")]


@pytest.mark.parametrize("priority", [-1, -1000])
def test_a_source_below_zero_is_hidden(priority: int) -> None:
    hidden = pin(source="pypi", priority=priority)
    assert chosen(pages(acme=["1.0"], pypi=["2.0"]), hidden) == [("acme", "1.0")]
    # So is its copy of a version that another source offers too.
    told = pages(pypi=["2.0", "3.0"], acme=["2.0"])
    assert chosen(told, hidden) == [("acme", "2.0")]
    choice = choose(DEMO, pages(pypi=["2.0"]), [hidden])
    assert (choice.files, choice.candidate, choice.numbers) == ((), None, {PYPI: priority})


def test_a_stanza_with_a_package_lets_one_name_through() -> None:
    pins = [pin("demo", "pypi", priority=500), pin(source="pypi", priority=-1)]
    assert chosen(pages(acme=["1.0"], pypi=["2.0"]), *pins) == [("pypi", "2.0")]
    both = chosen(pages(pypi=["1.0"], acme=[file("demo-1.0.tar.gz", source="acme")]), *pins)
    assert both == [("pypi", "1.0"), ("acme", "1.0")]


def test_a_bad_version_is_forbidden() -> None:
    told = pages(acme=["1.0"], pypi=["2.0", "2.1"])
    assert chosen(told, pin("demo", version="2.*", priority=-1)) == [("acme", "1.0")]
    assert chosen(pages(pypi=["2.0"]), pin("demo", version="2.*", priority=-1)) == []


def test_one_is_enough_where_nothing_else_is() -> None:
    assert chosen(pages(pypi=["2.0"]), pin(source="pypi", priority=1)) == [("pypi", "2.0")]
    assert chosen(pages(acme=["1.0"], pypi=["2.0"]), pin(source="pypi", priority=1)) == [("acme", "1.0")]


def test_a_file_name_in_two_sources_is_the_better_ones() -> None:
    name = "demo-1.0-py3-none-any.whl"
    told = pages(
        acme=[file(name, source="acme", sha256=sha("a"))], pypi=[file(name, source="pypi", sha256=sha("p"))]
    )
    # Whichever of them has the larger number: that says which version, not whose bytes.
    (only,) = choose(DEMO, told, [pin(source="pypi", priority=990)]).files
    assert (only.source, only.sha256) == ("acme", sha("a"))


def test_the_same_version_in_two_spellings_is_two_versions() -> None:
    """A version is its string; of equal ones the better source's is the candidate."""
    assert chosen(pages(acme=["1.0"], pypi=["1.0.0"])) == [("acme", "1.0")]
    assert chosen(pages(acme=["1.0"], pypi=["1.0.0"]), pin(source="pypi", priority=501)) == [
        ("pypi", "1.0.0")
    ]


@pytest.mark.parametrize(
    ("better", "worse", "expected"),
    [
        (["1.0"], ["2.0rc1"], "1.0"),
        (["1.0"], ["2.0.dev1"], "1.0"),
        (["2.0rc1"], ["2.0b2"], "2.0rc1"),
        (["1.0"], ["1.0.post1"], "1.0.post1"),
        (["1.0"], ["1.0+cpu"], "1.0+cpu"),
        (["99.0"], ["1!0.1"], "1!0.1"),
        (["1.9"], ["1.10"], "1.10"),
    ],
)
def test_the_newest_is_the_one_that_an_installer_would_take(
    better: list[str | File], worse: list[str | File], expected: str
) -> None:
    (only,) = choose(DEMO, pages(acme=better, pypi=worse), ()).files
    assert only.version == expected
    # The number still goes before all that.
    raised = choose(DEMO, pages(acme=better, pypi=worse), [pin(source="pypi", priority=900)])
    assert [one.version for one in raised.files] == worse


def test_a_yanked_version_is_the_candidate_only_where_the_number_is_for_nothing_else() -> None:
    yanked = file("demo-2.0-py3-none-any.whl", source="pypi", yanked="broken")
    told = pages(acme=["1.0"], pypi=[yanked])
    assert chosen(told) == [("acme", "1.0")]
    assert chosen(told, pin("demo", version="2.0", priority=900)) == [("pypi", "2.0")]
    # A version of which some file stands is not yanked.
    half = pages(acme=["1.0"], pypi=[yanked, file("demo-2.0.tar.gz", source="pypi")])
    assert chosen(half) == [("pypi", "2.0"), ("pypi", "2.0")]


def test_what_a_source_may_have_at_most() -> None:
    pins = [
        pin("demo", "vendor", "1.*", priority=990),
        pin("demo", version="2.*", priority=600),
        pin("other", priority=2000, version="1.0"),
        pin(source="vendor", priority=100),
        pin(source="acme", priority=700),
    ]
    assert highest(DEMO, VENDOR, pins) == 990
    assert highest(DEMO, PYPI, pins) == 600
    assert highest(DEMO, ACME, pins) == 700
    assert highest(ProjectName("third"), VENDOR, pins) == 100


def test_no_page_no_candidate() -> None:
    assert choose(DEMO, {}, [pin(source="pypi", priority=1)]) == Choice(files=(), candidate=None, numbers={})
    assert choose(DEMO, pages(pypi=[]), ()).candidate is None
