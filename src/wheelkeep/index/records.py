"""What the database says of files, held against their bytes: sizes, digests, metadata. Bytes are right where their hash
is, so what is not true of them is made anew from them.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkeep.core import pins
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.index.damage import Damage
from wheelkeep.index.fetch import Stored
from wheelkeep.index.mending import Mender
from wheelkeep.index.metadata import read_own
from wheelkeep.store.facts import KnownMetadata
from wheelkeep.store.pages import StoredPage

if TYPE_CHECKING:
    from wheelkeep.index.keep import Keep

_BACKUP = "restore the database from a backup"


class Records:
    """Of one keep, during one sweep."""

    def __init__(self, keep: "Keep", mender: Mender, *, repair: bool) -> None:
        self._keep = keep
        self._mender = mender
        self._repair = repair
        self._hosted: dict[str, list[File]] = {}
        self._unread: list[tuple[str, str]] = []
        self._untrue: list[tuple[File, File]] = []
        self.pages = 0

    async def expect(self) -> None:
        """Reads what hosted sources say of their files; to be called before blobs are looked at."""
        async for one in self._keep.facts.every_hosted():
            if not isinstance(one, File):
                self._unread.append(one)
            elif one.sha256 is not None:
                self._hosted.setdefault(one.sha256, []).append(one)

    @property
    def hosted(self) -> Collection[str]:
        """The bytes that hosted sources need."""
        return self._hosted

    def algorithms(self, sha256: str) -> set[str]:
        """The digests that are stated of a blob beside its name."""
        return {name for file in self._hosted.get(sha256, ()) for name in file.digests}

    def learned(self, sha256: str, size: int, digests: Mapping[str, str]) -> None:
        """A blob is what its name says, and this is what is true of it."""
        for file in self._hosted.get(sha256, ()):
            true = replace(
                file,
                size=size if file.size is not None else None,
                digests={name: digests[name] for name in file.digests},
            )
            if true != file:
                self._untrue.append((file, true))

    async def compare(self, good: Collection[bytes]) -> AsyncIterator[Damage]:
        """Everything that is not true. ``good``: the blobs, by digest, that are what their names say."""
        for source, filename in self._unread:
            says = f"its row cannot be read: {_BACKUP}"
            yield Damage(what="row", file=filename, source=source, says=says)
        for file, true in self._untrue:
            if self._repair:
                await self._keep.facts.mend_hosted(true)
            wrong = "size" if file.size != true.size else "digests"
            says = f"its row tells other {wrong} than its bytes have" + self._outcome("written anew")
            yield _of("row", file, says, repaired=self._repair)
        by_project: dict[tuple[SourceName, ProjectName], list[File]] = {}
        for files in self._hosted.values():
            for file in files:
                by_project.setdefault((file.source, file.project), []).append(file)
        for (owner, project), files in by_project.items():
            async for damage in self._metadata(owner, project, files, good):
                yield damage
        async for owner, project, page in self._mender.pages():
            self.pages += 1
            if page is None:
                says = f"the page of {project} cannot be read: {_BACKUP}"
                yield Damage(what="page", source=owner, says=says)
                continue
            async for damage in self._sizes(page.files, good):
                yield damage
            async for damage in self._metadata(owner, project, page.files, good):
                yield damage

    async def _sizes(self, files: Iterable[File], good: Collection[bytes]) -> AsyncIterator[Damage]:
        for file in files:
            if file.sha256 is None or file.size is None or bytes.fromhex(file.sha256) not in good:
                continue
            size = self._keep.blobs.size(file.sha256)
            if size in (None, file.size):
                continue
            if self._repair:
                await self._learn_size(file, size)
            says = f"its page tells {file.size} bytes, and it has {size}" + self._outcome("put right")
            yield _of("page", file, says, repaired=self._repair)

    async def _learn_size(self, file: File, size: int | None) -> None:
        def learn(stored: StoredPage | None) -> StoredPage | None:
            if stored is None or stored.page is None or file.sha256 is None or size is None:
                return None
            page = pins.learned(stored.page, file.filename, sha256=file.sha256, size=size)
            return StoredPage(page=page, etag=stored.etag, checked=stored.checked)

        await self._keep.pages.change(file.source, file.project, learn)

    async def _metadata(
        self, source: SourceName, project: ProjectName, files: Iterable[File], good: Collection[bytes]
    ) -> AsyncIterator[Damage]:
        known = await self._keep.facts.metadata_of(source, project)
        for file in files if known else ():
            row = known.get(file.filename)
            if row is None:
                continue
            here = file.sha256 is not None and bytes.fromhex(file.sha256) in good
            own = await self._own(file) if here and row.own else None
            if row.right and (own is None or own.sha256 == row.sha256):
                continue
            if self._repair:
                own = own or (await self._own(file) if here else None)
                if own is not None:
                    await self._keep.facts.learn_metadata(file, own)
                else:
                    await self._keep.facts.forget_metadata(source, file.filename)
            says = (
                "its metadata is not what its hash says" if not row.right else "its metadata is not its own"
            )
            says += self._outcome("read anew" if own is not None else "forgotten, to be asked for again")
            yield _of("metadata", file, says, repaired=self._repair)

    async def _own(self, file: File) -> KnownMetadata | None:
        assert file.sha256 is not None
        size = self._keep.blobs.size(file.sha256)
        if size is None:
            return None
        return await asyncio.to_thread(read_own, file, Stored(self._keep.blobs.path(file.sha256), size))

    def _outcome(self, done: str) -> str:
        return f"; {done}" if self._repair else "; run verify --repair"


def _of(what: str, file: File, says: str, *, repaired: bool) -> Damage:
    return Damage(
        what=what,  # type: ignore[arg-type]
        sha256=file.sha256 or "",
        file=file.filename,
        source=file.source,
        repaired=repaired,
        says=says,
    )
