"""Projects of hosted sources: what there is of them, how they stand, who owns them, and giving up their names."""

from msgspec import Struct

from wheelkeep.core.access import Admin
from wheelkeep.core.model import File, Status, StatusWord
from wheelkeep.core.names import version
from wheelkeep.core.one_line import read_reason
from wheelkeep.core.rules import read_versions
from wheelkeep.store.standing import Standing
from wheelkeep.web.api.hosted import asker_of, done, held, not_a_stranger, project_of, source_of
from wheelkeep.web.api.listing import Paging, cut
from wheelkeep.web.api.operation import ADMIN, PUBLISH, Call, Operation
from wheelkeep.web.api.releases import Reason, Versions


class Project(Struct, frozen=True, kw_only=True):
    """A project of a hosted source."""

    project: str
    files: int
    """How many there are; 0 where all are gone and the name is kept."""
    status: StatusWord = "active"
    reason: str | None = None
    """Of the status (PEP 792)."""
    owners: tuple[str, ...] = ()
    """Empty: whoever has the scope may publish."""
    freed: bool = False
    """The name was given up."""


class ProjectList(Struct, frozen=True, kw_only=True):
    """A page of the list, by name."""

    items: list[Project]
    next: str | None = None


class Version(Struct, frozen=True, kw_only=True):
    """One version of a project."""

    version: str
    files: int
    yanked: bool
    """Every file of it is."""


class WholeProject(Struct, frozen=True, kw_only=True):
    """A project with its versions, the newest first."""

    source: str
    project: str
    status: StatusWord
    reason: str | None
    owners: tuple[str, ...]
    freed: bool
    versions: list[Version]


class HostedFile(Struct, frozen=True, kw_only=True):
    """A file that was uploaded here."""

    filename: str
    version: str
    kind: str
    size: int | None
    hashes: dict[str, str]
    uploaded: str | None
    """When (PEP 700)."""
    uploaded_by: str | None
    """The name of the token, `import`, or whoever promoted it."""
    requires_python: str | None
    yanked: str | None
    """The reason; null: not yanked."""
    attested: bool
    """It has attestations (PEP 740)."""


class FileList(Struct, frozen=True, kw_only=True):
    """A page of the list, by file name."""

    items: list[HostedFile]
    next: str | None = None


class WhichFiles(Paging, frozen=True, kw_only=True):
    """Which files, and which page of the list."""

    versions: Versions | None = None


class SetStatus(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a project is to stand, and why."""

    status: StatusWord
    reason: Reason | None = None


class Stands(Struct, frozen=True, kw_only=True):
    """How a project stands (PEP 792)."""

    source: str
    project: str
    status: StatusWord
    reason: str | None = None


class Freed(Struct, frozen=True, kw_only=True):
    """A name that was given up."""

    source: str
    project: str


async def _list(call: Call) -> ProjectList:
    limit = call.query.limit
    after = call.query.after or ""
    found = await call.keep.steward.projects(source_of(call), after=after, limit=limit + 1)
    shown, following = cut(found, limit, lambda pair: pair[0].project)
    return ProjectList(
        items=[
            Project(
                project=listed.project,
                files=listed.files,
                status=_word(listed.standing),
                reason=_why(listed.standing),
                owners=owners,
                freed=listed.standing.freed and not listed.files,
            )
            for listed, owners in shown
        ],
        next=following,
    )


async def _show(call: Call) -> WholeProject:
    holding, source, project = await held(call), source_of(call), project_of(call)
    by_version: dict[str, list[File]] = {}
    for file in holding.files:
        by_version.setdefault(file.version, []).append(file)
    return WholeProject(
        source=source,
        project=project,
        status=_word(holding.standing),
        reason=_why(holding.standing),
        owners=await call.keep.steward.owners(source, project),
        freed=holding.standing.freed and not holding.files,
        versions=[
            Version(
                version=name,
                files=len(files),
                yanked=all(file.yanked is not None for file in files),
            )
            for name, files in sorted(by_version.items(), key=lambda item: version(item[0]), reverse=True)
        ],
    )


async def _files(call: Call) -> FileList:
    holding, query = await held(call), call.query
    rule = call.read(read_versions, query.versions or "*", project_of(call), at="versions")
    found = [
        file for file in holding.files if file.filename > (query.after or "") and rule.allows(file.version)
    ]
    shown, following = cut(found, query.limit, lambda file: file.filename)
    brought = await call.keep.ledger.brought(source_of(call), project_of(call))
    return FileList(items=[_file(file, brought.get(file.filename)) for file in shown], next=following)


def _file(file: File, by: str | None) -> HostedFile:
    return HostedFile(
        filename=file.filename,
        version=file.version,
        kind=file.kind,
        size=file.size,
        hashes={"sha256": file.sha256, **file.digests} if file.sha256 is not None else dict(file.digests),
        uploaded=file.upload_time,
        uploaded_by=by,
        requires_python=file.requires_python,
        yanked=file.yanked,
        attested=file.provenance is not None,
    )


async def _status(call: Call) -> Stands:
    source, project, body = source_of(call), project_of(call), call.body
    if body.status == "quarantined":
        call.require(Admin())
    await not_a_stranger(call, source)
    before = (await held(call)).standing.status
    if before is not None and before.status == "quarantined":
        # Whoever stopped it had a reason; its publisher is not the one to say that it is over.
        call.require(Admin())
    reason = call.read(read_reason, body.reason, at="reason") if body.reason is not None else None
    outcome = await call.keep.steward.set_status(
        project, source, Status(body.status, reason), by=call.caller.name, asker=asker_of(call)
    )
    done(call, outcome)
    return Stands(source=source, project=project, status=body.status, reason=reason)


async def _free(call: Call) -> Freed:
    source, project = source_of(call), project_of(call)
    await held(call)
    done(call, await call.keep.steward.free(project, source, by=call.caller.name))
    return Freed(source=source, project=project)


def _word(standing: Standing) -> StatusWord:
    return standing.status.status if standing.status is not None else "active"


def _why(standing: Standing) -> str | None:
    return standing.status.reason if standing.status is not None else None


_AT = "/sources/{source}/projects/{project}"
OPERATIONS = (
    Operation(
        method="GET",
        path="/sources/{source}/projects",
        name="listProjects",
        says="Lists the projects of a hosted source, those too of which it has the name alone.",
        needs=ADMIN,
        handle=_list,
        query=Paging,
        gives=ProjectList,
    ),
    Operation(
        method="GET",
        path=_AT,
        name="showProject",
        says="Shows a project: its status, its owners and its versions.",
        needs=ADMIN,
        handle=_show,
        gives=WholeProject,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/files",
        name="listFiles",
        says="Lists the files of a project: hashes, upload time, who uploaded it, and whether it is yanked.",
        needs=ADMIN,
        handle=_files,
        query=WhichFiles,
        gives=FileList,
    ),
    Operation(
        method="PUT",
        path=f"{_AT}/status",
        name="setStatus",
        says="Says how a project stands (PEP 792); to quarantine it, or to end that, takes the scope admin.",
        needs=PUBLISH,
        handle=_status,
        takes=SetStatus,
        gives=Stands,
        refuses=(409,),
    ),
    Operation(
        method="POST",
        path=f"{_AT}/free",
        name="free",
        says="Gives up a name of which no file is left: sources below may be asked for it.",
        needs=ADMIN,
        handle=_free,
        gives=Freed,
        refuses=(409,),
    ),
)
