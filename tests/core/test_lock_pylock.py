"""``pylock.toml``: what PEP 751 has beside files of an index, and where its mistakes stand."""

import pytest

from fakes.made import sha
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lock_pylock import read_pylock

HEAD = 'lock-version = "1.0"\ncreated-by = "by hand"\n'
A = sha("a")


@pytest.mark.parametrize(
    ("more", "origin", "source"),
    [
        (
            'vcs = {type = "git", url = "https://u:p@files.example/x", commit-id = "1"}',
            "git",
            "https://files.example/x",
        ),
        ('directory = {path = "x"}', "path", "x"),
        ('directory = {path = "x", editable = true}', "editable", "x"),
        (
            f'archive = {{url = "https://files.example/demo-1.0.tar.gz", hashes = {{sha256 = "{A}"}}}}',
            "url",
            "https://files.example/demo-1.0.tar.gz",
        ),
        (f'archive = {{path = "demo-1.0.tar.gz", hashes = {{sha256 = "{A}"}}}}', "path", "demo-1.0.tar.gz"),
    ],
)
def test_what_no_index_serves(more: str, origin: str, source: str) -> None:
    (entry,) = read_pylock(f'{HEAD}[[packages]]\nname = "demo"\n{more}', "pylock.toml").entries
    assert (entry.origin, entry.source) == (origin, source)
    assert [(file.filename, file.sha256) for file in entry.files] == (
        [("demo-1.0.tar.gz", A)] if "archive" in more else []
    )


def test_files_of_an_index() -> None:
    text = f"""{HEAD}
[[packages]]
name = "demo"
version = "1.0"
marker = "os_name == 'nt'"
index = "https://files.example/simple"
sdist = {{name = "demo-1.0.tar.gz", url = "https://files.example/1", hashes = {{sha256 = "{A}"}}}}
[[packages.wheels]]
url = "https://files.example/demo-1.0-py3-none-any.whl"
upload-time = 2026-01-01T02:00:00.5+02:00
size = 5
hashes = {{md5 = "{"0" * 32}"}}
"""
    lock = read_pylock(text, "pylock.toml")
    (entry,) = lock.entries
    assert (entry.version, entry.marker, entry.source) == (
        "1.0",
        'os_name == "nt"',
        "https://files.example/simple",
    )
    sdist, wheel = entry.files
    assert (sdist.filename, sdist.sha256) == ("demo-1.0.tar.gz", A)
    assert (wheel.filename, wheel.size, wheel.sha256) == ("demo-1.0-py3-none-any.whl", 5, None)
    assert wheel.upload_time == "2026-01-01T00:00:00.500000Z"
    assert str(lock.warnings[0]).startswith("pylock.toml:4: packages[0]: 1 of 2 files of demo 1.0")


def test_a_mistake_has_its_line() -> None:
    wheel = '[[packages.wheels]]\nname = "demo-1.0-py3-none-any.whl"\nurl = "x"\nhashes = {}'
    text = f'{HEAD}[[packages]]\nname = "demo"\n{wheel}'
    with pytest.raises(
        ConfigError, match=r"pylock\.toml:8: packages\[0\]\.wheels\[0\]\.hashes: is not what PEP 751"
    ):
        read_pylock(text, "pylock.toml")
