"""Runs a command that nobody trusts, so that it can do nothing outside: its files, or why there are none, come back.

What the command could want and what stands against it is listed in the ADR on the sandbox; bubblewrap's arguments are
in ``sandbox_walls``, its first program inside in ``sandbox_inside``.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.said import Said, cleaned
from wheelkeep.core.seccomp import build_filter
from wheelkeep.core.units import size_words, time_words
from wheelkeep.index.sandbox_walls import (
    INSIDE,
    SOCKET,
    WORK,
    NoSandbox,
    arguments,
    copy_given,
    find_walls,
    kernel,
    make_room,
    no_sandbox,
    python_inside,
)
from wheelkeep.index.sandbox_watch import Watcher
from wheelkeep.store.left_files import LeftFiles, Unfit
from wheelkeep.store.scratch import scratch

__all__ = ["Ended", "Limits", "NoSandbox", "ready", "sandboxed"]

_FLOOD = 256
"""So many times what is kept of its words a command may print."""
_PATIENCE = 60
"""Seconds for a sandbox to stand; what runs in it has its own."""
_LAST_WORDS = 5
"""Seconds within which everything is over once it was ended."""
_PIECE = 1 << 20
_ROOM_TO_RESERVE = 16 << 30
"""Bytes of addresses, not of memory: runtimes reserve far more than they use."""


class Limits(Struct, frozen=True, kw_only=True):
    """What a command may take, all its processes together: seconds, bytes of memory (its files are in it), bytes of
    files, processes at once, bytes that it leaves, and bytes of what it prints that are kept.
    """

    seconds: float = 1800
    memory: int = 4 * 1024**3
    disk: int = 4 * 1024**3
    processes: int = 256
    output: int = 1024**3
    said: int = 1_000_000


class Ended(Struct, frozen=True, kw_only=True):
    """How it went: ``why`` is empty if all is well, else a sentence; then nothing was produced.

    ``code`` is what the command ended with (below zero: a signal), None if it was ended. ``said`` is the end of what it
    printed, fit to be shown. ``produced`` are files in ``out``, in order of their names.
    """

    code: int | None
    why: str
    said: str
    produced: tuple[Path, ...]


async def ready() -> None:
    """Tries whether there can be a sandbox; raises NoSandbox."""
    with tempfile.TemporaryDirectory(prefix="wheelkeep-") as folder:
        ended = await sandboxed(
            ["true"],
            given={},
            environment={},
            readable=(),
            index_socket=None,
            out=Path(folder),
            limits=Limits(seconds=_PATIENCE),
        )
    if ended.why:
        raise NoSandbox(
            f"a sandbox was made, and nothing could be run in it: {ended.why} {ended.said}".strip()
        )


async def sandboxed(
    command: Sequence[str],
    *,
    given: Mapping[str, Path],
    environment: Mapping[str, str],
    readable: Sequence[Path],
    index_socket: Path | None,
    out: Path,
    limits: Limits,
    unsafe: bool = False,
) -> Ended:
    """Runs the command, and puts the files that it leaves in its ``{out}`` into ``out``, a folder that is there.

    In the command and in the values of the environment ``{in}``, ``{out}``, ``{work}`` and ``{index}`` stand for the
    folder of what is given, the one for files to keep, the working folder, and the address that leads to
    ``index_socket``; nothing else can be reached. As root the socket becomes the sandbox's user's: keep it in a folder
    that others may not enter. ``readable``: files and folders that can be read at their own places, besides /usr.

    ``unsafe``: there is no sandbox, only the limits that hold for single processes, and the same result.
    Raises NoSandbox, and Unwritable where ``out`` takes no more.
    """
    with scratch("wheelkeep-build-") as folder:
        build = _Build(folder, limits, LeftFiles(out, limits.output))
        try:
            if unsafe:
                await build.start_unsafe(given, index_socket)
            else:
                await build.start(given, readable, index_socket)
            return await build.run(command, environment)
        finally:
            await asyncio.shield(build.end())


class _Build:
    """One run: ``start`` or ``start_unsafe``, then ``run``, and ``end`` in any case."""

    def __init__(self, folder: Path, limits: Limits, left: LeftFiles) -> None:
        self._folder = folder
        self._limits = limits
        self._left = left
        self._said = Said(limits.said)
        self._plan: dict[str, object] = {"user": None, "alone": False, "socket": None, "port": 0}
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: Watcher | None = None
        self._first: int | None = None
        self._heard: asyncio.Task[str | None] | None = None
        self._ours = contextlib.ExitStack()
        self._theirs: list[int] = []
        self._files: _Pipe

    async def start(
        self, given: Mapping[str, Path], readable: Sequence[Path], index_socket: Path | None
    ) -> None:
        limits = self._limits
        walls = await asyncio.to_thread(find_walls)
        room = await asyncio.to_thread(
            lambda: make_room(
                self._folder, given, readable, walls=walls, socket=index_socket, disk=limits.disk
            )
        )
        status = self._pipe()
        rules = self._bytes(build_filter(platform.machine()))
        words = [*arguments(walls, room), "--seccomp", str(rules), "--json-status-fd", str(status.writing)]
        # Whoever can list processes need not see where things lie.
        listed = self._bytes(b"".join(os.fsencode(word) + b"\0" for word in words))
        python = [python_inside(), "-I", "-S", "-B"]
        error = await self._spawn([walls.bwrap, "--args", str(listed), "--", *python, INSIDE])
        if error is not None:
            raise no_sandbox(error)
        # The first line came before the walls were closed.
        first: int = json.loads((await status.read()).split(b"\n")[0])["child-pid"]
        self._first = os.pidfd_open(first)
        self._ours.callback(os.close, self._first)
        self._watcher = Watcher(first, memory=limits.memory, disk=limits.disk, processes=limits.processes)
        self._ours.callback(self._watcher.close)
        self._plan |= {
            "user": walls.user,
            "alone": True,
            "bounds": _bounds(limits) | _most_processes(limits, own=walls.user is not None),
            "places": {"in": "/in", "out": f"{WORK}/out", "work": WORK},
            "socket": None if index_socket is None else SOCKET,
            "port": 8080,
        }

    async def start_unsafe(self, given: Mapping[str, Path], index_socket: Path | None) -> None:
        await asyncio.to_thread(copy_given, self._folder / "in", given)
        inside = Path(__file__).with_name("sandbox_inside.py")
        error = await self._spawn([sys.executable, "-I", "-S", "-B", str(inside)])
        if error is not None:
            raise WheelkeepError(f"the build could not be started: {error}")
        self._plan |= {
            "bounds": _bounds(self._limits),
            "places": {name: str(self._folder / name) for name in ("in", "out", "work")},
            "socket": None if index_socket is None else str(index_socket),
        }

    async def run(self, command: Sequence[str], environment: Mapping[str, str]) -> Ended:
        usual = {
            "HOME": "{work}/home",
            "TMPDIR": "{work}/tmp",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        self._plan |= {"command": list(command), "environment": usual | dict(environment)}
        assert self._process is not None and self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(json.dumps(self._plan).encode())
            await self._process.stdin.drain()
        self._process.stdin.close()
        why = await self._attend()
        code = self._left.code
        if not why and code:
            full = self._watcher is not None and self._watcher.full()
            ended = f"signal {-code}" if code < 0 else f"exit {code}"
            why = f"it filled the disk that it was given ({ended})" if full else ended
        await self.end()
        self._left.close(keep=not why)
        return Ended(code=code, why=why, said=self._said.text(), produced=self._left.files)

    async def _attend(self) -> str:
        """Until it is over: why it was ended, or nothing."""
        assert self._heard is not None
        tasks: list[asyncio.Task[str | None]] = [self._heard]
        if self._watcher is not None:
            tasks.insert(0, asyncio.create_task(self._watcher.watch()))
        tasks.append(asyncio.create_task(self._collect()))
        open_ = set(tasks)
        try:
            async with asyncio.timeout(self._limits.seconds):
                while True:
                    await asyncio.wait(open_, return_when=asyncio.FIRST_COMPLETED)
                    for task in tasks:
                        if task in open_ and task.done():
                            open_.remove(task)
                            if (why := task.result()) is not None:
                                return why
        except TimeoutError:
            return f"it took longer than {time_words(self._limits.seconds)}"
        finally:
            for task in open_ - {self._heard}:
                task.cancel()

    async def _collect(self) -> str | None:
        try:
            while not self._left.whole:
                piece = await self._files.read()
                if not piece:
                    return "it ended before it had handed over what it made"
                self._left.feed(piece)
        except Unfit as error:
            return str(error)
        return ""

    async def _hear(self, pipe: "_Pipe") -> str | None:
        """Keeps the end of what is said; None when there is no more, a sentence where it is far too much."""
        while piece := await pipe.read():
            self._said.add(piece)
            if self._said.size > self._limits.said * _FLOOD:
                return f"it printed more than {size_words(self._limits.said * _FLOOD)}"
        return None

    async def end(self) -> None:
        """Ends whatever runs, waits until nothing does, and gives back what was held. More than once is once."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                if self._first is not None:
                    signal.pidfd_send_signal(self._first, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            if self._first is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_WORDS):
                        await _readable(self._first)
        if self._heard is not None:
            # What was said last is still on its way.
            await asyncio.wait({self._heard}, timeout=_LAST_WORDS)
            self._heard.cancel()
        self._ours.close()
        self._close_theirs()
        self._left.close()

    async def _spawn(self, words: list[str]) -> str | None:
        """Starts the first program; what was said if it came to nothing."""
        heard = self._pipe()
        self._files = self._pipe()
        self._plan["files"] = self._files.writing
        self._process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=heard.writing,
            stderr=heard.writing,
            env={},
            pass_fds=self._theirs,
            start_new_session=True,
        )
        self._close_theirs()
        first = b""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not first.endswith(b"\0"):
                    piece = await heard.read()
                    first += piece
                    if not piece or len(first) > _PIECE:
                        return cleaned(first) or "nothing"
        except TimeoutError:
            return f"nothing within {time_words(_PATIENCE)}"
        self._heard = asyncio.create_task(self._hear(heard))
        return None

    def _pipe(self) -> "_Pipe":
        pipe = _Pipe()
        self._ours.callback(pipe.close)
        self._theirs.append(pipe.writing)
        return pipe

    def _bytes(self, body: bytes) -> int:
        """A file in memory that holds them, for the first program to read."""
        handle = os.memfd_create("wheelkeep")
        self._theirs.append(handle)
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(body)
        os.lseek(handle, 0, os.SEEK_SET)
        return handle

    def _close_theirs(self) -> None:
        """They are the child's alone then, so that their end is seen."""
        while self._theirs:
            os.close(self._theirs.pop())


class _Pipe:
    """A pipe: we read, the child writes. Whoever uses it closes ``writing``."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        with contextlib.suppress(OSError, AttributeError):  # it is only faster with more room
            fcntl.fcntl(self.reading, fcntl.F_SETPIPE_SZ, _PIECE)

    async def read(self) -> bytes:
        """What has come, once something has; nothing at its end. Others have their turn between any two."""
        while True:
            await _readable(self.reading)
            with contextlib.suppress(BlockingIOError):
                return os.read(self.reading, _PIECE)

    def close(self) -> None:
        os.close(self.reading)


async def _readable(handle: int) -> None:
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(handle, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(handle)


def _bounds(limits: Limits) -> dict[str, int]:
    """Limits of each process; what holds for all of them together is the watcher's."""
    processors = os.cpu_count() or 1
    return {
        "CORE": 0,
        "MSGQUEUE": 0,
        # Also what the kernel keeps for each: a socket can hold 200 KB that no process has.
        "NOFILE": 1024,
        # A little more, so that a full disk is what is seen first.
        "FSIZE": limits.disk + (1 << 20),
        "CPU": (int(limits.seconds) + 1) * processors,
        "DATA": 2 * limits.memory,
        "AS": max(_ROOM_TO_RESERVE, 4 * limits.memory),
    }


def _most_processes(limits: Limits, *, own: bool) -> dict[str, int]:
    """With threads, so it is more than the watcher allows. ``own``: nobody else is this user.

    Linux counts those of a user namespace by themselves since 5.14; before, all that a user runs would count.
    """
    return {"NPROC": 4 * limits.processes} if own or kernel() >= (5, 14) else {}
