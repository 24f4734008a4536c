"""Root lists, read as if they meant harm."""

import json

import pytest

from wheelkeep.core.errors import NotAPage
from wheelkeep.core.read_root import read_root_html, read_root_json
from wheelkeep.core.write_html import write_root_html
from wheelkeep.core.write_json import write_root_json


def test_our_own_lists_are_read_back() -> None:
    told = ["a", "b-c", "z9"]
    assert list(read_root_json(write_root_json(told))) == told
    assert list(read_root_html(write_root_html(told))) == told


def test_json_may_tell_more() -> None:
    body = json.dumps({"meta": {"x": 1}, "projects": [{"name": "A.b", "_last-serial": 3}], "more": []})
    assert list(read_root_json(body.encode())) == ["A.b"]
    assert list(read_root_json(b'{"projects": []}')) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"projects": {}}',
        b'{"projects": ["a"]}',
        b'{"projects": [{"name": null}]}',
        b'{"projects": [{"name": "\xff"}]}',
        b'{"projects": [',
        b'{"projects": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(10),
)
def test_what_is_no_json_list(body: bytes) -> None:
    with pytest.raises(NotAPage):
        list(read_root_json(body))


def test_html_as_other_servers_write_it() -> None:
    body = b"""<!DOCTYPE html><HTML><body><h1>Index</h1>
        <A HREF="/simple/one/">one</A> <a class=x href='../two/'
        data-x="y"> two </a><a href=three>three</a><abbr>no</abbr><a>four</a><a href="x"></a>
        <a href="\xff">f\xffve</a>"""
    assert list(read_root_html(body)) == ["one", "two", "three", "four", "f\ufffdve"]


@pytest.mark.parametrize("piece", [b"<a ", b"<a href", b"<a>", b"<a>x", b"<a x=\n", b"<a b>" + b"y" * 199])
def test_a_wicked_list_is_read_in_one_pass(piece: bytes) -> None:
    # Read again from each tag on, this takes minutes: the test's time limit is what would tell.
    assert list(read_root_html(piece * (40_000_000 // len(piece)))) == []
