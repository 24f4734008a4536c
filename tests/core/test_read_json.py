"""JSON pages: what PEP 691 and its followers say, the spellings met in the field, and pages that mean harm."""

import json

import pytest

from wheelkeep.core import checked, names
from wheelkeep.core.errors import NotAPage
from wheelkeep.core.model import File, Status
from wheelkeep.core.read_json import MOST_BYTES, read_json

DEMO = names.project("demo")
SOURCE = names.source("upstream")
URL = "https://upstream.example/simple/demo/"
SHA = "ab" * 32
META = {"api-version": "1.1"}


def read(told, url=URL):
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return read_json(body, url=url, project=DEMO, source=SOURCE)


def page(*files, **fields):
    return read({"meta": META, "name": "demo", "files": list(files), **fields})


def entry(**fields):
    told = {key.replace("_", "-"): value for key, value in fields.items()}
    [file] = page({"filename": "demo-1.0.tar.gz", "url": "demo-1.0.tar.gz", "hashes": {}, **told}).files
    return file


def test_a_file_with_everything() -> None:
    assert entry(
        url="../../files/demo-1.0.tar.gz#sha256=00",
        hashes={"sha256": SHA, "md5": "cd" * 16},
        requires_python=">=3.8",
        size=7,
        upload_time="2026-01-02T03:04:05.678901Z",
        yanked="broken",
        core_metadata={"sha256": SHA},
        provenance="https://upstream.example/p",
        gpg_sig=True,
        _private={"x": []},
    ) == File(
        filename="demo-1.0.tar.gz",
        project=DEMO,
        kind="sdist",
        version="1.0",
        source=SOURCE,
        url="https://upstream.example/files/demo-1.0.tar.gz",
        sha256=SHA,
        digests={"md5": "cd" * 16},
        size=7,
        upload_time="2026-01-02T03:04:05.678901Z",
        requires_python=">=3.8",
        yanked="broken",
        metadata=SHA,
        provenance="https://upstream.example/p",
    )


def test_an_empty_page() -> None:
    assert page().files == ()


@pytest.mark.parametrize(
    "field",
    [
        "hashes",
        "requires_python",
        "size",
        "upload_time",
        "yanked",
        "core_metadata",
        "dist_info_metadata",
        "provenance",
    ],
)
@pytest.mark.parametrize("value", [None, 1, -1, 1.5, [], [[]], {}, {"sha256": 1}, "\u0000", ["x"], 10**30])
def test_a_field_of_the_wrong_kind_costs_nothing_but_itself(field, value) -> None:
    file = entry(**{"requires_python": ">=3", "size": 7, field: value})
    assert file.filename == "demo-1.0.tar.gz"
    assert file.sha256 is None


@pytest.mark.parametrize(
    ("yanked", "reason"),
    [(True, ""), (False, None), ("", None), ("why", "why"), ("a\nb", "a b"), (None, None), (1, None)],
)
def test_yanked(yanked, reason) -> None:
    assert entry(yanked=yanked).yanked == reason


def test_core_metadata_goes_before_the_older_keys() -> None:
    assert entry(core_metadata=False, dist_info_metadata=True).metadata is False
    assert entry(dist_info_metadata={"sha256": SHA}).metadata == SHA
    assert entry(data_dist_info_metadata=True).metadata is True
    assert entry().metadata is None


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        "demo-1.0.tar.gz",
        [],
        {},
        {"filename": "demo-1.0.tar.gz"},
        {"url": "demo-1.0.tar.gz"},
        {"filename": 7, "url": "x"},
        {"filename": "demo-1.0.tar.gz", "url": 7},
        {"filename": "demo-1.0.tar.gz", "url": "javascript:x"},
        {"filename": "demo-1.0.tar.gz", "url": "https://u:p@upstream.example/x"},
        {"filename": "other-1.0.tar.gz", "url": "x"},
        {"filename": "../demo-1.0.tar.gz", "url": "x"},
        {"filename": "demo-1.0.exe", "url": "x"},
        {"filename": "demo-1.0.tar.gz", "url": "x", "yanked": "x" * 70_000},
    ],
)
def test_entries_that_are_no_file_are_left_out_alone(told) -> None:
    good = {"filename": "demo-2.0.tar.gz", "url": "demo-2.0.tar.gz"}
    assert [file.version for file in page(told, good).files] == ["2.0"]
    assert not page(told, good).unread


def test_a_page_of_which_no_file_can_be_read_is_no_empty_one() -> None:
    assert page({"filename": "demo-1.0.exe", "url": "x"}).unread
    assert page(None).unread
    assert not page().unread


def test_of_two_with_one_name_the_first_stays() -> None:
    first = {"filename": "demo-1.0.tar.gz", "url": "first"}
    assert [file.url for file in page(first, {**first, "url": "second"}).files] == [URL + "first"]


def test_status_at_the_top_and_in_meta() -> None:
    told = {"status": "archived", "reason": "over"}
    assert page(**{"project-status": told}).status == Status("archived", "over")
    assert page(**{"project-status": {"state": "deprecated"}}).status == Status("deprecated")
    assert page(meta={**META, "project-status": told}).status == Status("archived", "over")
    assert page(**{"project-status": {"status": "unheard of"}}).status is None
    assert page(**{"project-status": 7}).status is None


def test_versions() -> None:
    assert page(versions=["01.0", "1.0", "x", 7, "2"]).versions == ("1.0", "2")
    assert page(versions={"1.0": []}).versions == ()
    assert page(versions=None).versions == ()


def test_the_name_in_any_spelling() -> None:
    assert page(name="DEMO").project == DEMO
    assert read({"meta": META, "files": []}).project == DEMO


@pytest.mark.parametrize("name", ["other", "", "demo!", 7, ["demo"]])
def test_the_page_of_another_project(name) -> None:
    with pytest.raises(NotAPage, match="another project"):
        page(name=name)


@pytest.mark.parametrize("version", ["2.0", "0.1", None, 1.0, "", "x"])
def test_other_versions_of_the_api(version) -> None:
    with pytest.raises(NotAPage):
        page(meta={"api-version": version})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"files": []}',
        b'{"meta": {"api-version": "1.0"}}',
        b'{"meta": {"api-version": "1.0"}, "files": {}}',
        b'{"meta": {"api-version": "1.0"}, "files": null}',
        b'{"meta": [], "files": []}',
        b'{"message": "not found"}',
        b"<!DOCTYPE html><title>Links for demo</title>",
        b'{"meta": {"api-version": "1.0"}, "files": [',
        b'{"meta": {"api-version": "1.0"}, "files": []} trailing',
        b"[" * 1_000_000,
        b'{"files":' + b"[" * 1_000_000,
        b'{"meta":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b',"files":[]}',
        b"\xff\xfe",
        b'{"meta": {"api-version": "1.0"}, "files": [' + b"{}," * 600_000 + b"{}]}",
        b'{"meta": {"api-version": "1.0"}, "files": [' + b"0," * 150_000 + b"0]}",
        b'{"meta": {"api-version": "1.0"}, "files": [], "versions": [' + b'"",' * 150_000 + b'""]}',
        b'{"meta": {"api-version": "1.0"}, "files": [], "versions": ["' + b"1" * 5_000_000 + b'"]}',
    ],
    ids=lambda body: f"{body[:40].decode('latin-1')}~{len(body)}",
)
def test_what_is_no_page(body) -> None:
    with pytest.raises(NotAPage) as caught:
        read(body)
    assert "upstream.example" in str(caught.value)


def test_too_large() -> None:
    with pytest.raises(NotAPage, match="larger"):
        read(b" " * (MOST_BYTES + 1))


def test_a_number_without_end_costs_its_entry_alone() -> None:
    endless = b'{"filename":"demo-1.0.tar.gz","url":"x","size":' + b"9" * 5000 + b"}"
    good = b'{"filename":"demo-2.0.tar.gz","url":"x"}'
    told = read(b'{"meta":{"api-version":"1.0"},"files":[' + endless + b"," + good + b"]}")
    assert [file.version for file in told.files] == ["2.0"]


def test_a_page_as_large_as_they_come() -> None:
    files = [
        {"filename": f"demo-{number}-py3-none-any.whl", "url": "x"} for number in range(checked.MOST_FILES)
    ]
    assert len(page(*files).files) == checked.MOST_FILES
