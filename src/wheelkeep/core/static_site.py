"""How a static site is laid out: the names of its things, what its pages link to, how each is to be served.

``simple/…`` are pages, ``files/{project}/{sha256}/{filename}`` the files with ``….metadata`` beside them, and
``integrity/…`` their attestations: the addresses that an index here has. Every link is relative, so a site works below
any address; and a file's name holds its hash, so what lies under a name never changes.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from wheelkeep.core.listing import ListedFile, Listing
from wheelkeep.core.model import File, Status
from wheelkeep.core.names import ProjectName
from wheelkeep.core.serving import Serving
from wheelkeep.core.write_html import write_html, write_root_html
from wheelkeep.core.write_json import write_json, write_root_json

NOTES = "wheelkeep-site.json"
"""What was put there, for the next export; no client asks for it."""
ROOT = ("simple/index.html", "simple/index.json")

Kind = Literal["root", "page", "file", "metadata", "provenance"]
_PROJECT = r"([a-z0-9]+(?:-[a-z0-9]+)*)"
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("root", re.compile(r"simple/index\.(?:html|json)", re.ASCII)),
    ("page", re.compile(rf"simple/{_PROJECT}/index\.(?:html|json)", re.ASCII)),
    ("metadata", re.compile(rf"files/{_PROJECT}/[0-9a-f]{{64}}/[^/]+\.metadata", re.ASCII)),
    ("file", re.compile(rf"files/{_PROJECT}/[0-9a-f]{{64}}/[^/]+", re.ASCII)),
    ("provenance", re.compile(rf"integrity/{_PROJECT}/[^/]+/[^/]+/provenance", re.ASCII)),
)
_FOR_EVER = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=60"
_NEVER = "no-store"
_JSON = "application/vnd.pypi.simple.v1+json"
_ATTESTATIONS = "application/vnd.pypi.integrity.v1+json"


class Shown(Struct, frozen=True, kw_only=True):
    """A file that lies in the site, and what lies beside it."""

    file: File
    sha256: str
    size: int
    metadata: str | None
    """The sha256 of its core metadata; None: there is none beside it."""
    provenance: bool = False


class Named(Struct, frozen=True):
    """What a name in a site stands for."""

    kind: Kind
    project: ProjectName | None


def named(name: str) -> Named | None:
    """None for what is no name of a site's things: that is somebody else's, and left alone."""
    for kind, form in _KINDS:
        if (found := form.fullmatch(name)) is not None:
            return Named(kind, ProjectName(found[1]) if found.lastindex else None)
    return None


def file_name(file: File, sha256: str) -> str:
    return f"files/{file.project}/{sha256}/{file.filename}"


def sha256_of(name: str) -> str:
    """What the name of a file says that its bytes are."""
    return name.split("/")[2]


def metadata_name(file: File, sha256: str) -> str:
    return f"{file_name(file, sha256)}.metadata"


def provenance_name(file: File) -> str:
    return f"integrity/{file.project}/{file.version}/{file.filename}/provenance"


def page_names(project: ProjectName) -> tuple[str, str]:
    return f"simple/{project}/index.html", f"simple/{project}/index.json"


def pages(project: ProjectName, shown: Sequence[Shown], status: Status | None) -> dict[str, bytes]:
    """Both forms of a project's page, by their names."""
    listing = Listing(
        name=project,
        files=tuple(map(_listed, shown)),
        versions=tuple(dict.fromkeys(one.file.version for one in shown)),
        status=status,
    )
    return dict(zip(page_names(project), (write_html(listing), write_json(listing)), strict=True))


def roots(names: Iterable[str]) -> dict[str, bytes]:
    """Both forms of the list of projects, in the order given."""
    names = list(names)
    return dict(zip(ROOT, (write_root_html(names), write_root_json(names)), strict=True))


def _listed(shown: Shown) -> ListedFile:
    file = shown.file
    return ListedFile(
        filename=file.filename,
        url=_link(file_name(file, shown.sha256)),
        hashes={"sha256": shown.sha256},
        size=shown.size,
        upload_time=file.upload_time,
        requires_python=file.requires_python,
        yanked=file.yanked,
        metadata=shown.metadata or (False if file.kind == "wheel" else None),
        provenance=_link(provenance_name(file)) if shown.provenance else None,
    )


def _link(name: str) -> str:
    # Buckets take a plus in an address for a space, so what a local version brings is spelt out (RFC 3986 2.1).
    return f"../../{quote(name)}"


def serving(name: str) -> Serving:
    """How a thing of that name is to be served."""
    what = named(name)
    kind = what.kind if what is not None else None
    if kind in ("root", "page"):
        html = name.endswith(".html")
        return Serving(content_type="text/html; charset=utf-8" if html else _JSON, cache_control=_SHORT)
    if kind == "metadata":
        return Serving(content_type="text/plain; charset=utf-8", cache_control=_FOR_EVER)
    if kind == "provenance":
        return Serving(content_type=_ATTESTATIONS, cache_control=_SHORT)
    if kind == "file":
        return Serving(content_type="application/octet-stream", cache_control=_FOR_EVER)
    return Serving(content_type="application/json", cache_control=_NEVER)
