"""What a resolver is shown of a page: which versions there are and what each needs, and no file that it could take.

An sdist tells its needs inside. A stand-in is listed for it: a wheel that nobody has, with the sdist's own metadata.
"""

from collections.abc import Mapping

from msgspec import Struct
from packaging.metadata import RawMetadata, parse_email
from packaging.version import InvalidVersion, Version

from wheelkeep.core.judge import Judged
from wheelkeep.core.listing import ListedFile, Listing
from wheelkeep.core.model import File
from wheelkeep.core.names import ProjectName, version
from wheelkeep.core.verdict import PUT_OFF, Decision

_NONE: Mapping[str, str] = {}
_STATIC = Version("2.2")
_NEEDS = frozenset({"requires-dist", "provides-extra", "requires-python"})


class Needs(Struct, frozen=True):
    """What an sdist says that it needs."""

    metadata: bytes
    """Core metadata with that and nothing else."""
    certain: bool
    """It is promised to be the same once it is built (PEP 643)."""


def candidates(judged: Judged, closed: Mapping[str, str] = _NONE) -> Listing:
    """The page for a resolver: each file with its needs beside it; what a gate blocks is yanked with the reason.

    What a gate has put off is offered, for it is decided once it is chosen; ``closed`` has versions that were then
    found to be blocked, and why.
    A file's address is its name, relative to ``files/PROJECT/`` beside the pages.
    """
    page = judged.page
    wheels = {file.filename for file in page.files if file.kind == "wheel"}
    listed: dict[str, ListedFile] = {}
    for file, decision in zip(page.files, judged.decisions, strict=True):
        name = file.filename if file.kind == "wheel" else stand_in(page.project, file.version)
        against = closed.get(file.version) or (
            decision.against.label if decision.against is not None and not put_off(decision) else None
        )
        if file.kind == "sdist" and (name in wheels or (name in listed and against is not None)):
            continue
        listed[name] = _listed(file, against, name)
    versions = dict.fromkeys(file.version for file in page.files)
    return Listing(name=page.project, files=tuple(listed.values()), versions=tuple(versions), status=None)


def put_off(decision: Decision) -> bool:
    """Whether a gate will know more of the file once it is asked for."""
    return decision.against is not None and decision.against.code.endswith(PUT_OFF)


def stand_in(project: ProjectName, version: str) -> str:
    """The name of the wheel that stands for a version's sdists (PEP 427)."""
    return f"{project.replace('-', '_')}-{version}-py3-none-any.whl"


def speaks_for(files: tuple[File, ...], project: ProjectName, filename: str) -> tuple[File, ...]:
    """The files whose metadata is told under a listed name: the wheel of that name; of a stand-in its version's
    wheels first, then its sdists. Empty for a name that is not listed."""
    named = tuple(file for file in files if file.kind == "wheel" and file.filename == filename)
    if named:
        return named
    stood = [file for file in files if stand_in(project, file.version) == filename]
    return tuple(sorted(stood, key=lambda file: file.kind != "wheel"))


def needs(info: bytes, project: ProjectName, version: str) -> Needs:
    """What an sdist's PKG-INFO says that it needs, as the metadata of its stand-in."""
    raw: RawMetadata = parse_email(info)[0]
    dynamic = {field.lower() for field in raw.get("dynamic", [])}
    certain = _is_static(raw.get("metadata_version", "")) and not dynamic & _NEEDS
    told = [
        *([("Requires-Python", raw["requires_python"])] if raw.get("requires_python") else []),
        *(("Requires-Dist", one) for one in raw.get("requires_dist", [])),
        *(("Provides-Extra", one) for one in raw.get("provides_extra", [])),
    ]
    return Needs(_written(project, version, told), certain)


def no_needs(project: ProjectName, version: str) -> bytes:
    """Metadata of something of which nothing is known but that it is there."""
    return _written(project, version, [])


def _listed(file: File, against: str | None, name: str) -> ListedFile:
    return ListedFile(
        filename=name,
        url=f"../../files/{file.project}/{name}",
        size=file.size,
        upload_time=file.upload_time,
        requires_python=file.requires_python,
        yanked=file.yanked if against is None else against,
        metadata=True,
    )


def _is_static(metadata_version: str) -> bool:
    try:
        return version(metadata_version) >= _STATIC
    except InvalidVersion:
        return False


def _written(project: ProjectName, version: str, told: list[tuple[str, str]]) -> bytes:
    lines = [("Metadata-Version", "2.2"), ("Name", str(project)), ("Version", version), *told]
    return "".join(f"{field}: {' '.join(value.split())}\n" for field, value in lines).encode()
