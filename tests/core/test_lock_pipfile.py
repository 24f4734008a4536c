"""``Pipfile.lock``: categories, named indexes, and what is no file of an index."""

import json
from typing import Any

import pytest

from fakes.made import sha
from wheelkeep.core.errors import ConfigError
from wheelkeep.core.lock import Lock
from wheelkeep.core.lock_pipfile import read_pipfile

A = sha("a")


def read(**packages: Any) -> Lock:
    sources = [{"name": "outer", "url": "https://u:p@files.example/simple"}, "odd", {"name": 1}]
    return read_pipfile(
        json.dumps({"_meta": {"pipfile-spec": 6, "sources": sources}, **packages}), "Pipfile.lock"
    )


def test_categories_and_indexes() -> None:
    told = {"hashes": [f"sha256:{A}"], "version": "==1.0", "index": "outer", "markers": "os_name == 'nt'"}
    lock = read(default={"Demo": told}, develop={"demo": {**told, "index": "gone", "extras": ["x"]}})
    first, second = lock.entries
    assert (first.project, first.version, first.groups) == ("demo", "1.0", ("default",))
    assert (first.source, first.marker) == ("https://files.example/simple", "os_name == 'nt'")
    assert (second.source, second.groups, second.extras) == ("gone", ("develop",), ("x",))


@pytest.mark.parametrize(
    ("told", "origin"),
    [
        ({"git": "https://files.example/x", "ref": "1"}, "git"),
        ({"path": "."}, "path"),
        ({"path": ".", "editable": True}, "editable"),
        ({"file": "https://files.example/x.whl", "hashes": [f"sha256:{A}"]}, "url"),
    ],
)
def test_what_no_index_serves(told: dict[str, Any], origin: str) -> None:
    assert read(default={"demo": told}).entries[0].origin == origin


@pytest.mark.parametrize(
    ("packages", "says"),
    [
        ({"demo": "==1.0"}, "default.demo: must be a table"),
        ({"demo": {"hashes": ["x"]}}, 'default.demo: "x" is not a hash'),
        ({"!": {}}, "'!' is not a project name"),
    ],
)
def test_mistakes(packages: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(default=packages)
    assert says in str(caught.value)
    with pytest.raises(ConfigError, match=r"Pipfile\.lock:1: this is not JSON"):
        read_pipfile("{", "Pipfile.lock")
    with pytest.raises(ConfigError, match="one object"):
        read_pipfile("[]", "Pipfile.lock")
