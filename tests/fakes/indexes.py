"""An index over two sources in memory, acme above pypi."""

import time
from pathlib import Path

from fakes.made import DEMO
from fakes.sources import Scripted
from fakes.stores import Store
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.settings import IndexSettings, MergeMode
from wheelkeep.index.advisor import Advisor
from wheelkeep.index.attestor import Attestor
from wheelkeep.index.gather import Place
from wheelkeep.index.index import Index
from wheelkeep.index.licenser import Licenser
from wheelkeep.index.policies import PolicyHolder
from wheelkeep.index.view import View
from wheelkeep.sources.verifier import Verifier
from wheelkeep.store.attested import AttestedFiles


class Pointed:
    """An index over two sources in memory."""

    def __init__(
        self,
        store: Store,
        *,
        policy: Path | None = None,
        mode: MergeMode = "strict",
        grouped: bool = False,
        roots: tuple[Path, ...] = (),
    ) -> None:
        self.store = store
        self.acme, self.pypi = Scripted("acme", remote=False), Scripted("pypi")
        self.sources = [self.acme, self.pypi]
        self.selections: dict[str, Selection] = {}
        self.reserved: list[tuple[SourceName, list[str]]] = []
        self.holder = PolicyHolder(policy, {source.name: source.remote for source in self.sources})
        self.mode: MergeMode = mode
        self.grouped = grouped
        self.attestor = Attestor(
            AttestedFiles(store.database),
            Verifier(roots),
            {source.name: source for source in self.sources},
            changed=lambda project: self.index.forget(project),
        )
        self.licenser = Licenser(
            {source.name: source for source in self.sources},
            changed=lambda project: self.index.forget(project),
        )
        self.index = self.made()

    def made(self, advisor: Advisor | None = None) -> Index:
        places = [
            Place(source, self.selections.get(source.name, Selection(None, []))) for source in self.sources
        ]
        groups = [places] if self.grouped else [[place] for place in places]
        return Index(
            IndexSettings(
                name=IndexName("main"),
                sources=tuple(tuple(place.source.name for place in group) for group in groups),
                merge=self.mode,
            ),
            groups,
            reservations=Reservations(self.reserved),
            policy=self.holder,
            facts=self.store.facts,
            attestor=self.attestor,
            advisor=advisor,
            licenser=self.licenser,
        )

    async def view(self, project: ProjectName = DEMO, *, patience: float = 0.5) -> View:
        view = await self.index.page(project, patience=patience)
        assert isinstance(view, View), view
        return view

    def recalled(self, project: ProjectName = DEMO) -> View | None:
        return self.index.recall(project, time.time())
