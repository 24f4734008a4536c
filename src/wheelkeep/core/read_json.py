"""A source's JSON page (PEP 691, with 700, 714, 740 and 792), read as if it meant harm.

Bounded before anything is built: by bytes, and by the brackets and commas that could become objects. Then
the page is decoded with its entries left as bytes, and each entry for itself: one odd field costs a field,
not the page.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.json import Decoder

from wheelkeep.core import checked, names
from wheelkeep.core.errors import InvalidName, NotAPage
from wheelkeep.core.links import Base
from wheelkeep.core.model import File, Page, Status
from wheelkeep.core.names import ProjectName, SourceName

MOST_BYTES = 48 * 1024 * 1024
"""Of a body. Text may take four times its bytes once decoded (emoji), and that must stay bearable."""
# A file of the public index has four objects and ten commas, more where ``requires-python`` has some.
_MOST_OBJECTS = 5 * checked.MOST_FILES
_MOST_COMMAS = 20 * checked.MOST_FILES
_MOST_BYTES_OF_ENTRY = 64 * 1024
_MOST_BYTES_OF_VERSIONS = 4 * 1024 * 1024
_NOTHING = Raw(b"null")


class _Page(Struct, rename="kebab"):
    files: list[Raw]
    meta: Raw = _NOTHING
    name: Raw = _NOTHING
    versions: Raw = _NOTHING
    project_status: Raw = _NOTHING


class _File(Struct, rename="kebab", gc=False):
    """One entry, as told: only what makes it an entry at all is typed, the rest is checked field by field."""

    filename: str
    url: str
    hashes: Any = None
    requires_python: Any = None
    size: Any = None
    upload_time: Any = None
    yanked: Any = None
    core_metadata: Any = None
    dist_info_metadata: Any = None
    data_dist_info_metadata: Any = None
    provenance: Any = None


_page_decoder = Decoder(_Page)
_file_decoder = Decoder(_File)


def read_json(body: bytes, *, url: str, project: ProjectName, source: SourceName) -> Page:
    """The page that a source's JSON tells.

    ``url`` is the address the body came from in the end: file addresses may be relative to it (PEP 691).
    Entries that are no file of ``project``, or whose address cannot be read, are left out; of two with
    one file name the first stays. Raises NotAPage if the body is not such JSON, not of version 1.x, another
    project's or too large.
    """
    shown = checked.shown(url)
    _bound(body, shown)
    try:
        page = _page_decoder.decode(body)
    except (ValueError, RecursionError) as error:
        raise NotAPage(f"{shown} is not JSON of the Simple API: {error}") from None
    if len(page.files) > checked.MOST_FILES:
        raise NotAPage(f"{shown} lists more than {checked.MOST_FILES} files")
    meta = _value(page.meta)
    told = meta if isinstance(meta, dict) else {}
    checked.require_version_one(told.get("api-version"), url=url)
    _require_name(_value(page.name), project, shown)
    files: dict[str, File] = {}
    base, filenames = Base(url), checked.FileNames(project)
    for entry in page.files:
        file = _file(entry, base, filenames, project, source)
        if file is not None and file.filename not in files:
            files[file.filename] = file
    return Page(
        project=project,
        files=tuple(files.values()),
        versions=_versions(page.versions, shown),
        # PEP 792 puts it at the top level; one of the specification's own examples has it in ``meta``.
        status=_status(_value(page.project_status)) or _status(told.get("project-status")),
        unread=bool(page.files) and not files,
    )


def _bound(body: bytes, shown: str) -> None:
    if len(body) > MOST_BYTES:
        raise NotAPage(f"{shown} is larger than {MOST_BYTES} bytes")
    if body.count(b"{") > _MOST_OBJECTS or body.count(b",") > _MOST_COMMAS:
        raise NotAPage(f"{shown} has more in it than {checked.MOST_FILES} files need")


def _value(raw: Raw) -> object:
    """A small value of the page; None where it is missing, too large or too deep."""
    if len(raw) > _MOST_BYTES_OF_ENTRY:
        return None
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None


def _require_name(told: object, project: ProjectName, shown: str) -> None:
    """PEP 691: ``name`` is the project's, in any spelling; a page of another project is not this one's."""
    if told is None:
        return
    try:
        same = isinstance(told, str) and names.project(told) == project
    except InvalidName:
        same = False
    if not same:
        raise NotAPage(f"{shown} is the page of another project than {project}")


def _file(
    entry: Raw, base: Base, filenames: checked.FileNames, project: ProjectName, source: SourceName
) -> File | None:
    if len(entry) > _MOST_BYTES_OF_ENTRY:
        return None
    try:
        told = _file_decoder.decode(entry)
    except (ValueError, RecursionError):
        return None
    name = filenames.read(told.filename)
    if name is None or (link := base.resolve(told.url)) is None:
        return None
    sha256, digests = checked.hashes(told.hashes.items() if isinstance(told.hashes, dict) else ())
    return File(
        filename=told.filename,
        project=project,
        kind=name.kind,
        version=name.version,
        source=source,
        url=link[0],
        sha256=sha256,
        digests=digests,
        size=checked.size(told.size),
        upload_time=checked.upload_time(told.upload_time),
        requires_python=checked.requires_python(told.requires_python),
        yanked=_yanked(told.yanked) if told.yanked else None,
        metadata=_metadata(told),
        provenance=checked.provenance(told.provenance),
    )


def _yanked(told: object) -> str | None:
    # PEP 691: true, or a non-empty string with the reason.
    if told is True:
        return ""
    return checked.reason(told)


def _metadata(told: _File) -> bool | str | None:
    # PEP 714's key, then PEP 658's, then the one that the public index gave by mistake before PEP 714.
    value = told.core_metadata
    if value is None:
        value = told.dist_info_metadata
    return checked.metadata(told.data_dist_info_metadata if value is None else value)


def _versions(raw: Raw, shown: str) -> tuple[str, ...]:
    if len(raw) > _MOST_BYTES_OF_VERSIONS or bytes(raw).count(b",") >= checked.MOST_FILES:
        raise NotAPage(f"{shown} tells more than {checked.MOST_FILES} versions")
    try:
        told = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return ()
    return checked.versions(told) if isinstance(told, list) else ()


def _status(told: object) -> Status | None:
    """PEP 792 calls the word ``status`` in its example and ``state`` in its prose; both are met."""
    if not isinstance(told, dict):
        return None
    return checked.status(told.get("status", told.get("state")), told.get("reason"))
