"""Targets: pages, file names and headers, as origins and clients send them."""

import re

from wheelkeep.core import names
from wheelkeep.core.errors import InvalidName, NotAPage
from wheelkeep.core.listing import ListedFile, Listing
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.negotiate import Span, choose_coding, choose_form, etag_matches, parse_range, prefers_html
from wheelkeep.core.read_html import read_html
from wheelkeep.core.read_json import read_json
from wheelkeep.core.read_root import read_root_html, read_root_json
from wheelkeep.core.upload_rules import same_file
from wheelkeep.core.write_html import write_html
from wheelkeep.core.write_json import write_json

DEMO, SOURCE = ProjectName("demo"), SourceName("outer")
URL = "https://outer.example/simple/demo/"


def page_json(body: bytes) -> None:
    """A page as JSON; what was read is written and read again, in both forms."""
    try:
        page = read_json(body, url=URL, project=DEMO, source=SOURCE)
    except NotAPage:
        return
    _as_written(page)


def page_html(body: bytes) -> None:
    """A page as HTML; the same."""
    try:
        page = read_html(body, url=URL, project=DEMO, source=SOURCE)
    except NotAPage:
        return
    _as_written(page)


def root_list(body: bytes) -> None:
    """The list of all names, in both forms."""
    for read in (read_root_json, read_root_html):
        try:
            assert all(isinstance(name, str) for name in read(body))
        except NotAPage:
            continue


def _as_written(page: Page) -> None:
    """What we tell of a page is what we read, whichever form a client asks for."""
    listing = Listing(
        name=page.project,
        files=tuple(_listed(file) for file in page.files),
        versions=page.versions,
        status=page.status,
    )
    again = read_json(write_json(listing), url=URL, project=DEMO, source=SOURCE)
    assert _told(again) == _told(page)
    assert [(file.size, file.upload_time) for file in again.files] == [
        (file.size, file.upload_time) for file in page.files
    ]
    if page.files:
        written = write_html(listing)
        assert _told(read_html(written, url=URL, project=DEMO, source=SOURCE)) == _told(page)
        assert not re.search(rb"<(?!/?(?:!DOCTYPE|html|head|meta|title|body|h1|a|br)\b)", written)


def _listed(file: File) -> ListedFile:
    assert names.filename(file.filename, DEMO).version == file.version
    return ListedFile(
        filename=file.filename,
        url=f"../../files/demo/{file.sha256 or '-'}/{file.filename}",
        hashes={"sha256": file.sha256} if file.sha256 is not None else {},
        size=file.size,
        upload_time=file.upload_time,
        requires_python=file.requires_python,
        yanked=file.yanked,
        metadata=file.metadata,
    )


def _told(page: Page) -> list[object]:
    files = (
        (
            file.filename,
            file.version,
            file.kind,
            file.sha256,
            file.requires_python,
            file.yanked,
            file.metadata,
        )
        for file in page.files
    )
    return [*files, page.status]


def file_names(body: bytes) -> None:
    """File names: one owner, one meaning, no path."""
    text = body.decode("utf-8", "surrogateescape")
    owner = names.owner_of(text)
    if owner is None:
        return
    parsed = names.filename(text, owner)
    assert not set(text) & set('/\\\x00\n"<>& %#?')
    assert names.project(owner) == owner
    assert str(names.version(parsed.version)) == parsed.version
    assert same_file(text, owner) == same_file(text, owner)
    try:
        names.filename(text, ProjectName(f"{owner}-x"))
    except InvalidName:
        return
    # Only an old sdist's dashes leave a choice of owners.
    assert parsed.kind == "sdist"


def headers(body: bytes) -> None:
    """Range, Accept, Accept-Encoding and If-None-Match."""
    first, _, rest = body.decode("latin-1").partition("\n")
    for size in (0, 1, 1000, 2**40):
        span = parse_range(first, size)
        if isinstance(span, Span):
            assert 0 <= span.start < span.end <= size
    form = choose_form(first, rest or None)
    assert form is None or form.content_type
    assert choose_coding(first) in ("identity", "gzip", "zstd")
    assert prefers_html(first) in (True, False)
    assert etag_matches(first, '"a"') in (True, False)
