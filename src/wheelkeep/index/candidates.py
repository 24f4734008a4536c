"""The view that a resolver has of an index: what its sources have, and no file's bytes.

The index asks as a client's request would: a reserved name goes to nobody but its owner.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from msgspec import Struct

from wheelkeep.core import candidates, names
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.listing import Listing
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import File, Unreachable
from wheelkeep.core.names import ProjectName
from wheelkeep.core.resolved import Resolved
from wheelkeep.core.verdict import Decision
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.view import View
from wheelkeep.sources.source import Bytes
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.sdists import read_info

PATIENCE = 10.0
_LARGEST_SDIST = 200 * 1000**2
_TRIES = 3
_LONGEST_WAIT = 10.0
"""Seconds that an origin may ask for before its metadata is asked for again."""
_AT_ONCE = 8
_AHEAD = 10
_IN_MEMORY = 4 * 1024**2


class Unread(Struct, frozen=True, kw_only=True):
    """A version whose needs are not known, or not for certain, without building it."""

    name: ProjectName
    version: str
    why: str


class Candidates:
    """What an index would have if its allow list were not there, or what it has with it; every other gate holds."""

    def __init__(self, keep: Keep, index: Index, *, listed: bool = False) -> None:
        """``listed``: only what the allow list names."""
        self._keep = keep
        self.allowed = index.policy.current
        """The policy in force, with its allow list."""
        self._index = index if listed else index.without_allow()
        self._closed: dict[tuple[ProjectName, str], str] = {}
        self._infos: dict[str, asyncio.Task[bytes]] = {}
        self.unread: dict[tuple[ProjectName, str], Unread] = {}
        """By project and version, of all that were asked about."""
        self.away: dict[ProjectName, str] = {}
        """Names that a source might have, but did not tell."""

    async def view(self, project: ProjectName) -> View | None:
        """The judged page; None where no source has the name. Raises Unanswered."""
        found = await self._asked(project)
        if isinstance(found, Unreachable):
            self.away[project] = f"{found.source} might have it, but {found.reason}"
            raise Unanswered(self.away[project], retry_after=found.retry_after)
        return None if isinstance(found, Nowhere) else found

    async def _asked(self, project: ProjectName) -> View | Nowhere | Unreachable:
        """A resolver asks once, so an outage is given a few moments to be over."""
        for _ in range(_TRIES - 1):
            found = await self._index.page(project, patience=PATIENCE)
            if not isinstance(found, Unreachable):
                return found
            await asyncio.sleep(min(found.retry_after or 1.0, 2.0))
        return await self._index.page(project, patience=PATIENCE)

    async def page(self, project: ProjectName) -> Listing | None:
        """What the resolver is shown of a name; None where no source has it. Raises Unanswered."""
        view = await self.view(project)
        if view is None:
            return None
        return candidates.candidates(
            view.judged, {version: why for (name, version), why in self._closed.items() if name == project}
        )

    async def settle(self, chosen: Sequence[Resolved]) -> bool:
        """Has what was chosen decided by the gates that put it off; whether any of it turned out to be blocked, so
        that it is not offered again. Raises Unanswered."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(version: Resolved) -> bool:
            async with turn:
                return await self._settled(version)

        return not all(await asyncio.gather(*(one(version) for version in chosen)))

    async def _settled(self, chosen: Resolved) -> bool:
        if await self._decided(chosen.project, chosen.version):
            return True
        # The resolver goes on downwards: the next few are looked at now, or each would cost a resolution.
        view = await self.view(chosen.project)
        waiting = {file.version for file, decision in _entries(view) if candidates.put_off(decision)}
        below = [one for one in waiting if names.version(one) < names.version(chosen.version)]
        for version in sorted(below, key=names.version, reverse=True)[:_AHEAD]:
            if await self._decided(chosen.project, version):
                break
        return False

    async def _decided(self, project: ProjectName, version: str) -> bool:
        """Has a version decided; False where it turns out to be blocked, and then it is offered no more."""
        said = [entry for entry in _entries(await self.view(project)) if entry[0].version == version]
        # What is chosen although it was not offered was asked for by its very number, and would be again.
        if (project, version) in self._closed or any(decision.admitted for _, decision in said):
            return True
        why = ""
        for file, before in said:
            decision: Decision | None = before
            if candidates.put_off(before):
                found = await self._index.decided(project, file.filename)
                entry = found.by_name.get(file.filename) if isinstance(found, View) else None
                decision = entry[1] if entry is not None else None
            if decision is not None and decision.against is None:
                return True
            why = why or (
                decision.against.label if decision is not None and decision.against is not None else ""
            )
        self._closed[project, version] = why or "it is no longer there"
        return False

    async def metadata(self, project: ProjectName, filename: str) -> bytes | None:
        """The metadata under a name that the page lists; None for one that it does not list. Raises Unanswered."""
        view = await self.view(project)
        files = candidates.speaks_for(view.judged.page.files, project, filename) if view is not None else ()
        for file in files:
            if file.kind == "sdist":
                return await self._needs(file)
            try:
                body = await self.told(file)
            except Unanswered as error:
                if file is files[-1]:
                    self.away[project] = error.reason
                    raise
                continue
            if body is not None:
                return body
        return self._nothing(files[0], "none of its wheels has metadata that can be read") if files else None

    async def told(self, file: File) -> bytes | None:
        """What a file itself tells: a wheel's METADATA, an sdist's PKG-INFO. Raises Unanswered."""
        if file.kind == "sdist":
            try:
                return await self._info(file)
            except (BadArchive, FileMissing):
                return None
        tried = 0
        while True:
            try:
                return await self._keep.metadata.get(self._keep.source_of(file), file, may_fetch=False)
            except FileMissing as error:
                raise Unanswered(str(error)) from None
            except Unanswered as error:
                tried += 1
                if error.retry_after is None or error.retry_after > _LONGEST_WAIT or tried == _TRIES:
                    raise
                await asyncio.sleep(error.retry_after)

    async def advisories(self, view: View, version: str, *, patience: float) -> tuple[str, ...] | None:
        """What is known against a version, the worst first; None where nobody tells."""
        known = await self._index.knowledge(view, version, patience=patience)
        if known is None or (known.unknown(version) and not known.against(version)):
            return None
        return tuple(
            f"{one.ids[0]} ({one.severity or 'severity not told'})" for one in known.against(version)
        )

    async def _needs(self, sdist: File) -> bytes:
        """The metadata of a version that is known by its sdist alone."""
        try:
            info = await self._info(sdist)
        except (BadArchive, Unanswered, FileMissing) as error:
            return self._nothing(sdist, f"{sdist.filename} cannot be read: {error}")
        needs = candidates.needs(info, sdist.project, sdist.version)
        if not needs.certain:
            self._note(sdist, f"{sdist.filename} tells what it needs for certain only when it is built")
        return needs.metadata

    async def _info(self, sdist: File) -> bytes:
        """PKG-INFO, read once. Raises BadArchive, Unanswered, FileMissing."""
        task = self._infos.get(sdist.filename)
        if task is None:
            task = self._infos[sdist.filename] = asyncio.create_task(self._read(sdist))
        return await asyncio.shield(task)

    async def _read(self, file: File) -> bytes:
        """PKG-INFO, from the store or in passing: what nobody allowed yet is not kept."""
        if not file.filename.endswith(".tar.gz"):
            raise BadArchive("only .tar.gz tells its needs without being built")
        if (stored := await self._keep.fetcher.sound(file)) is not None:
            return await asyncio.to_thread(_stored_info, stored.path)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spooled:
            passing = cast(BinaryIO, spooled)
            async with self._keep.source_of(file).open(file) as coming:
                await _copy(coming, file, passing)
            return await asyncio.to_thread(read_info, passing)

    def _nothing(self, file: File, why: str) -> bytes:
        self._note(file, why)
        return candidates.no_needs(file.project, file.version)

    def _note(self, file: File, why: str) -> None:
        self.unread[file.project, file.version] = Unread(name=file.project, version=file.version, why=why)


def _stored_info(path: Path) -> bytes:
    with path.open("rb") as file:
        return read_info(file)


def _entries(view: View | None) -> Iterable[tuple[File, Decision]]:
    return view.by_name.values() if view is not None else ()


async def _copy(coming: Bytes, file: File, to: BinaryIO) -> None:
    """A file's bytes, which must be the ones that its page vouches for. Raises BadArchive, Unanswered."""
    digest, size = hashlib.sha256(), 0
    async for chunk in coming.chunks():
        size += len(chunk)
        if size > _LARGEST_SDIST:
            raise BadArchive(f"it is larger than the {_LARGEST_SDIST} bytes that are read of an sdist")
        digest.update(chunk)
        to.write(chunk)
    if file.sha256 is not None and digest.hexdigest() != file.sha256:
        raise BadArchive("its bytes are not those that its page tells the hash of")
