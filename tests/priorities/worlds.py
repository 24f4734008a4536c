"""What the indexes of the scenarios show: from sources in memory for the bulk, from folders through a whole keep.

Between the two everything is the same code but the sources themselves: configuration, selection, gathering, merging.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from fakes import dists
from fakes.made import NOW, file
from priorities.scenarios import FOREIGN, TAGS, Build, Kept, Scenario, configuration, index
from wheelkeep import compose
from wheelkeep.core.merge import Merged, Outcome
from wheelkeep.core.model import Absent, Answer, Found, Page
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.policy import build
from wheelkeep.core.read_settings import read_settings
from wheelkeep.core.settings import Settings
from wheelkeep.index.gather import Place, Rule, gather

Shown = dict[tuple[str, str, str], Outcome]
"""By scenario, mode of merging and name."""


class Memory:
    """A source that has the builds of a scenario's source, as their file names tell them."""

    remote = False

    def __init__(self, source: Kept, *, foreign: bool) -> None:
        self.name = SourceName(source.label)
        self._builds = [build for build in source.builds if foreign or build.arch != FOREIGN]

    async def page(self, project: ProjectName, *, patience: float = 0.0) -> Answer:
        names = sorted(build.filename for build in self._builds if build.name == project)
        if not names:
            return Absent(source=self.name)
        files = tuple(file(name, source=self.name) for name in names)
        return Found(source=self.name, page=Page(project=project, files=files))


async def in_memory(scenarios: Sequence[Scenario], modes: Sequence[str], *, foreign: bool = True) -> Shown:
    """Every name's outcome. ``foreign``: whether builds for other machines are there too."""
    settings = _read(scenarios, modes, Path("/nowhere"))
    policy, shown = build(None, remote=frozenset()), Shown()
    for scenario in scenarios:
        sources = {source.label: Memory(source, foreign=foreign) for source in scenario.sources}
        for mode in modes:
            merging = settings.indexes[IndexName(index(scenario, mode))]
            groups = [[_place(settings, sources[member]) for member in group] for group in merging.sources]
            for name in scenario.names:
                gathered = await gather(
                    ProjectName(name),
                    groups,
                    Rule(merging.merge, merging.pins),
                    Reservations([]),
                    policy,
                    now=NOW,
                    patience=0,
                )
                shown[scenario.id, mode, name] = gathered.outcome
    return shown


async def from_folders(scenarios: Sequence[Scenario], modes: Sequence[str], folder: Path) -> Shown:
    """The same, of real wheels in real folders, by the indexes of one keep."""
    for scenario in scenarios:
        for source in scenario.sources:
            (place := folder / source.label).mkdir()
            for one in source.builds:
                (place / one.filename).write_bytes(_wheel(one))
    keep = compose.build(_read(scenarios, modes, folder))
    shown = Shown()
    await keep.start()
    try:
        while not await keep.ready():
            await asyncio.sleep(0.05)
        for scenario in scenarios:
            for mode in modes:
                merging = keep.indexes[IndexName(index(scenario, mode))]
                for name in scenario.names:
                    gathered = await merging.gather(ProjectName(name))
                    shown[scenario.id, mode, name] = gathered.outcome
    finally:
        await keep.close()
    return shown


def files_of(shown: Shown) -> dict[tuple[str, str, str], list[tuple[str, str]]]:
    """Source and file name of all that each page shows, in its order."""
    return {
        key: [(one.source, one.filename) for one in outcome.page.files] if isinstance(outcome, Merged) else []
        for key, outcome in shown.items()
    }


def _read(scenarios: Iterable[Scenario], modes: Sequence[str], folder: Path) -> Settings:
    text = configuration(scenarios, modes, folder)
    return read_settings(
        text, file="w.toml", base=folder, secret=str, pypi_url="https://upstream.example/simple/"
    )


def _place(settings: Settings, source: Memory) -> Place:
    offer = settings.sources[source.name].offer
    return Place(source, Selection(offer.include, offer.exclude))  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _wheel(build: Build) -> bytes:
    return dists.wheel(build.name, build.version, files={}, tag=TAGS[build.arch])[1]
