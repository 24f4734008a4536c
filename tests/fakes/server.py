"""``wheelkeep serve`` in a process of its own, with a configuration and a data folder that outlive it.

    with Server(tmp_path, config) as server:
        ask(f"{server.url}/main/simple/")

It ends with SIGTERM, and must end well: exit code 0, and nothing in its log that only a defect writes.
"""

import contextlib
import os
import re
import signal
import subprocess
import sysconfig
import time
from pathlib import Path
from typing import Self

from fakes.ask import Reply, ask
from fakes.blank import blank

PATIENCE = 60.0
"""Seconds that anything may take on a busy machine before a test calls it hung."""
_READY = re.compile(r"^wheelkeep: ready on (http://\S+)$", re.MULTILINE)
_DEFECT = re.compile(
    r"request_failed|Traceback|never retrieved|never awaited|Exception ignored|ResourceWarning|RuntimeWarning"
)
_OURS = ("WHEELKEEP_", "PIP_", "UV_", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS")


def program() -> str:
    """The ``wheelkeep`` command of this environment."""
    return str(Path(sysconfig.get_path("scripts")) / "wheelkeep")


def environment(**more: str) -> dict[str, str]:
    """This process's, less all that would lead elsewhere: proxies, and the settings of the keep and its clients."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and not name.lower().endswith("_proxy")
    }
    return kept | more


class Server:
    """A server; ``url`` is its address without a slash at the end, and stays the same over restarts."""

    def __init__(
        self,
        folder: Path,
        config: str,
        *,
        options: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
        under: tuple[str, ...] = (),
    ) -> None:
        """``under``: a program that becomes the server, such as ``prlimit --nofile=256``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "wheelkeep.toml"
        self.config.write_text(config)
        self.data = folder / "wheelkeep-data"
        blank(self.data)
        self.options = options
        self.under = under
        self.env = {} if env is None else env
        self.url = ""
        self._log = folder / "log.txt"
        self._began = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it wrote to standard error since it was last started."""
        return self._log.read_bytes()[self._began :].decode() if self._log.exists() else ""

    def start(self) -> Self:
        """Starts it and waits until it says that it is ready."""
        self._began = self._log.stat().st_size if self._log.exists() else 0
        listen = self.url.removeprefix("http://") or "127.0.0.1:0"
        command = [*self.under, program(), "-c", str(self.config), "serve", "--listen", listen, *self.options]
        watched = environment(PYTHONWARNINGS="default::ResourceWarning,default::RuntimeWarning") | self.env
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=watched,
                cwd=self.folder,
                start_new_session=True,
            )
        until = time.monotonic() + PATIENCE
        while (ready := _READY.search(self.log)) is None:
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise AssertionError(f"the server did not get ready:\n{self.log[-4000:]}")
            time.sleep(0.03)
        self.url = ready[1]
        return self

    def terminate(self) -> None:
        """Asks it to end (SIGTERM), and does not wait."""
        assert self._process is not None
        self._process.terminate()

    def wait(self) -> None:
        """Waits for its end, which must be a clean one."""
        assert self._process is not None
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end:\n{self.log[-4000:]}") from None
        self._process = None
        assert code == 0, f"exit code {code}:\n{self.log[-4000:]}"
        assert not _DEFECT.search(self.log), "\n".join(
            line for line in self.log.splitlines() if not re.search(r'"event": "request"', line)
        )[-6000:]

    def stop(self) -> None:
        """Ends it in good order; nothing to do where it does not run."""
        if self._process is not None:
            self.terminate()
            self.wait()

    def kill(self) -> None:
        """Ends it at once, with all its processes, as a loss of power would (SIGKILL)."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    @property
    def processes(self) -> list[int]:
        """The ids of those that live: the one that was started, then its workers."""
        if self._process is None or self._process.poll() is not None:
            return []
        own = self._process.pid
        try:
            children = Path(f"/proc/{own}/task/{own}/children").read_text()
        except OSError:
            return []  # it has just ended
        return [own, *map(int, children.split())]

    def behead(self) -> None:
        """Ends the process that was started and no other (SIGKILL), as who knows its id alone would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self) -> Self:
        """Another process on the same address and the same data."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Where the test failed already, that is what should be told.
        self.stop() if kind is None else self.kill()

    def simple(self, index: str = "main") -> str:
        """What a client is given as its index."""
        return f"{self.url}/{index}/simple/"

    def get(self, path: str, method: str = "GET", *, timeout: float = PATIENCE, **headers: str) -> Reply:
        """One request to a path on this server; see ``ask``."""
        return ask(self.url + path, method, timeout=timeout, **headers)

    def blobs(self) -> dict[str, Path]:
        """The stored files, by their names."""
        return {path.name: path for path in (self.data / "blobs" / "sha256").glob("*/*")}
