"""The JSON rendering: the keys of API 1.4, those left out, and the mistakes that other servers make."""

import json

import msgspec

from wheelkeep.core import names
from wheelkeep.core.listing import ListedFile, Listing
from wheelkeep.core.model import Status
from wheelkeep.core.write_json import write_json, write_root_json

DEMO = names.project("demo")
SHA = "ab" * 32


def page(*files, **fields):
    return json.loads(write_json(Listing(name=DEMO, files=files, **fields)))


def entry(**fields):
    return page(ListedFile(filename="demo-1.0.tar.gz", url="demo-1.0.tar.gz", **fields))["files"][0]


def test_an_empty_page_has_what_api_1_4_demands() -> None:
    assert page() == {"meta": {"api-version": "1.4"}, "name": "demo", "versions": [], "files": []}


def test_a_file_with_everything() -> None:
    told = entry(
        hashes={"sha256": SHA},
        size=7,
        upload_time="2026-01-02T03:04:05.678901Z",
        requires_python=">=3.8,<4",
        yanked="broken",
        metadata=SHA,
        provenance="https://upstream.example/p",
    )
    assert told == {
        "filename": "demo-1.0.tar.gz",
        "url": "demo-1.0.tar.gz",
        "hashes": {"sha256": SHA},
        "requires-python": ">=3.8,<4",
        "size": 7,
        "upload-time": "2026-01-02T03:04:05.678901Z",
        "yanked": "broken",
        "core-metadata": {"sha256": SHA},
        "provenance": "https://upstream.example/p",
    }


def test_a_file_with_nothing_still_has_hashes_and_yanked() -> None:
    assert entry() == {
        "filename": "demo-1.0.tar.gz",
        "url": "demo-1.0.tar.gz",
        "hashes": {},
        "yanked": False,
    }


def test_an_empty_reason_becomes_true_since_an_empty_string_reads_as_not_yanked() -> None:
    assert entry(yanked="")["yanked"] is True


def test_metadata_without_a_hash_and_none() -> None:
    assert entry(metadata=True)["core-metadata"] is True
    assert entry(metadata=False)["core-metadata"] is False


def test_the_older_key_is_never_written_since_old_pip_fails_on_it() -> None:
    assert "dist-info-metadata" not in json.dumps(entry(metadata=SHA))


def test_a_size_of_nothing_is_a_size() -> None:
    assert entry(size=0)["size"] == 0


def test_status_stands_beside_the_files_and_has_a_reason_only_if_there_is_one() -> None:
    assert page(status=Status("quarantined", "why"))["project-status"] == {
        "status": "quarantined",
        "reason": "why",
    }
    assert page(status=Status("archived"))["project-status"] == {"status": "archived"}
    assert page(status=Status("archived", ""))["project-status"] == {"status": "archived"}


def test_versions_are_listed_without_files_too() -> None:
    assert page(versions=("1.0", "2.0"))["versions"] == ["1.0", "2.0"]


def test_the_root() -> None:
    told = msgspec.json.decode(write_root_json(name for name in ("a", "b")))
    assert told == {"meta": {"api-version": "1.4"}, "projects": [{"name": "a"}, {"name": "b"}]}
