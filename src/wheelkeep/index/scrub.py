"""The scrub: one worker of the server reads every stored byte again by and by, spread over days. Damage is taken out of
service at once, goes on record, and is healed from where it came.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from wheelkeep.core import measures
from wheelkeep.core.settings import ScrubSettings
from wheelkeep.index.keep import Keep
from wheelkeep.index.mending import Mender
from wheelkeep.logs import get_logger
from wheelkeep.store.gently import Pace, Stopped, step_back
from wheelkeep.store.lying import Lying
from wheelkeep.store.progress import Progress
from wheelkeep.store.trust import UNREADABLE, Checked, read
from wheelkeep.store.turn import Turn

log = get_logger(__name__)
T = TypeVar("T")
FOLDERS = 256
_FIRST_REST = 60.0
"""Seconds after a start for which nothing is read: a server that begins has better things to do."""
_ASK_AGAIN = 60.0
"""Seconds until a worker asks whether the one that scrubs has ended."""
_HEALING = 600.0
"""Seconds that fetching one file again may take."""
_COUNTED = ("files", "bytes", "damaged", "healed", "unread")


class Scrub:
    """Of one worker. Which of them reads is settled by a lock; the place is kept in the data folder."""

    def __init__(
        self, keep: Keep, *, settings: ScrubSettings | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._keep = keep
        self._settings = settings or keep.settings.scrub
        self._now = now
        data = keep.settings.data
        self._progress = Progress(data, "scrub")
        self._turn = Turn(data / "scrub.lock")
        self._pace = Pace(self._settings.rate)
        self._threads: ThreadPoolExecutor | None = None
        self._mender = Mender(keep)
        self._task: asyncio.Task[None] | None = None
        self._place: dict[str, Any] = {}

    def start(self) -> None:
        """Begins in the background, unless it is switched off."""
        if self._settings.every is not None:
            self._task = asyncio.create_task(self._run(), name="scrub")

    async def close(self) -> None:
        """Ends it at once; the next start goes on from here."""
        self._pace.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._threads is not None:
            self._threads.shutdown(wait=False)
        self._turn.give_back()

    async def _run(self) -> None:
        assert self._settings.every is not None
        await asyncio.sleep(min(_FIRST_REST, self._settings.every.total_seconds() / FOLDERS))
        while True:
            try:
                if self._turn.take():
                    await asyncio.sleep(await self.step())
                else:
                    await asyncio.sleep(_ASK_AGAIN)
            except Stopped:
                return
            except Exception:
                log.exception("scrub_failed", again=_ASK_AGAIN)
                await asyncio.sleep(_ASK_AGAIN)

    async def step(self) -> float:
        """Reads the next folder if it is time for it; gives the seconds until the next one."""
        every = self._settings.every
        assert every is not None
        seconds, now = every.total_seconds(), self._now()
        place = self._place = self._place or _read_place(self._progress.read())
        if place["began"] < 0 or place["began"] > now + seconds:
            # It is the first pass, or the clock was put back.
            place["began"] = now - seconds * place["folder"] / FOLDERS
        due = place["began"] + seconds * place["folder"] / FOLDERS
        if now < due:
            return float(due - now)
        await self._folder(place["folder"])
        place["folder"] += 1
        if place["folder"] >= FOLDERS:
            self._pass_ends(place, seconds)
        self._progress.write(place)
        return 0.0

    def _pass_ends(self, place: dict[str, Any], seconds: float) -> None:
        now = self._now()
        last = {"began": place["began"], "finished": now} | {name: place[name] for name in _COUNTED}
        log.info("scrub_passed", **last)
        place.update(
            dict.fromkeys(_COUNTED, 0), folder=0, began=max(now, place["began"] + seconds), last=last
        )

    async def _folder(self, number: int) -> None:
        found = await self._do(lambda: list(self._keep.blobs.look_in(number)))
        good: list[str] = []
        for lying in found:
            if lying.sha256 is None:
                continue  # what is no blob is served to nobody; verify tells of it
            checked = await self._read(lying, lying.sha256)
            if checked is None or checked.found is None:
                continue
            if checked.good:
                good.append(lying.sha256)
            else:
                await self._deal(lying.sha256, checked)
        # Less what was removed on purpose while the rest of the folder was read: it is not missing.
        await self._keep.kept.add([sha256 for sha256 in good if self._keep.blobs.has(sha256)])

    async def _read(self, lying: Lying, sha256: str) -> Checked | None:
        try:
            checked: Checked = await self._do(lambda: read(lying.path, sha256, pace=self._pace))
        except OSError as error:
            log.warning("scrub_cannot_read", sha256=sha256, why=str(error))
            self._place["unread"] += 1
            return None
        self._place["files"] += 1
        self._place["bytes"] += lying.size
        self._keep.tally.add(measures.SCRUB_FILES)
        self._keep.tally.add(measures.SCRUB_BYTES, lying.size)
        return checked

    async def _deal(self, sha256: str, checked: Checked) -> None:
        """Out of service first: finding out whose it was takes time."""
        keep = self._keep
        try:
            aside = await self._do(lambda: keep.blobs.set_aside(sha256, checked.stamp))
        except OSError as error:
            log.error("damage_not_set_aside", sha256=sha256, why=str(error))
            aside = True
        if not aside:
            return  # another process dealt with it
        self._place["damaged"] += 1
        file = (await self._mender.files_of({sha256})).get(sha256)
        keep.book.damaged(sha256, checked.found or UNREADABLE, file)
        if file is None:
            return
        why: str | None = "it took too long"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEALING):
                why = await self._mender.fetch(file)
        if why is None:
            self._place["healed"] += 1
            keep.tally.add(measures.SCRUB_HEALED)
            log.warning("damage_healed", sha256=sha256, file=file.filename, source=file.source)
        else:
            log.error("damage_stays", sha256=sha256, file=file.filename, why=why)

    async def _do(self, work: Callable[[], T]) -> T:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="scrub", initializer=step_back)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def standing(data: Path) -> dict[str, Any]:
    """How the scrub of a data folder stands, and how its last whole pass and the last ``verify`` ended. Moments are
    seconds since the epoch; empty where nothing is known yet."""
    told = Progress(data, "scrub").read()
    place = _read_place(told)
    found: dict[str, Any] = {"scrub": None, "verify": Progress(data, "verify").read().get("last")}
    if told:
        place["percent"] = 100 * place.pop("folder") // FOLDERS
        found["scrub"] = {"last": None} | place
    return found


def _read_place(told: dict[str, Any]) -> dict[str, Any]:
    """The place as it was noted, or the beginning where it cannot be read."""
    place: dict[str, Any] = {"began": -1.0, "folder": 0} | dict.fromkeys(_COUNTED, 0)
    if all(type(told.get(name)) in (int, float) for name in place):
        place |= {name: told[name] for name in place}
        place["folder"] = min(max(0, int(place["folder"])), FOLDERS - 1)
    if isinstance(told.get("last"), dict):
        place["last"] = told["last"]
    return place
