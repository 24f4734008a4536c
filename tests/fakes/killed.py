"""The ``wheelkeep`` command, killed (SIGKILL) at a chosen moment: when a function is called for the n-th time.

    killed("os.rename", 3, "mirror", "-r", "lock.txt", cwd=folder)

What the function would have done is not done; what else was under way is left as it is.
"""

import signal
import subprocess
import sys
from pathlib import Path

from fakes.server import environment

_ARMED = """
import importlib, os, signal, sys

from wheelkeep.cli.main import main

(module, _, name), left = sys.argv[1].rpartition("."), [int(sys.argv[2])]
module = importlib.import_module(module)
honest = getattr(module, name)


def counted(*given, **named):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return honest(*given, **named)


setattr(module, name, counted)
sys.argv[:] = ["wheelkeep", *sys.argv[3:]]
main()
"""


def killed(function: str, call: int, *words: str | Path, cwd: Path) -> None:
    """Runs it until that moment, which must come."""
    ran = subprocess.run(
        [sys.executable, "-P", "-c", _ARMED, function, str(call), *map(str, words)],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.returncode == -signal.SIGKILL, (ran.returncode, ran.stdout, ran.stderr)
