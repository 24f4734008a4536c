"""Acts on the releases of a hosted project: yank, unyank, delete, promote."""

from typing import Annotated

from msgspec import Meta, Struct

from wheelkeep.core.access import Publish
from wheelkeep.core.names import source as read_source
from wheelkeep.core.one_line import LONGEST_REASON, read_reason
from wheelkeep.index.releases import Acted, Stopped
from wheelkeep.web import problem
from wheelkeep.web.api.hosted import asker_of, done, hosted, meant, not_a_stranger, project_of, source_of
from wheelkeep.web.api.operation import ADMIN, PUBLISH, Call, Needs, Operation, Refusal

Versions = Annotated[
    str,
    Meta(
        max_length=200,
        description="Which versions are meant: one (`1.2`), a range (`>=1,<2`, PEP 440), or `*` for every one.",
    ),
]
Reason = Annotated[str, Meta(max_length=LONGEST_REASON, description="One line.")]


class Yank(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which versions to yank, and why."""

    versions: Versions
    reason: Reason


class Unyank(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which versions are to be yanked no more."""

    versions: Versions


class Delete(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which versions to delete for good, and why."""

    versions: Versions
    reason: Reason
    only: (
        Annotated[
            list[str], Meta(max_length=10_000, description="The file names that are meant; others stay.")
        ]
        | None
    ) = None


class Promote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which versions to move, and where."""

    versions: Versions
    to: Annotated[str, Meta(max_length=64, description="The hosted source that gets them.")]


class Done(Struct, frozen=True, kw_only=True):
    """What was done, durably."""

    source: str
    project: str
    files: tuple[str, ...]
    """File names."""
    same: tuple[str, ...] = ()
    emptied: bool = False


PROMOTE = Needs("publish:SOURCE of both sources", PUBLISH.wants)


async def _yank(call: Call) -> Done:
    source, body = source_of(call), call.body
    await not_a_stranger(call, source)
    reason = call.read(read_reason, body.reason, at="reason")
    rule = await meant(call, body.versions)
    return _done(
        call, await call.keep.steward.yank(rule, source, reason, by=call.caller.name, asker=asker_of(call))
    )


async def _unyank(call: Call) -> Done:
    source = source_of(call)
    await not_a_stranger(call, source)
    rule = await meant(call, call.body.versions)
    return _done(
        call, await call.keep.steward.unyank(rule, source, by=call.caller.name, asker=asker_of(call))
    )


async def _delete(call: Call) -> Done:
    source, body = source_of(call), call.body
    reason = call.read(read_reason, body.reason, at="reason")
    rule = await meant(call, body.versions)
    steward = call.keep.steward
    return _done(call, await steward.delete(rule, source, reason, by=call.caller.name, only=body.only))


async def _promote(call: Call) -> Done:
    name = call.read(read_source, call.body.to, at="to")
    call.require(Publish(name, project_of(call)))
    source, to = source_of(call), hosted(call, name)
    if source == to:
        raise Refusal(problem.bad_request(call.request, f"to: the files are in {to} already"))
    for end in (source, to):
        await not_a_stranger(call, end)
    rule = await meant(call, call.body.versions)
    return _done(
        call, await call.keep.steward.promote(rule, source, to, by=call.caller.name, asker=asker_of(call))
    )


def _done(call: Call, outcome: Acted | Stopped) -> Done:
    acted = done(call, outcome)
    return Done(
        source=call.places["source"],
        project=call.places["project"],
        files=acted.files,
        same=acted.same,
        emptied=acted.emptied,
    )


_AT = "/sources/{source}/projects/{project}"
OPERATIONS = (
    Operation(
        method="POST",
        path=f"{_AT}/yank",
        name="yank",
        says="Yanks versions: installers pass them over unless that very version is asked for (PEP 592).",
        needs=PUBLISH,
        handle=_yank,
        takes=Yank,
        gives=Done,
        refuses=(409,),
    ),
    Operation(
        method="POST",
        path=f"{_AT}/unyank",
        name="unyank",
        says="Takes a yank back.",
        needs=PUBLISH,
        handle=_unyank,
        takes=Unyank,
        gives=Done,
        refuses=(409,),
    ),
    Operation(
        method="POST",
        path=f"{_AT}/delete",
        name="delete",
        says="Deletes versions for good: their file names are never given again, and the project's name is kept.",
        needs=ADMIN,
        handle=_delete,
        takes=Delete,
        gives=Done,
        refuses=(409,),
    ),
    Operation(
        method="POST",
        path=f"{_AT}/promote",
        name="promote",
        says="Moves versions to another hosted source, the very same files, if every policy there admits them.",
        needs=PROMOTE,
        handle=_promote,
        takes=Promote,
        gives=Done,
        refuses=(409,),
    ),
)
