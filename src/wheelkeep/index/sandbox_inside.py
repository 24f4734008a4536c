"""The first program inside a sandbox: it gives up what it may still do, runs the build and hands over its files.

It stands alone (the standard library, nothing of wheelkeep) and is run as a file. From the moment it starts the build
it is in the build's hands: whoever reads what it writes must believe none of it.
"""

import asyncio
import contextlib
import json
import os
import resource
import signal
import stat
import struct
import sys
from typing import Any, BinaryIO

_MOST_CONNECTIONS = 64
_PIECE = 1 << 18
_LONGEST_NAME = 1000


def main() -> None:
    """Says a NUL when all walls stand, reads the plan (JSON) from its input, and does it."""
    os.write(1, b"\0")
    told = sys.stdin.buffer.read()
    if not told:  # whoever started it is gone
        return
    plan: dict[str, Any] = json.loads(told)
    if plan["alone"] and os.getpid() > 2:
        sys.exit("this is no sandbox: it would have ended processes of others")
    _become(plan["user"])
    _bound(plan["bounds"])
    with os.fdopen(plan["files"], "wb") as files:
        code = asyncio.run(_run(plan))
        files.write(b"E" + struct.pack(">i", code))
        if code == 0:
            _hand_over(plan["places"]["out"], files)
        files.write(b".")


def _become(user: int | None) -> None:
    """Another user without groups; root's powers are gone with it, for good."""
    with contextlib.suppress(OSError):
        # Where the machine's memory ends, this ends first.
        with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
            score.write("1000")
        os.nice(10)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _bound(bounds: dict[str, int]) -> None:
    """Sets resource limits by their names (getrlimit(2)), which nothing that is started from here can raise."""
    for name, most in bounds.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        before = resource.getrlimit(kind)[1]
        new = most if before == resource.RLIM_INFINITY else min(most, before)
        with contextlib.suppress(ValueError, OSError):  # macOS knows some by name alone
            resource.setrlimit(kind, (new, new))


async def _run(plan: dict[str, Any]) -> int:
    """How the command ended, as ``subprocess`` tells it."""
    places: dict[str, str] = plan["places"]
    for name in ("out", "work"):
        os.makedirs(places[name], exist_ok=True)  # noqa: PTH103
    server = None
    if plan["socket"] is not None:
        gate = _Gate(plan["socket"])
        server = await asyncio.start_server(gate.take, "127.0.0.1", plan["port"], limit=_PIECE)
        places["index"] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    environment = {name: _put(value, places) for name, value in plan["environment"].items()}
    for folder in (environment["HOME"], environment["TMPDIR"]):
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    command = [_put(word, places) for word in plan["command"]]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=places["work"],
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            # Without walls they are one group, so that it can be ended as one.
            start_new_session=plan["alone"],
        )
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", flush=True)  # noqa: T201
        return 127
    code = await process.wait()
    if plan["alone"]:
        # What it left running has no part in what is handed over, and changes nothing of it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(-1, signal.SIGKILL)
    if server is not None:
        server.close()
    return code


def _put(text: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        text = text.replace("{" + name + "}", place)
    return text


class _Gate:
    """Hands what comes on a port to the index's socket, and back."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: set[asyncio.Task[object] | None] = set()
        """Nothing else holds a task that waits for the other side: it would be collected, its connections closed."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._open.add(task)
        try:
            if len(self._open) <= _MOST_CONNECTIONS:
                there, away = await asyncio.open_unix_connection(self._path, limit=_PIECE)
                try:
                    await asyncio.gather(_pass(reader, away), _pass(there, writer))
                finally:
                    away.close()
        except OSError:
            pass  # the build sees a connection that was closed
        finally:
            self._open.discard(task)
            writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()


def _hand_over(folder: str, files: BinaryIO) -> None:
    """Every name of the folder: plain files with their bytes, anything else by its name alone."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = os.fsencode(entry.name)[:_LONGEST_NAME]
            told = struct.pack(">H", len(name)) + name
            try:
                handle = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                files.write(b"X" + told)
                continue
            size = os.fstat(handle).st_size
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                files.write(b"X" + told)
                continue
            with os.fdopen(handle, "rb") as file:
                files.write(b"F" + told + struct.pack(">Q", size))
                while piece := file.read(_PIECE):
                    files.write(piece)


if __name__ == "__main__":
    main()
