"""A listing as JSON of the Simple API (PEP 691, with 700, 714, 740 and 792). Nothing is passed through."""

from collections.abc import Iterable

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Encoder

from wheelkeep.core.listing import API_VERSION, ListedFile, Listing
from wheelkeep.core.model import Status


class _Meta(Struct, frozen=True, rename="kebab"):
    api_version: str = API_VERSION


class _Metadata(Struct, frozen=True):
    sha256: str


class _File(Struct, frozen=True, rename="kebab", gc=False):
    """PEP 691's ``files[]``. ``hashes`` and ``yanked`` are always there; what is not known is left out."""

    filename: str
    url: str
    hashes: dict[str, str]
    requires_python: str | UnsetType
    size: int | UnsetType
    upload_time: str | UnsetType
    yanked: bool | str
    core_metadata: bool | _Metadata | UnsetType
    provenance: str | UnsetType


class _Status(Struct, frozen=True):
    status: str
    reason: str | UnsetType


class _Page(Struct, frozen=True, rename="kebab"):
    meta: _Meta
    name: str
    # At the top level, beside ``files``: PEP 792's own example and what installers read.
    project_status: _Status | UnsetType
    versions: tuple[str, ...]
    files: list[_File]


class _Name(Struct, frozen=True, gc=False):
    name: str


class _Root(Struct, frozen=True):
    meta: _Meta
    projects: list[_Name]


_ENCODER = Encoder()


def write_json(listing: Listing) -> bytes:
    """The page of one project as UTF-8 JSON, API 1.4 (PEP 691 "Project Detail")."""
    return _ENCODER.encode(
        _Page(
            meta=_Meta(),
            name=listing.name,
            project_status=UNSET if listing.status is None else _status(listing.status),
            versions=listing.versions,
            files=[_file(file) for file in listing.files],
        )
    )


def write_root_json(names: Iterable[str]) -> bytes:
    """The list of projects as UTF-8 JSON, API 1.4 (PEP 691 "Project List"), in the order given."""
    return _ENCODER.encode(_Root(_Meta(), [_Name(name) for name in names]))


def _file(file: ListedFile) -> _File:
    # By position, in the order of the struct: it costs half of what keywords cost, 5,000 times a page.
    return _File(
        file.filename,
        file.url,
        file.hashes,
        UNSET if file.requires_python is None else file.requires_python,
        UNSET if file.size is None else file.size,
        UNSET if file.upload_time is None else file.upload_time,
        # PEP 691: an empty reason would read as "not yanked", so true stands for it.
        False if file.yanked is None else file.yanked or True,
        _metadata(file.metadata),
        UNSET if file.provenance is None else file.provenance,
    )


def _metadata(told: bool | str | None) -> bool | _Metadata | UnsetType:
    # Never under PEP 658's older JSON key too: pip 22.3 to 23.0 fails on it (PEP 714).
    if told is None:
        return UNSET
    return _Metadata(told) if isinstance(told, str) else told


def _status(status: Status) -> _Status:
    return _Status(status.status, status.reason or UNSET)
