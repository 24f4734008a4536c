"""``poetry.lock``: the newer form, and the older ones with all files in one table."""

import pytest

from fakes.made import sha
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lock_poetry import read_poetry

A, B = sha("a"), sha("b")


def test_groups_and_markers() -> None:
    text = f"""
[[package]]
name = "demo"
version = "1.0"
groups = ["main", "dev"]
markers = {{main = "os_name == 'nt'", dev = "os_name == 'nt'"}}
files = [{{file = "demo-1.0.tar.gz", hash = "sha256:{A}"}}]
[metadata]
lock-version = "2.1"
"""
    (entry,) = read_poetry(text, "poetry.lock").entries
    assert (entry.groups, entry.marker) == (("main", "dev"), "(os_name == 'nt')")


@pytest.mark.parametrize(
    ("kind", "origin"),
    [("git", "git"), ("url", "url"), ("file", "path"), ("directory", "path"), ("legacy", "index")],
)
def test_sources(kind: str, origin: str) -> None:
    source = f'[package.source]\ntype = "{kind}"\nurl = "https://u:p@files.example/x"\n'
    text = (
        f'[[package]]\nname = "demo"\nversion = "1.0"\nfiles = []\n{source}[metadata]\nlock-version = "2.1"'
    )
    (entry,) = read_poetry(text, "poetry.lock").entries
    assert (entry.origin, entry.source) == (origin, "https://files.example/x")


def test_files_in_one_table() -> None:
    """Two versions of a project share its list, and the file names tell them apart."""
    text = f"""
[[package]]
name = "Foo.Bar"
version = "1.0"
marker = "x"
[[package]]
name = "foo-bar"
version = "2.0"
[metadata]
lock-version = "1.1"
[metadata.files]
foo-bar = [
    {{file = "foo_bar-1.0.tar.gz", hash = "sha256:{A}"}},
    {{file = "foo_bar-2.0.tar.gz", hash = "sha256:{B}"}},
    {{file = "odd.exe", hash = "sha256:{B}"}},
]
"""
    first, second = read_poetry(text, "poetry.lock").entries
    assert [file.sha256 for file in first.files] == [A]
    assert [file.sha256 for file in second.files] == [B]


def test_bare_digests() -> None:
    text = f'[[package]]\nname = "demo"\nversion = "1.0"\n[metadata.hashes]\ndemo = ["{A}", "x"]\n'
    (entry,) = read_poetry(text, "poetry.lock").entries
    assert [file.sha256 for file in entry.files] == [A]


def test_a_source_that_is_not_known() -> None:
    text = '[[package]]\nname = "x"\nversion = "1"\n[package.source]\ntype = "cvs"\n[metadata]\n'
    with pytest.raises(
        ConfigError, match=r"poetry\.lock:5: package\[0\]\.source\.type: is none that is known"
    ):
        read_poetry(text, "poetry.lock")
