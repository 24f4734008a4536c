"""The tags of an HTML text: the tokenizer's corners, against the parser's own tree and against floods."""

import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from wheelkeep.core.tags import start_tags


def hrefs(text):
    return [told.get("href") for name, told in start_tags(text.encode()) if name == "a"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<a href=x>", ["x"]),
        ('<A HREF="x">', ["x"]),
        ("<a\nhref = 'x' >", ["x"]),
        ("<a/href=x>", ["x"]),
        ('<a class="b"href="x">', ["x"]),
        ('<a title=">" href="x">', ["x"]),
        ("<a title='<a href=y>' href=x>", ["x"]),
        ("<a href=x href=y>", ["x"]),
        ("<a href>", [""]),
        ('<a href="">', [""]),
        ("<a>", [None]),
        ("<abbr href=x>", []),
        ("< a href=x>", []),
        ("<a href=x", []),
        ('<a href="x>', []),
        ("<a href=a&amp;b&#x2f;c>", ["a&b/c"]),
        ("<a href='?a=1&copy=2'>", ["?a=1&copy=2"]),
        ("<!-- <a href=x> --><a href=y>", ["y"]),
        ("<!--><a href=y>", ["y"]),
        ("<!---><a href=y>", ["y"]),
        ("<!-- --!><a href=y>", ["y"]),
        ("<!-- -- > <a href=x>", []),
        ("<!-- <a href=x>", []),
        ("<!doctype html '><a href=y>", ["y"]),
        ("<?php <a href=x><a href=y>", ["y"]),
        ("</ <a href=x><a href=y>", ["y"]),
        ("</b title='<a href=x>'><a href=y>", ["y"]),
        ("<script><a href=x></script ><a href=y>", ["y"]),
        ("<SCRIPT src='>'><a href=x></Script><a href=y>", ["y"]),
        ("<style>a<b{}</style/><a href=y>", ["y"]),
        ("<title><a href=x></title><a href=y>", ["y"]),
        ("<textarea><a href=x></textareas></textarea><a href=y>", ["y"]),
        ("<script><a href=x>", []),
        ("<scripts><a href=y>", ["y"]),
        ("a < b <a href=y>", ["y"]),
        ("<a href=x><a href=y></a></b>", ["x", "y"]),
        ("<p><table><a href=y>", ["y"]),
    ],
)
def test_against_the_tree(text, found) -> None:
    assert hrefs(text) == found
    assert [node.attributes.get("href") or "" for node in LexborHTMLParser(text).css("a")] == [
        href or "" for href in found
    ]


def test_base_and_meta_come_first() -> None:
    text = b'<a href=x><meta name="n" content="c" charset=utf-8><base href="/y/">'
    assert list(start_tags(text)) == [
        ("meta", {"name": "n", "content": "c"}),
        ("base", {"href": "/y/"}),
        ("a", {"href": "x"}),
    ]


def test_a_tag_with_a_flood_of_attributes_is_left_out_alone() -> None:
    flood = " ".join(f"b{n}" for n in range(100))
    assert hrefs(f"<a href=x><a {flood} href=z><a href=y>") == ["x", "y"]
    assert hrefs(f"<a href=x><a title='{'z' * 70000}'><a href=y>") == ["x", "y"]


def test_bytes_that_are_no_text() -> None:
    assert [told for _, told in start_tags(b"<a href='\xff\x00x'>")] == [{"href": "\ufffd\ufffdx"}]


@pytest.mark.parametrize(
    "text",
    [
        b"<a " + b"b " * 1_000_000,
        b"<a " + b"b " * 1_000_000 + b">",
        b"<span>" * 100_000 + b"</p>" * 100_000,
        b"<div>" * 100_000,
        b"<b a=1>" * 50_000 + b"<p>" * 50_000,
        b"<!--" * 200_000,
        b"<!--" + b"-- " * 500_000,
        b"<a x='" * 200_000,
        b"<a x=\"'" * 200_000,
        b"<script>" + b"</scrip" * 200_000,
        b"<title>" * 200_000,
        b"<" * 1_000_000,
        b"</" * 500_000,
        b"<a =" * 300_000,
        b"<meta a>" * 100_000,
    ],
    ids=lambda text: text[:12].decode(),
)
def test_floods_are_over_in_no_time(text) -> None:
    began = time.process_time()
    for _ in start_tags(text):
        pass
    assert time.process_time() - began < 2
