"""Thousands of decisions of dnf, apt and conda, and what a client gets from an index with the same sources.

The counts stand here, so that a change of any decision shows; ``pytest -s`` prints them. Every way in which an outcome
may differ from the tool's is a reason in ``comparing``, and a difference without a reason fails.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from priorities.comparing import (
    BEST,
    CLAIMED,
    COPY,
    DEPENDS,
    EQUAL,
    EXPLICIT,
    FORBIDDEN,
    REFUSED,
    SHOWN,
    Compared,
    Comparison,
)
from priorities.scenarios import Scenario, configuration, load
from priorities.worlds import Shown, files_of, from_folders, in_memory
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.merge import Merged
from wheelkeep.core.read_settings import read_settings

MODES = {"conda": ("strict", "floor", "unsafe-blend"), "dnf": ("strict", "floor"), "apt": ("pinned",)}
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "from-other-tools.md"
ZERO = "apt-zero"
"""A number of 0 makes apt refuse every request, and makes the configuration a mistake here (A3): it has no page."""

EXPECTED = {
    # What the page decides alone is decided as the tool does it.
    Compared("conda", "strict", "strict", equal=True): {
        EQUAL: 1648,
        CLAIMED: 19,
        DEPENDS: 1140,
        EXPLICIT: 4,
    },
    Compared("conda", "disabled", "unsafe-blend", equal=True): {EQUAL: 1667, DEPENDS: 1140, EXPLICIT: 4},
    Compared("apt", "apt", "pinned", equal=True): {
        EQUAL: 929,
        CLAIMED: 13,
        FORBIDDEN: 5,
        DEPENDS: 873,
        EXPLICIT: 3,
    },
    # A page cannot know the request, so what falls through to a worse source for one request is refused here.
    Compared("conda", "flexible", "strict", equal=False): {
        EQUAL: 1333,
        REFUSED: 334,
        DEPENDS: 1140,
        EXPLICIT: 4,
    },
    Compared("conda", "flexible", "floor", equal=False): {
        EQUAL: 1450,
        REFUSED: 217,
        DEPENDS: 1140,
        EXPLICIT: 4,
    },
    Compared("dnf", "best", "strict", equal=False): {EQUAL: 735, REFUSED: 148, BEST: 4, DEPENDS: 448},
    Compared("dnf", "nobest", "strict", equal=False): {EQUAL: 737, REFUSED: 150, DEPENDS: 448},
    Compared("dnf", "best", "floor", equal=False): {EQUAL: 788, REFUSED: 95, BEST: 4, DEPENDS: 448},
    Compared("dnf", "nobest", "floor", equal=False): {EQUAL: 790, REFUSED: 97, DEPENDS: 448},
}
BROUGHT_IN = {
    "conda-strict-as-strict": {SHOWN: 856, CLAIMED: 16, COPY: 3},
    "conda-disabled-as-unsafe-blend": {SHOWN: 1194, COPY: 12},
    "apt-apt-as-pinned": {SHOWN: 209, COPY: 8},
}
"""What the tools bring in for names with dependencies, where they must decide as we do."""
BY_EXACT_REQUEST = {EQUAL: 176, REFUSED: 273, FORBIDDEN: 2}
"""``apt install foo=1.0`` takes any version on offer, whatever the numbers (A6)."""
CLOSER = {"conda-strict-as-strict": 2, "conda-disabled-as-unsafe-blend": 6, "conda-flexible-as-strict": 2}
CLOSER |= {"conda-flexible-as-floor": 2, "apt-apt-as-pinned": 3}
"""Decisions where one version is there as a wheel for all machines and, in a worse source, as this machine's own."""

World = Callable[[str], tuple[list[Scenario], Shown, Shown]]


@pytest.fixture(scope="module")
def world() -> World:
    """A tool's scenarios, their pages, and their pages without the builds for other machines; each made once."""
    made: dict[str, tuple[list[Scenario], Shown, Shown]] = {}

    def of(tool: str) -> tuple[list[Scenario], Shown, Shown]:
        if tool not in made:
            scenarios = [scenario for scenario in load(tool) if scenario.id != ZERO]
            shown = asyncio.run(in_memory(scenarios, MODES[tool]))
            native = asyncio.run(in_memory(scenarios, MODES[tool], foreign=False))
            made[tool] = scenarios, shown, native
        return made[tool]

    return of


@pytest.mark.parametrize("compared", EXPECTED, ids=str)
def test_decisions(compared: Compared, world: World) -> None:
    scenarios, shown, native = world(compared.tool)
    comparison = Comparison(compared, shown, native)
    for scenario in scenarios:
        comparison.take(scenario)
    print("\n" + "\n".join(comparison.lines()))
    assert comparison.wrong == []
    assert comparison.tally == EXPECTED[compared]
    assert comparison.exact == (BY_EXACT_REQUEST if compared.tool == "apt" else {})
    assert comparison.brought == BROUGHT_IN.get(str(compared), {})
    assert comparison.closer == CLOSER.get(str(compared), 0)


@pytest.mark.parametrize("tool", MODES)
def test_folders_show_the_same(tool: str, world: World, tmp_path: Path) -> None:
    """All scenarios that were made by hand, and every fifth other, as wheels in folders."""
    scenarios, shown, _ = world(tool)
    sample = [scenario for scenario in scenarios if scenario.by_hand]
    sample += [scenario for scenario in scenarios if not scenario.by_hand][::5]
    real = files_of(asyncio.run(from_folders(sample, MODES[tool], tmp_path)))
    assert len(sample) == {"conda": 51, "dnf": 45, "apt": 58}[tool]
    bulk = files_of(shown)
    assert real == {key: bulk[key] for key in real}
    assert len(real) > 100


def test_the_candidate_has_the_number_that_apt_gives_it(world: World) -> None:
    scenarios, _, native = world("apt")
    checked = 0
    for scenario in scenarios:
        for name in scenario.names:
            # One version string with several contents is several versions to apt, and the best one's number counts.
            listed = sorted((number, version) for _, version, number in scenario.visible.get(name, ()))
            numbers = {version: number for number, version in listed}
            outcome = native[scenario.id, "pinned", name]
            if not isinstance(outcome, Merged):
                assert not numbers, (scenario.id, name)
                continue
            assert outcome.choice is not None
            candidate = outcome.choice.candidate
            if candidate is None:
                assert all(number < 0 for number in numbers.values()), (scenario.id, name)
            else:
                assert numbers[candidate.version] == candidate.number, (scenario.id, name)
            checked += 1
    assert checked > 200


def test_the_guide_tells_these_counts() -> None:
    """The rows of its last table: what was recorded, the mode here, how many are equal, how many refused."""
    _, _, told = GUIDE.read_text().partition("## How we know")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines() if "`" in line]
    counted = {
        (compared.tool, compared.theirs, compared.ours): (counts[EQUAL], counts.get(REFUSED, 0))
        for compared, counts in EXPECTED.items()
        if compared.theirs != "best"
    }
    recorded = {
        "dnf": ("dnf", "nobest"),
        "apt, a name or a dependency": ("apt", "apt"),
        **{f"conda {mode}": ("conda", mode) for mode in ("strict", "flexible", "disabled")},
    }
    listed = {
        (*recorded[row[0]], row[1].strip("`")): (int(row[2]), int(row[3] or 0))
        for row in rows
        if row and row[0] in recorded
    }
    assert listed == counted


def test_zero_is_refused_as_apt_does() -> None:
    (scenario,) = [scenario for scenario in load("apt") if scenario.id == ZERO]
    assert set(scenario.decisions["apt"].values()) == {None}
    text = configuration([scenario], ["pinned"], Path("/nowhere"))
    with pytest.raises(ConfigError, match=r"priority: is 0"):
        read_settings(text, file="w.toml", base=Path("/nowhere"), secret=str, pypi_url="https://u.example/")
