"""Who owns the projects of hosted sources."""

from collections.abc import Callable, Collection
from typing import Annotated

from msgspec import Meta, Struct

from wheelkeep.core.owners import LONGEST, MOST, read_owner
from wheelkeep.index.releases import Stopped
from wheelkeep.web import problem
from wheelkeep.web.api.hosted import project_of, source_of
from wheelkeep.web.api.operation import ADMIN, Call, Operation, Refusal

Names = Annotated[list[Annotated[str, Meta(max_length=LONGEST)]], Meta(max_length=MOST)]


class Owned(Struct, frozen=True, kw_only=True):
    """Who owns a project; empty: whoever has the scope may publish it."""

    source: str
    project: str
    owners: tuple[str, ...]


class SetOwners(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All the owners that a project is to have: names of tokens, of people, of teams."""

    owners: Names


class ChangeOwners(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Owners to add, and owners to remove."""

    add: Names = []
    remove: Names = []


async def _owners(call: Call) -> Owned:
    source, project = source_of(call), project_of(call)
    owners = await call.keep.steward.owners(source, project)
    return Owned(source=source, project=project, owners=owners)


async def _set_owners(call: Call) -> Owned:
    names = [call.read(read_owner, name, at="owners") for name in call.body.owners]
    return await _change(call, lambda _: names)


async def _change_owners(call: Call) -> Owned:
    add = [call.read(read_owner, name, at="add") for name in call.body.add]
    remove = [call.read(read_owner, name, at="remove") for name in call.body.remove]
    return await _change(call, lambda before: ({*before, *add}) - set(remove))


async def _change(call: Call, become: Callable[[tuple[str, ...]], Collection[str]]) -> Owned:
    source, project = source_of(call), project_of(call)
    owners = await call.keep.steward.change_owners(project, source, become, by=call.caller.name)
    if isinstance(owners, Stopped):
        raise Refusal(problem.conflict(call.request, owners.problems))
    return Owned(source=source, project=project, owners=owners)


_AT = "/sources/{source}/projects/{project}/owners"
OPERATIONS = (
    Operation(
        method="GET",
        path=_AT,
        name="listOwners",
        says="Names the owners of a project.",
        needs=ADMIN,
        handle=_owners,
        gives=Owned,
    ),
    Operation(
        method="PUT",
        path=_AT,
        name="setOwners",
        says="Puts others in the place of a project's owners, also before its first file.",
        needs=ADMIN,
        handle=_set_owners,
        takes=SetOwners,
        gives=Owned,
        refuses=(409,),
    ),
    Operation(
        method="PATCH",
        path=_AT,
        name="changeOwners",
        says="Adds owners to a project, and removes some.",
        needs=ADMIN,
        handle=_change_owners,
        takes=ChangeOwners,
        gives=Owned,
        refuses=(409,),
    ),
)
