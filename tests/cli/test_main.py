"""What a start imports: a command that answers at once is nicer to use, and the whole of a server's memory counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.server import environment
from wheelkeep.cli.main import COMMANDS, build
from wheelkeep.configuration import pypi_url


def imported(code: str) -> set[str]:
    """Every module that is there after a process of its own ran the code."""
    tell = "; import sys, json; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", code + tell], env=environment(), capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout))


def test_serve_reads_the_configuration_without_what_only_a_server_needs() -> None:
    code = "from wheelkeep.cli.main import build; build(['serve']); from wheelkeep import configuration"
    modules = imported(code + "; configuration.load(None)")
    assert modules.isdisjoint({"rich", "sqlalchemy", "aiohttp", "alembic", "distlib.index", "email.message"})
    assert {name for name in modules if name.startswith("wheelkeep.cli.")} == {
        "wheelkeep.cli.main",
        "wheelkeep.cli.serve",
    }


def test_a_worker_has_nothing_that_only_commands_need() -> None:
    modules = imported("import wheelkeep.worker, wheelkeep.compose, wheelkeep.web.app")
    assert modules.isdisjoint(
        {"rich", "pygments", "typer", "alembic", "pydantic", "sigstore", "cryptography"}
    )


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (["--version"], 0),
        (["check"], 1),
        (["-c", "check", "token", "list"], 1),
        (["--config", "a", "--config=b", "explain", "check"], 1),
        ([], len(COMMANDS)),
        (["--help", "check"], len(COMMANDS)),
        (["chekc"], len(COMMANDS)),
        (["-c"], len(COMMANDS)),
        (["--cofnig", "check"], len(COMMANDS)),
    ],
)
def test_one_command_is_imported_or_all(words: list[str], there: int) -> None:
    app = build(words)
    assert len(app.registered_commands) + len(app.registered_groups) == there


def test_a_misspelled_command_is_told_by_its_nearest(tmp_path: Path) -> None:
    ran = quickly("chekc", cwd=tmp_path)
    assert ran.code == 2 and "chekc" in ran.err and "check" in ran.err.replace("chekc", "")


def test_the_public_index_is_where_the_library_says() -> None:
    """Read from its source, since importing it takes long."""
    from distlib.index import DEFAULT_INDEX

    assert pypi_url() == DEFAULT_INDEX.removesuffix("/pypi") + "/simple/"
