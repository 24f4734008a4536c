"""Who fetched or published what, and who has it. Nothing can be written here."""

import re
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

from wheelkeep.core import names
from wheelkeep.core.rules import Rule, read_rule
from wheelkeep.core.units import read_moment
from wheelkeep.index.audit import HeldFile, Line, Place, held, lines
from wheelkeep.store.fetches import Which
from wheelkeep.web import problem
from wheelkeep.web.api.listing import Limit
from wheelkeep.web.api.operation import ADMIN, Call, Operation, Refusal

_Word = Annotated[str, Meta(max_length=200)]
_When = Annotated[
    str, Meta(max_length=40, description="A day, a moment (RFC 3339), or how long ago, such as `7d`.")
]
_PLACE = re.compile(r"([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


class AuditPage(Struct, frozen=True, kw_only=True):
    """Lines, the newest first."""

    items: list[Line]
    next: str | None = None
    """What to give as `before` for the page that follows."""


class Holders(Struct, frozen=True, kw_only=True):
    """Files, each with everybody who was given it."""

    items: list[HeldFile]


class WhichHolders(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Of which fetches."""

    package: Annotated[str, Meta(max_length=500, description="A requirement: a project, or versions of it.")]
    by: Annotated[_Word, Meta(description="The name of a token.")] | None = None
    from_: Annotated[_Word, Meta(description="An address.")] | None = None
    index: _Word | None = None
    since: _When | None = None
    until: _When | None = None


class WhichLines(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Which lines."""

    before: Annotated[str, Meta(max_length=40, description="The `next` of the page before.")] | None = None
    limit: Limit = 100
    kind: (
        Annotated[_Word, Meta(description="`fetched`, `blocked`, `published`, `yanked` and so on.")] | None
    ) = None
    package: (
        Annotated[str, Meta(max_length=500, description="A requirement: a project, or versions of it.")]
        | None
    ) = None
    by: Annotated[_Word, Meta(description="The name of a token.")] | None = None
    from_: Annotated[_Word, Meta(description="An address.")] | None = None
    index: _Word | None = None
    since: _When | None = None
    until: _When | None = None


async def _list(call: Call) -> AuditPage:
    query: WhichLines = call.query
    start = _place(call, query.before)
    found: list[Line] = []
    which = _which(call, query)
    async with aclosing(
        lines(call.keep.fetches, call.keep.ledger, which, kind=query.kind, place=start)
    ) as told:
        async for line in told:
            found.append(line)
            if len(found) > query.limit:
                break
    shown = found[: query.limit]
    return AuditPage(items=shown, next=_next(start, shown) if len(found) > query.limit else None)


async def _held(call: Call) -> Holders:
    return Holders(items=await held(call.keep.fetches, _which(call, call.query)))


def _which(call: Call, query: WhichLines | WhichHolders) -> Which:
    now = datetime.now(UTC)

    def moment(text: str | None, at: str, *, end: bool) -> datetime | None:
        reader: Callable[[str], datetime] = lambda told: read_moment(told, now, end=end)  # noqa: E731
        return call.read(reader, text, at=at) if text is not None else None

    rule: Rule | None = (
        call.read(read_rule, query.package, at="package") if query.package is not None else None
    )
    return Which(
        rule=rule,
        who=query.by,
        address=query.from_,
        index=call.read(names.index, query.index, at="index") if query.index is not None else None,
        since=moment(query.since, "since", end=False),
        until=moment(query.until, "until", end=True),
    )


def _place(call: Call, text: str | None) -> Place:
    if text is None:
        return Place()
    found = _PLACE.fullmatch(text)
    if found is None:
        raise Refusal(
            problem.bad_request(call.request, "before: give the `next` of the page before, as it was")
        )
    return Place(fetches=int(found[1]) if found[1] else None, ledger=int(found[2]) if found[2] else None)


def _next(start: Place, shown: list[Line]) -> str:
    """Where both books were left: each at its last line that was shown, or where it was before."""
    fetches = min((line.id for line in shown if line.book == "fetches"), default=start.fetches)
    ledger = min((line.id for line in shown if line.book == "ledger"), default=start.ledger)
    return f"{fetches if fetches is not None else ''}-{ledger if ledger is not None else ''}"


OPERATIONS = (
    Operation(
        method="GET",
        path="/audit",
        name="listAudit",
        says="Says who fetched or published what, when, from where, with which verdict; the newest first.",
        needs=ADMIN,
        handle=_list,
        query=WhichLines,
        gives=AuditPage,
    ),
    Operation(
        method="GET",
        path="/audit/holders",
        name="listHolders",
        says="Says who has it: everybody who was given the files of a project, or of versions of it.",
        needs=ADMIN,
        handle=_held,
        query=WhichHolders,
        gives=Holders,
    ),
)
