"""The examples of the guide: each configuration is read, and gives what the table below it says.

Such a table follows a ``toml`` block. Its columns ``SOURCE has`` say what the sources hold (``foo 1.0, 1.2; bar 2.0``),
``asked for`` what a client asks, and ``gets`` what comes of it (``1.2 from acme``, ``nothing``). In place of ``gets``
there may be a column a mode of merging. An empty cell is as the one above it.
"""

import re
from pathlib import Path
from typing import NamedTuple, get_args

import pytest
from packaging.requirements import Requirement

from fakes.made import NOW
from priorities.comparing import fitting, taken
from priorities.scenarios import ANY, FOREIGN, Build, Kept
from priorities.worlds import Memory
from wheelkeep.core.merge import Merged
from wheelkeep.core.names import project
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.policy import build
from wheelkeep.core.read_settings import read_settings
from wheelkeep.core.settings import MergeMode, Settings
from wheelkeep.index.gather import Place, Rule, gather

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"
PAGES = ("from-other-tools.md", "priorities.md")
MODES: tuple[MergeMode, ...] = get_args(MergeMode)
_PART = re.compile(
    r"^#+ (?P<heading>[^\n]+)$|^```toml\n(?P<toml>.*?)^```$|^(?P<table>\|[^\n]+\n(?:\|[^\n]*\n)+)",
    re.M | re.S,
)
_ELSEWHERE = " for another machine"


class Example(NamedTuple):
    where: str
    toml: str
    rows: list[dict[str, str]]


def read(page: str) -> tuple[list[Example], int]:
    """The examples of a page, and how many of its configurations have no table."""
    heading, waiting, alone = "", "", 0
    found: list[Example] = []
    for part in _PART.finditer((GUIDE / page).read_text(encoding="utf-8")):
        if part["heading"] is not None:
            heading = part["heading"]
        elif part["toml"] is not None:
            alone += bool(waiting)
            waiting = part["toml"]
        elif waiting and "asked for" in part["table"]:
            found.append(Example(f"{page}: {heading}", waiting, _rows(part["table"])))
            waiting = ""
    return found, alone + bool(waiting)


def _rows(table: str) -> list[dict[str, str]]:
    head, _, *lines = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
    rows: list[dict[str, str]] = []
    for line in lines:
        cells = dict(zip(head, line, strict=True))
        rows.append({name: cell or rows[-1][name] for name, cell in cells.items()})
    return rows


def builds(cell: str) -> tuple[Build, ...]:
    """``foo 1.0, 1.2; bar 2.0``"""
    arch = FOREIGN if cell.endswith(_ELSEWHERE) else ANY
    found = []
    for part in cell.removesuffix(_ELSEWHERE).split(";"):
        name, _, versions = part.strip().partition(" ")
        found += [Build(name, version.strip(), arch, False) for version in versions.split(",")]
    return tuple(found)


async def gets(settings: Settings, mode: MergeMode, held: dict[str, str], asked: str) -> str:
    index = settings.main
    assert index is not None
    assert set(held) == {name for group in index.sources for name in group}
    sources = {name: Memory(Kept(name, name, builds(cell), {}), foreign=True) for name, cell in held.items()}
    places = {
        name: Place(sources[name], Selection(source.offer.include, source.offer.exclude))  # type: ignore[arg-type]
        for name, source in settings.sources.items()
    }
    requirement = Requirement(asked)
    gathered = await gather(
        project(requirement.name),
        [[places[name] for name in group] for group in index.sources],
        Rule(mode, index.pins),
        Reservations([(name, source.names) for name, source in settings.sources.items()]),
        build(None, remote=frozenset()),
        now=NOW,
        patience=0,
    )
    page = gathered.outcome.page.files if isinstance(gathered.outcome, Merged) else ()
    files = taken(fitting(page), requirement.specifier)
    return f"{files[0].version} from {files[0].source}" if files else "nothing"


EXAMPLES = [example for page in PAGES for example in read(page)[0]]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.where)
async def test_an_example_gives_what_its_table_says(example: Example, tmp_path: Path) -> None:
    settings = read_settings(
        example.toml, file="w.toml", base=tmp_path, secret=str, pypi_url="https://upstream.example/simple/"
    )
    assert settings.main is not None
    for row in example.rows:
        held = {head.split("`")[1]: cell for head, cell in row.items() if head.endswith(" has")}
        asked = row["asked for"].strip("`")
        columns = {settings.main.merge: "gets"} if "gets" in row else {mode: f"`{mode}`" for mode in MODES}
        for mode, column in columns.items():
            if column in row:
                assert await gets(settings, mode, held, asked) == row[column], (row, mode)


def test_no_example_of_other_tools_goes_unchecked() -> None:
    examples, alone = read("from-other-tools.md")
    assert (len(examples), alone) == (11, 0)
    assert len(read("priorities.md")[0]) >= 3


def test_how_a_table_is_read() -> None:
    table = "| `a` has | asked for | gets |\n| --- | --- | --- |\n| foo 1 | `foo` | nothing |\n| | `x` | 1 from a |\n"
    assert _rows(table) == [
        {"`a` has": "foo 1", "asked for": "`foo`", "gets": "nothing"},
        {"`a` has": "foo 1", "asked for": "`x`", "gets": "1 from a"},
    ]
    both = [(build.name, build.version, build.arch) for build in builds("foo 1.0, 1.2; bar 2.0")]
    assert both == [("foo", "1.0", ANY), ("foo", "1.2", ANY), ("bar", "2.0", ANY)]
    assert [build.arch for build in builds("foo 1.0 for another machine")] == [FOREIGN]
