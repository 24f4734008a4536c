"""Receiving: an upload's bytes on their way in, and the decision whether they become a file of a hosted source.

What a client is told lives in web; what an upload must be lives in core/upload_rules.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from wheelkeep.core.asker import Asker
from wheelkeep.core.attestations import read_attestations, write_provenance
from wheelkeep.core.model import File, Page, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.offer import Reservations, Selection
from wheelkeep.core.owners import stranger
from wheelkeep.core.upload_rules import DIGESTS, Claim, Described, closed, digest_problems, read_metadata
from wheelkeep.index.fill import Pump
from wheelkeep.index.soundness import Soundness
from wheelkeep.logs import get_logger
from wheelkeep.sources.verifier import Unverifiable, Verifier
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.blobs import Blobs, Filling
from wheelkeep.store.facts import KnownMetadata
from wheelkeep.store.ledger import Entry
from wheelkeep.store.sdists import read_sdist
from wheelkeep.store.uploads import Owned, Taken, Uploads
from wheelkeep.store.wheels import read_wheel

log = get_logger(__name__)


class Kept(Struct, frozen=True):
    """The file is its source's, durably; ``new`` is False where these very bytes were there before."""

    filename: str
    sha256: str
    new: bool


class Refused(Struct, frozen=True):
    """Nothing was kept; ``problems`` are sentences for whoever uploads."""

    why: Literal["wrong", "taken", "elsewhere", "closed", "owned"]
    """Something does not fit; the file name is used; the name belongs to another source; the project's status; its
    owners are others."""
    problems: tuple[str, ...]


class Proof(Struct, frozen=True):
    """Attestations that came with an upload."""

    document: bytes
    """As the index serves them (PEP 740)."""
    by: str
    """Who signed, for the ledger."""


class Came(Struct, frozen=True):
    """Bytes that came whole and lie on the disk."""

    path: Path
    sha256: str
    size: int
    digests: dict[str, str]
    """By the names in ``upload_rules.DIGESTS``."""


class Examined(Struct, frozen=True):
    """A file in which nothing is wrong."""

    file: File
    metadata: bytes
    proof: Proof | None

    @property
    def known(self) -> KnownMetadata | None:
        """The metadata that is served beside it."""
        told = self.file.metadata
        return KnownMetadata(told, self.metadata, own=True) if isinstance(told, str) else None


class Incoming:
    """One upload's bytes while they come: on their way to the disk and into the hashes. To be closed, always."""

    def __init__(self, filling: Filling, threads: ThreadPoolExecutor, stated: Mapping[str, str]) -> None:
        self.filling = filling
        self._pump = Pump(filling, threads)
        # Digests that may be stated later are computed too: the bytes come only once.
        filling.also(set(stated or DIGESTS.values()) - {"sha256"})

    async def push(self, piece: bytes) -> None:
        """Takes the next bytes; waits while the disk is far behind. Raises OSError when it is full."""
        await self._pump.push(piece)

    async def all(self) -> None:
        """Waits until every byte is written. Raises OSError."""
        await self._pump.drain()

    @property
    def digests(self) -> dict[str, str]:
        """By the names in ``upload_rules.DIGESTS``, once all is written."""
        return {"sha256": self.filling.sha256} | self.filling.digests()

    async def close(self) -> None:
        """Ends it; what was not kept is gone. May be called twice."""
        # The thread must be done with the file before it is closed.
        with contextlib.suppress(OSError):
            await self._pump.drain()
        await self.filling.close()


class Receiver:
    """Takes uploads into hosted sources."""

    def __init__(
        self,
        *,
        blobs: Blobs,
        soundness: Soundness,
        uploads: Uploads,
        reservations: Reservations,
        selections: Mapping[SourceName, Selection],
        verifier: Verifier,
        changed: Callable[[ProjectName], None],
    ) -> None:
        """``changed`` is told of every project that has a new file."""
        self._blobs = blobs
        self._soundness = soundness
        self._uploads = uploads
        self._reservations = reservations
        self._selections = selections
        self._verifier = verifier
        self._changed = changed
        self._writing = ThreadPoolExecutor(4, thread_name_prefix="upload")
        # Unpacking keeps a processor busy, so few do it at once, and they wait for nobody's disk.
        self._checking = ThreadPoolExecutor(2, thread_name_prefix="check")

    def close(self) -> None:
        self._writing.shutdown(wait=False)
        self._checking.shutdown(wait=False)

    async def before(
        self, source: SourceName, claim: Claim, *, by: str, admin: bool = False
    ) -> Refused | None:
        """Why an upload need not be sent any further, from what its form says so far; None: it may go on."""
        if claim.project is None:
            return None
        if (refused := await self.not_theirs(source, claim.project, by, admin=admin)) is not None:
            return refused
        if claim.filename is None:
            return None
        taken = await self._uploads.find(source, claim.project, claim.filename)
        stated = claim.digests.get("sha256")
        if taken is None or (taken.sha256 is not None and stated in (None, taken.sha256)):
            return None
        return used(taken)

    async def known(self, source: SourceName, claim: Claim) -> Kept | None:
        """The file, if it is its source's already with the very bytes that the claim states, so that none need come."""
        stated = claim.digests.get("sha256")
        if claim.project is None or claim.filename is None or stated is None:
            return None
        taken = await self._uploads.find(source, claim.project, claim.filename)
        if taken is None or taken.sha256 != stated:
            return None
        with contextlib.suppress(OSError):  # what cannot be read now is sent once more
            if await self._soundness.sound(stated):
                return Kept(taken.filename, stated, new=False)
        return None

    def incoming(self, claim: Claim) -> Incoming:
        """Room for an upload's bytes. Raises OSError where the disk has none."""
        return Incoming(self._blobs.filling(), self._writing, claim.digests)

    async def receive(
        self,
        source: SourceName,
        claim: Claim,
        incoming: Incoming,
        *,
        by: str,
        admin: bool = False,
        asker: Asker | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Kept | Refused:
        """Checks everything and keeps the file; what it answers is true on disk. ``by``: the token's name, which must
        be among the project's owners where it has some; ``admin``: or may do everything.
        ``asker``: where it asked from, for the ledger; ``more``: what else the ledger's line says of the file.
        Raises OSError where the disk does not take it.
        """
        await incoming.all()
        if claim.project is not None:
            refused = await self.not_theirs(source, claim.project, by, admin=admin)
            if refused is not None:
                return refused
        filling = incoming.filling
        came = Came(filling.path, filling.sha256, filling.size, incoming.digests)
        examined = await self.examine(source, claim, came)
        if isinstance(examined, Refused):
            return examined
        told = (asker.origin if asker is not None else {}) | dict(more or {})
        return await self._keep(examined, incoming, by, told, admin=admin)

    async def examine(self, source: SourceName, claim: Claim, came: Came) -> Examined | Refused:
        """Checks everything about a file but whether its name is free. Raises OSError where it cannot be read."""
        problems = [*claim.problems, *digest_problems(claim.digests, came.digests)]
        described, metadata, wrong = await self._look_inside(claim, came.path)
        problems += wrong
        proof, wrong = await self._attested(claim, came.sha256)
        problems += wrong
        if problems or described is None or metadata is None:
            return Refused("wrong", tuple(problems))
        file = _file(source, claim, described, metadata, came, attested=proof is not None)
        return self.not_offered(file) or Examined(file, metadata, proof)

    async def _attested(self, claim: Claim, sha256: str) -> tuple[Proof | None, list[str]]:
        """The provenance of attestations that are not false, each with who signed it where that can be verified."""
        if claim.attestations is None or claim.filename is None:
            return None, []
        told, problems = read_attestations(claim.attestations, claim.filename, sha256)
        if problems:
            return None, problems
        try:
            signed = await self._verifier.each(told, claim.filename, sha256)
        except Unverifiable as error:
            # They are kept for those who can; a gate that requires verified ones blocks the file, and says why.
            log.warning("attestations_not_verified", file=claim.filename, why=str(error))
            return Proof(write_provenance([(one, None) for one in told]), "not verified"), []
        problems = [
            f"attestation {number} is false: {one.false}" for number, one in enumerate(signed, 1) if one.false
        ]
        publishers = [one.publisher for one in signed]
        by = dict.fromkeys(one.words if one is not None else "not verified" for one in publishers)
        return Proof(write_provenance(list(zip(told, publishers, strict=True))), ", ".join(by)), problems

    async def _keep(
        self, examined: Examined, incoming: Incoming, by: str, told: dict[str, str], *, admin: bool
    ) -> Kept | Refused:
        """Bytes first, then the row that makes them visible: a file that is told of is there."""
        file, sha256 = examined.file, incoming.filling.sha256
        taken = await self._uploads.find(file.source, file.project, file.filename)
        if taken is None or (taken.sha256 == sha256 and not await self._soundness.sound(sha256)):
            await incoming.filling.keep()
            self._blobs.trust(sha256)
        if taken is None:
            proof = examined.proof
            outcome = await self._uploads.add(
                file,
                metadata=examined.known,
                provenance=proof.document if proof is not None else None,
                entries=[published(file, by=by, attested=proof.by if proof is not None else None, **told)],
                by=None if admin else by,
            )
            if isinstance(outcome, Status):
                return closed_to(file.project, outcome)
            if isinstance(outcome, Owned):
                return owned(file.project, outcome.owners, by)
            taken = outcome
        if taken is not None:
            return Kept(taken.filename, sha256, new=False) if taken.sha256 == sha256 else used(taken)
        self._changed(file.project)
        log.info("published", source=file.source, file=file.filename, sha256=sha256, by=by)
        return Kept(file.filename, sha256, new=True)

    def not_offered(self, file: File) -> Refused | None:
        """Why a file's source may not offer its version; None: it may."""
        if self._selections[file.source].apply(Page(project=file.project, files=(file,))).files:
            return None
        says = f"the source {file.source} may not offer {file.project} {file.version}: see its include and exclude"
        return Refused("elsewhere", (says,))

    async def no_room(self, source: SourceName, project: ProjectName) -> Refused | None:
        """Why a source takes no file of a project, whatever the file; None: it does."""
        if (refused := self._elsewhere(source, project)) is not None:
            return refused
        status = await self._uploads.status(source, project)
        return closed_to(project, status) if status is not None and closed(project, status) else None

    async def not_theirs(
        self, source: SourceName, project: ProjectName, by: str, *, admin: bool
    ) -> Refused | None:
        """Why the source takes no file of the project from whoever asks."""
        refused = await self.no_room(source, project)
        return refused or await self.not_owned(source, project, by, admin=admin)

    async def not_owned(
        self, source: SourceName, project: ProjectName, by: str, *, admin: bool
    ) -> Refused | None:
        """The project has owners, and who asks is none of them."""
        owners = () if admin else await self._uploads.owners(source, project)
        return owned(project, owners, by) if stranger(project, owners, by) is not None else None

    def _elsewhere(self, source: SourceName, project: ProjectName) -> Refused | None:
        owners = self._reservations.owners(project)
        if owners and source not in owners:
            return Refused(
                "elsewhere", (f"the name {project} is reserved for the source {', '.join(sorted(owners))}",)
            )
        if not self._selections[source].may_have(project):
            return Refused(
                "elsewhere", (f"the source {source} may not offer {project}: see its include and exclude",)
            )
        return None

    async def _look_inside(
        self, claim: Claim, path: Path
    ) -> tuple[Described | None, bytes | None, list[str]]:
        """The metadata that the archive holds, and all that is wrong with it."""
        if not claim.complete:
            return None, None, []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._checking, look_inside, claim, path)


def look_inside(claim: Claim, path: Path) -> tuple[Described | None, bytes | None, list[str]]:
    """What an archive tells of itself, and all that is wrong with it as what its form claims; for a thread."""
    assert claim.project is not None and claim.version is not None
    read = read_wheel if claim.kind == "wheel" else read_sdist
    try:
        contents = read(path, claim.project, claim.version)
    except BadArchive as error:
        return None, None, [f"{claim.filename}: {says}" for says in error.problems]
    described, problems = read_metadata(contents.metadata, claim)
    return described, contents.metadata, problems


def _file(
    source: SourceName,
    claim: Claim,
    described: Described,
    metadata: bytes,
    came: Came,
    *,
    attested: bool,
) -> File:
    assert claim.project is not None and claim.version is not None
    assert claim.kind is not None and claim.filename is not None
    now = datetime.now(UTC)
    return File(
        filename=claim.filename,
        project=claim.project,
        kind=claim.kind,
        version=claim.version,
        source=source,
        url=claim.filename,
        sha256=came.sha256,
        size=came.size,
        upload_time=f"{now:%Y-%m-%dT%H:%M:%S.%fZ}",
        requires_python=described.requires_python,
        # PEP 714: beside wheels; an sdist's is only what one build of it said.
        metadata=hashlib.sha256(metadata).hexdigest() if claim.kind == "wheel" else None,
        provenance=claim.filename if attested else None,
        first_seen=now,
    )


def published(file: File, *, by: str, attested: str | None, **more: str) -> Entry:
    """The ledger's line about a file that becomes its source's. ``attested``: who signed, where somebody did."""
    detail = {"by": by, "version": file.version, "sha256": file.sha256, "size": file.size, **more}
    if attested is not None:
        detail["attested"] = attested
    return Entry(
        kind="published",
        at=file.first_seen or datetime.now(UTC),
        source=file.source,
        project=file.project,
        filename=file.filename,
        detail=detail,
    )


def closed_to(project: ProjectName, status: Status) -> Refused:
    """The project's status takes no uploads."""
    return Refused("closed", (closed(project, status) or "",))


def owned(project: ProjectName, owners: tuple[str, ...], by: str) -> Refused:
    """The project has owners, and who asks is none of them."""
    return Refused("owned", (stranger(project, owners, by) or "",))


def used(taken: Taken) -> Refused:
    """The file's name is not free, and never will be."""
    if taken.sha256 is None:
        says = f"{taken.filename} was here once and was removed; its name is never used again"
    else:
        says = f"{taken.filename} is here with the sha256 {taken.sha256}, and never gets other bytes"
    return Refused(
        "taken", (f"File already exists: {says}. Upload a new version, or a wheel with a build number",)
    )
