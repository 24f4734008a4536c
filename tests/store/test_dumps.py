"""Dumps on disk: a zip, a folder or a file; what is damaged or meant as a bomb is told of or refused."""

import json
import zipfile
from pathlib import Path

import pytest

from fakes.osv import dump, record
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.store import dumps
from wheelkeep.store.dumps import imported, read_dump, whole


def names(path: Path) -> list[str]:
    return [read.name for read in read_dump(path)]


def test_a_zip(tmp_path: Path) -> None:
    path = dump(tmp_path / "all.zip", record("GHSA-1"), record("GHSA-2"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("README.txt", "not a record")
    assert [(read.name, read.value["id"]) for read in read_dump(path)] == [
        ("GHSA-1.json", "GHSA-1"),
        ("GHSA-2.json", "GHSA-2"),
    ]
    assert whole(path)


def test_a_folder_with_folders(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.json").write_text(json.dumps(record()))
    (tmp_path / "a.json").write_text("[")
    (tmp_path / ".hidden.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("{}")
    (tmp_path / "lost.json").symlink_to(tmp_path / "nowhere")
    read = list(read_dump(tmp_path))
    assert [(one.name, one.value is None) for one in read] == [("a.json", True), ("b/one.json", False)]
    assert "not JSON" in read[0].why
    assert whole(tmp_path)


def test_one_file_with_one_record_or_many(tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    path.write_text(json.dumps(record()))
    assert names(path) == ["some.json"]
    path.write_text(json.dumps([record(), 3]))
    assert names(path) == ["some.json[0]", "some.json[1]"]
    assert not whole(path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WheelkeepError, match="there is no"):
        names(tmp_path / "nothing")
    assert not imported(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            archive.writestr(f"{n}.json", b'"' + b" " * 100_000 + b'"')
    monkeypatch.setattr(dumps, "_LARGEST_FILE", 1000)
    with pytest.raises(WheelkeepError, match="unpacks to more"):
        names(path)
    monkeypatch.setattr(dumps, "_LARGEST_FILE", 10_000_000)
    monkeypatch.setattr(dumps, "_LARGEST_RECORD", 1000)
    assert [read.why for read in read_dump(path)] == ["it is larger than any record"] * 3
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "large.json").write_bytes(b" " * 2000)
    assert [read.why for read in read_dump(tmp_path / "folder")] == ["it is larger than any record"]
    monkeypatch.setattr(dumps, "_LARGEST_FILE", 1000)
    with pytest.raises(WheelkeepError, match="give the zip"):
        names(tmp_path / "folder" / "large.json")


def test_a_damaged_member_is_told_of_and_the_others_read(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for n in range(2):
            archive.writestr(f"{n}.json", json.dumps(record(f"GHSA-{n}")))
    body = path.read_bytes()
    path.write_bytes(body.replace(b"What GHSA-0 is", b"What GHSA-X is", 1))
    assert [("damaged" in read.why, read.value is None) for read in read_dump(path)] == [
        (True, True),
        (False, False),
    ]
    path.write_bytes(body[:-10])
    assert not whole(path) or names(path)
