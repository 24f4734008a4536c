"""A source's HTML page (PEP 503, with 592, 629, 658, 714, 740 and 792), read as if it meant harm.

Any web server can answer in HTML: a log-in form, a captive portal, an error with status 200. Such a text is no
page, and must never read as "this project has no files".
"""

import re
from urllib.parse import unquote

from wheelkeep.core import checked
from wheelkeep.core.errors import NotAPage
from wheelkeep.core.links import Base
from wheelkeep.core.model import File, Page
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.tags import Attributes, start_tags

# Chosen so that no body within them, whatever is in it, takes 2 seconds or 300 MB.
MOST_BYTES = 16 * 1024 * 1024
MOST_LINKS = 30_000
_MOST_BRACKETS = 10 * MOST_LINKS
_MOST_ESCAPES = 20
# Charsets that agree with ASCII in all that is mark-up, addresses and hashes. Others are read as UTF-8.
_LATIN = frozenset({"iso-8859-1", "iso8859-1", "latin-1", "latin1", "windows-1252", "cp1252"})
# How nearly every index heads a page, since PEP 503's own example.
_HEADING = re.compile(
    rb"<(?:title|h1)(?:[\t\n\f\r ][^<>]*+)?>[\t\n\f\r ]*+links[\t\n\f\r ]++for\b", re.IGNORECASE
)
_SPACE = "\t\n\f\r "


def read_html(
    body: bytes, *, url: str, project: ProjectName, source: SourceName, charset: str | None = None
) -> Page:
    """The page that a source's HTML tells.

    ``url`` is the address the body came from in the end, ``charset`` what its ``Content-Type`` said. Links that
    lead to no file of ``project`` are left out; of two with one file name the first stays. Raises NotAPage if
    nothing shows that this is a page of the Simple API, if it is of another major version, or too large.
    """
    shown = checked.shown(url)
    if len(body) > MOST_BYTES:
        raise NotAPage(f"{shown} is larger than {MOST_BYTES} bytes")
    if body.count(b"<") > _MOST_BRACKETS:
        raise NotAPage(f"{shown} has more in it than {MOST_LINKS} links need")
    if charset is not None and charset.strip("\"' ").lower() in _LATIN and not body.isascii():
        body = body.decode("cp1252", "replace").encode()
    base: Base | None = None
    links: list[Attributes] = []
    metas: dict[str, str] = {}
    for name, told in start_tags(body):
        if name == "a":
            links.append(told)
        elif name == "meta":
            if (key := told.get("name", "").lower()).startswith("pypi:"):
                metas.setdefault(key, told.get("content", ""))
        elif base is None and "href" in told:
            # The first one counts (HTML standard, section 4.2.3), and for every link of the page.
            base = Base(url).under(told["href"].strip(_SPACE))
    if len(links) > MOST_LINKS:
        raise NotAPage(f"{shown} has more than {MOST_LINKS} links")
    if "pypi:repository-version" in metas:
        checked.require_version_one(metas["pypi:repository-version"], url=url)
    filenames = checked.FileNames(project)
    files = _files(links, base or Base(url), filenames, project, source)
    if not files and "pypi:repository-version" not in metas and not _HEADING.search(body):
        raise NotAPage(
            f"{shown} has no file of {project}, and nothing that shows it to be a page of an index"
        )
    return Page(
        project=project,
        files=files,
        # No PEP has this one (PEP 700 is for JSON alone); where a server tells it, it is read.
        versions=checked.versions(re.split(r"[\s,]+", metas.get("pypi:versions", ""))),
        status=checked.status(metas.get("pypi:project-status"), metas.get("pypi:project-status-reason")),
        # A page also has links that are there for people: those that are meant as files count alone.
        unread=not files and any(filenames.meant(_last_part(told.get("href", ""))) for told in links),
    )


def _files(
    links: list[Attributes],
    base: Base,
    filenames: checked.FileNames,
    project: ProjectName,
    source: SourceName,
) -> tuple[File, ...]:
    files: dict[str, File] = {}
    for told in links:
        file = _file(told, base, filenames, project, source)
        if file is not None and file.filename not in files:
            files[file.filename] = file
    return tuple(files.values())


def _file(
    told: Attributes, base: Base, filenames: checked.FileNames, project: ProjectName, source: SourceName
) -> File | None:
    link = base.resolve(told.get("href", "").strip(_SPACE))
    if link is None:
        return None
    url, fragment = link
    # PEP 503: the name is the last part of the address. The text of the link is for people.
    filename = _last_part(url)
    if "%" in filename:
        if filename.count("%") > _MOST_ESCAPES:
            return None
        filename = unquote(filename)
    name = filenames.read(filename)
    if name is None:
        return None
    sha256, digests = checked.hashes(_pairs(fragment))
    return File(
        filename=filename,
        project=project,
        kind=name.kind,
        version=name.version,
        source=source,
        url=url,
        sha256=sha256,
        digests=digests,
        requires_python=checked.requires_python(told.get("data-requires-python")),
        yanked=checked.reason(told.get("data-yanked")),
        metadata=_metadata(told),
        provenance=checked.provenance(told.get("data-provenance")),
    )


def _last_part(link: str) -> str:
    return link.partition("#")[0].partition("?")[0].rpartition("/")[2]


def _pairs(text: str) -> list[tuple[str, str]]:
    """``name=value&name=value`` as pairs."""
    pairs = []
    for part in text.split("&") if "&" in text else (text,):
        name, _, value = part.partition("=")
        pairs.append((name, value))
    return pairs


def _metadata(told: Attributes) -> bool | str | None:
    # PEP 714's attribute, then PEP 658's.
    value = told.get("data-core-metadata", told.get("data-dist-info-metadata"))
    if value is None:
        return None
    if value in {"true", "false"}:
        return value == "true"
    return checked.metadata(dict(_pairs(value))) if "=" in value else None
