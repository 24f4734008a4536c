"""The one pen of the transparency log: new entries become leaves, tiles and a signed checkpoint.

The database says which entries there are and in which order; they are durable there before any of this. Hashes are on
disk before the checkpoint that covers them, so a crash at any moment leaves a checkpoint that its tiles prove, and what
is signed for a size is always the same.
"""

import asyncio
import contextlib
import secrets
import time
from contextlib import aclosing
from datetime import UTC, datetime

from wheelkeep.core import merkle, tiles
from wheelkeep.core.checkpoint import Checkpoint
from wheelkeep.core.errors import Unwritable, WheelkeepError
from wheelkeep.core.log_entries import Head
from wheelkeep.core.notes import Note, PrivateKey
from wheelkeep.core.tiles import Growing
from wheelkeep.logs import get_logger
from wheelkeep.store.facts import Facts
from wheelkeep.store.fetches import Fetches
from wheelkeep.store.leaves import Leaves
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.log_files import LogFiles
from wheelkeep.store.pages import Pages
from wheelkeep.store.turn import Turn

log = get_logger(__name__)

PAUSE = 0.5
"""Seconds between two looks for new entries."""
WAIT = 5.0
"""Seconds until a process that is not the sequencer asks whether it may be."""
HEADS_EVERY = 30.0
"""Seconds between two entries about the heads of the books, while these move."""


class LogBroken(WheelkeepError):
    """What is in the database is not what the log's own checkpoint was signed for. Nothing is signed any more."""


class Sequencer:
    def __init__(
        self,
        leaves: Leaves,
        files: LogFiles,
        *,
        ledger: Ledger,
        fetches: Fetches,
        pages: Pages,
        facts: Facts,
        turn: Turn,
        public_url: str | None,
    ) -> None:
        self._leaves = leaves
        self._files = files
        self._ledger = ledger
        self._fetches = fetches
        self._pages = pages
        self._facts = facts
        self._turn = turn
        self._origin = f"{public_url.partition('://')[2] if public_url else _drawn()}/log"
        self._tree: Growing | None = None
        self._key: PrivateKey | None = None
        self._told_heads = -HEADS_EVERY
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to keep the log, or to wait until the process that does is gone."""
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def close(self) -> None:
        """Ends; whatever there is by now is in the log then."""
        self._ended.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def key(self) -> PrivateKey:
        """The log's key, for other statements of this keep; where there is no log yet it is begun. Raises LogBroken,
        OSError, WheelkeepError."""
        while await asyncio.to_thread(self._files.public_key) is None and not await self.once():
            await asyncio.sleep(PAUSE)
        return await asyncio.to_thread(self._files.key, self._origin)

    async def once(self) -> bool:
        """Brings the log up to date, unless another process is the sequencer; whether it did. Raises LogBroken."""
        if not self._turn.take():
            return False
        try:
            self._tree = None
            await self._begin()
            await self._integrate()
        finally:
            self._turn.give_back()
        return True

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                if self._turn.take():
                    await self._keep_log()
                    self._turn.give_back()
                    return
            if self._ended.is_set():
                return
            await self._rest(WAIT)

    async def _keep_log(self) -> None:
        self._tree = None
        failed = False
        while True:
            last = self._ended.is_set()
            try:
                if self._tree is None:
                    await self._begin()
                await self._note_heads(last=last)
                await self._integrate()
                failed = False
            except LogBroken as error:
                log.error("log_broken", why=str(error), now="nothing is signed until that is mended")
                await self._tell(str(error))
                return
            except (OSError, Unwritable) as error:
                # A disk that is full or cannot be written stops writes, not reads: it is tried again.
                self._tree = None
                if not failed:
                    log.error("log_not_written", why=str(error), now="it is tried again")
                failed = True
            except Exception:
                self._tree = None
                if not failed:
                    log.exception("log_failed")
                failed = True
            if last:
                return
            await self._rest(WAIT if failed else PAUSE)

    async def _tell(self, why: str) -> None:
        """Has it on record at each start, and so told by the webhook, in the counts of ``status`` and by ``audit``."""
        with contextlib.suppress(OSError, Unwritable):
            detail = {"what": "log-broken", "reason": why}
            await self._ledger.append([Entry(kind="incident", at=datetime.now(UTC), detail=detail)])

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    async def _begin(self) -> None:
        """Takes up the log where the newest checkpoint left it; makes key and checkpoint where there is no log yet."""
        self._key = await asyncio.to_thread(self._files.key, self._origin)
        found = await asyncio.to_thread(self._files.checkpoint)
        if found is None:
            await self._fill()
            self._tree = Growing(0, lambda *_: [])
            await asyncio.to_thread(self._publish)
            return
        note, checkpoint = found
        if note.of(self._key.public) is None:
            raise LogBroken("its checkpoint was not signed by its key")
        if await self._leaves.count() < checkpoint.size:
            raise LogBroken(
                f"the database has fewer entries than the {checkpoint.size} of the checkpoint: it is an older one"
            )
        self._tree = await asyncio.to_thread(self._taken_up, checkpoint.size)
        if self._tree is None or self._tree.root() != checkpoint.root:
            self._tree = await self._made_anew(checkpoint)

    def _taken_up(self, size: int) -> Growing | None:
        try:
            tree = Growing(size, self._files.hashes)
            tree.root()
        except LookupError:
            return None  # hashes are missing
        return tree

    async def _made_anew(self, checkpoint: Checkpoint) -> Growing:
        """The hashes from the entries, where those on disk are damaged. Raises LogBroken where the entries are."""
        tree = Growing(0, lambda *_: [])
        async with aclosing(self._leaves.span(0, checkpoint.size)) as found:
            async for group in found:
                for leaf in group:
                    tree.add(merkle.leaf_hash(leaf.body))
        if tree.size != checkpoint.size or tree.root() != checkpoint.root:
            raise LogBroken(
                "its entries are not those that the checkpoint was signed for: run wheelkeep log verify"
            )
        log.warning("log_hashes_mended", size=tree.size)
        await asyncio.to_thread(self._write, tree, 0)
        return tree

    async def _integrate(self) -> None:
        tree = self._tree
        assert tree is not None
        count = await self._leaves.count()
        if count == tree.size:
            return
        before = tree.size
        async with aclosing(self._leaves.span(before, count)) as found:
            async for group in found:
                await asyncio.to_thread(_grow, tree, [leaf.body for leaf in group])
        if tree.size != count:
            raise LogBroken(f"the entry {tree.size} is missing in the database")
        await asyncio.to_thread(self._write, tree, before)
        await asyncio.to_thread(self._publish)

    def _write(self, tree: Growing, before: int) -> None:
        for level, hashes in enumerate(tree.added):
            if hashes:
                self._files.write_hashes(level, tiles.count(level, before), hashes)
                hashes.clear()

    def _publish(self) -> None:
        assert self._tree is not None
        assert self._key is not None
        text = str(Checkpoint(self._key.public.name, self._tree.size, self._tree.root()))
        self._files.write_checkpoint(Note(text).signed(self._key.sign(text)))

    async def _note_heads(self, *, last: bool) -> None:
        """An entry about the books' heads where they moved: from then on whoever has a checkpoint could tell if a line
        up to there was changed or taken out."""
        if not last and time.monotonic() - self._told_heads < HEADS_EVERY:
            return
        heads = _head(await self._ledger.head()), _head(await self._fetches.chained.head())
        before = await self._leaves.last_heads()
        if before is not None and (before.ledger, before.fetches) == heads:
            return
        await self._leaves.add_heads(datetime.now(UTC), *heads)
        self._told_heads = time.monotonic()

    async def _fill(self) -> None:
        """What was seen before there was a log. Done again from the beginning where it broke off."""
        now = datetime.now(UTC)
        async for page in self._pages.all():
            await self._leaves.add_seen([file for file in page.files if file.sha256 is not None], now)
        for source, project in await self._facts.hosted_keys():
            await self._leaves.add_seen(await self._facts.hosted(source, project) or (), now)


def _head(found: tuple[int, bytes]) -> Head:
    return Head(found[0], found[1].hex())


def _grow(tree: Growing, bodies: list[bytes]) -> None:
    for body in bodies:
        tree.add(merkle.leaf_hash(body))


def _drawn() -> str:
    return f"wheelkeep-{secrets.token_hex(8)}"
