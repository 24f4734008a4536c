"""Core metadata beside a wheel: as its source tells it or its zip has it; the wheel's own once its bytes are here."""

import asyncio
import hashlib
from collections.abc import Callable

from wheelkeep.core.checked import describes
from wheelkeep.core.errors import Unanswered
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName
from wheelkeep.core.pins import Incident
from wheelkeep.index.fetch import Fetcher, Stored
from wheelkeep.logs import get_logger
from wheelkeep.sources.source import PATIENCE_FILE, Source
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.facts import Facts, KnownMetadata
from wheelkeep.store.sdists import read_info
from wheelkeep.store.wheel_metadata import (
    LARGEST_DIRECTORY,
    NeedBytes,
    NoMetadata,
    Pieces,
    read_metadata,
    read_metadata_of,
)

log = get_logger(__name__)
_TAIL = 24 * 1024
"""Bytes of a wheel's end that are asked for first: most central directories, and METADATA before them, fit in."""
_AHEAD = 4 * 1024
_MOST_PIECES = 12
NONE = KnownMetadata("", b"", own=True)


class MetadataKeeper:
    """Gives the metadata of wheels, and keeps it."""

    def __init__(
        self,
        facts: Facts,
        fetcher: Callable[[], Fetcher],
        *,
        changed: Callable[[ProjectName], None],
        incident: Callable[[File, Incident], None],
    ) -> None:
        self._facts = facts
        self._fetcher = fetcher
        self._changed = changed
        self._incident = incident
        self._asking: dict[tuple[str, str, bool], asyncio.Task[KnownMetadata]] = {}

    async def get(self, source: Source, file: File, *, may_fetch: bool) -> bytes | None:
        """The metadata of a wheel; None where it has none. Raises Unanswered, FileMissing.

        ``may_fetch``: the whole wheel may be fetched for it when nothing smaller does (never for a blocked one).
        """
        if file.kind != "wheel":
            return None
        key = (file.source, file.filename, may_fetch)
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._know(source, file, may_fetch))
            task.add_done_callback(lambda done: self._asked(key, done))
        await asyncio.wait({task}, timeout=PATIENCE_FILE)
        if not task.done():
            raise Unanswered(f"the metadata of {file.filename} is still on its way here", retry_after=5)
        known = task.result()
        return known.body if known.sha256 else None

    async def of_sdist(self, source: Source, file: File) -> bytes | None:
        """The metadata in an sdist's own bytes, where they are here or in a folder of ours; nothing is fetched for it.

        Read once and kept. Raises Unanswered, FileMissing.
        """
        known = await self._facts.metadata(file.source, file.filename)
        if known is None or not known.right:
            if (stored := await self._fetcher().sound(file)) is not None:
                known = await asyncio.to_thread(read_own, file, stored)
            elif source.remote:
                return None
            elif (body := await source.metadata(file)) is not None:
                known = KnownMetadata(hashlib.sha256(body).hexdigest(), body, own=True)
            else:
                known = NONE
            await self._facts.learn_metadata(file, known)
        return known.body if known.sha256 else None

    def _asked(self, key: tuple[str, str, bool], task: asyncio.Task[KnownMetadata]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()  # looked at, for all who asked may have left

    async def arrived(self, file: File, stored: Stored) -> None:
        """The wheel's bytes are here and right: its own METADATA is beyond doubt, whatever was told before."""
        if file.kind != "wheel":
            return
        before = await self._facts.metadata(file.source, file.filename)
        if before is not None and before.own and before.right:
            return
        known = await asyncio.to_thread(_read_stored, stored)
        if before is not None and before.sha256 != known.sha256:
            incident = Incident(
                kind="metadata-differs", filename=file.filename, first=before.sha256, told=known.sha256
            )
            self._incident(file, incident)
        await self._facts.learn_metadata(file, known)
        if before is None or before.sha256 != known.sha256:
            self._changed(file.project)

    async def _know(self, source: Source, file: File, may_fetch: bool) -> KnownMetadata:
        known = await self._facts.metadata(file.source, file.filename)
        if known is not None and known.right:
            return known
        learned = await self._learn(source, file, may_fetch)
        if known is not None and not learned.own and learned.sha256 != known.sha256:
            raise Unanswered(
                f"the metadata of {file.filename} was damaged here, and its source tells another"
            )
        return learned

    async def _learn(self, source: Source, file: File, may_fetch: bool) -> KnownMetadata:
        stored = await self._fetcher().sound(file)
        if stored is not None:
            known = await asyncio.to_thread(_read_stored, stored)
        else:
            known = await self._from_outside(source, file, may_fetch)
        await self._facts.learn_metadata(file, known)
        if known.sha256 != file.metadata:
            self._changed(file.project)
        return known

    async def _from_outside(self, source: Source, file: File, may_fetch: bool) -> KnownMetadata:
        body = await source.metadata(file)
        if body is not None:
            if describes(body, file.project, file.version):
                return KnownMetadata(hashlib.sha256(body).hexdigest(), body, own=False)
            log.warning("metadata_of_another", source=file.source, file=file.filename)
        try:
            known = await _from_pieces(source, file)
        except NoMetadata as error:
            log.warning("wheel_without_metadata", source=file.source, file=file.filename, why=str(error))
            known = None
        if known is not None:
            return known
        if not may_fetch:
            raise Unanswered(f"the metadata of {file.filename} cannot be had without fetching the file")
        return await asyncio.to_thread(_read_stored, await self._fetcher().whole(source, file))


def read_own(file: File, stored: Stored) -> KnownMetadata:
    """The metadata in the file's own bytes; for a thread."""
    if file.kind == "wheel":
        return _read_stored(stored)
    try:
        with stored.path.open("rb") as sdist:
            body = read_info(sdist)
    except (BadArchive, OSError):
        return NONE
    return KnownMetadata(hashlib.sha256(body).hexdigest(), body, own=True)


def _read_stored(stored: Stored) -> KnownMetadata:
    try:
        body = read_metadata_of(stored.path)
    except (NoMetadata, OSError):
        return NONE
    return KnownMetadata(hashlib.sha256(body).hexdigest(), body, own=True)


async def _from_pieces(source: Source, file: File) -> KnownMetadata | None:
    """Reads METADATA by range requests (RFC 9110 14), a few small pieces; None where the source gives none.

    Raises NoMetadata, Unanswered, FileMissing.
    """
    last = await source.piece(file, -_TAIL, 0)
    if last is None:
        return None
    tail, size = last
    pieces = Pieces(size)
    pieces.add(size - len(tail), tail)
    for _ in range(_MOST_PIECES):
        try:
            body = read_metadata(pieces)
        except NeedBytes as need:
            if need.end - need.start > LARGEST_DIRECTORY:
                raise NoMetadata("its zip directory is larger than any wheel needs") from None
            got = await source.piece(file, need.start, min(size, need.end + _AHEAD))
            if got is None or got[1] != size or not got[0]:
                return None
            pieces.add(need.start, got[0])
            pieces.seek(0)
            continue
        return KnownMetadata(hashlib.sha256(body).hexdigest(), body, own=False)
    return None
