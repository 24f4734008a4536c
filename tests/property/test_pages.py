"""Laws of pages: what is written is read back, nothing written can run, and no input whatever makes a reader fail."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheelkeep.core import names
from wheelkeep.core.errors import NotAPage
from wheelkeep.core.links import Base
from wheelkeep.core.listing import ListedFile, Listing
from wheelkeep.core.model import Status
from wheelkeep.core.negotiate import (
    Form,
    Span,
    choose_coding,
    choose_form,
    etag_matches,
    parse_range,
    prefers_html,
)
from wheelkeep.core.read_html import read_html
from wheelkeep.core.read_json import read_json
from wheelkeep.core.write_html import write_html, write_root_html
from wheelkeep.core.write_json import write_json

DEMO = names.project("demo")
SOURCE = names.source("upstream")
URL = "https://upstream.example/simple/demo/"
READERS = [read_json, read_html]

hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
versions = st.from_regex(r"[1-9]?[0-9](\.[0-9]){0,2}((a|rc)[0-9])?(\+[a-z][0-9])?", fullmatch=True)
filenames = versions.flatmap(
    lambda version: st.sampled_from(
        [f"demo-{version}.tar.gz", f"Demo-{version}-py3-none-any.whl", f"demo-{version}-py2.py3-none-any.whl"]
    )
)
# One line of printable text, as a reader gives it.
sentences = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=40)
times = st.datetimes().map(lambda moment: moment.isoformat() + "Z")


@st.composite
def listed(draw):
    filename = draw(filenames)
    prefix = draw(st.sampled_from(["", "../../files/", "/files/a/", "https://files.example/x/"]))
    return ListedFile(
        filename=filename,
        url=prefix + quote(filename),
        hashes=draw(st.one_of(st.just({}), hexes.map(lambda digest: {"sha256": digest}))),
        size=draw(st.none() | st.integers(0, 2**40)),
        upload_time=draw(st.none() | times),
        requires_python=draw(st.none() | sentences.filter(bool)),
        yanked=draw(st.none() | sentences),
        metadata=draw(st.none() | st.just(True) | hexes),
        provenance=draw(st.none() | st.just("https://upstream.example/integrity/demo?a=1&b=2")),
    )


@st.composite
def listings(draw):
    files = draw(st.lists(listed(), max_size=6, unique_by=lambda file: file.filename))
    return Listing(
        name=DEMO,
        files=tuple(files),
        versions=tuple(
            dict.fromkeys(str(names.version(text)) for text in draw(st.lists(versions, max_size=4)))
        ),
        status=draw(
            st.none()
            | st.builds(
                Status,
                st.sampled_from(["active", "archived", "quarantined"]),
                st.none() | sentences.filter(bool),
            )
        ),
    )


def told(file):
    """What both renderings say of a file."""
    return (
        file.filename,
        file.requires_python,
        file.yanked,
        file.metadata,
        file.provenance,
    )


@given(listings())
def test_json_is_read_back(listing) -> None:
    page = read_json(write_json(listing), url=URL, project=DEMO, source=SOURCE)
    assert [told(file) for file in page.files] == [told(file) for file in listing.files]
    for read, written in zip(page.files, listing.files, strict=True):
        assert Base(URL).resolve(written.url) == (read.url, "")
        assert ({"sha256": read.sha256} if read.sha256 else {}) == written.hashes
        assert (read.size, read.upload_time) == (written.size, written.upload_time)
    assert (page.versions, page.status) == (listing.versions, listing.status)


@given(listings())
def test_html_is_read_back(listing) -> None:
    page = read_html(write_html(listing), url=URL, project=DEMO, source=SOURCE)
    assert [told(file) for file in page.files] == [told(file) for file in listing.files]
    for read, written in zip(page.files, listing.files, strict=True):
        assert Base(URL).resolve(written.url) == (read.url, "")
        assert ({"sha256": read.sha256} if read.sha256 else {}) == written.hashes
    assert page.status == listing.status


anything = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><script>',
        "'><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "\n</a>",
    ]
)


@given(
    st.lists(
        st.builds(
            ListedFile,
            filename=anything,
            url=anything,
            hashes=st.dictionaries(anything, anything, max_size=2),
            requires_python=anything,
            yanked=anything,
            metadata=anything,
            provenance=anything,
        ),
        max_size=3,
    ),
    anything,
)
def test_nothing_that_a_package_says_becomes_mark_up(files, reason) -> None:
    page = write_html(Listing(name=DEMO, files=tuple(files), status=Status("archived", reason)))
    text = (page + write_root_html([reason])).decode()
    assert "<script" not in text.lower()
    assert "<img" not in text.lower()
    known = {"!doctype", "html", "head", "meta", "title", "body", "h1", "a", "br"}
    assert {tag.lower().lstrip("/") for tag in re.findall(r"<([^\s>]*)", text)} <= known
    assert not re.search(r'href="\s*javascript:', text, re.IGNORECASE)
    assert len(re.findall(r"<a ", text)) == len(files) + 1


@pytest.mark.parametrize("read", READERS)
@given(body=st.binary(max_size=300), url=st.text(max_size=40))
def test_readers_refuse_and_never_fail(read, body, url) -> None:
    try:
        read(body, url=url, project=DEMO, source=SOURCE)
    except NotAPage as refusal:
        assert str(refusal).isprintable()


PAGES = [
    (read_json, write_json),
    (read_html, write_html),
]
# fmt: off
SCRAPS = st.sampled_from([
    b"<", b">", b'"', b"'", b"<!--", b"-->", b"<a ", b"</a>", b"=", b"\x00", b"\xff", b"{", b"}", b"[", b"]", b",",
    b"\\u", b"null", b"<script>", b"</script>", b"<base href=", b"#sha256=", b"%", b"9" * 30, b"&#x0;", b"&lt",
    b"<title>", b"javascript:", b"//other.example/", b"https://u:p@",
])
# fmt: on


@pytest.mark.parametrize(("read", "write"), PAGES, ids=["json", "html"])
@settings(max_examples=3 * settings().max_examples)
@given(
    listing=listings(), changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), SCRAPS), max_size=6)
)
def test_mutated_pages_are_read_or_refused(read, write, listing, changes) -> None:
    body = write(listing)
    for place, removed, scrap in changes:
        at = int(place * len(body))
        body = body[:at] + scrap + body[at + removed :]
    try:
        page = read(body, url=URL, project=DEMO, source=SOURCE)
    except NotAPage:
        return
    for file in page.files:
        assert names.filename(file.filename, DEMO).version == file.version
        assert file.url.startswith(("https://", "http://"))
        assert file.url.isascii() and file.url.isprintable() and " " not in file.url and "#" not in file.url
        assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.yanked is None or file.yanked == "" or file.yanked.isprintable()
    assert len({file.filename for file in page.files}) == len(page.files)


headers = (
    st.none() | st.text(max_size=60) | st.text('abcdefghilmnopqstvyxz0123456789*/;,=.+-"W \t', max_size=80)
)


@given(headers, headers)
def test_negotiation_is_total(accept, format_) -> None:
    assert choose_form(accept) in {None, *Form}
    assert choose_form(accept, format_) in {None, *Form}
    assert choose_coding(accept) in {"zstd", "gzip", "identity"}
    assert prefers_html(accept) in {True, False}
    assert etag_matches(accept, '"x"') in {True, False}


@given(headers | st.from_regex(r"bytes=[0-9]{0,4}-[0-9]{0,4}", fullmatch=True), st.integers(0, 2000))
def test_a_range_lies_within_its_file(header, size) -> None:
    part = parse_range(header, size)
    if isinstance(part, Span):
        assert 0 <= part.start < part.end <= size
    else:
        assert part in {None, "unsatisfiable"}


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_link_resolves_to_a_plain_address_or_to_none(page, link) -> None:
    read = Base(page).resolve(link)
    if read is not None:
        assert re.fullmatch(r"https?://[^\s@\\#?]+/[!-~]*", read[0])
