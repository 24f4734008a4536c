"""The ledger, read: what happened, the newest first. Nothing can be written here."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from wheelkeep.web.api.listing import Limit, cut
from wheelkeep.web.api.operation import ADMIN, Call, Operation

_Word = Annotated[str, Meta(max_length=200)]


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """One line of the book."""

    id: int
    at: datetime
    kind: str
    source: str | None
    project: str | None
    filename: str | None
    detail: dict[str, Any]


class LedgerPage(Struct, frozen=True, kw_only=True):
    """A page of the book, the newest line first."""

    items: list[LedgerEntry]
    next: str | None = None
    """What to give as `before` for the page that follows."""


class WhichEntries(Struct, frozen=True, kw_only=True):
    """Which lines."""

    before: Annotated[int, Meta(ge=0, le=2**53, description="Lines that are older than this id.")] | None = (
        None
    )
    limit: Limit = 100
    kind: _Word | None = None
    source: _Word | None = None
    project: _Word | None = None


async def _list(call: Call) -> LedgerPage:
    query = call.query
    found = await call.keep.ledger.page(
        before=query.before,
        limit=query.limit + 1,
        kind=query.kind,
        source=query.source,
        project=query.project,
    )
    shown, following = cut(found, query.limit, lambda pair: str(pair[0]))
    return LedgerPage(
        items=[
            LedgerEntry(
                id=number,
                at=entry.at,
                kind=entry.kind,
                source=entry.source,
                project=entry.project,
                filename=entry.filename,
                detail=entry.detail,
            )
            for number, entry in shown
        ],
        next=following,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path="/ledger",
        name="listLedger",
        says="Lists what happened: uploads, yanks, deletions, incidents, blocks, approvals; the newest first.",
        needs=ADMIN,
        handle=_list,
        query=WhichEntries,
        gives=LedgerPage,
    ),
)
