"""The books held against themselves: every line of the ledger and of the book of fetches against its chain."""

from collections.abc import AsyncIterator

from msgspec import Struct

from wheelkeep.core.chain import Chained
from wheelkeep.store.fetches import Fetches
from wheelkeep.store.ledger import Ledger

_MOST = 20
"""Findings that are told of one book: after the first, more of them say little."""


class Finding(Struct, frozen=True, kw_only=True):
    """Something that is not as it was written."""

    book: str
    """``ledger``, ``fetches`` or ``log``."""
    number: int | None
    """Of the first line, or the leaf, that is wrong."""
    says: str


class LogCheck(Struct, kw_only=True):
    """How far a check is, and what it found."""

    ledger: int = 0
    """Lines read."""
    fetches: int = 0
    findings: list[Finding] = []

    @property
    def good(self) -> bool:
        return not self.findings


async def check(ledger: Ledger, fetches: Fetches) -> AsyncIterator[LogCheck]:
    """Reads both books from their first line on; gives the state after each thousand, the last one being the
    outcome. Raises Unwritable where lines of an older version cannot be chained."""
    state = LogCheck(findings=[])
    await fetches.ready()
    async for lines in ledger.chain():
        state.ledger += len(lines)
        _hold(state, "ledger", lines)
        yield state
    async for lines in fetches.chained.chain():
        state.fetches += len(lines)
        _hold(state, "fetches", lines)
        yield state
    yield state


def _hold(state: LogCheck, book: str, lines: list[Chained]) -> None:
    for line in lines:
        if not line.broken:
            continue
        if sum(1 for one in state.findings if one.book == book) >= _MOST:
            return
        says = f"line {line.number} does not follow from the one before it: it was changed, or one before it removed"
        state.findings.append(Finding(book=book, number=line.number, says=says))
