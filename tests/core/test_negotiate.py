"""Negotiation: real clients' headers, the corners of RFC 9110, and headers that mean harm."""

import pytest

from wheelkeep.core.negotiate import (
    LONGEST,
    Form,
    Span,
    choose_coding,
    choose_form,
    etag_matches,
    parse_range,
    prefers_html,
    takes,
)

V1 = "application/vnd.pypi.simple.v1"
LATEST = "application/vnd.pypi.simple.latest"
PIP = f"{V1}+json, {V1}+html; q=0.1, text/html; q=0.01"
UV = f"{V1}+json, {V1}+html;q=0.2, text/html;q=0.01"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Form.HTML),
        ("", Form.HTML),
        (" , ,", Form.HTML),
        ("*/*", Form.HTML),
        ("*", Form.HTML),
        (PIP, Form.JSON),
        (UV, Form.JSON),
        (BROWSER, Form.HTML),
        (f"{V1}+json", Form.JSON),
        (f"{V1}+html", Form.HTML_V1),
        (f"{LATEST}+json", Form.JSON),
        (f"{LATEST}+html", Form.HTML_V1),
        (f"{V1}+HTML;Q=1, {V1}+JSON;q=0.9", Form.HTML_V1),
        (f"text/html, {V1}+html, {V1}+json", Form.JSON),
        (f"text/html, {V1}+html", Form.HTML_V1),
        (f"{V1}+json;q=0.5, text/html", Form.HTML),
        ("text/*", Form.HTML),
        ("application/*", Form.JSON),
        ("text/html, */*", Form.HTML),
        ("application/json, */*;q=0.1", Form.HTML),
        ("text/html;q=0, */*", Form.JSON),
        (f"{V1}+json;q=0, application/*", Form.HTML_V1),
        ("text/html; level=1; q=0.5", Form.HTML),
        (f"{V1}+json;q=0", None),
        ("*/*;q=0", None),
        ("application/json", None),
        ("image/png", None),
        ("nonsense", None),
        (f"{V1}+json;q=2, text/html", Form.JSON),
        (f"{V1}+json;q=abc, text/html;q=0.1", Form.HTML),
        (f"{V1}+json," * LONGEST, Form.HTML),
    ],
)
def test_choose_form(accept, form) -> None:
    assert choose_form(accept) is form


@pytest.mark.parametrize(
    ("format_", "form"),
    [
        (f"{V1}+json", Form.JSON),
        (f"{LATEST}+json", Form.JSON),
        (f"{V1}+html", Form.HTML_V1),
        ("text/html", Form.HTML),
        ("TEXT/HTML; charset=utf-8", Form.HTML),
        (f"{V1} json", None),
        ("json", None),
        ("", None),
        ("*/*", None),
    ],
)
def test_the_format_in_the_address_overrides_the_header(format_, form) -> None:
    assert choose_form(PIP, format_) is form


def test_content_types_are_real_versions() -> None:
    assert [form.content_type for form in Form] == [f"{V1}+json", f"{V1}+html", "text/html; charset=utf-8"]
    assert [form.is_json for form in Form] == [True, False, False]


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("br", "identity"),
        ("*", "zstd"),
        ("zstd;q=0, *", "gzip"),
        ("gzip;q=0.5", "gzip"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("identity, gzip;q=0.5", "identity"),
        ("gzip;q=0", "identity"),
        ("*;q=0", "identity"),
        ("identity;q=0, *;q=0", "identity"),
        ("zstd;q=x", "identity"),
        ("zstd," * LONGEST, "identity"),
    ],
)
def test_choose_coding(header, coding) -> None:
    assert choose_coding(header) == coding


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (None, False),
        ("*/*", False),
        ("text/*", False),
        (BROWSER, True),
        ("text/html", True),
        ("text/html;q=0", False),
        ("text/html, application/json", True),
        ("text/html;q=0.5, application/problem+json", False),
        (PIP, False),
        (UV, False),
    ],
)
def test_prefers_html(accept, html) -> None:
    assert prefers_html(accept) is html


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        (None, False),
        ("", False),
        ("*", True),
        (' "x" ', True),
        ('W/"x"', True),
        ('"y", W/"x"', True),
        ('"y","z"', False),
        ('"x-gzip"', False),
        ("x", False),
        ('"x', False),
        ('"a, b", "x"', True),
        ('"x",' * LONGEST, False),
    ],
)
def test_etag_matches(header, matches) -> None:
    assert etag_matches(header, '"x"') is matches
    assert etag_matches(header, 'W/"x"') is matches


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (None, None),
        ("", None),
        ("bytes=0-4", Span(0, 5)),
        ("Bytes=0-4", Span(0, 5)),
        ("bytes=0-", Span(0, 10)),
        ("bytes=9-", Span(9, 10)),
        ("bytes=3-100", Span(3, 10)),
        ("bytes=-3", Span(7, 10)),
        ("bytes=-100", Span(0, 10)),
        ("bytes=-0", "unsatisfiable"),
        ("bytes=10-", "unsatisfiable"),
        ("bytes=10-20", "unsatisfiable"),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("bytes=a-b", None),
        ("bytes=\u0661-", None),
        ("bytes=+1-2", None),
        ("items=0-4", None),
        (f"bytes={'9' * 19}-", "unsatisfiable"),
        (f"bytes={'9' * 5000}-{'9' * 3000}", "unsatisfiable"),
        (f"bytes={'0' * 30}-{'0' * 30}4", Span(0, 5)),
        (f"bytes=-{'9' * 5000}", Span(0, 10)),
        (f"bytes=-{'0' * 30}", "unsatisfiable"),
        (f"bytes=0-{'9' * 18}", Span(0, 10)),
        (f"bytes=0-4{' ' * LONGEST}", None),
    ],
)
def test_parse_range(header, answer) -> None:
    assert parse_range(header, 10) == answer


def test_ranges_of_an_empty_file() -> None:
    assert parse_range("bytes=0-", 0) == "unsatisfiable"
    assert parse_range("bytes=-5", 0) is None


@pytest.mark.parametrize(
    ("accept", "good"),
    [
        (None, True),
        ("", True),
        ("application/vnd.pypi.pytp.v1+json", True),
        ("text/html, application/vnd.pypi.pytp.v1+json;q=0.1", True),
        ("application/json", True),
        ("application/*", True),
        ("*/*", True),
        ("application/vnd.pypi.pytp.v1+json;q=0", False),
        ("text/html", False),
        ("application/vnd.pypi.simple.v1+json", False),
        ("text/*", False),
    ],
)
def test_takes(accept: str | None, good: bool) -> None:
    assert takes(accept, "application/vnd.pypi.pytp.v1+json") is good
