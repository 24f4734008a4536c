"""A listing as HTML of the Simple API (PEP 503, with 592, 629, 658, 714, 740 and 792).

Frozen at version 1.4 (PEP 833): what is newer is said in JSON only. Every value is escaped here, and an
address that a browser would run is not written: nothing a package says can become mark-up or script.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape

from wheelkeep.core.listing import API_VERSION, ListedFile, Listing

# The strongest first: PEP 503 has room for one hash in a link's fragment, and asks for sha256.
_BY_STRENGTH = ("sha256", "sha512", "sha384", "sha3_512", "sha3_384", "sha3_256", "blake2b", "blake2s")
_HEAD = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
_VERSION = f'<meta name="pypi:repository-version" content="{API_VERSION}">\n'


def write_html(listing: Listing) -> bytes:
    """The page of one project as UTF-8 HTML, version 1.4: one anchor a file (PEP 503)."""
    title = f"Links for {escape(listing.name)}"
    files = listing.files
    lines = zip(
        _escaped([_href(file) for file in files]),
        map(_attributes, files, _escaped([file.provenance or "" for file in files])),
        _escaped([file.filename for file in files]),
        strict=True,
    )
    return "".join(
        [
            f"{_HEAD}{_VERSION}{_status(listing)}<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n",
            *[f'<a href="{href}"{attributes}>{name}</a><br>\n' for href, attributes, name in lines],
            "</body>\n</html>\n",
        ]
    ).encode("utf-8", "replace")


def write_root_html(names: Iterable[str]) -> bytes:
    """The list of projects as UTF-8 HTML, version 1.4, in the order given; each links to ``name/``."""
    return "".join(
        [
            f"{_HEAD}{_VERSION}<title>Simple index</title>\n</head>\n<body>\n",
            # No project has a colon in its name; with one, a browser would take what stands before for a scheme.
            *[f'<a href="{name.replace(":", "%3A")}/">{name}</a><br>\n' for name in _escaped(list(names))],
            "</body>\n</html>\n",
        ]
    ).encode("utf-8", "replace")


def _escaped(texts: Sequence[str]) -> list[str]:
    """Each text escaped for HTML. All at once: thousands of short calls cost more than one long one."""
    together = escape("\n".join(texts)).split("\n")
    # A line break inside one of the texts moves the seams; then each is escaped for itself.
    return together if len(together) == len(texts) else [escape(text) for text in texts]


def _href(file: ListedFile) -> str:
    url = file.url
    scheme = url.partition("/")[0]
    if ":" in scheme and scheme not in {"http:", "https:"}:
        # ``javascript:`` and its kin, however spelt (browsers drop tabs and line breaks): no file's address.
        return "#"
    return f"{url}#{_best(file.hashes)}" if file.hashes else url


def _best(hashes: dict[str, str]) -> str:
    if (sha256 := hashes.get("sha256")) is not None:
        return f"sha256={sha256}"
    name = next((name for name in _BY_STRENGTH if name in hashes), None) or next(iter(hashes))
    return f"{name}={hashes[name]}"


def _attributes(file: ListedFile, provenance: str) -> str:
    """The attributes after ``href``; ``provenance`` is the file's, already escaped."""
    written = ""
    if file.requires_python is not None:
        written = f' data-requires-python="{_kept(file.requires_python)}"'
    if file.yanked is not None:
        # PEP 592: the attribute may be empty, its presence says it.
        written += f' data-yanked="{_kept(file.yanked)}"'
    if told := file.metadata:
        value = "true" if told is True else f"sha256={told if told.isalnum() else escape(told)}"
        # PEP 714 asks for both names in HTML: clients of either age find one.
        written += f' data-dist-info-metadata="{value}" data-core-metadata="{value}"'
    return f'{written} data-provenance="{provenance}"' if provenance else written


# A page has thousands of these and few that differ.
_kept = lru_cache(maxsize=1024)(escape)


def _status(listing: Listing) -> str:
    if listing.status is None:
        return ""
    written = f'<meta name="pypi:project-status" content="{escape(listing.status.status)}">\n'
    if listing.status.reason:
        written += f'<meta name="pypi:project-status-reason" content="{escape(listing.status.reason)}">\n'
    return written
