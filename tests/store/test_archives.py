"""Paths that mean one place on every system, and what is said of them."""

import pytest

from wheelkeep.store import archives
from wheelkeep.store.archives import BadArchive, Paths, path_problem, shown, some, too_large


@pytest.mark.parametrize("path", ["a", "a/b.py", "a b/ü", "a..b/...c", ".hidden/.x", "ab:c", "pkg/C:x", "-r"])
def test_ordinary_paths(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/etc/passwd", "absolute"),
        ("../a", '".."'),
        ("a/../../b", '".."'),
        ("a/..", '".."'),
        ("a\\b", "backslash"),
        ("..\\a", "backslash"),
        ("C:a", "drive"),
        ("c:/a", "drive"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\x7f", "control character"),
        ("", "empty part"),
        ("a//b", "empty part"),
        ("./a", "empty part"),
        ("a/./b", "empty part"),
        ("a/", "empty part"),
        ("a" * 1025, "more than 1024 characters"),
    ],
)
def test_paths_that_lead_elsewhere(path: str, says: str) -> None:
    assert says in (path_problem(path) or "")
    with pytest.raises(BadArchive, match="member"):
        Paths().add(path, folder=False)


def test_each_path_is_there_once() -> None:
    paths = Paths()
    paths.add("a/b/c", folder=False)
    paths.add("a", folder=True)
    paths.add("a/b", folder=True)
    paths.add("a/B", folder=False)
    for path, folder in (("a/b/c", False), ("a/b", False), ("a/b/c", True)):
        with pytest.raises(BadArchive, match="there twice"):
            paths.add(path, folder=folder)


def test_two_spellings_of_a_letter_are_one() -> None:
    paths = Paths()
    paths.add("\u00fc", folder=False)
    with pytest.raises(BadArchive, match="there twice"):
        paths.add("u\u0308", folder=False)


def test_nothing_lies_below_a_file() -> None:
    paths = Paths()
    paths.add("a", folder=False)
    with pytest.raises(BadArchive, match="lies below 'a', which is not a folder"):
        paths.add("a/b/c", folder=False)


def test_paths_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    paths = Paths()
    with pytest.raises(BadArchive, match="more than 3 members"):
        for number in range(10):
            paths.add(f"{number}", folder=False)


def test_how_much_an_archive_may_unpack_to() -> None:
    million = 1024**2
    assert too_large(64 * million, 1) is None
    assert too_large(100 * million, million) is None
    assert "more than 100 times" in (too_large(101 * million, million) or "")
    assert "more than 64 GiB" in (too_large(65 * 1024 * million, 10 * 1024 * million) or "")


def test_what_is_shown_is_printable_and_short() -> None:
    assert shown("a\x1b[2Jb\u202e") == r"'a\x1b[2Jb\u202e'"
    assert len(shown("x" * 5000)) < 150
    assert some(["a"] * 11)[-1] == "and 1 more of this kind"
    assert some(["a"] * 10) == ["a"] * 10
