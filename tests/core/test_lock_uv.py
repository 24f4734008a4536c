"""``uv.lock``: what each kind of source comes to."""

import pytest

from fakes.made import sha
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lock_uv import read_uv

A, B = sha("a"), sha("b")


def package(source: str, more: str = "") -> str:
    return f'version = 1\n[[package]]\nname = "Demo"\nversion = "1.0"\nsource = {source}\n{more}'


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('{ registry = "https://u:p@files.example/simple" }', ("index", "https://files.example/simple")),
        ('{ registry = "../wheels" }', ("index", "../wheels")),
        ('{ git = "https://files.example/x?rev=1#abc" }', ("git", "https://files.example/x?rev=1")),
        ('{ url = "https://files.example/x.whl" }', ("url", "https://files.example/x.whl")),
        ('{ path = "x.whl" }', ("path", "x.whl")),
        ('{ directory = "x" }', ("path", "x")),
        ('{ editable = "." }', ("editable", ".")),
        ('{ virtual = "." }', ("virtual", ".")),
    ],
)
def test_sources(source: str, told: tuple[str, str]) -> None:
    (entry,) = read_uv(package(source), "uv.lock").entries
    assert (entry.project, entry.origin, entry.source) == ("demo", *told)


def test_files() -> None:
    more = f"""
sdist = {{ path = "demo-1.0.tar.gz", hash = "sha256:{A}" }}
wheels = [
    {{ filename = "demo-1.0-py3-none-any.whl", hash = "sha256:{B}", size = 5, upload-time = "2026-01-01T00:00:00.5Z" }},
    {{ url = "https://files.example/demo-1.0-py2-none-any.whl" }},
]
"""
    lock = read_uv(package('{ registry = "https://files.example/simple" }', more), "uv.lock")
    told = [(file.filename, file.sha256, file.size, file.upload_time) for file in lock.entries[0].files]
    assert told == [
        ("demo-1.0.tar.gz", A, None, None),
        ("demo-1.0-py3-none-any.whl", B, 5, "2026-01-01T00:00:00.5Z"),
        ("demo-1.0-py2-none-any.whl", None, None, None),
    ]
    (warning,) = lock.warnings
    assert str(warning).startswith("uv.lock:2: package[0]: 1 of 3 files of demo 1.0 have no sha256")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (package('{ cvs = "x" }'), "uv.lock:5: package[0].source: is none that is known"),
        (
            package('{ virtual = "." }').replace("Demo", "!"),
            "uv.lock:3: package[0].name: '!' is not a project name",
        ),
        (
            package('{ virtual = "." }', 'sdist = { hash = "x" }'),
            'uv.lock:6: package[0].sdist.hash: "x" is not a hash',
        ),
        ("", "uv.lock:1: version: is missing"),
    ],
)
def test_mistakes(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_uv(text, "uv.lock")
    assert str(caught.value).startswith(says)
