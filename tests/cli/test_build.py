"""``build``: what is asked wrongly, what is told beforehand, and what is made where there is no sandbox to be had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.dists import sdist, wheel
from fakes.outside import Outside

CONFIG = """
[sources.acme]
kind = "hosted"
names = ["acme-*"]

[sources.other]
kind = "hosted"

[sources.outer]
kind = "remote"
url = "{url}"

[indexes.main]
sources = ["acme", "outer"]
"""


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as outside:
        outside.add(*sdist("demo", "1.0"))
        outside.add(*wheel("ready", "1.0"))
        outside.add(*sdist("acme-thing", "1.0"))
        yield outside


@pytest.fixture
def folder(outside: Outside, tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(url=outside.url))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--into", "acme"], "say what to build"),
        (["demo"], "say --into"),
        (["demo", "--into", "nothing"], "is no source"),
        (["demo", "--into", "outer"], "is not hosted"),
        (["demo", "--into", "acme", "--time", "soon"], "--time"),
        (["demo", "--into", "acme", "--memory", "much"], "--memory"),
        (["demo", "--into", "acme", "--jobs", "0"], "--jobs"),
        (["demo @ https://code.example/demo.tar.gz", "--into", "acme"], "demo"),
        (
            ["demo", "--into", "acme", "--unsafe-no-sandbox", "--python", "3.99"],
            "install it, or name the path",
        ),
    ],
)
def test_what_is_asked_wrongly_is_said(folder: Path, words: list[str], says: str) -> None:
    ran = quickly("build", *words, cwd=folder)
    assert (ran.code, says in ran.err) == (2, True), ran.err
    assert ran.out == ""


def test_made_without_a_sandbox_where_that_is_asked_for(folder: Path, outside: Outside) -> None:
    words = ["build", "demo", "ready", "--into", "acme", "--unsafe-no-sandbox"]
    plan = quickly(*words, "--dry-run", cwd=folder)
    assert (plan.code, plan.out) == (0, "to build: demo-1.0.tar.gz\n"), plan.err
    assert "once acme has demo, the index main (strict) shows no more of it from outer" in plan.err
    ran = quickly(*words, cwd=folder)
    assert ran.code == 0, ran.err
    assert "demo-1.0-py3-none-any.whl: published into acme, reproducible" in ran.out
    assert "with your own rights" in ran.err
    again = quickly(*words, "--json", cwd=folder)
    assert (again.code, again.json["wanted"], again.json["ready"]) == (0, [], 2), again.err


def test_a_reserved_name_is_asked_of_nobody(folder: Path, outside: Outside) -> None:
    ran = quickly("build", "acme-thing", "--into", "acme", "--unsafe-no-sandbox", cwd=folder)
    assert ran.code == 1
    assert outside.asked("/simple/acme") == []


def test_the_index_as_it_was(folder: Path, outside: Outside) -> None:
    outside.add(*sdist("demo", "2.0"), upload_time="2024-02-02T00:00:00.000000Z")
    words = ["build", "demo", "--into", "acme", "--unsafe-no-sandbox", "--dry-run", "--index"]
    for index, name in (("main", "demo-2.0.tar.gz"), ("main@2023-01-01", "demo-1.0.tar.gz")):
        assert quickly(*words, index, cwd=folder).out == f"to build: {name}\n"
    for index in ("main@", "main@2023-13-01", "main@?"):
        assert quickly(*words, index, cwd=folder).code == 2
    assert quickly(*words, "main@nothing", cwd=folder).code == 1
