"""HTML pages: PEP 503 and its followers, what is no page at all, and bodies that mean harm."""

import time
from contextlib import suppress

import pytest

from wheelkeep.core import names
from wheelkeep.core.errors import NotAPage
from wheelkeep.core.model import File, Status
from wheelkeep.core.read_html import MOST_BYTES, MOST_LINKS, read_html

DEMO = names.project("demo")
SOURCE = names.source("upstream")
URL = "https://upstream.example/simple/demo/"
SHA = "ab" * 32


def read(text, **fields):
    body = text if isinstance(text, bytes) else text.encode()
    return read_html(body, **{"url": URL, "project": DEMO, "source": SOURCE, **fields})


def anchor(attributes):
    [file] = read(f"<!DOCTYPE html><html><body><a {attributes}>x</a></body></html>").files
    return file


def test_a_file_with_everything() -> None:
    assert anchor(
        f'href="../../files/demo-1.0-py3-none-any.whl#sha256={SHA.upper()}&md5={"cd" * 16}" '
        f'data-requires-python="&gt;=3.8,&lt;4" data-yanked="bro&quot;ken" '
        f'data-core-metadata="sha256={SHA}" data-dist-info-metadata="true" '
        f'data-provenance="https://upstream.example/p" data-gpg-sig="true" onclick="alert(1)"'
    ) == File(
        filename="demo-1.0-py3-none-any.whl",
        project=DEMO,
        kind="wheel",
        version="1.0",
        source=SOURCE,
        url="https://upstream.example/files/demo-1.0-py3-none-any.whl",
        sha256=SHA,
        digests={"md5": "cd" * 16},
        requires_python=">=3.8,<4",
        yanked='bro"ken',
        metadata=SHA,
        provenance="https://upstream.example/p",
    )


@pytest.mark.parametrize(
    ("href", "url", "filename"),
    [
        ("demo-1.0.tar.gz", URL + "demo-1.0.tar.gz", "demo-1.0.tar.gz"),
        (" \n demo-1.0.tar.gz ", URL + "demo-1.0.tar.gz", "demo-1.0.tar.gz"),
        ("demo-1.0%2Bcpu.tar.gz", URL + "demo-1.0%2Bcpu.tar.gz", "demo-1.0+cpu.tar.gz"),
        ("demo-1.0+cpu.tar.gz", URL + "demo-1.0+cpu.tar.gz", "demo-1.0+cpu.tar.gz"),
        ("demo-1.0.tar.gz?token=a/b", URL + "demo-1.0.tar.gz?token=a/b", "demo-1.0.tar.gz"),
        (
            "http://files.example/demo-1.0.tar.gz",
            "http://files.example/demo-1.0.tar.gz",
            "demo-1.0.tar.gz",
        ),
    ],
)
def test_addresses(href, url, filename) -> None:
    file = anchor(f'href="{href}"')
    assert (file.url, file.filename) == (url, filename)


@pytest.mark.parametrize(
    "href",
    [
        "",
        "../",
        "other-1.0.tar.gz",
        "demo-1.0.exe",
        "javascript:demo-1.0.tar.gz",
        "https://u:p@upstream.example/demo-1.0.tar.gz",
        "file:///demo-1.0.tar.gz",
        "a%2Fdemo-1.0.tar.gz",
        "%64" * 25 + "demo-1.0.tar.gz",
        "demo-1.0.tar.gz/",
        "x#demo-1.0.tar.gz",
        "de\tmo-1.0.tar.gz",
    ],
)
def test_links_that_lead_to_no_file_are_left_out_alone(href) -> None:
    told = read(f'<a href="{href}">demo-1.0.tar.gz</a><a href="demo-2.0.tar.gz">x</a>')
    assert [file.version for file in told.files] == ["2.0"]


def test_a_page_of_which_no_file_can_be_read_is_no_empty_one() -> None:
    heading = "<h1>Links for demo</h1>"
    for href in (
        "demo-1.0.exe",
        "javascript:/Demo-1.0.tar.gz",
        "https://u:p@upstream.example/demo-1.0.tar.gz#x",
    ):
        assert read(f'{heading}<a href="{href}">x</a>').unread
    for href in ("../", "", "/help/demo", "other-1.0.tar.gz"):
        assert not read(f'{heading}<a href="{href}">x</a>').unread


def test_a_wrong_hash_is_no_hash() -> None:
    file = anchor('href="demo-1.0.tar.gz#sha256=zz"')
    assert (file.sha256, file.digests) == (None, {})


@pytest.mark.parametrize(
    ("attributes", "yanked"),
    [("", None), ("data-yanked", ""), ('data-yanked=""', ""), ('data-yanked="why"', "why")],
)
def test_yanked(attributes, yanked) -> None:
    assert anchor(f'href="demo-1.0.tar.gz" {attributes}').yanked == yanked


@pytest.mark.parametrize(
    ("attributes", "metadata"),
    [
        ("", None),
        ('data-dist-info-metadata="true"', True),
        (f'data-dist-info-metadata="sha256={SHA}"', SHA),
        ('data-core-metadata="true" data-dist-info-metadata="false"', True),
        ('data-core-metadata="false"', False),
        ('data-core-metadata="md5=x"', True),
        ('data-core-metadata="sha256=x"', None),
        ("data-core-metadata", None),
    ],
)
def test_metadata(attributes, metadata) -> None:
    assert anchor(f'href="demo-1.0.tar.gz" {attributes}').metadata == metadata


def test_requires_python_unescaped_or_not() -> None:
    assert anchor('href="demo-1.0.tar.gz" data-requires-python=">=3,<4"').requires_python == ">=3,<4"


def test_base() -> None:
    told = read(
        '<a href="demo-1.0.tar.gz">x</a><base target=x><base href="/files/"><base href="/other/">'
        '<a href="demo-2.0.tar.gz">x</a>'
    )
    assert [file.url for file in told.files] == [
        "https://upstream.example/files/demo-1.0.tar.gz",
        "https://upstream.example/files/demo-2.0.tar.gz",
    ]


def test_of_two_with_one_name_the_first_stays() -> None:
    told = read("<a href=a/demo-1.0.tar.gz></a><a href=b/demo-1.0.tar.gz></a>")
    assert [file.url for file in told.files] == [URL + "a/demo-1.0.tar.gz"]


def test_metas() -> None:
    told = read(
        '<meta name="pypi:repository-version" content="1.4"><meta name="pypi:project-status" content="archived">'
        '<meta name="PyPI:project-status-reason" content="a &amp; b"><meta name="pypi:versions" content="1.0, 2">'
    )
    assert told.status == Status("archived", "a & b")
    assert told.versions == ("1.0", "2")


@pytest.mark.parametrize(
    "text",
    [
        '<meta name="pypi:repository-version" content="1.0">',
        "<title>Links for demo</title>",
        "<html><body><h1 class=x>\n links  for demo</h1>",
    ],
)
def test_a_page_without_files_that_shows_it_is_one(text) -> None:
    assert read(text).files == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not found",
        '{"files": []}',
        "<html><title>Log in</title><form action=/login><input name=password></form>",
        "<title>Simple index</title><a href='demo/'>demo</a>",
        "<title>Index of /demo/</title><a href='../'>..</a>",
        "<a href='other-1.0.tar.gz'>other-1.0.tar.gz</a>",
        "<p>Links for demo</p>",
        "<!-- <a href=demo-1.0.tar.gz> -->",
        "<script>'<a href=demo-1.0.tar.gz>'</script>",
        "\x00" * 1000,
    ],
)
def test_what_is_no_page(text) -> None:
    with pytest.raises(NotAPage) as caught:
        read(text)
    assert "upstream.example" in str(caught.value)


@pytest.mark.parametrize("version", ["2.0", "0.9", "", "x"])
def test_other_versions_of_the_api(version) -> None:
    with pytest.raises(NotAPage):
        read(f'<meta name="pypi:repository-version" content="{version}"><a href=demo-1.0.tar.gz>x</a>')


def test_charsets() -> None:
    text = "<a href=demo-1.0.tar.gz data-yanked='d\u00e9j\u00e0'>"
    assert read(text).files[0].yanked == "d\u00e9j\u00e0"
    assert read(text, charset="utf-8").files[0].yanked == "d\u00e9j\u00e0"
    assert read(text.encode("latin-1"), charset='"ISO-8859-1"').files[0].yanked == "d\u00e9j\u00e0"
    assert read(text, charset="no-such").files[0].yanked == "d\u00e9j\u00e0"
    assert read(text.encode("latin-1")).files[0].yanked == "d\ufffdj\ufffd"


def test_bounds() -> None:
    head = b"<title>Links for demo</title>"
    for body in (
        head + b" " * MOST_BYTES,
        head + b"<br>" * (MOST_LINKS * 10),
        head + b"<a>" * (MOST_LINKS + 1),
    ):
        with pytest.raises(NotAPage):
            read(body)


WHOLE = MOST_BYTES - 100
FLOODS = {
    "attributes": b"<a " + b"b " * (WHOLE // 2) + b">",
    "attributes of links": (b"<a " + b" ".join(b"b%d=%s" % (n, b"x" * 12) for n in range(32)) + b">")
    * 29_000,
    "nesting": b"<span>" * 149_000 + b"</p>" * 149_000,
    "comment": b"<!--" + b"--x-" * (WHOLE // 4),
    "metas": b"<meta a b c d e f g h i j k l m>" * 299_000,
    "sdists": b"".join(b'<a href="demo-%d%s.tar.gz">' % (n, b"-a" * 110) for n in range(MOST_LINKS)),
    "wheels": b"".join(
        b'<a href="demo-%d-%s.whl">' % (n, b"-".join([b"a.b.c.d.e.f.g"] * 3)) for n in range(MOST_LINKS)
    ),
    "odd links": b"".join(
        b'<a href="./%s/demo-%d.zip">' % ("\u00e9".encode() * 200, n) for n in range(MOST_LINKS)
    ),
    "wide text": b"".join(
        b'<a href="demo-%d.zip" data-yanked="%s">' % (n, "\U0001f600".encode() + b"y" * 480)
        for n in range(MOST_LINKS)
    ),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_no_body_within_the_bounds_takes_long(flood) -> None:
    body = FLOODS[flood]
    assert len(body) <= MOST_BYTES
    began = time.process_time()
    with suppress(NotAPage):
        read(body)
    # Promised are 2 s; a machine that is busy with other tests gets twice that.
    assert time.process_time() - began < 4
