"""Taking a bundle in: every byte of it is proven before anything of it is shown, and it comes under the laws
of this keep.

What breaks off leaves files in the store that nothing lists yet; the same command finds them there and goes on.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import BinaryIO, Literal

from msgspec import Struct

from wheelkeep.core import bundle
from wheelkeep.core.bundle import Blob, Document, Head, NotABundle, Signed, read_moment
from wheelkeep.core.bundle_page import Project, read_project
from wheelkeep.core.checkpoint import Checkpoint, read_signed
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.names import SourceName
from wheelkeep.core.notes import PublicKey
from wheelkeep.core.offer import Reservations
from wheelkeep.index.keep import Keep
from wheelkeep.index.unpack import Left, Unpacking, kind_of
from wheelkeep.store.bundle_file import BundleFile, lines
from wheelkeep.store.ledger import Entry
from wheelkeep.store.removal import staying

TRUSTED, IMPORTED = "bundle trusted", "bundle imported"
_FITTING: dict[bundle.SourceKind, tuple[bundle.SourceKind, ...]] = {
    "hosted": ("hosted",),
    "remote": ("remote",),
    "directory": ("directory", "hosted"),
}
"""Where files of each kind of source may go. Never from another index to a hosted source: gates look at remote ones."""
_MOST_KEYS = 1_000
_MOST_NAMED = 5


class NotTrusted(WheelkeepError):
    """The bundle was made by a keep whose key is not known here."""


class NoPlace(WheelkeepError):
    """What the bundle brings has no source here, or one of another kind."""


class Incomplete(WheelkeepError):
    """The bundle tells of files that are neither in it nor here."""


class Taken(Struct, kw_only=True):
    """How far it is; at the end, the report. Sizes are bytes."""

    bundle: str = ""
    key: str = ""
    trust: Literal["given", "known", "first"] = "known"
    """``first``: nobody named a key, and this is the first bundle here."""
    index: str = ""
    """Of the keep that made it."""
    base: str | None = None
    made: str = ""
    files: int = 0
    """In the bundle."""
    bytes: int = 0
    done: int = 0
    came: int = 0
    """Files that were not here before."""
    came_bytes: int = 0
    listed: int = 0
    """Files that it tells of."""
    projects: int = 0
    new: int = 0
    """Files that are listed here from now on."""
    changed: int = 0
    """Files that are otherwise than before: yanked, or no longer."""
    refused: list[Left] = []
    blocked_there: list[Left] = []
    """Files that are listed here and that the policy of the other keep blocks."""


class Taking:
    """One run."""

    def __init__(
        self, keep: Keep, *, mapping: Mapping[SourceName, SourceName], key: PublicKey | None
    ) -> None:
        """``mapping``: the source here for a source there, where they are called otherwise. ``key``: who may
        have made it."""
        self._keep = keep
        self._mapping = mapping
        self._key = key
        sources = keep.settings.sources.items()
        self._reservations = Reservations([(name, source.names) for name, source in sources])
        self.report = Taken(refused=[], blocked_there=[])

    async def run(self, file: BinaryIO) -> AsyncIterator[Taken]:
        """Takes all of a bundle; gives how far it is. Raises NotABundle, NotTrusted, NoPlace, Incomplete,
        other kinds of WheelkeepError, and OSError; nothing of it is shown then."""
        data, reader = self._keep.settings.data, BundleFile(file)
        with staying(data) as free:
            if not free:
                raise WheelkeepError(f"wheelkeep gc removes files from {data} now: run this again after it")
            signed = bundle.read_signed(await asyncio.to_thread(reader.note))
            await self._trust(signed.key)
            self.report.bundle, self.report.key = signed.sha256, str(signed.key)
            with TemporaryFile(dir=data / "tmp") as documents:
                await asyncio.to_thread(reader.documents, signed.sha256, signed.size, documents)
                blobs, checkpoint = await self._look_through(documents, signed)
                async for _ in self._take_in(reader, blobs):
                    yield self.report
                await asyncio.to_thread(reader.end)
                await self._note_trust(signed)
                unpacking = Unpacking(self._keep, signed, self._reservations, self.report.refused)
                for project in _projects(documents, checkpoint):
                    await unpacking.take(project, self._target(project.source, project.kind))
                    self.report.projects += 1
                    self.report.new, self.report.changed = unpacking.new, unpacking.changed
                    self.report.blocked_there = unpacking.warned
                    yield self.report
            await self._keep.ledger.append([self._entry()])
        yield self.report

    async def _trust(self, key: PublicKey) -> None:
        """Raises NotTrusted. A key that is given, or was taken before, is trusted; without any, the first that
        comes."""
        known = {entry.detail.get("key") for entry in await self._keep.ledger.last(TRUSTED, limit=_MOST_KEYS)}
        own = await self._keep.log.key()
        if self._key is not None:
            if self._key != key:
                raise NotTrusted(f"it was made by {key}, and not by the key that you gave")
            self.report.trust = "given"
        elif str(key) in known or key == own:
            self.report.trust = "known"
        elif known:
            raise NotTrusted(
                f"it was made by a keep that is not known here: if you know that its key is right, say --key {key}"
            )
        else:
            self.report.trust = "first"

    async def _note_trust(self, signed: Signed) -> None:
        known = {entry.detail.get("key") for entry in await self._keep.ledger.last(TRUSTED, limit=_MOST_KEYS)}
        if str(signed.key) not in known:
            detail = {"key": str(signed.key), "bundle": signed.sha256, "how": self.report.trust}
            await self._keep.ledger.append([Entry(kind=TRUSTED, at=datetime.now(UTC), detail=detail)])

    async def _look_through(self, documents: BinaryIO, signed: Signed) -> tuple[list[Blob], Checkpoint]:
        """Reads and checks all that it says, before any file comes; gives the files that are in it."""
        report, blobs = self.report, []
        wanted: dict[str, int] = {}
        checkpoint: Checkpoint | None = None
        for line in await asyncio.to_thread(lambda: list(_kept(documents))):
            if isinstance(line, Head):
                checkpoint = _checkpoint(line, signed.key)
                report.index, report.made = line.index, line.made
                report.base = f"{line.base.name}~{line.base.number}" if line.base is not None else None
            elif isinstance(line, Blob):
                blobs.append(line)
        assert checkpoint is not None
        for project in _projects(documents, checkpoint):
            self._target(project.source, project.kind)
            report.listed += len(project.files)
            for file in project.files:
                assert file.sha256 is not None and file.size is not None
                if wanted.setdefault(file.sha256, file.size) != file.size:
                    raise NotABundle(f"it tells two sizes of {file.filename}")
            await asyncio.sleep(0)
        report.files, report.bytes = len(blobs), sum(one.size for one in blobs)
        for one in blobs:
            if wanted.pop(one.sha256, None) != one.size:
                raise NotABundle(f"it has the file {one.sha256}, of which it tells nothing")
        lacking = [sha256 for sha256 in wanted if not self._keep.blobs.has(sha256)]
        if lacking:
            raise Incomplete(self._says_lacking(lacking))
        return blobs, checkpoint

    def _says_lacking(self, lacking: list[str]) -> str:
        named = ", ".join(lacking[:_MOST_NAMED]) + (", …" if len(lacking) > _MOST_NAMED else "")
        return (
            f"it needs {len(lacking)} files that are neither in it nor here ({named}): it holds what is new "
            f"since the snapshot {self.report.base}, so import a bundle of that first, or have one made without --since"
        )

    def _target(self, source: SourceName, kind: bundle.SourceKind) -> SourceName:
        """Where the files of one of its sources go; raises NoPlace."""
        target = self._mapping.get(source, source)
        settings = self._keep.settings.sources.get(target)
        if settings is not None and kind_of(settings) in _FITTING[kind]:
            return target
        what = (
            "which is not here"
            if settings is None
            else f"of the kind {kind}, and {target} here is {kind_of(settings)}"
        )
        raise NoPlace(
            f"it brings files of the source {source}, {what}: say --map {source}=NAME, NAME being a source of "
            f"the kind {' or '.join(_FITTING[kind])}"
        )

    async def _take_in(self, reader: BundleFile, blobs: list[Blob]) -> AsyncIterator[None]:
        """Every file of it into the store, where nothing shows it yet."""
        keep, report = self._keep, self.report
        for blob in blobs:
            await asyncio.to_thread(reader.begin_blob, blob.sha256, blob.size)
            there = await keep.soundness.sound(blob.sha256)
            filling = None if there else keep.blobs.filling()
            try:
                left, digest = blob.size, hashlib.sha256()
                while left:
                    piece = await asyncio.to_thread(reader.piece, left)
                    left -= len(piece)
                    if filling is None:
                        await asyncio.to_thread(digest.update, piece)
                    else:
                        await asyncio.to_thread(filling.write_all, [piece])
                        filling.sync_some()
                await asyncio.to_thread(reader.end_blob, blob.size)
                if (filling.sha256 if filling is not None else digest.hexdigest()) != blob.sha256:
                    raise NotABundle(
                        f"the file {blob.sha256} in it has other bytes: it was changed, or damaged on the way"
                    )
                if filling is not None:
                    await filling.keep()
                    keep.blobs.trust(blob.sha256)
                    await keep.kept.add([blob.sha256])
                    report.came, report.came_bytes = report.came + 1, report.came_bytes + blob.size
            finally:
                if filling is not None:
                    await filling.close()
            report.done += 1
            yield

    def _entry(self) -> Entry:
        report = self.report
        detail = {
            "bundle": report.bundle,
            "key": report.key,
            "index": report.index,
            "made": report.made,
            "base": report.base,
            "files": report.files,
            "new": report.new,
            "changed": report.changed,
            "refused": len(report.refused),
            "blocked_there": [one.what for one in report.blocked_there[:_MOST_KEYS]],
        }
        return Entry(kind=IMPORTED, at=datetime.now(UTC), detail=detail)


def _checkpoint(head: Head, key: PublicKey) -> Checkpoint:
    read_moment(head.made)
    try:
        return read_signed(head.checkpoint, key)[1]
    except ValueError as error:
        raise NotABundle(str(error)) from None


def _kept(documents: BinaryIO) -> Iterator[bundle.Told]:
    """All lines, checked; without those of projects, which are many and large."""
    for line in bundle.read_lines(lines(documents)):
        if not isinstance(line, Document):
            yield line


def _projects(documents: BinaryIO, checkpoint: Checkpoint) -> Iterator[Project]:
    for line in bundle.read_lines(lines(documents)):
        if isinstance(line, Document):
            yield read_project(line, checkpoint)
