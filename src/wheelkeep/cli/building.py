"""What builds wheels for a command: the Python, uv, the sandbox, and the index that the sandbox may ask."""

import asyncio
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import typer
from msgspec import Struct

from wheelkeep.core.targets import Targets
from wheelkeep.core.units import read_duration, read_size
from wheelkeep.index.build_attempt import Serves, Shop
from wheelkeep.index.index import Index
from wheelkeep.index.interpreter import NoInterpreter, find_interpreter
from wheelkeep.index.keep import Keep
from wheelkeep.index.sandbox import Limits, ready
from wheelkeep.index.uv import find_uv
from wheelkeep.web.build_index import serve

UNSAFE = (
    "without a sandbox what the sdists say runs with your own rights: it can read and change all that you can"
)


class Bounds(Struct, frozen=True, kw_only=True):
    """How builds are to run."""

    limits: Limits
    sandboxed: bool
    once: bool = False
    anew: bool = False


def read_bounds(time: str, memory: str, *, unsafe: bool, once: bool = False, anew: bool = False) -> Bounds:
    """``--time 30m`` and ``--memory 4GiB``. Raises BadParameter (exit 2)."""
    try:
        seconds = read_duration(time).total_seconds()
    except ValueError as error:
        raise typer.BadParameter(f"--time {error}") from None
    try:
        limits = Limits(seconds=seconds, memory=read_size(memory))
    except ValueError as error:
        raise typer.BadParameter(f"--memory {error}") from None
    return Bounds(limits=limits, sandboxed=not unsafe, once=once, anew=anew)


async def open_shop(python: str | None, bounds: Bounds, keep: Keep) -> Shop:
    """Raises BadParameter where that Python is not here, NoSandbox, UvMissing."""
    if bounds.sandboxed:
        await ready()
    else:
        print(f"wheelkeep: warning: {UNSAFE}", file=sys.stderr)
    try:
        interpreter = await find_interpreter(python)
    except NoInterpreter as error:
        raise typer.BadParameter(f"--python: {error}") from None
    uv = await asyncio.to_thread(lambda: Path(find_uv()).resolve())

    def serves(index: Index, who: str) -> AbstractAsyncContextManager[Serves]:
        return serve(keep, index, who)

    return Shop(
        python=interpreter,
        uv=uv,
        uv_version=await asyncio.to_thread(_version, uv),
        serve=serves,
        limits=bounds.limits,
        sandboxed=bounds.sandboxed,
        once=bounds.once,
        anew=bounds.anew,
    )


def targets_of(shop: Shop, *, every: bool) -> Targets:
    """The one machine that builds; ``every``: sdists also where it installs a wheel."""
    return Targets(machines=(shop.python.machine,), sdists=every)


def minor_of(shop: Shop) -> str:
    """The version of Python to resolve for: ``3.12``."""
    return shop.python.machine.environment["python_version"]


def _version(uv: Path) -> str:
    ran = subprocess.run([uv, "--version"], capture_output=True, text=True, timeout=20, check=False)
    words = ran.stdout.split()
    return words[1][:40] if len(words) > 1 else "unknown"
