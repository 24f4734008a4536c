"""Making a bundle of what an index has here and admits: all of it, what is otherwise than in a snapshot, or
the files of a lock.

The documents are written down first, so it is known which files go; nothing of these is removed meanwhile.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep import __version__
from wheelkeep.core import bundle
from wheelkeep.core.bundle import Base, Blob, Document, End, Head, State, written
from wheelkeep.core.bundle_page import write_page, write_state
from wheelkeep.core.checked import reason
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.errors import FileMissing, Unanswered, WheelkeepError
from wheelkeep.core.judge import judge
from wheelkeep.core.log_entries import SeenFile
from wheelkeep.core.model import File, Page, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.settings import HostedSource, RemoteSource
from wheelkeep.core.verdict import PUT_OFF
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.store.bundle_file import new_file, write_bundle
from wheelkeep.store.ledger import Entry
from wheelkeep.store.removal import staying
from wheelkeep.store.snapshots import Snapshot
from wheelkeep.store.uploads import PROVENANCE

_PATIENCE = 10.0
"""Seconds that what a policy has to know of a project may take to learn."""


class Bundled(Struct, kw_only=True):
    """How far it is; at the end, the report. Sizes are bytes."""

    file: str | None
    """None: it was only counted."""
    index: str
    base: str | None
    made: str
    bundle: str = ""
    """The sha256 of what the bundle says, by which both keeps call it."""
    key: str = ""
    """Whose signature it has."""
    projects: int = 0
    same: int = 0
    """Projects that are left out, for they are as in the snapshot."""
    listed: int = 0
    """Files that it tells of."""
    files: int = 0
    """Files that are in it."""
    bytes: int = 0
    written: int = 0
    """Bytes of files that were written so far."""
    absent: int = 0
    """Files that the index shows and whose bytes are not here."""
    blocked: int = 0
    """Files that are here and that the policy does not let in."""


class Bundling:
    """One run."""

    def __init__(
        self, keep: Keep, index: Index, *, base: Snapshot | None, only: Sequence[File] | None
    ) -> None:
        """``base``: what whoever imports has already; ``only``: these files and no others."""
        self._keep = keep
        self._index = index
        self._base = base
        self._only = only
        self._now = datetime.now(UTC)
        self._blobs: dict[str, int] = {}
        named = f"{base.name}~{base.number}" if base is not None else None
        self.report = Bundled(file=None, index=index.name, base=named, made=written(self._now))

    async def run(self, out: Path | None, *, dry: bool) -> AsyncIterator[Bundled]:
        """Writes the bundle, whole or not at all, and gives how far it is; None: to standard output.

        ``dry``: nothing is written, only counted. Raises WheelkeepError, Damaged and OSError.
        """
        data = self._keep.settings.data
        with staying(data) as free:
            if not free:
                raise WheelkeepError(f"wheelkeep gc removes files from {data} now: run this again after it")
            note, checkpoint = await self._keep.log.settled()
            with TemporaryFile(dir=data / "tmp") as documents:
                async for _ in self._write_documents(documents, str(note), checkpoint):
                    yield self.report
                if not dry:
                    async for _ in self._write(out, documents):
                        yield self.report
        yield self.report

    async def _write_documents(
        self, into: BinaryIO, note: str, checkpoint: Checkpoint
    ) -> AsyncIterator[None]:
        digest, report, base = hashlib.sha256(), self.report, self._base

        def write(line: bundle.Told) -> None:
            raw = bundle.write_line(line)
            digest.update(raw)
            into.write(raw)

        write(
            Head(
                format=bundle.FORMAT,
                wheelkeep=__version__,
                made=report.made,
                index=self._index.name,
                base=Base(name=base.name, number=base.number, at=written(base.at))
                if base is not None
                else None,
                checkpoint=note,
            )
        )
        found: dict[tuple[SourceName, ProjectName], None] = {}
        for source in sorted(place.source.name for group in self._index.groups for place in group):
            for project in await self._projects(source):
                found[source, project] = None
        for source, project in found:
            document = await self._document(source, project, checkpoint)
            if document is not None:
                write(document)
                report.projects += 1
                yield
        for sha256, size in sorted(self._blobs.items()):
            write(Blob(sha256=sha256, size=size))
        report.files, report.bytes = len(self._blobs), sum(self._blobs.values())
        write(End(projects=report.projects, files=report.listed, blobs=report.files, bytes=report.bytes))
        report.bundle = digest.hexdigest()

    async def _projects(self, source: SourceName) -> list[ProjectName]:
        """Those of which a bundle may have something to tell, by name."""
        keep = self._keep
        if self._only is not None:
            return sorted({file.project for file in self._only if file.source == source})
        keys = [*await keep.pages.keys(), *await keep.facts.hosted_keys()]
        names = {project for of, project in keys if of == source}
        if isinstance(keep.settings.sources[source], HostedSource):
            names |= await keep.carriage.used_projects([source])
        return sorted(names)

    async def _document(
        self, source: SourceName, project: ProjectName, checkpoint: Checkpoint
    ) -> Document | None:
        """What there is to tell of a project in a source; None: nothing, or nothing that the base does not have."""
        keep, settings = self._keep, self._keep.settings.sources[source]
        files, blocked = await self._files(source, project)
        kind: bundle.SourceKind = "directory"
        checked, status = self._now, await keep.carriage.status(source, project)
        used = await keep.carriage.used(source, project)
        if isinstance(settings, HostedSource):
            kind = "hosted"
            there = {file.filename: file for file in await keep.facts.hosted(source, project) or ()}
            files = [there[file.filename] for file in files if file.filename in there]
        elif isinstance(settings, RemoteSource):
            kind = "remote"
            stored = await keep.pages.get(source, project)
            page = stored.page if stored is not None and stored.page is not None else Page(project=project)
            status, checked = page.status, stored.checked if stored is not None else self._now
            there = {file.filename: file for file in page.files}
            files = [there[file.filename] for file in files if file.filename in there]
        if not files and not used and not blocked and (status is None or kind == "remote"):
            return None
        if await self._as_in_base(source, project, files, status, {*used, *blocked}):
            self.report.same += 1
            return None
        told = [file.filename for file in files]
        files = [replace(file, size=keep.blobs.size(file.sha256 or "")) for file in files]
        self.report.listed += len(files)
        return Document(
            source=source,
            kind=kind,
            project=project,
            checked=written(checked),
            page=write_page(files, status, project),
            states=await self._states(source, files, checkpoint),
            used=used,
            blocked=blocked,
            lines=tuple(await keep.carriage.lines(source, project, {*told, *used})),
        )

    async def _files(self, source: SourceName, project: ProjectName) -> tuple[list[File], dict[str, str]]:
        """The files of the source that the index shows, and whose bytes are here: those that it admits, and by name
        what the policy says of the others."""
        merged = await self._index.remembered(project)
        if merged is None:
            return [], {}
        policy = self._index.policy.current
        context = await self._index.context(policy, merged.page, patience=_PATIENCE, ask=False)
        judged = judge(merged.page, policy, context)
        only = None if self._only is None else {(file.source, file.filename) for file in self._only}
        found: list[File] = []
        blocked: dict[str, str] = {}
        for file, decision in zip(judged.page.files, judged.decisions, strict=True):
            if file.source != source or (only is not None and (source, file.filename) not in only):
                continue
            if not await self._here(file):
                self.report.absent += 1
            elif decision.against is not None:
                self.report.blocked += 1
                if not decision.against.code.endswith(PUT_OFF):
                    blocked[file.filename] = reason(decision.against.label) or ""
            else:
                found.append(file)
        return found, blocked

    async def _here(self, file: File) -> bool:
        """Whether the file's bytes are in the store. Those of a folder or bucket of ours are brought there."""
        if file.sha256 is None or self._keep.blobs.has(file.sha256):
            return file.sha256 is not None
        source = self._keep.source_of(file)
        if source.remote or isinstance(self._keep.settings.sources[file.source], HostedSource):
            return False
        try:
            await self._keep.fetcher.whole(source, file)
        except (FileMissing, Unanswered):
            return False
        return self._keep.blobs.has(file.sha256)

    async def _as_in_base(
        self,
        source: SourceName,
        project: ProjectName,
        files: Sequence[File],
        status: Status | None,
        lost: Collection[str],
    ) -> bool:
        """Whether the base tells the same. Notes the files that are to go with the bundle."""
        keep, base = self._keep, self._base
        pinned = await keep.views.snapshots.page(base, project) if base is not None else None
        if base is None or pinned is None:
            self._blobs |= {file.sha256 or "": keep.blobs.size(file.sha256 or "") or 0 for file in files}
            return False
        # What the policy did not let in then went with no bundle.
        went = [file for file in pinned.page.files if file.filename not in pinned.withheld]
        there = {file.filename: file for file in went if file.source == source}
        same = status == pinned.page.status and not any(name in there for name in lost)
        # A snapshot lists files that were not here then, so they went with no bundle.
        remote = isinstance(keep.settings.sources[source], RemoteSource)
        came = await keep.carriage.came([file.sha256 or "" for file in files]) if remote else {}
        for file in files:
            was, sha256 = there.get(file.filename), file.sha256 or ""
            if was is None or was.sha256 != sha256 or (remote and came.get(sha256, self._now) > base.at):
                self._blobs[sha256] = keep.blobs.size(sha256) or 0
                same = False
            elif _word(was) != _word(file):
                same = False
        return same

    async def _states(
        self, source: SourceName, files: Sequence[File], checkpoint: Checkpoint
    ) -> dict[str, State]:
        """What no page tells of files; with their places in the log, where the log covers them."""
        book, states = self._keep.log, {}
        for file in files:
            known = None
            if file.provenance is not None:
                known = await self._keep.facts.document(source, PROVENANCE, file.filename)
            states[file.filename] = write_state(file, known[0] if known is not None else None)
        seen = await book.leaves.of_files(source, [file.filename for file in files])
        leaves = [
            leaf
            for file in files
            if (leaf := seen.get(file.filename)) is not None
            and isinstance(leaf.entry, SeenFile)
            and leaf.entry.sha256 == file.sha256
            and leaf.index < checkpoint.size
        ]
        for leaf, proof in zip(leaves, await book.hashes(leaves, checkpoint), strict=True):
            assert isinstance(leaf.entry, SeenFile)
            name = leaf.entry.filename
            states[name] = replace(states[name], entry=leaf.body.decode(), place=leaf.index, proof=proof)
        return states

    async def _write(self, out: Path | None, documents: BinaryIO) -> AsyncIterator[None]:
        keep, report = self._keep, self.report
        size = documents.tell()
        key = await keep.log.key()
        assert key is not None
        note = await keep.log.sign(bundle.note_text(key, report.bundle, size))
        blobs = [(sha256, length, keep.blobs.path(sha256)) for sha256, length in sorted(self._blobs.items())]
        with new_file(out) as file:
            writing = write_bundle(file, str(note), documents, blobs)
            while (length := await asyncio.to_thread(next, writing, None)) is not None:
                report.written += length
                yield
            report.key, report.file = str(key), str(out) if out is not None else "-"
            # Before it is there: a bundle of which nobody knows is worse than a line about one that never was.
            await keep.ledger.append([self._entry()])

    def _entry(self) -> Entry:
        report = self.report
        detail = {
            "bundle": report.bundle,
            "key": report.key,
            "index": report.index,
            "base": report.base,
            "listed": report.listed,
            "files": report.files,
            "bytes": report.bytes,
        }
        return Entry(kind="bundle exported", at=self._now, detail=detail)


def _word(file: File) -> tuple[object, ...]:
    """What may change of a file that stays."""
    return (file.yanked, file.gone, file.left, file.changed, file.requires_python, file.provenance is None)
