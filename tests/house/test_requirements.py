"""What is imported is stated in pyproject.toml, and what is stated is locked, with hashes and without addresses."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, list[str]]:
    stated = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return {"run": stated["project"]["dependencies"], "dev": stated["dependency-groups"]["dev"]}


def locked(root: Path, which: str) -> dict[str, str]:
    return dict(PINNED.findall((root / f"requirements/{which}.txt").read_text(encoding="utf-8")))


def test_every_import_is_stated(sources: dict[str, str], project: dict[str, list[str]]) -> None:
    stated = {canonicalize_name(Requirement(text).name) for text in project["run"]}
    owners = packages_distributions()
    unstated = {
        f"{name}: {module}"
        for name, text in sources.items()
        for module in imports(text) - sys.stdlib_module_names - {"wheelkeep"}
        if not {canonicalize_name(owner) for owner in owners.get(module, [])} & stated
    }
    assert not unstated


def imports(text: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("which", ["run", "dev"])
def test_what_is_stated_is_locked(root: Path, project: dict[str, list[str]], which: str) -> None:
    versions = locked(root, which)
    for requirement in map(Requirement, project[which]):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not locked: make lock"
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{requirement} is not {version}: make lock"
        )


def test_development_runs_what_is_served(root: Path) -> None:
    run, dev = (locked(root, which) for which in ("run", "dev"))
    assert run.items() <= dev.items()


def test_locks_have_hashes_and_no_addresses(root: Path) -> None:
    for path in sorted((root / "requirements").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        entries = re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)[1:]
        assert entries, path.name
        assert all(PINNED.match(entry) and "--hash=sha256:" in entry for entry in entries), path.name
        assert "://" not in text and "\n--" not in text, path.name
