"""Every way from a lock to what is installed: locks made through a keep, then real clients on empty machines.

ways = Ways(tmp_path, server, ["part-00"])
ways.lock()                  # with uv and with the keep
ways.from_keep(PIPS)         # uv sync --frozen, pip install --require-hashes
ways.from_house("folder", str(house), house / "requirements.txt", PIPS)
ways.came                    # by way: every file that was installed
"""

from collections.abc import Iterable
from pathlib import Path

from fakes.clients import Client, versions
from fakes.command import Ran, quickly
from fakes.machines import Machine
from fakes.server import Server

_PROJECT = """
[project]
name = "work"
version = "1.0"
requires-python = ">=3.11"
dependencies = {needs}

[tool.uv]
package = false
"""


class Ways:
    def __init__(self, folder: Path, server: Server, needs: list[str], **variables: str) -> None:
        """``variables``: more of the keep's environment."""
        self.came: dict[str, dict[str, str]] = {}
        self.project = folder / "project"
        self.locks = self.project / "uv.lock", self.project / "requirements.txt"
        self.machine = Machine(folder / "machine")
        self._server, self._needs, self._variables = server, needs, variables

    def keep(self, *words: str | Path) -> Ran:
        """A command on the keep's data, beside its server."""
        ran = quickly("-c", self._server.config, *words, cwd=self._server.folder, **self._variables)
        assert ran.code == 0, f"{ran.out}\n{ran.err}"
        return ran

    def lock(self, *words: str) -> None:
        """A lock by uv and one by the keep, both through the keep; ``words``: more for the latter."""
        self.project.mkdir()
        (self.project / "pyproject.toml").write_text(_PROJECT.format(needs=self._needs))
        done = self._uv().run("lock", "--no-cache", cwd=self.project)
        assert done.code == 0, done.said
        self.keep("lock", *self._needs, *words, "-o", self.locks[1])

    def from_keep(self, pips: Iterable[str]) -> None:
        self._ran("uv sync", self._uv(), "sync", "--frozen")
        hashed = ("--require-hashes", "--no-compile", "-r", str(self.locks[1]))
        for version in pips:
            client = self.machine.pip(version)
            index = self._server.simple()
            self._ran(f"pip {version}, by hashes", client, "install", "--index-url", index, *hashed)

    def from_house(self, name: str, where: str, requirements: Path, pips: Iterable[str]) -> None:
        """``where``: a folder, or the address of a page."""
        links = ("--no-index", "--find-links", where, "--require-hashes", "-r", str(requirements))
        for version in pips:
            client = self.machine.pip(version)
            self._ran(f"pip {version}, from a {name}", client, "install", "--no-compile", *links)
        self._ran(f"uv, from a {name}", self.machine.uv(), "pip", "install", *links)

    def versions(self) -> dict[str, str]:
        """What is installed now."""
        return versions(self.machine.site)

    def _uv(self) -> Client:
        client = self.machine.uv()
        client.env["UV_DEFAULT_INDEX"] = self._server.simple()
        return client

    def _ran(self, name: str, client: Client, *words: str) -> None:
        done = client.run(*words, cwd=self.project)
        assert done.code == 0, done.said
        self.came[name] = self.machine.installed()
