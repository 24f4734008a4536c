"""What a bundle tells of a project becomes this keep's: uploads by the checks of uploads, another index's page
by the laws of pages.

The files' bytes are in the store by then. What does not fit is left out, and told.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wheelkeep.core.attestations import read_provenance
from wheelkeep.core.bundle import Line, Signed, SourceKind
from wheelkeep.core.bundle_page import Project
from wheelkeep.core.found_files import claim_of
from wheelkeep.core.grown import Clash, grown, hosted
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import SourceName
from wheelkeep.core.offer import Reservations
from wheelkeep.core.settings import DirectorySource, HostedSource, SourceSettings
from wheelkeep.index.keep import Keep
from wheelkeep.index.receive import Came, Refused, published, used
from wheelkeep.store.carriage import Arrival
from wheelkeep.store.ledger import Entry
from wheelkeep.store.pages import StoredPage
from wheelkeep.store.uploads import PROVENANCE

LINE = "carried line"
_REMOVED = "it was removed there, and is still here: wheelkeep delete removes it here too"
_MOST_LINES = 100_000


class Left(Struct, frozen=True, kw_only=True):
    """Something that was not taken."""

    what: str
    """A file's name, or a project."""
    why: tuple[str, ...]


def kind_of(settings: SourceSettings) -> SourceKind:
    if isinstance(settings, HostedSource):
        return "hosted"
    return "directory" if isinstance(settings, DirectorySource) else "remote"


class Unpacking:
    """One bundle's projects, one after the other."""

    def __init__(self, keep: Keep, signed: Signed, reservations: Reservations, refused: list[Left]) -> None:
        self._keep = keep
        self._signed = signed
        self._reservations = reservations
        self._refused = refused
        self.warned: list[Left] = []
        """Files that are listed here and that the other keep's policy blocks."""
        self.new = 0
        self.changed = 0

    async def take(self, project: Project, target: SourceName) -> None:
        """Takes one project into a source; what it refuses is noted. Raises Unwritable, OSError."""
        owners = self._reservations.owners(project.project)
        if owners and target not in owners:
            says = f"the name is reserved for the source {', '.join(sorted(owners))} here"
            self._refuse(project.project, says)
            return
        files = tuple(replace(file, source=target) for file in project.files)
        kind = kind_of(self._keep.settings.sources[target])
        if kind != "directory":  # whose pages are made by looks at it, and nobody looks now
            await self._warn(project, target)
        if kind == "remote":
            if files:
                await self._grow(project, target, files)
        elif kind == "hosted":
            await self._host(project, target, files)
        else:
            await self._put_down(target, files)

    def _refuse(self, what: str, *why: str) -> None:
        self._refused.append(Left(what=what, why=why))

    async def _grow(self, project: Project, target: SourceName, files: Sequence[File]) -> None:
        """A remote source's page: what is stored of it grows."""
        keep, now = self._keep, datetime.now(UTC)
        page = Page(project=project.project, files=tuple(files), status=project.status)
        firsts = await keep.pages.firsts(target, page)
        checked = min(project.checked, now)
        clashes: list[Clash] = []
        shown: list[File | None] = []
        counts = [0, 0]

        def change(old: StoredPage | None) -> StoredPage | None:
            before = old.page if old is not None else None
            newer = old is None or before is None or checked > old.checked
            after, found = grown(before, page, now, firsts, newer=newer)
            clashes[:] = found
            was = {file.filename: file for file in before.files} if before is not None else {}
            others = [file for file in after.files if was.get(file.filename) != file]
            counts[:] = [sum(file.filename not in was for file in others), len(others)]
            shown[:] = others
            if after == before:
                return None
            shown[:] = [*others] if others else [None]
            at = checked if newer or old is None else old.checked
            return StoredPage(page=after, etag=None, checked=at)

        said = self._said(project, target, await self._heard(project))
        await keep.carriage.grow(
            target, project.project, change, lambda: [*self._lines(project, target, shown), *said]
        )
        self._count(counts[0], counts[1] - counts[0])
        for clash in clashes:
            first, told = clash.incident.first, clash.incident.told
            self._refuse(
                clash.incident.filename, f"it is {first} here since it was first seen, and {told} there"
            )
            if not clash.known:
                keep.book.incident(target, project.project, clash.incident)
        wrong = {one.incident.filename for one in clashes}
        for file in files:
            stored = keep.fetcher.stored(file)
            if stored is not None and file.filename not in wrong:
                await keep.metadata.arrived(file, stored)
                await self._keep_provenance(file, project.states[file.filename].provenance)

    async def _warn(self, project: Project, target: SourceName) -> None:
        """What the other keep blocks is this keep's own to decide; but somebody should hear of it."""
        page = await self._keep.sources[target].known(project.project) if project.blocked else None
        for file in page.files if page is not None else ():
            if (says := project.blocked.get(file.filename)) is not None:
                self.warned.append(Left(what=file.filename, why=(says,)))

    async def _keep_provenance(self, file: File, document: str | None) -> None:
        facts = self._keep.facts
        if document is not None and await facts.document(file.source, PROVENANCE, file.filename) is None:
            now = datetime.now(UTC)
            await facts.learn_document(file.source, PROVENANCE, file.filename, document.encode(), now)

    async def _host(self, project: Project, target: SourceName, files: Sequence[File]) -> None:
        """A hosted source's project: each file passes the checks of an upload, and its name must be free."""
        keep, now = self._keep, datetime.now(UTC)
        arrivals = []
        for file in files:
            arrival = await self._examined(target, file, project)
            if isinstance(arrival, Arrival):
                arrivals.append(arrival)
            else:
                self._refuse(file.filename, *arrival.problems)
        heard = await self._heard(project)
        said, late = self._said(project, target, heard), _late(project, heard)

        def entries(
            new: Sequence[File], changed: Sequence[tuple[File, File]], stands: bool
        ) -> Sequence[Entry]:
            told = [published(file, by="import", attested=None, bundle=self._signed.sha256) for file in new]
            told = [replace(entry, at=now) for entry in told]
            others: list[File | None] = [after for _, after in changed]
            turned = self._lines(project, target, others or ([None] if stands else []))
            self._count(len(new), len(changed))
            return [*told, *turned, *said]

        unfit = await keep.carriage.host(
            target,
            project.project,
            arrivals,
            project.used,
            project.status if None not in late else None,
            lambda here, carried: here if here.filename in late else hosted(here, carried, now),
            entries,
            now,
        )
        for one in unfit:
            says = used(one.taken).problems if one.taken is not None else (_REMOVED,)
            self._refuse(one.filename, *says)

    async def _examined(self, target: SourceName, file: File, project: Project) -> Arrival | Refused:
        keep, sha256 = self._keep, file.sha256 or ""
        claim = claim_of(file.filename, sha256)
        if claim.problems or claim.project != file.project:
            return Refused("wrong", claim.problems or (f"it is no file of {file.project}",))
        state = project.states[file.filename]
        if state.provenance is not None:
            try:
                told = [attestation for _, attestation in read_provenance(state.provenance.encode())]
            except ValueError as error:
                return Refused("wrong", (str(error),))
            claim = replace(claim, attestations=msgspec.json.encode(told).decode())
        stored = keep.fetcher.stored(file)
        if stored is None:
            return Refused("wrong", ("its bytes left the store meanwhile: run this again",))
        came = Came(stored.path, sha256, stored.size, {"sha256": sha256})
        examined = await keep.receiver.examine(target, claim, came)
        if isinstance(examined, Refused):
            return examined
        made = replace(
            examined.file,
            upload_time=file.upload_time,
            yanked=file.yanked,
            before=file.before,
            first_seen=file.first_seen or examined.file.first_seen,
        )
        proof = examined.proof
        return Arrival(
            file=made, metadata=examined.known, provenance=proof.document if proof is not None else None
        )

    async def _put_down(self, target: SourceName, files: Sequence[File]) -> None:
        """A folder, or a bucket: the files are put there, and seen as any that are."""
        settings = self._keep.settings.sources[target]
        assert isinstance(settings, DirectorySource)
        from wheelkeep.store.shelf import hash_of  # noqa: PLC0415
        from wheelkeep.store.shelves import open_shelf  # noqa: PLC0415 - few bundles go to a bucket

        shelf = open_shelf(settings.path, self._keep.settings.s3, public=True)
        try:
            # Folders below are looked at too, and a file has one place.
            there = {item.name.rpartition("/")[2]: item.name async for item in shelf.items()}
            for file in files:
                if (name := there.get(file.filename)) is None:
                    await shelf.put(file.filename, self._keep.blobs.path(file.sha256 or ""))
                    self._count(1, 0)
                elif (await hash_of(shelf, name))[0] != file.sha256:
                    self._refuse(file.filename, f"another file of that name lies in {settings.path}")
        finally:
            await shelf.close()

    def _count(self, new: int, changed: int) -> None:
        self.new += new
        self.changed += changed

    def _lines(self, project: Project, target: SourceName, files: Sequence[File | None]) -> list[Entry]:
        """The ledger's lines about files that came, or are otherwise now; None: about the project as a whole."""
        return [
            Entry(
                kind="carried",
                at=datetime.now(UTC),
                source=target,
                project=project.project,
                filename=file.filename if file is not None else None,
                detail={"bundle": self._signed.sha256, "keep": self._signed.key.name, **_seen(project, file)},
            )
            for file in files
        ]

    async def _heard(self, project: Project) -> list[Entry]:
        """The lines of the other keep's ledger that are here."""
        entries = await self._keep.ledger.last(LINE, project=project.project, limit=_MOST_LINES)
        return [entry for entry in entries if entry.detail.get("keep") == self._signed.key.name]

    def _said(self, project: Project, target: SourceName, heard: Sequence[Entry]) -> list[Entry]:
        """Those that are not here yet."""
        known = {entry.detail.get("number") for entry in heard}
        return [
            Entry(
                kind=LINE,
                at=datetime.now(UTC),
                source=target,
                project=project.project,
                filename=line.filename,
                detail={
                    "bundle": self._signed.sha256,
                    "keep": self._signed.key.name,
                    "number": line.number,
                    "said": line.kind,
                    "on": _on(line),
                    "link": line.link,
                    "told": msgspec.json.decode(line.detail),
                },
            )
            for line in project.lines
            if line.number not in known
        ]


def _on(line: Line) -> str:
    # With all digits always, so that a later moment is a greater text too.
    return datetime.fromtimestamp(line.at, UTC).isoformat(timespec="microseconds")


def _late(project: Project, heard: Sequence[Entry]) -> set[str | None]:
    """Files of which a newer word was heard than the bundle's; None: the project as a whole."""
    newest: dict[str | None, str] = {}
    for line in project.lines:
        newest[line.filename] = max(_on(line), newest.get(line.filename, ""))
    return {entry.filename for entry in heard if str(entry.detail.get("on")) > newest.get(entry.filename, "")}


def _seen(project: Project, file: File | None) -> dict[str, object]:
    """What is told of a file: its hash, when the other keep saw it first, and its place in that keep's log."""
    state = project.states.get(file.filename) if file is not None else None
    if file is None or state is None:
        return {}
    told = {"sha256": file.sha256, "first_seen": state.first_seen, "place": state.place}
    return {name: value for name, value in told.items() if value is not None}
