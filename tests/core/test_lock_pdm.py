"""``pdm.lock``: files by name, by address, and in one table."""

import pytest

from fakes.made import sha
from wheelkeep.core.lock_pdm import read_pdm

A, B = sha("a"), sha("b")
HEAD = '[metadata]\nlock_version = "4.5.0"\n'


def test_static_addresses() -> None:
    text = f"""{HEAD}
[[package]]
name = "demo"
version = "1.0"
marker = "os_name == 'nt'"
extras = ["x"]
groups = ["default"]
files = [{{url = "https://files.example/demo-1.0.tar.gz", hash = "sha256:{A}"}}]
"""
    (entry,) = read_pdm(text, "pdm.lock").entries
    assert (entry.extras, entry.groups, entry.marker) == (("x",), ("default",), "os_name == 'nt'")
    assert [(file.filename, file.sha256) for file in entry.files] == [("demo-1.0.tar.gz", A)]


def test_files_in_one_table() -> None:
    text = f"""
[[package]]
name = "Demo"
version = "1.0"
[[package]]
name = "demo"
version = "2.0"
[metadata]
lock_version = "4.1"
[metadata.files]
"demo 1.0" = [{{file = "demo-1.0.tar.gz", hash = "sha256:{A}"}}]
"demo 2.0" = [{{url = "https://files.example/demo-2.0.tar.gz", hash = "sha256:{B}"}}]
"""
    told = [[file.sha256 for file in entry.files] for entry in read_pdm(text, "pdm.lock").entries]
    assert told == [[A], [B]]


@pytest.mark.parametrize(
    ("more", "origin"),
    [
        ('git = "https://files.example/x"\nrevision = "1"', "git"),
        ('url = "https://files.example/x.whl"', "url"),
        ('path = "./x"', "path"),
        ('path = "./x"\neditable = true', "editable"),
        ("", "index"),
    ],
)
def test_sources(more: str, origin: str) -> None:
    (entry,) = read_pdm(f'{HEAD}[[package]]\nname = "demo"\nversion = "1.0"\n{more}', "pdm.lock").entries
    assert entry.origin == origin
