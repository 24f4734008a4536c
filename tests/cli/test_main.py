"""Which command a command line names, and that no other is imported for it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fakes.command import quickly
from wheelkeep.cli.main import COMMANDS, build
from wheelkeep.configuration import pypi_url


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


def test_the_help_shows_words_in_brackets() -> None:
    """As markup, "[brackets]" would be a style, and left out."""
    app = build(["--version"])

    @app.command("try")
    def _() -> None:
        """Words in [brackets] stay."""

    assert "Words in [brackets] stay." in CliRunner().invoke(app, ["try", "--help"]).stdout


def test_the_help_of_lock_says_where_its_options_are() -> None:
    runner, app = CliRunner(), build(["lock"])
    assert "wheelkeep lock NAME --help" in " ".join(runner.invoke(app, ["lock", "--help"]).stdout.split())
    assert "--constraint" in runner.invoke(app, ["lock", "NAME", "--help"]).stdout


def test_a_misspelled_command_is_told_by_its_nearest(tmp_path: Path) -> None:
    ran = quickly("chekc", cwd=tmp_path)
    assert ran.code == 2 and "chekc" in ran.err and "check" in ran.err.replace("chekc", "")


def test_the_public_index_is_where_the_library_says() -> None:
    """Read from its source, since importing it takes long."""
    from distlib.index import DEFAULT_INDEX

    assert pypi_url() == DEFAULT_INDEX.removesuffix("/pypi") + "/simple/"
