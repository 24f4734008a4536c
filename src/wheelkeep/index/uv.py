"""The uv resolver as a child process that talks to one address and builds nothing."""

import asyncio
import contextlib
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.resolved import Resolved, read_resolved

_OWN = ("UV_", "PIP_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_OPTIONS = (
    "--no-config", "--no-progress", "--color", "never", "--quiet", "--universal", "--no-header", "--no-build",
    "--annotation-style", "line", "--no-emit-index-url", "--keyring-provider", "disabled", "--no-python-downloads",
)  # fmt: skip


class UvMissing(WheelkeepError):
    """There is no uv on this machine."""


class Unresolvable(WheelkeepError):
    """uv found no set of versions that fits, or gave up; its text is uv's own."""


def find_uv() -> str:
    """uv beside this Python, else on PATH. Raises UvMissing."""
    beside = Path(sysconfig.get_path("scripts"))
    found = shutil.which("uv", path=str(beside)) or shutil.which("uv")
    if found is None:
        raise UvMissing(
            f"uv, which resolves dependencies, is neither in {beside} nor on PATH: pip install uv"
        )
    return found


async def resolve(
    uv: str, requirements: Sequence[str], index: str, *, python: str, constraints: Sequence[str] = ()
) -> tuple[Resolved, ...]:
    """All that the requirements come to, for all platforms and every Python from ``python`` (``3.10``) on.

    ``constraints`` bound what is needed, and need nothing themselves. Raises Unresolvable with what uv said.
    """
    with tempfile.TemporaryDirectory(prefix="wheelkeep-uv-") as folder:
        bounds = Path(folder) / "constraints.txt"
        bounds.write_text("".join(f"{one}\n" for one in constraints))
        command = [
            uv,
            "pip",
            "compile",
            "-",
            *_OPTIONS,
            "--python-version",
            python,
            "--python",
            sys.executable,
            "--constraint",
            str(bounds),
        ]
        process = await asyncio.create_subprocess_exec(
            *command,
            "--cache-dir",
            str(Path(folder) / "cache"),
            cwd=folder,
            # Not among its words, which every user of this machine may read.
            env=_environment() | {"UV_DEFAULT_INDEX": index},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, said = await process.communicate("".join(f"{one}\n" for one in requirements).encode())
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
    if process.returncode != 0:
        raise Unresolvable(said.decode("utf-8", "replace").strip() or f"uv ended with {process.returncode}")
    try:
        return read_resolved(out.decode("utf-8", "replace"))
    except ValueError as error:
        raise Unresolvable(str(error)) from None


def _environment() -> dict[str, str]:
    """This process's, less what would lead uv elsewhere: its own settings, and proxies, as it talks to us alone."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OWN) and name.lower() not in _PROXIES and name != "VIRTUAL_ENV"
    }
    return kept | {"NO_PROXY": "127.0.0.1", "UV_HTTP_TIMEOUT": "60"}
