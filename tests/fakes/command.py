"""The ``wheelkeep`` command as a person runs it: ``wheelkeep`` in a process of its own, ``quickly`` in this one."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from fakes.server import environment, program
from wheelkeep.cli.main import command

_PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}


@dataclass(slots=True)
class Ran:
    """``code``: 0 done, 1 the answer is no, 2 wrong usage or configuration."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def wheelkeep(*words: str | Path, cwd: Path | None = None, **variables: str) -> Ran:
    """Runs it in a folder; ``variables`` go into its environment."""
    ran = subprocess.run(
        [program(), *map(str, words)],
        cwd=cwd,
        env=environment(**_PLAIN) | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def quickly(*words: str | Path, cwd: Path, **variables: str) -> Ran:
    """The same without the start of a process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    configure = structlog.configure

    def uncached(**settings: Any) -> None:
        # The loggers of this process would else write to ``err`` for ever.
        configure(**settings | {"cache_logger_on_first_use": False})

    with contextlib.ExitStack() as stack:
        stack.callback(structlog.reset_defaults)
        stack.enter_context(mock.patch.object(structlog, "configure", uncached))
        stack.enter_context(mock.patch.object(sys, "argv", ["wheelkeep", *map(str, words)]))
        stack.enter_context(mock.patch.dict(os.environ, environment(**_PLAIN) | variables, clear=True))
        # ``serve`` becomes another program where all is well, which this process must not.
        stack.enter_context(mock.patch.object(os, "execv", side_effect=AssertionError("it would serve")))
        stack.enter_context(contextlib.chdir(cwd))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            command()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return Ran(code, out.getvalue(), err.getvalue())
