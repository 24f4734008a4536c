"""docs/security.md keeps its word about itself: each promise and each attack names tests, and they are there."""

import ast
import re
from pathlib import Path

import pytest

PROMISE = re.compile(r"^\*\*(\d+)\. ", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.fixture(scope="module")
def promises(texts: dict[str, str]) -> dict[int, str]:
    """What stands under each promise, by its number."""
    part = texts["docs/security.md"].split("\n## Twenty-five promises\n")[1].split("\n## ")[0]
    pieces = PROMISE.split(part)[1:]
    return {int(number): text for number, text in zip(pieces[::2], pieces[1::2], strict=True)}


def run(root: Path, path: str) -> set[str]:
    """The tests of a file that ``make test`` runs: those that ask for the public index, or are left out, are none."""
    file = root / path
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if any(isinstance(line, ast.Assign) and "mark.live" in ast.unparse(line) for line in tree.body):
        return set()
    return {
        line.name
        for line in tree.body
        if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any(re.search(r"mark\.(live|skip\b)", ast.unparse(one)) for one in line.decorator_list)
    }


def test_there_are_twenty_five(promises: dict[int, str]) -> None:
    assert list(promises) == list(range(1, 26))


def test_every_promise_says_who_breaks_it_and_which_tests_show_it(promises: dict[int, str]) -> None:
    untested = [number for number, text in promises.items() if not NAMED.search(text)]
    assert untested == []
    # An attacker of the table above, by the word that it has there.
    who = re.compile(r"\b(stranger|origin|network|client|publisher|failure|intruder)\b", re.IGNORECASE)
    assert [number for number, text in promises.items() if not who.search(text.split("**", 1)[1])] == []


def test_every_attack_names_a_test(texts: dict[str, str]) -> None:
    rows = [
        line
        for line in texts["docs/security.md"].split("\n## What is tried\n")[1].split("\n## ")[0].splitlines()
        if line.startswith("| ") and not line.startswith(("| attack", "| ---"))
    ]
    assert len(rows) > 10
    assert [row for row in rows if not NAMED.search(row)] == []


def test_no_document_names_a_test_that_is_not_run(texts: dict[str, str], root: Path) -> None:
    named = {
        (name, path, test)
        for name, text in texts.items()
        if name.endswith(".md")
        for path, test in NAMED.findall(text)
    }
    there = {path: run(root, path) for path in {path for _, path, _ in named}}
    assert {(name, f"{path}::{test}") for name, path, test in named if test not in there[path]} == set()
