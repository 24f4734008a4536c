from pathlib import Path

import pytest

from wheelkeep.core.surroundings import Surroundings
from wheelkeep.core.toml_source import Document

VALUES = {
    "env:TOKEN": "hunter2",
    "env:EMPTY": " ",
    "env:LINES": "hunter2\nmore",
    "file:/etc/wk/t": "hunter2\r\n",
}


def secret(reference: str) -> str:
    if reference == "file:/gone":
        raise FileNotFoundError(2, "No such file or directory", "/gone")
    if reference == "file:/binary":
        raise UnicodeDecodeError("utf-8", b"hunter2", 0, 1, "hunter2")
    return VALUES[reference]


AROUND = Surroundings(base=Path("/etc/wk"), secret=secret, pypi_url="https://upstream.example/simple/")


def read(written: str) -> tuple[str | None, list[str], list[str]]:
    document = Document(f"password = '{written}'", file="w.toml")
    found = AROUND.credential(document.root, "password")
    told = ([str(mistake) for mistake in of] for of in (document.mistakes, document.warnings))
    mistakes, warnings = told
    return (found.reveal() if found else None, mistakes, warnings)


@pytest.mark.parametrize("written", ["env:TOKEN", "file:/etc/wk/t", "file:t"])
def test_a_secret_is_fetched(written: str) -> None:
    assert read(written) == ("hunter2", [], [])


def test_a_literal_is_taken_with_a_warning() -> None:
    value, mistakes, (warning,) = read("hunter2")
    assert value == "hunter2"
    assert not mistakes
    assert warning.startswith("w.toml:1: password: ")
    assert "hunter2" not in warning


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("env:GONE", "the environment variable GONE is not set"),
        ("env:EMPTY", "the environment variable EMPTY is empty"),
        ("env:LINES", "the environment variable LINES holds a line break"),
        ("file:/gone", "the file /gone cannot be read: No such file or directory"),
        ("file:/binary", "the file /binary does not hold plain text"),
        ("env:", "names nothing"),
        ("file:", "names nothing"),
    ],
)
def test_a_mistake_names_the_place_and_not_the_value(written: str, words: str) -> None:
    value, (mistake,), warnings = read(written)
    assert value is None
    assert not warnings
    assert words in mistake
    assert "hunter2" not in mistake


def test_nothing_written_is_nothing() -> None:
    document = Document("", file="w.toml")
    assert AROUND.credential(document.root, "password") is None
    assert not document.mistakes


def test_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/me")
    assert AROUND.path("data") == Path("/etc/wk/data")
    assert AROUND.path("/srv/data") == Path("/srv/data")
    assert AROUND.path("~/data") == Path("/srv/me/data")
    with pytest.raises(ValueError, match="no home folder"):
        AROUND.path("~nobody-of-that-name/x")
    with pytest.raises(ValueError, match="control character"):
        AROUND.path("a\0b")
