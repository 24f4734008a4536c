"""Imports go down only: the contracts in pyproject.toml hold."""

from pathlib import Path

import pytest
from importlinter.cli import lint_imports


def test_contracts(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(root)
    broken = lint_imports(no_cache=True, no_logo=True)
    assert not broken, capsys.readouterr().out
