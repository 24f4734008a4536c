"""Wheels from sdists: each built in a sandbox, where nothing is to be had but one index with its policy, twice over.

What comes out is checked as an upload is, kept under its hash, and put into the book of builds with a signed statement.
"""

import asyncio
import uuid
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from wheelkeep import __version__
from wheelkeep.core.asker import Asker
from wheelkeep.core.built import Built, Material, Tools
from wheelkeep.core.differing import differences
from wheelkeep.core.errors import FileMissing, Unanswered, WheelkeepError
from wheelkeep.core.model import File
from wheelkeep.core.statement import sign, write_statement
from wheelkeep.index.build_attempt import Failed, Shop, Wheel, attempt, called
from wheelkeep.index.fetch import Stored
from wheelkeep.index.index import Index
from wheelkeep.index.keep import Keep
from wheelkeep.index.view import View
from wheelkeep.store.archives import BadArchive
from wheelkeep.store.members import read_members
from wheelkeep.store.scratch import scratch
from wheelkeep.store.sdists import newest_time

_OLDEST, _NEWEST = 315_532_800, 4_354_819_198
"""The times that a zip can tell (1980 to 2107)."""


class Made(Struct, frozen=True, kw_only=True):
    """A wheel, kept and on record."""

    built: Built
    before: bool
    """It was made of the same by an earlier run."""


class Builder:
    """Builds for one index, by one Python."""

    def __init__(self, keep: Keep, index: Index, shop: Shop) -> None:
        self._keep = keep
        self._index = index
        self._shop = shop

    async def build(self, sdist: File) -> Made | Failed:
        """A wheel of an sdist that the index admits. Raises NoSandbox, OSError, Unwritable."""
        stored = await self._have(sdist)
        if isinstance(stored, Failed):
            return stored
        of = Material.of(sdist, stored.path.name)
        if not self._shop.anew and (before := await self._before(of)) is not None:
            return Made(built=before, before=True)
        with scratch("wheelkeep-built-") as folder:
            return await self._twice(of, stored, folder)

    async def _have(self, sdist: File) -> Stored | Failed:
        """The sdist's bytes, once it is decided that it may come in, and on record who uses them."""
        view = await self._index.decided(sdist.project, sdist.filename)
        entry = view.by_name.get(sdist.filename) if isinstance(view, View) else None
        if entry is None or sdist.sha256 not in (None, entry[0].sha256):
            return Failed(sdist=sdist.filename, why="its page no longer has it")
        file, decision = entry
        against = decision.against
        try:
            if against is None:
                stored = await self._keep.fetcher.whole(self._keep.source_of(file), file)
                now = datetime.now(UTC)
                against = self._index.policy.current.oversized(file, stored.size, now)
        except (FileMissing, Unanswered) as error:
            return Failed(sdist=file.filename, why=str(error))
        if against is not None:
            return Failed(sdist=file.filename, why=against.label)
        # The store's own name for the bytes: it knows it also where no page told a hash.
        asker = Asker(called(Material.of(file, stored.path.name)), "", f"wheelkeep/{__version__}")
        await self._keep.fetch_book.note(
            self._index.name, file, decision, asker, sha256=stored.path.name, partial=False
        )
        return stored

    async def _before(self, of: Material) -> Built | None:
        """An earlier build of the same sdist by the same Python, of nothing that is blocked today."""
        python = self._shop.python
        for built in await self._keep.builds.of_sdist(of.sha256, python.says, python.platform):
            if built.index == self._index.name and built.sdist == of and await self._stands(built):
                return built
        return None

    async def _stands(self, built: Built) -> bool:
        for one in built.requirements:
            view = await self._index.decided(one.project, one.filename)
            entry = view.by_name.get(one.filename) if isinstance(view, View) else None
            if entry is None or entry[0].sha256 != one.sha256 or entry[1].against is not None:
                return False
        return await self._keep.soundness.sound(built.sha256)

    async def _twice(self, of: Material, stored: Stored, folder: Path) -> Made | Failed:
        began, epoch = datetime.now(UTC), await asyncio.to_thread(_epoch, of, stored.path)
        wheel = await self._attempt(of, stored, epoch, folder / "one")
        if isinstance(wheel, Failed):
            return wheel
        python, shop = self._shop.python, self._shop
        built = Built(
            id=str(uuid.uuid4()),
            index=self._index.name,
            path=self._index.path,
            sdist=of,
            requirements=wheel.requirements,
            tools=Tools(
                python=python.says,
                platform=python.platform,
                uv=shop.uv_version,
                wheelkeep=__version__,
                sandboxed=shop.sandboxed,
            ),
            epoch=epoch,
            began=began,
            ended=datetime.now(UTC),
            filename=wheel.path.name,
            sha256=wheel.sha256,
            size=wheel.size,
            requires_python=wheel.requires_python,
        )
        if not self._shop.once:
            again = await self._attempt(of, stored, epoch, folder / "two")
            built = await _compared(built, wheel, again)
        built = await self._with_earlier(built, wheel)
        return Made(built=await self._kept(built, wheel), before=False)

    async def _attempt(self, of: Material, stored: Stored, epoch: int, out: Path) -> Wheel | Failed:
        await asyncio.to_thread(out.mkdir)
        return await attempt(self._index, self._shop, of, stored.path, epoch=epoch, out=out)

    async def _with_earlier(self, built: Built, wheel: Wheel) -> Built:
        """The same, held against all that was made of the very same inputs before, where it still is."""
        tools, same = built.tools, False
        for earlier in await self._keep.builds.of_sdist(built.sdist.sha256, tools.python, tools.platform):
            if earlier.hashes != built.hashes or earlier.epoch != built.epoch or earlier.tools != tools:
                continue
            on = f"the build of {earlier.ended:%Y-%m-%d}"
            says: tuple[str, ...] = ()
            if earlier.sha256 != wheel.sha256 and self._keep.blobs.has(earlier.sha256):
                path = self._keep.blobs.path(earlier.sha256)
                differ = await asyncio.to_thread(_differences, path, wheel.path)
                says = tuple(f"against {on}: {one}" for one in differ)
            elif earlier.reproducible == "no":
                # Who draws lots gives the same twice now and then.
                says = (f"{on}, of the same, was not reproducible",)
            same = same or earlier.sha256 == wheel.sha256
            if says:
                return replace(built, reproducible="no", differences=(*built.differences, *says))
        # A second wheel that was another one, of whatever, is not undone by an older one.
        return replace(built, reproducible="yes") if same and not built.differences else built

    async def _kept(self, built: Built, wheel: Wheel) -> Built:
        """Bytes first, then what is stated of them."""
        filling = self._keep.blobs.filling()
        try:
            await asyncio.to_thread(_fill, wheel.path, filling.write)
            if filling.sha256 != built.sha256:
                raise WheelkeepError(f"{built.filename} changed after it was built and checked")
            await filling.keep()
        finally:
            await filling.close()
        await self._keep.kept.add([built.sha256])
        key = await self._keep.log.sequencer.key()
        await self._keep.builds.add(built, sign(write_statement(built, key.public), key))
        return built


def _epoch(of: Material, path: Path) -> int:
    """``SOURCE_DATE_EPOCH``: the newest time in the sdist, as its bytes are what there is to be reproduced."""
    newest = newest_time(path) if of.filename.endswith((".tar.gz", ".tgz")) else 0
    return min(max(newest, _OLDEST), _NEWEST)


async def _compared(built: Built, one: Wheel, other: Wheel | Failed) -> Built:
    if isinstance(other, Failed):
        return replace(built, reproducible="no", differences=(f"the second build failed: {other.why}",))
    if one.sha256 == other.sha256 and one.path.name == other.path.name:
        return replace(built, reproducible="yes")
    if {each.sha256 for each in one.requirements} != {each.sha256 for each in other.requirements}:
        return replace(built, differences=("the second build fetched other files, and made another wheel",))
    found = await asyncio.to_thread(_differences, one.path, other.path)
    renamed = (f"the second is called {other.path.name}",) if one.path.name != other.path.name else ()
    return replace(built, reproducible="no", differences=(*renamed, *found))


def _differences(one: Path, other: Path) -> Collection[str]:
    try:
        return differences(read_members(one), read_members(other))
    except (BadArchive, OSError) as error:
        return (f"they cannot be compared: {error}",)


def _fill(path: Path, write: Callable[[bytes], object]) -> None:
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            write(piece)
