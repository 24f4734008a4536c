"""Locks with other addresses: nothing else changes, and a second time nothing at all."""

import json
import tomllib

import pytest

from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.rewrite_lock import rewrite_lock
from wheelkeep.core.rewritten import Address, Rewritten

A, B = "a" * 64, "b" * 64
OUT = "https://files.outer.example/packages/aa/bb/cc"
TO = Address("https://packages.acme.example/main")
FILES = "https://packages.acme.example/main/files"
UV = f"""\
version = 1
revision = 3
requires-python = ">=3.9"

[[package]]
name = "app"
version = "2.0"
source = {{ registry = "https://outer.example/simple/" }} # a comment
dependencies = [
    {{ name = "lib", version = "1.1", source = {{ registry = "https://outer.example/simple/" }} }},
]
sdist = {{ url = "{OUT}/app-2.0.tar.gz", hash = "sha256:{A}", size = 9 }}
wheels = [
    {{ url = "{OUT}/app-2.0%2Bcu1-py3-none-any.whl", hash = "sha256:{B}", upload-time = "2020-02-02T00:00:00Z" }},
]

[[package]]
name = "forked"
version = "1.0"
source = {{ git = "https://code.example/forked?rev=1#abc" }}

[[package]]
name = "shop"
version = "1.0"
source = {{ virtual = "." }}

[package.metadata]
requires-dist = [{{ name = "app", index = "https://outer.example/simple/" }}]
"""
PYLOCK = f"""\
# made by hand
lock-version = "1.0"
created-by = "somebody"

[[packages]]
name = "app"
version = "2.0"
index = "https://outer.example/simple/"
wheels = [{{ name = "app-2.0-py3-none-any.whl", url = "{OUT}/x", hashes = {{ sha256 = "{A}" }} }}]

[packages.sdist]
url = '{OUT}/app-2.0.tar.gz'
hashes = {{ sha256 = "{B}" }}

[[packages]]
name = "lone"
archive = {{ url = "https://elsewhere.example/lone.zip", hashes = {{ sha256 = "{B}" }} }}
"""
PDM = f"""\
[metadata]
lock_version = "4.5.0"
strategy = ["static_urls"]

[[package]]
name = "app"
version = "2.0"
files = [
    {{url = "{OUT}/app-2.0-py3-none-any.whl", hash = "sha256:{A}"}},
]
"""
PIPFILE = {
    "_meta": {
        "hash": {"sha256": A},
        "pipfile-spec": 6,
        "sources": [{"name": "outer", "url": "https://outer.example/simple", "verify_ssl": False}],
    },
    "default": {"app": {"hashes": [f"sha256:{A}"], "index": "outer", "version": "==2.0"}},
}
REQUIREMENTS = f"""\
# by hand
-i "https://outer.example/simple/"  # there
--extra-index-url=https://other.example/simple
app==2.0 \\
    --hash=sha256:{A}
"""


def rewritten(name: str, text: str, to: Address = TO) -> Rewritten:
    return rewrite_lock(read_lock(name, lambda _: text.encode()), text, to)


def test_uv() -> None:
    done = rewritten("uv.lock", UV)
    expected = (
        UV.replace('registry = "https://outer.example/simple/"', f'registry = "{TO.simple}"')
        .replace(f"{OUT}/app-2.0.tar.gz", f"{FILES}/app/{A}/app-2.0.tar.gz")
        .replace(f"{OUT}/app-2.0%2Bcu1-py3", f"{FILES}/app/{B}/app-2.0+cu1-py3")
    )
    assert done.text == expected
    assert (done.changed, len(done.left)) == (4, 1)
    assert "forked is taken from a repository" in done.left[0]


def test_pylock() -> None:
    done = rewritten("pylock.toml", PYLOCK)
    package, lone = tomllib.loads(done.text)["packages"]
    assert package["index"] == TO.simple
    assert package["wheels"][0]["url"] == f"{FILES}/app/{A}/app-2.0-py3-none-any.whl"
    assert package["sdist"]["url"] == f"{FILES}/app/{B}/app-2.0.tar.gz"
    assert lone["archive"]["url"] == "https://elsewhere.example/lone.zip"
    assert done.text.startswith("# made by hand\n")
    assert len(done.left) == 1


def test_pdm() -> None:
    assert f"{FILES}/app/{A}/app-2.0-py3-none-any.whl" in rewritten("pdm.lock", PDM).text
    plain = PDM.replace(f'url = "{OUT}/', 'file = "')
    done = rewritten("pdm.lock", plain)
    assert done.text == plain
    assert "[[tool.pdm.source]]" in done.left[0]


def test_pipfile() -> None:
    text = json.dumps(PIPFILE, indent=4, separators=(",", ": ")) + "\n"
    done = rewritten("Pipfile.lock", text)
    told = json.loads(done.text)
    assert told["_meta"]["sources"] == [{"name": "outer", "url": TO.simple, "verify_ssl": True}]
    assert told["default"] == PIPFILE["default"]
    assert done.changed == 1


def test_requirements() -> None:
    done = rewritten("requirements.txt", REQUIREMENTS)
    assert done.text.splitlines()[:3] == [
        "# by hand",
        f"-i {TO.simple}  # there",
        f"--extra-index-url={TO.simple}",
    ]
    assert done.text.splitlines()[3:] == REQUIREMENTS.splitlines()[3:]


def test_requirements_without_an_index_are_given_one() -> None:
    text = f"\ufeff# by hand\r\n\r\napp==2.0 --hash=sha256:{A}\r\n"
    done = rewritten("requirements.txt", text)
    assert done.text == text.replace("app==", f"--index-url {TO.simple}\r\napp==")
    assert done.changed == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.lock", UV),
        ("pylock.toml", PYLOCK),
        ("pdm.lock", PDM),
        ("Pipfile.lock", json.dumps(PIPFILE)),
        ("requirements.txt", REQUIREMENTS),
        ("requirements.txt", f"app==2.0 --hash=sha256:{A}\n"),
    ],
)
def test_twice_is_once_and_hashes_stay(name: str, text: str) -> None:
    once = rewritten(name, text)
    again = rewritten(name, once.text)
    assert (again.text, again.changed) == (once.text, 0)
    there = rewritten(name, once.text, Address("http://127.0.0.1:8080/other@2026-11-01"))
    assert rewritten(name, there.text).text == once.text
    before, after = (read_lock(name, lambda _, t=t: t.encode()) for t in (text, once.text))  # type: ignore[misc]
    assert [[f.sha256 for f in e.files] for e in before.entries] == [
        [f.sha256 for f in e.files] for e in after.entries
    ]


def test_an_index_that_cannot_be_exchanged_is_refused() -> None:
    text = f"--index-url \\\n  https://outer.example/simple/\napp==2.0 --hash=sha256:{A}\n"
    with pytest.raises(ConfigError, match="on one line"):
        rewritten("requirements.txt", text)
