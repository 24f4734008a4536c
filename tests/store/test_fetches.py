"""The book of fetches: lines in order, whole groups or none, and who has what."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fakes.made import NOW, later, sha
from wheelkeep.core.rules import read_rule
from wheelkeep.store import fetch_tables
from wheelkeep.store.fetches import Fetch, Fetches, Unwritable, Waived, Which

WAIVED = Waived(
    gate="cooldown", code="cooldown-young", package="demo", reason='"CVE" ü', by="ada", until="2026-12-31"
)


@pytest_asyncio.fixture
async def book(tmp_path: Path) -> AsyncIterator[Fetches]:
    opened = Fetches(tmp_path)
    yield opened
    await opened.close()


def fetch(version: str = "1.0", *, project: str = "demo", at: datetime = NOW, **told: Any) -> Fetch:
    ordinary = {
        "index": "main",
        "source": "pypi",
        "sha256": sha(project + version),
        "who": "ci",
        "address": "10.0.0.1",
        "tool": "pip/25.0",
    }
    filename = f"{project}-{version}-py3-none-any.whl"
    return Fetch(at=at, project=project, version=version, filename=filename, **ordinary | told)


async def read(book: Fetches, which: Which | None = None, **more: Any) -> list[Fetch]:
    return [line async for _, line in book.lines(which or Which(), **more)]


async def test_lines_come_back_as_they_were_the_newest_first(book: Fetches) -> None:
    told = [
        fetch(at=later(microseconds=1)),
        fetch(who=None, tool="", partial=True),
        fetch("2.0", sha256=None, waived=(WAIVED,), index="other", address=""),
    ]
    book.append(told[:2])
    book.append(told[2:])
    assert await read(book) == told[::-1]
    assert [number async for number, _ in book.lines(Which())] == [3, 2, 1]
    assert await read(book, before=3) == [told[1], told[0]]


async def test_nobody_asked_yet(book: Fetches) -> None:
    assert await read(book) == []
    assert await book.held(Which()) == []


async def test_what_repeats_is_kept_once_also_over_restarts(book: Fetches, tmp_path: Path) -> None:
    book.append([fetch(), fetch()])
    again = Fetches(tmp_path)
    again.append([fetch(), fetch("2.0")])
    await again.close()
    assert len(await read(book)) == 4
    with closing(sqlite3.connect(tmp_path / "fetches.sqlite")) as file:
        counts = [
            file.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("fetched_files", "fetched_by")
        ]
    assert counts == [2, 1]


WHICH = [
    (Which(rule=read_rule("demo")), "1.0 2.0b1 2.0"),
    (Which(rule=read_rule("Demo>=2.0a0")), "2.0b1 2.0"),
    (Which(rule=read_rule("demo==9")), ""),
    (Which(who="ci"), "1.0 2.0b1 other"),
    (Which(address="10.0.0.2"), "2.0"),
    (Which(index="omits"), "2.0"),
    (Which(source="acme"), "other"),
    (Which(filename="demo-2.0-py3-none-any.whl"), "2.0"),
    (Which(since=later(seconds=1)), "2.0 other"),
    (Which(until=later(seconds=2)), "1.0 2.0b1"),
    (Which(since=later(seconds=2), until=later(seconds=2)), ""),
    (Which(who="ci", rule=read_rule("demo<2")), "1.0 2.0b1"),
]


@pytest.mark.parametrize(("which", "expected"), WHICH)
async def test_only_what_is_meant(book: Fetches, which: Which, expected: str) -> None:
    book.append(
        [
            fetch("1.0"),
            fetch("2.0b1"),
            fetch("2.0", who="eve", address="10.0.0.2", index="omits", at=later(seconds=2)),
            fetch("other", project="other", source="acme", at=later(seconds=3)),
        ]
    )
    if which.rule is not None and which.rule.specifier == "<2":
        expected = "1.0"  # PEP 440: a pre-release of 2 is not below 2
    assert [line.version for line in await read(book, which)][::-1] == expected.split()
    assert {held.version for held in await book.held(which)} == set(expected.split())


async def test_who_has_it(book: Fetches) -> None:
    book.append(
        [
            fetch(),
            fetch(at=later(hours=1), partial=True),
            fetch(who=None, address="10.0.0.9", at=later(hours=2)),
            fetch("2.0", tool="uv/0.9"),
        ]
    )
    held = await book.held(Which(rule=read_rule("demo")))
    assert [(one.version, one.who, one.address, one.tool, one.count) for one in held] == [
        ("1.0", None, "10.0.0.9", "pip/25.0", 1),
        ("1.0", "ci", "10.0.0.1", "pip/25.0", 2),
        ("2.0", "ci", "10.0.0.1", "uv/0.9", 1),
    ]
    assert (held[1].first, held[1].last) == (NOW, later(hours=1))


async def test_a_group_is_written_whole_or_not_at_all(book: Fetches, tmp_path: Path) -> None:
    book.append([fetch()])
    with closing(sqlite3.connect(tmp_path / "fetches.sqlite")) as file:
        file.execute(
            "CREATE TRIGGER full BEFORE INSERT ON fetches WHEN NEW.partial BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        with pytest.raises(Unwritable, match="full"):
            book.append([fetch("2.0"), fetch("3.0", who="new", partial=True)])
        with pytest.raises(Unwritable, match="full"):
            book.append([fetch(), fetch(partial=True)])
        file.execute("DROP TRIGGER full")
    assert await read(book) == [fetch()]
    # What got no number in what failed gets one now.
    book.append([fetch("3.0", who="new")])
    assert await read(book) == [fetch("3.0", who="new"), fetch()]


async def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "fetches.sqlite").mkdir()
    book = Fetches(tmp_path)
    with pytest.raises(Unwritable):
        book.append([fetch()])
    (tmp_path / "fetches.sqlite").rmdir()
    book.append([fetch()])
    assert await read(book) == [fetch()]
    await book.close()


async def test_a_book_of_a_newer_version_is_left_alone(book: Fetches, tmp_path: Path) -> None:
    book.append([fetch()])
    with closing(sqlite3.connect(tmp_path / "fetches.sqlite")) as file:
        file.execute("PRAGMA user_version=99")
    later_ = Fetches(tmp_path)
    with pytest.raises(Unwritable, match="newer wheelkeep"):
        later_.append([fetch()])
    await later_.close()
    assert (tmp_path / "fetches.sqlite").stat().st_mode & 0o077 == 0


def test_a_book_of_which_a_part_is_not_in_its_file_yet_is_not_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite says nothing where a disk is too full for what it does as it closes a file."""
    path, made = tmp_path / "fetches.sqlite", fetch_tables._make

    def unfinished(at: Path, shape: int) -> None:
        made(at, shape)
        Path(f"{at}-wal").write_bytes(b"the rest")

    monkeypatch.setattr(fetch_tables, "_make", unfinished)
    with pytest.raises(OSError, match="No space left"):
        fetch_tables.prepare_fetches(path)
    assert not path.exists()
    monkeypatch.setattr(fetch_tables, "_make", made)
    fetch_tables.prepare_fetches(path)
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
