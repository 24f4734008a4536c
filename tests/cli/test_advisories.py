"""``advisories``: a report of what came of a dump, and which stored files it speaks of."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.dists import wheel
from fakes.osv import dump, record
from wheelkeep.store.fetches import Fetch, Fetches

CONFIG = """
[sources.acme]
kind = "hosted"

[sources.vendor]
kind = "remote"
url = "http://127.0.0.1:9/{path}"

[indexes.main]
sources = ["acme", "vendor"]
policy = "policy.toml"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG.format(path="simple/"))
    (tmp_path / "policy.toml").write_text('[advisories]\nseverity = "high"\n')
    return tmp_path


def test_a_dump_is_taken_and_the_second_time_all_is_known(folder: Path) -> None:
    npm = record("GHSA-3")
    npm["affected"][0]["package"]["ecosystem"] = "npm"
    dump(folder / "all.zip", record(), record("GHSA-2", withdrawn="2026-01-01T00:00:00Z"), npm)
    first = quickly("advisories", "import", "all.zip", cwd=folder)
    said = "about 1 projects, {} known already, 1 withdrawn, 1 of other ecosystems, 0 not read\n"
    assert (first.code, first.out, first.err) == (0, "2 records taken " + said.format(0), "")
    again = quickly("advisories", "import", "all.zip", "--json", cwd=folder)
    assert (again.code, again.json["taken"], again.json["same"], again.json["whole"]) == (0, 0, 2, True)
    listed = quickly("advisories", "list", "--json", cwd=folder).json
    assert (listed["known"], listed["projects"], len(listed["dumps"])) == (1, 1, 2)
    words = quickly("advisories", "list", cwd=folder).out
    assert "all.zip (whole dump): 2 records" in words
    one = quickly("advisories", "list", "De.Mo", "--json", cwd=folder).json
    assert one == {"advisories": []}
    one = quickly("advisories", "list", "Demo", cwd=folder)
    assert one.out == "GHSA-1: high: What GHSA-1 is about; mended in 2.0\n"


def test_a_dump_that_is_not_there_is_nothing_that_happened(folder: Path) -> None:
    assert quickly("advisories", "import", "all.zip", cwd=folder).code == 2
    assert (quickly("audit", cwd=folder).code, quickly("audit", cwd=folder).out) == (1, "")


def test_what_cannot_be_read_is_named_and_the_rest_taken(folder: Path) -> None:
    (folder / "osv").mkdir()
    (folder / "osv" / "a.json").write_text("[{]")
    (folder / "osv" / "b.json").write_text('{"id": "X", "affected": 7}')
    (folder / "osv" / "c.json").write_text(json.dumps(record()))
    told = quickly("advisories", "import", "osv", cwd=folder)
    assert told.code == 1
    assert "not read: a.json: it is not JSON" in told.out
    assert 'not read: b.json: "affected" of X is not a list' in told.out
    assert "1 records taken about 1 projects" in told.out


def test_what_is_no_dump(folder: Path) -> None:
    for words in (["nothing.zip"], []):
        assert quickly("advisories", "import", *words, cwd=folder).code == 2
    assert quickly("advisories", "list", "a b", cwd=folder).code == 2


def test_stored_files_that_are_affected(folder: Path) -> None:
    name, content = wheel("demo", "1.0")
    (folder / name).write_bytes(content)
    assert quickly("import", name, "--into", "acme", cwd=folder).code == 0
    told = {"index": "main", "source": "acme", "project": "demo", "version": "1.0", "sha256": None}
    caller = {"who": "ci", "address": "10.0.0.1", "tool": "pip/25.0"}
    book = Fetches(folder / "wheelkeep-data")
    book.append([Fetch(at=datetime.now(UTC), filename=name, **told | caller)])  # type: ignore[arg-type]
    asyncio.run(book.close())
    (folder / "one.json").write_text(json.dumps(record("MAL-2026-1", vector=None)))
    told = quickly("advisories", "import", "one.json", cwd=folder)
    assert "1 alerts about stored files" in told.out
    assert quickly("advisories", "import", "one.json", "--json", cwd=folder).json["alerts"] == 0
    listed = quickly("advisories", "list", "--affecting", "--json", cwd=folder).json["affecting"]
    assert [(one["filename"], one["source"], one["advisories"][0]["severity"]) for one in listed] == [
        (name, "acme", "critical")
    ]
    assert listed[0]["whom"] == ["ci from 10.0.0.1"]
    assert (
        f"{name}  from acme; had by ci from 10.0.0.1"
        in quickly("advisories", "list", "--affecting", cwd=folder).out
    )
    (alert,) = quickly("audit", "--kind", "alert", "--json", cwd=folder).out.splitlines()
    assert json.loads(alert)["detail"]["whom"] == "ci from 10.0.0.1"
    assert quickly("advisories", "list", "other", "--affecting", "--json", cwd=folder).json == {
        "affecting": []
    }


@pytest.mark.parametrize(("path", "says"), [("simple/", "is not known to have"), ("index/", "has no pypi/")])
def test_check_says_beforehand_where_nobody_can_tell(folder: Path, path: str, says: str) -> None:
    (folder / "wheelkeep.toml").write_text(CONFIG.format(path=path))
    told = quickly("check", "--json", cwd=folder)
    assert told.code == 0
    (warning,) = told.json["warnings"]
    assert f"the source vendor {says}" in warning
    assert warning in quickly("check", cwd=folder).out
    assert not (folder / "wheelkeep-data").exists()
    dump(folder / "all.zip", record())
    assert quickly("advisories", "import", "all.zip", cwd=folder).code == 0
    assert quickly("check", "--json", cwd=folder).json["warnings"] == []
