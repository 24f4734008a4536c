"""The HTML rendering: what installers read in it, and that nothing in it can run."""

from html.parser import HTMLParser

import pytest

from wheelkeep.core import names
from wheelkeep.core.listing import ListedFile, Listing
from wheelkeep.core.model import Status
from wheelkeep.core.write_html import write_html, write_root_html

DEMO = names.project("demo")
SHA = "ab" * 32


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags(body, wanted):
    return [attributes for tag, attributes in Tags(body.decode()).found if tag == wanted]


def anchor(**fields):
    file = ListedFile(**{"filename": "demo-1.0.tar.gz", "url": "../demo-1.0.tar.gz", **fields})
    [attributes] = tags(write_html(Listing(name=DEMO, files=(file,))), "a")
    return attributes


def test_the_head_tells_version_and_status() -> None:
    body = write_html(Listing(name=DEMO, status=Status("archived", 'no "more" <work>')))
    assert body.startswith(b"<!DOCTYPE html>")
    assert {meta["name"]: meta["content"] for meta in tags(body, "meta") if "name" in meta} == {
        "pypi:repository-version": "1.4",
        "pypi:project-status": "archived",
        "pypi:project-status-reason": 'no "more" <work>',
    }
    assert b"<title>Links for demo</title>" in body


def test_no_status_no_meta() -> None:
    assert b"project-status" not in write_html(Listing(name=DEMO))


def test_a_file_with_everything() -> None:
    told = anchor(
        hashes={"md5": "cd" * 16, "sha256": SHA},
        requires_python=">=3.8,<4",
        yanked='it\'s "broken" & <bad>',
        metadata=SHA,
        provenance="https://upstream.example/p?a&b",
    )
    assert told == {
        "href": f"../demo-1.0.tar.gz#sha256={SHA}",
        "data-requires-python": ">=3.8,<4",
        "data-yanked": 'it\'s "broken" & <bad>',
        "data-dist-info-metadata": f"sha256={SHA}",
        "data-core-metadata": f"sha256={SHA}",
        "data-provenance": "https://upstream.example/p?a&b",
    }


def test_a_file_with_nothing() -> None:
    assert anchor() == {"href": "../demo-1.0.tar.gz"}


def test_requires_python_is_escaped() -> None:
    file = ListedFile(filename="demo-1.0.tar.gz", url="x", requires_python=">=3,<4")
    assert b'data-requires-python="&gt;=3,&lt;4"' in write_html(Listing(name=DEMO, files=(file,)))


def test_an_empty_reason_is_still_yanked() -> None:
    assert anchor(yanked="")["data-yanked"] == ""


def test_metadata_true_and_false() -> None:
    told = anchor(metadata=True)
    assert told["data-core-metadata"] == told["data-dist-info-metadata"] == "true"
    assert "data-core-metadata" not in anchor(metadata=False)


@pytest.mark.parametrize(
    ("hashes", "fragment"),
    [
        ({"md5": "cd" * 16, "sha512": "ef" * 64}, f"#sha512={'ef' * 64}"),
        ({"md5": "cd" * 16}, f"#md5={'cd' * 16}"),
        ({}, ""),
    ],
)
def test_the_best_hash_there_is(hashes, fragment) -> None:
    assert anchor(hashes=hashes)["href"] == "../demo-1.0.tar.gz" + fragment


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)//",
        "data:text/html,x",
        "vbscript:x",
    ],
)
def test_an_address_that_could_run_is_not_written(url) -> None:
    assert anchor(url=url)["href"] == "#"


@pytest.mark.parametrize("url", ["https://h.example/a", "http://h.example/a", "../a:b/c", "/a", "a/b:c"])
def test_other_addresses_stay(url) -> None:
    assert anchor(url=url)["href"] == url


def test_line_breaks_in_one_field_do_not_shift_the_others() -> None:
    files = (
        ListedFile(filename="a\nb", url="one\ntwo"),
        ListedFile(filename="c", url="three", provenance="https://x.example/\n"),
    )
    assert [a["href"] for a in tags(write_html(Listing(name=DEMO, files=files)), "a")] == [
        "one\ntwo",
        "three",
    ]


def test_the_text_of_an_anchor_is_the_file_name() -> None:
    body = write_html(Listing(name=DEMO, files=(ListedFile(filename="demo-1.0.tar.gz", url="x"),)))
    assert b">demo-1.0.tar.gz</a>" in body


def test_the_root() -> None:
    body = write_root_html(["a", "b<"])
    assert [a["href"] for a in tags(body, "a")] == ["a/", "b</"]
    assert b"<b<" not in body
