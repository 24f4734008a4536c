"""The books held against themselves and against the log: chains, heads, entries, tiles, the signed checkpoint, and what
pages say today of files that were seen before.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from typing import Protocol

from msgspec import Struct

from wheelkeep.core import merkle, tiles
from wheelkeep.core.chain import BEGIN, Chained
from wheelkeep.core.checkpoint import Checkpoint, read_signed
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.log_entries import Head, Heads
from wheelkeep.core.model import File
from wheelkeep.index.log_book import LogBook
from wheelkeep.store.facts import Facts
from wheelkeep.store.fetches import Fetches
from wheelkeep.store.leaves import Leaf
from wheelkeep.store.ledger import Ledger
from wheelkeep.store.pages import Pages

_MOST = 20
"""Findings that are told of one book: after the first, more of them say little."""


class Books(Protocol):
    """What is checked; a Keep has it."""

    ledger: Ledger
    fetches: Fetches
    pages: Pages
    facts: Facts
    log: LogBook


class Finding(Struct, frozen=True, kw_only=True):
    """Something that is not as it was written."""

    book: str
    """``ledger``, ``fetches``, ``log`` or ``pages``."""
    number: int | None
    """Of the first line, or the index of the leaf, that is wrong."""
    says: str


class LogCheck(Struct, kw_only=True):
    """How far a check is, and what it found."""

    ledger: int = 0
    """Lines read."""
    fetches: int = 0
    leaves: int = 0
    """Entries of the transparency log."""
    files: int = 0
    """Files on pages, held against what was seen first."""
    checkpoint: Checkpoint | None = None
    """What it was held against; None: there is no log yet."""
    findings: list[Finding] = []

    @property
    def good(self) -> bool:
        return not self.findings

    def finds(self, book: str, number: int | None, says: str) -> None:
        if sum(1 for one in self.findings if one.book == book) < _MOST:
            self.findings.append(Finding(book=book, number=number, says=says))


async def check(keep: Books) -> AsyncIterator[LogCheck]:
    """Reads everything from its first line on, without writing; gives the state after every thousand lines or so, the
    last one being the outcome. Raises Unwritable where lines of an older version cannot be chained.
    """
    state = LogCheck(findings=[])
    await keep.fetches.ready()
    async for lines in keep.ledger.chain():
        state.ledger += len(lines)
        _hold(state, "ledger", lines)
        yield state
    async for lines in keep.fetches.chained.chain():
        state.fetches += len(lines)
        _hold(state, "fetches", lines)
        yield state
    checkpoint = state.checkpoint = await _checkpoint(keep.log, state)
    if checkpoint is not None:
        async for _ in _leaves(keep, state, checkpoint):
            yield state
        async for _ in _files(keep, state):
            yield state
    yield state


def _hold(state: LogCheck, book: str, lines: Iterable[Chained]) -> None:
    for line in lines:
        if line.broken:
            says = (
                f"line {line.number} does not follow from the one before it: "
                "it was changed, or one before it removed"
            )
            state.finds(book, line.number, says)


async def _checkpoint(log: LogBook, state: LogCheck) -> Checkpoint | None:
    try:
        found, key = await log.checkpoint(), await log.key()
        if found is None:
            if await log.leaves.last_heads() is not None:
                state.finds("log", None, "its checkpoint is gone")
            return None
        if key is None:
            state.finds("log", None, "its public key is gone")
            return found[1]
        return read_signed(str(found[0]), key)[1]
    except (ValueError, WheelkeepError) as error:
        state.finds("log", None, str(error))
        return None


async def _leaves(keep: Books, state: LogCheck, checkpoint: Checkpoint) -> AsyncIterator[None]:
    growing = merkle.Frontier()
    async with aclosing(keep.log.leaves.span(0, checkpoint.size)) as groups:
        async for group in groups:
            start = group[0].index
            stand = await asyncio.to_thread(keep.log.files.hashes, 0, start, start + len(group))
            for place, leaf in enumerate(group):
                hash_ = merkle.leaf_hash(leaf.body)
                growing.add(hash_)
                if place >= len(stand) or stand[place] != hash_:
                    says = f"the entry {leaf.index} is not the one whose hash is in the log"
                    state.finds("log", leaf.index, says)
            await _hold_heads(keep, state, group)
            state.leaves += len(group)
            yield
    if growing.size < checkpoint.size:
        state.finds("log", growing.size, f"the entry {growing.size} is gone from the database")
    elif growing.root() != checkpoint.root:
        state.finds("log", None, "the entries do not make the root that the checkpoint was signed for")
    if not await asyncio.to_thread(_tiles_prove, keep.log, checkpoint):
        state.finds("log", None, "the hashes on disk do not make the root that the checkpoint was signed for")
    yield


def _tiles_prove(log: LogBook, checkpoint: Checkpoint) -> bool:
    try:
        return merkle.root(checkpoint.size, tiles.nodes_in(log.files.hashes)) == checkpoint.root
    except LookupError:
        return False


async def _hold_heads(keep: Books, state: LogCheck, leaves: Sequence[Leaf]) -> None:
    """Whether the books still have the lines that stood last when the log noted it."""
    heads = [(leaf.index, leaf.entry) for leaf in leaves if isinstance(leaf.entry, Heads)]
    ledger = await keep.ledger.links([entry.ledger.number for _, entry in heads])
    fetches = await keep.fetches.chained.links([entry.fetches.number for _, entry in heads])
    for index, entry in heads:
        for book, head, links in (("ledger", entry.ledger, ledger), ("fetches", entry.fetches, fetches)):
            if not _stands(head, links):
                says = (
                    f"line {head.number} is not the one that the log's entry {index} tells of: "
                    "the book was written anew, or its end removed"
                )
                state.finds(book, head.number, says)


def _stands(head: Head, links: dict[int, bytes | None]) -> bool:
    link = BEGIN if head.number == 0 else links.get(head.number)
    return link is not None and link.hex() == head.link


async def _files(keep: Books, state: LogCheck) -> AsyncIterator[None]:
    """Whether every page has its files with the bytes that were seen first."""
    async for page in keep.pages.all():
        await _hold_files(keep, state, page.files)
        yield
    for source, project in await keep.facts.hosted_keys():
        await _hold_files(keep, state, await keep.facts.hosted(source, project) or ())
        yield


async def _hold_files(keep: Books, state: LogCheck, files: Sequence[File]) -> None:
    told = [file for file in files if file.sha256 is not None]
    if not told:
        return
    seen = await keep.log.leaves.seen(told[0].source, [file.filename for file in told])
    state.files += len(told)
    for file in told:
        if seen.get(file.filename) != file.sha256:
            first = seen.get(file.filename)
            was = f"was first seen with {first}" if first is not None else "is not among what was ever seen"
            state.finds(
                "pages", None, f"{file.filename} of {file.source} has the sha256 {file.sha256} and {was}"
            )
