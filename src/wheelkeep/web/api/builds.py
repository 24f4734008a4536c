"""The wheels that were built here, as far as an index shows them: of what, by what, and what is stated of them."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from wheelkeep.core import names
from wheelkeep.core.built import Material, Reproducible
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import Unreachable
from wheelkeep.core.names import IndexName
from wheelkeep.core.statement import Envelope
from wheelkeep.store.builds import Stated
from wheelkeep.web import problem
from wheelkeep.web.api.operation import READ, Call, Operation, Refusal
from wheelkeep.web.built import told


class ShownBuild(Struct, frozen=True, kw_only=True):
    """One build."""

    id: str
    index: str
    """Where what builds it came from."""
    filename: str
    sha256: str
    size: int
    sdist: Material
    requirements: tuple[Material, ...]
    """What the build fetched."""
    python: str
    platform: str
    uv: str
    wheelkeep: str
    sandboxed: bool
    epoch: int
    """SOURCE_DATE_EPOCH."""
    began: datetime
    ended: datetime
    reproducible: Reproducible
    differences: tuple[str, ...]
    statement: Envelope
    """Signed (DSSE), by the key that `/log/key` tells."""


class BuildList(Struct, frozen=True, kw_only=True):
    """Builds, the newest first."""

    items: list[ShownBuild]


class WhichBuilds(Struct, frozen=True, kw_only=True):
    """Which builds."""

    project: Annotated[str, Meta(max_length=200, description="The name of a project.")]


async def _list(call: Call) -> BuildList:
    keep = call.keep
    index = keep.indexes.get(IndexName(call.places["index"]))
    if index is None:
        raise call.not_found(f"no index is called {call.places['index']}")
    project = call.read(names.project, call.query.project, at="project")
    view = await index.page(project)
    if isinstance(view, Unreachable):
        raise Refusal(problem.unreachable(call.request, view))
    shown = set() if isinstance(view, Nowhere) else {file.sha256 for file, _ in view.by_name.values()}
    return BuildList(
        items=[_shown(one) for one in await told(keep, index, project) if one.built.sha256 in shown]
    )


def _shown(one: Stated) -> ShownBuild:
    built, tools = one.built, one.built.tools
    return ShownBuild(
        id=built.id,
        index=built.index,
        filename=built.filename,
        sha256=built.sha256,
        size=built.size,
        sdist=built.sdist,
        requirements=built.requirements,
        python=tools.python,
        platform=tools.platform,
        uv=tools.uv,
        wheelkeep=tools.wheelkeep,
        sandboxed=tools.sandboxed,
        epoch=built.epoch,
        began=built.began,
        ended=built.ended,
        reproducible=built.reproducible,
        differences=built.differences,
        statement=one.envelope,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/indexes/{index}/builds",
        name="listBuilds",
        says="Lists the builds of a project's wheels that the index shows; of an open index to any token.",
        needs=READ,
        handle=_list,
        query=WhichBuilds,
        gives=BuildList,
        refuses=(503,),
    ),
)
