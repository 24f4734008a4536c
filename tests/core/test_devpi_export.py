"""What a devpi export says of its files."""

import json
from typing import Any

import pytest

from wheelkeep.core.devpi_export import Exported, read_export


def dump(*files: dict[str, Any], kind: str = "stage", **more: Any) -> bytes:
    indexes = {"alice/dev": {"indexconfig": {"type": kind}, "projects": {}, "files": list(files)}}
    return json.dumps({"users": {}, "dumpversion": "2", "indexes": indexes} | more).encode()


def release(path: str, **entry: Any) -> dict[str, Any]:
    return {"type": "releasefile", "relpath": path, "projectname": "demo", "entrymapping": entry}


def test_releases_of_stages_by_path() -> None:
    hashes = {"hashes": {"SHA256": "AB"}, "hash_spec": "sha256=cd", "md5": "ef"}
    assert read_export(
        dump(
            release("alice/dev/demo/2.0/demo-2.0.tar.gz", hash_spec="md5=01"),
            release("alice/dev/demo/1.0/demo-1.0.tar.gz", **hashes),
            {"type": "doczip", "relpath": "alice/dev/demo-1.0.doc.zip"},
            {"type": "toxresult", "relpath": "alice/dev/demo/x/tox.json"},
        )
    ) == [
        Exported("alice/dev/demo/1.0/demo-1.0.tar.gz", "alice/dev", {"sha256": "ab", "md5": "ef"}),
        Exported("alice/dev/demo/2.0/demo-2.0.tar.gz", "alice/dev", {"md5": "01"}),
    ]


def test_what_a_mirror_kept_is_somebody_elses() -> None:
    assert read_export(dump(release("root/pypi/demo/1.0/demo-1.0.tar.gz"), kind="mirror")) == []


@pytest.mark.parametrize("path", ["../x.whl", "/etc/x.whl", "a/../../x.whl", "..", "a\\b.whl", "a\0b.whl"])
def test_a_place_outside_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="outside its folder"):
        read_export(dump(release(path)))


DEEP = b'{"indexes": {"a/b": {"indexconfig": {"x": ' + b"[" * 100_000


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"indexes": 7}', DEEP, dump(dumpversion="9")])
def test_what_is_no_export_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"dataindex\.json"):
        read_export(text)
