"""How a site is laid out: names, links that any bucket understands, and how each thing is served."""

import json

import pytest

from fakes.made import sha
from fakes.site import hrefs
from wheelkeep.core.model import File, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.static_site import NOTES, ROOT, Shown, named, pages, roots, serving

DEMO = ProjectName("demo")
BYTES, METADATA = sha("bytes"), sha("metadata")


def shown(filename: str = "demo-1.0+cu-py3-none-any.whl", **more: object) -> Shown:
    file = File(
        filename=filename,
        project=DEMO,
        kind="wheel" if filename.endswith(".whl") else "sdist",
        version="1.0+cu",
        source=SourceName("outer"),
        url="https://files.example/somewhere",
        sha256=BYTES,
        size=3,
        upload_time="2026-01-02T03:04:05Z",
        requires_python=">=3.9",
        yanked='"><script>',
    )
    return Shown(file=file, sha256=BYTES, size=4, **{"metadata": METADATA, "provenance": True} | more)  # type: ignore[arg-type]


def test_a_page_says_in_both_forms_what_lies_there() -> None:
    html, told = pages(DEMO, [shown()], Status("archived", "done")).values()
    where = f"../../files/demo/{BYTES}/demo-1.0%2Bcu-py3-none-any.whl"
    provenance = "../../integrity/demo/1.0%2Bcu/demo-1.0%2Bcu-py3-none-any.whl/provenance"
    document = json.loads(told)
    assert document["project-status"] == {"status": "archived", "reason": "done"}
    assert document["versions"] == ["1.0+cu"]
    assert document["files"] == [
        {
            "filename": "demo-1.0+cu-py3-none-any.whl",
            "url": where,
            "hashes": {"sha256": BYTES},
            "requires-python": ">=3.9",
            "size": 4,
            "upload-time": "2026-01-02T03:04:05Z",
            "yanked": '"><script>',
            "core-metadata": {"sha256": METADATA},
            "provenance": provenance,
        }
    ]
    assert hrefs(html.decode()) == [f"{where}#sha256={BYTES}"]
    assert f'data-core-metadata="sha256={METADATA}"' in html.decode()
    assert "<script>" not in html.decode()


def test_what_lies_not_beside_a_file_is_not_told() -> None:
    for one, metadata in (
        (shown(metadata=None, provenance=False), False),
        (shown("demo-1.0+cu.tar.gz", metadata=None, provenance=False), None),
    ):
        (file,) = json.loads(pages(DEMO, [one], None)["simple/demo/index.json"])["files"]
        assert file.get("core-metadata") is metadata
        assert "provenance" not in file


@pytest.mark.parametrize(
    ("name", "kind", "content_type", "kept"),
    [
        ("simple/index.html", "root", "text/html; charset=utf-8", "max-age=60"),
        ("simple/index.json", "root", "application/vnd.pypi.simple.v1+json", "max-age=60"),
        ("simple/a-b/index.html", "page", "text/html; charset=utf-8", "max-age=60"),
        ("simple/a-b/index.json", "page", "application/vnd.pypi.simple.v1+json", "max-age=60"),
        (f"files/a-b/{BYTES}/a_b-1.tar.gz", "file", "application/octet-stream", "immutable"),
        (f"files/a-b/{BYTES}/a_b-1.whl.metadata", "metadata", "text/plain; charset=utf-8", "immutable"),
        (
            "integrity/a-b/1/a_b-1.whl/provenance",
            "provenance",
            "application/vnd.pypi.integrity.v1+json",
            "max-age=60",
        ),
        (NOTES, None, "application/json", "no-store"),
    ],
)
def test_each_thing_is_served_as_what_it_is(
    name: str, kind: str | None, content_type: str, kept: str
) -> None:
    told, part = serving(name), named(name)
    assert (part.kind if part is not None else None) == kind
    assert told.content_type == content_type
    assert kept in told.cache_control


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "simple/A/index.html",
        "simple/a/other.html",
        f"files/a/{BYTES}",
        "files/a/b/c.whl",
        "lock",
        "x/y",
    ],
)
def test_other_peoples_things_are_told_apart(name: str) -> None:
    assert named(name) is None


def test_the_list_has_every_name_once_in_both_forms() -> None:
    html, told = roots(["a", "b-c"]).values()
    assert tuple(roots([])) == ROOT
    assert hrefs(html.decode()) == ["a/", "b-c/"]
    assert [one["name"] for one in json.loads(told)["projects"]] == ["a", "b-c"]
