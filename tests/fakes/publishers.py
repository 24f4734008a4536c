"""Real tools that publish: twine, uv, flit, hatch, poetry and pdm, locked in requirements/publishers.txt.

All but uv lie in one environment of their own, made once and kept in .clients/.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from fakes import clients
from fakes.clients import Client, Done
from fakes.kept import environment_of

TOOLS = ("twine", "uv", "flit", "hatch", "poetry", "pdm")
_BACKENDS = {
    "flit": ("flit_core", "flit_core.buildapi"),
    "poetry": ("poetry-core", "poetry.core.masonry.api"),
}
"""Those that build by themselves; for the others hatchling does, which needs nothing from outside either."""
_PYPROJECT = """\
[build-system]
requires = ["{requires}"]
build-backend = "{backend}"

[project]
name = "{name}"
version = "{version}"
description = "A project"
readme = "README.md"
requires-python = ">=3.8"
authors = [{{ name = "Ann", email = "ann@acme.example" }}]
keywords = ["one", "two"]
classifiers = ["Programming Language :: Python :: 3"]
dependencies = ["never-needed; python_version < '3'"]
"""


@dataclass(slots=True)
class Publisher:
    """One tool, with a project of its own; ``home`` is a folder for it alone."""

    tool: str
    home: Path
    url: str
    """Where it uploads to."""
    env: dict[str, str] = field(default_factory=dict)
    """More variables for its environment."""

    @property
    def name(self) -> str:
        return f"acme-by-{self.tool}"

    def project(self, version: str, text: str = "VERSION = 1\n") -> Path:
        """Makes a project and builds it: a wheel and an sdist in its ``dist``."""
        folder = self.home / f"{self.name}-{version}"
        module = self.name.replace("-", "_")
        (folder / module).mkdir(parents=True)
        (folder / module / "__init__.py").write_text(f'"""A project."""\n{text}')
        (folder / "README.md").write_text("# A project\n\nWith words: äöü.\n")
        requires, backend = _BACKENDS.get(self.tool, ("hatchling", "hatchling.build"))
        told = _PYPROJECT.format(name=self.name, version=version, requires=requires, backend=backend)
        (folder / "pyproject.toml").write_text(told)
        builder = [sys.executable, "-m", "hatchling", "build"]
        if self.tool in _BACKENDS:
            builder = [_program(self.tool), "build"]
        done = self._client(builder).run(cwd=folder)
        assert done.code == 0, done.said
        assert len(list((folder / "dist").iterdir())) == 2
        return folder

    def publish(self, folder: Path, token: str, *more: str) -> Done:
        """Uploads what was built; without a token (pdm) as whoever its environment says that it is."""
        files = [str(path) for path in sorted((folder / "dist").iterdir())]
        user = ["--username", "__token__", "--password", token] if token else []
        words: list[str]
        match self.tool:
            case "uv":
                return clients.uv(self.home).run(
                    "publish", "--publish-url", self.url, "--token", token, *more, *files, cwd=folder
                )
            case "twine":
                words = ["upload", "--repository-url", self.url, "--non-interactive", *user, *more, *files]
            case "flit":
                words = ["publish", *more]
            case "poetry":
                words = ["publish", "--no-interaction", "--repository", "keep", *user, *more]
            case "hatch":
                words = [
                    "publish",
                    "--no-prompt",
                    "--repo",
                    self.url,
                    "--user",
                    "__token__",
                    "--auth",
                    token,
                    *more,
                ]
                words += files
            case _:
                words = ["publish", "--no-build", "--repository", self.url, *user, *more]
        env = {"FLIT_INDEX_URL": self.url, "FLIT_USERNAME": "__token__", "FLIT_PASSWORD": token}
        return self._client([_program(self.tool)], env).run(*words, cwd=folder)

    def run(self, *words: str, folder: Path) -> Done:
        """Any command of the tool, in a project's folder."""
        return self._client([_program(self.tool)]).run(*words, cwd=folder)

    def _client(self, command: list[str], env: dict[str, str] | None = None) -> Client:
        alone = {
            "FLIT_NO_NETWORK": "1",
            "POETRY_REPOSITORIES_KEEP_URL": self.url,
            "POETRY_VIRTUALENVS_CREATE": "false",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PDM_CHECK_UPDATE": "0",
            "TERM": "dumb",
            "COLUMNS": "500",
        }
        return Client(self.tool, self.home, command, env=alone | self.env | (env or {}))


def _program(tool: str) -> str:
    return str(environment_of("publishers") / "bin" / tool)
