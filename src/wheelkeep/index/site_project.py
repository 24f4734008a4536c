"""What a static site is to show of one project, and what of it is not in the site yet."""

import contextlib
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from wheelkeep.core import static_site
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import File, Status, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.static_site import Shown
from wheelkeep.core.verdict import Decision, Verdict
from wheelkeep.index import needed
from wheelkeep.index.fetch import Stored
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.needed import Lacking
from wheelkeep.index.site_shelf import New, SiteShelf
from wheelkeep.index.view import View
from wheelkeep.store.uploads import PROVENANCE

_PATIENCE = 10.0
_NOT_HERE = "its bytes are not kept here"


class Scope(Struct, frozen=True, kw_only=True):
    """What a site is to hold."""

    names: tuple[ProjectName, ...]
    """Projects that may have something; in order."""
    known: bool = True
    """Of these only those of which bytes are kept here by now: nobody is asked for the others."""
    chosen: Mapping[ProjectName, frozenset[str]] | None = None
    """Exactly these files, and all of them or nothing is written; None: every file whose bytes are kept here."""
    lacking: tuple[Lacking, ...] = ()
    """What belongs to the chosen ones and is known not to be had."""


class Project(Struct, kw_only=True):
    """How it is to be."""

    name: ProjectName
    shown: list[Shown] = []
    new: list[New] = []
    """What is not in the site yet."""
    leaving: list[tuple[File, Decision]] = []
    """The distributions among that, and what let them in."""
    status: Status | None = None
    unanswered: str | None = None
    """Why nothing can be known of it now."""
    lacking: list[Lacking] = []
    blocked: int = 0
    not_here: int = 0

    @property
    def names(self) -> list[str]:
        """Of all that the site has of it."""
        names = list(static_site.page_names(self.name))
        for one in self.shown:
            names.append(static_site.file_name(one.file, one.sha256))
            if one.metadata is not None:
                names.append(static_site.metadata_name(one.file, one.sha256))
            if one.provenance:
                names.append(static_site.provenance_name(one.file))
        return names


class Projects:
    """Looks at projects as a client of the index would."""

    def __init__(self, keep: Keep, index: Index, scope: Scope, lying: SiteShelf, *, dry_run: bool) -> None:
        self._keep = keep
        self._index = index
        self._scope = scope
        self._lying = lying
        self._dry = dry_run

    async def look(self, name: ProjectName) -> Project:
        """What is to be shown of a project, and what of it is not there yet."""
        project, chosen = Project(name=name), None
        if self._scope.chosen is not None:
            chosen = self._scope.chosen[name]
        elif self._scope.known and not await self._any_here(name):
            return project
        found = await self._index.page(name, patience=_PATIENCE)
        if isinstance(found, Unreachable):
            project.unanswered = f"{found.source} might have it, but {found.reason}"
        elif isinstance(found, View):
            project.status = found.judged.page.status
            for file, decision in found.by_name.values():
                if chosen is None or file.filename in chosen:
                    await self._take(project, found, file, decision)
        if chosen is not None and project.unanswered is None:
            there = {one.file.filename for one in project.shown} | {one.what for one in project.lacking}
            project.lacking += [
                Lacking(what=one, why="the index no longer lists it") for one in chosen - there
            ]
        return project

    async def _any_here(self, name: ProjectName) -> bool:
        if self._lying.has_page(name):
            return True  # it had something before, and is to be told from what has nothing now
        page = await self._index.known(name)
        return page is not None and any(
            self._keep.fetcher.stored(file) is not None or not self._keep.source_of(file).remote
            for file in page.files
        )

    async def _take(self, project: Project, view: View, file: File, decision: Decision) -> None:
        """Takes in a file that is admitted and here."""
        against = await needed.against(self._index, view, file)
        stored = await self._stored(file) if against is None else None
        if against is None and stored is not None:
            against = self._index.policy.current.oversized(file, stored.size, datetime.now(UTC))
        if against is not None or stored is None or file.sha256 is None:
            self._pass(project, file, against)
            return
        new: list[New] = []
        name = static_site.file_name(file, file.sha256)
        if not await self._lying.has(name, file.sha256, stored.size):
            new.append(New(name, stored.path, file.sha256, stored.size))
            if not self._dry and not await self._sound(file):
                self._pass(project, file, None)
                return
            project.leaving.append((file, decision))
        shown = Shown(
            file=file,
            sha256=file.sha256,
            size=stored.size,
            metadata=await self._metadata(new, view, file),
            provenance=await self._provenance(new, file),
        )
        project.shown.append(shown)
        project.new += new

    def _pass(self, project: Project, file: File, against: Verdict | None) -> None:
        if against is not None:
            project.blocked += 1
        else:
            project.not_here += 1
        if self._scope.chosen is not None:
            why = against.label if against is not None else _NOT_HERE
            project.lacking.append(Lacking(what=file.filename, why=why))

    async def _stored(self, file: File) -> Stored | None:
        """Where the bytes lie here. Those of a folder of ours come into the store now; a dry run takes them as come."""
        stored, source = self._keep.fetcher.stored(file), self._keep.source_of(file)
        if stored is not None or file.sha256 is None or (source.remote and self._scope.chosen is None):
            return stored
        if self._dry:
            return Stored(self._keep.blobs.path(file.sha256), file.size or 0)
        if source.remote:
            return None
        with contextlib.suppress(FileMissing, Unanswered):
            return await self._keep.fetcher.whole(source, file)
        return None

    async def _sound(self, file: File) -> bool:
        with contextlib.suppress(Unanswered):
            return await self._keep.fetcher.sound(file) is not None
        return False

    async def _metadata(self, new: list[New], view: View, file: File) -> str | None:
        """The sha256 of a wheel's metadata, which is in the site then, or among what is new."""
        assert file.sha256 is not None
        told = view.learned.get(file.filename)
        if file.kind != "wheel" or told == "" or self._keep.fetcher.stored(file) is None:
            return None
        name = static_site.metadata_name(file, file.sha256)
        if told is not None and await self._lying.has(name, told):
            return told
        try:
            body = await self._keep.metadata.get(self._keep.source_of(file), file, may_fetch=False)
        except (Unanswered, FileMissing):
            return None
        return await self._beside(new, name, body) if body is not None else None

    async def _provenance(self, new: list[New], file: File) -> bool:
        """Whether attestations are kept; nobody is asked for them."""
        if file.provenance is None:
            return False
        found = await self._keep.facts.document(file.source, PROVENANCE, file.filename)
        if found is None:
            return False
        try:
            # Written anew: only what reads as JSON goes out.
            body = msgspec.json.encode(msgspec.json.decode(found[0]))
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            return False
        await self._beside(new, static_site.provenance_name(file), body)
        return True

    async def _beside(self, new: list[New], name: str, body: bytes) -> str:
        sha256 = hashlib.sha256(body).hexdigest()
        if not await self._lying.has(name, sha256, len(body)):
            new.append(New(name, body, sha256, len(body)))
        return sha256
