"""Indexes and what they say: which there are for the caller, and why a file is served or not."""

from typing import Annotated

from msgspec import Meta, Struct

from wheelkeep.core.access import Read, allows
from wheelkeep.core.names import IndexName
from wheelkeep.core.rules import read_rule
from wheelkeep.core.settings import MergeMode
from wheelkeep.index.explain import Explanation
from wheelkeep.index.explain import explain as ask
from wheelkeep.index.index import Index
from wheelkeep.web.api.operation import KNOWN, READ, Call, Operation


class ShownIndex(Struct, frozen=True, kw_only=True):
    """An index, as the configuration makes it."""

    name: str
    closed: bool
    """Reading it needs a token."""
    merge: MergeMode
    sources: list[list[str]]
    """Groups of sources, the best first."""
    publish: str | None
    """The source that uploads go to."""
    withheld: str
    policy: bool
    """Whether it has one."""
    policy_broken: bool
    """The newest text of the policy cannot be read; the one before it is in force."""


class IndexList(Struct, frozen=True, kw_only=True):
    """Every index that the caller may read, in the order of the configuration."""

    items: list[ShownIndex]


class Question(Struct, frozen=True, kw_only=True):
    """What is to be explained."""

    requirement: Annotated[str, Meta(max_length=300, description="A name, or a requirement: `django>=5`.")]


async def _list(call: Call) -> IndexList:
    scopes = call.caller.scopes
    shown = [
        index for index in call.keep.indexes.values() if not index.closed or allows(scopes, Read(index.name))
    ]
    return IndexList(items=[_shown(index) for index in shown])


async def _show(call: Call) -> ShownIndex:
    return _shown(_index(call))


async def _explain(call: Call) -> Explanation:
    index, keep = _index(call), call.keep
    rule = call.read(read_rule, call.query.requirement, at="requirement")
    return await ask(
        index, rule, ledger=keep.ledger, has_bytes=lambda file: keep.fetcher.stored(file) is not None
    )


def _index(call: Call) -> Index:
    index = call.keep.indexes.get(IndexName(call.places["index"]))
    if index is None:
        raise call.not_found(f"no index is called {call.places['index']}")
    return index


def _shown(index: Index) -> ShownIndex:
    settings = index.settings
    return ShownIndex(
        name=index.name,
        closed=index.closed,
        merge=settings.merge,
        sources=[list(group) for group in settings.sources],
        publish=settings.publish,
        withheld=settings.withheld,
        policy=settings.policy is not None,
        policy_broken=index.policy.trouble is not None,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/indexes",
        name="listIndexes",
        says="Lists the indexes that the caller may read.",
        needs=KNOWN,
        handle=_list,
        gives=IndexList,
    ),
    Operation(
        method="GET",
        path="/indexes/{index}",
        name="showIndex",
        says="Shows an index; one that is open to any token.",
        needs=READ,
        handle=_show,
        gives=ShownIndex,
    ),
    Operation(
        method="GET",
        path="/indexes/{index}/explain",
        name="explain",
        says="Says for each candidate file of a requirement what every gate says of it; of an open index to any token.",
        needs=READ,
        handle=_explain,
        query=Question,
        gives=Explanation,
    ),
)
