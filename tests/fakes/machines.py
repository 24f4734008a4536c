"""A machine on which nothing was ever installed: an environment that is made anew each time, at the same path, and a
home without a cache.

What is installed on it is compared byte by byte, but for what each installer writes by itself: RECORD, INSTALLER,
REQUESTED, direct_url.json, uv_cache.json and uv_build.json, and the launchers in ``bin``, which are compared by name.
"""

import shutil
import sys
import sysconfig
from pathlib import Path

from fakes import clients
from fakes.clients import Client, contents

_OWN = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")


class Machine:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = folder / "environment"
        self._before: dict[str, str] = {}

    def uv(self) -> Client:
        """uv on the emptied machine."""
        self._empty()
        client = clients.uv(self._folder / "home")
        # In this order: VIRTUAL_ENV is what ``uv pip`` installs into, the other what ``uv sync`` does.
        client.env = {
            "VIRTUAL_ENV": str(self.environment),
            "UV_PROJECT_ENVIRONMENT": str(self.environment),
            "UV_PYTHON": str(self._python),
        }
        return client

    def pip(self, version: str) -> Client:
        """A pip on the emptied machine."""
        self._empty()
        client = clients.pip(version, self._folder / "home")
        client.command = [str(self._python), "-m", "pip"]
        return client

    def installed(self) -> dict[str, str]:
        """Every file that was installed, with the hash of its bytes; of what installers write, the name at most."""
        found = contents(self.environment)
        new = {path: told for path, told in found.items() if self._before.get(path) != told}
        parts = {path: path.split("/") for path in new}
        return {
            path: "" if parts[path][0] == "bin" else told
            for path, told in new.items()
            if not (parts[path][-1] in _OWN and parts[path][-2].endswith(".dist-info")) and path != ".lock"
        }

    @property
    def site(self) -> Path:
        """Where the packages lie."""
        return next((self.environment / "lib").glob("python*/site-packages"))

    @property
    def _python(self) -> Path:
        return self.environment / "bin" / "python"

    def _empty(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "home").mkdir(parents=True)
        uv = Path(sysconfig.get_path("scripts")) / "uv"
        maker = Client("uv", self._folder / "home", [str(uv)])
        done = maker.run("venv", "--no-cache", "--python", sys.executable, str(self.environment))
        assert done.code == 0, done.said
        self._before = contents(self.environment)
