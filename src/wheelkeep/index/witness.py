"""Witnessing: this keep looks at another one's log, cosigns what is consistent with all that it saw of it before, and
brings the cosignature to it; and takes the cosignatures that its own witnesses bring.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence

from msgspec import Struct

from wheelkeep.core import merkle, tiles
from wheelkeep.core.checkpoint import Checkpoint, read_checkpoint
from wheelkeep.core.errors import Unanswered, WheelkeepError
from wheelkeep.core.notes import Note, PublicKey, cosigned_at, read_note
from wheelkeep.index.log_audit import Flaw, LogAudit
from wheelkeep.index.log_book import LogBook
from wheelkeep.index.log_verify import Verified, verify
from wheelkeep.sources.log_reader import LogReader
from wheelkeep.store.log_state import LogState

_AHEAD = 300
"""Seconds that a witness's clock may be ahead."""


class Witnessing(Struct, kw_only=True):
    """How it went."""

    verified: Verified
    key: str = ""
    """This keep's key as a witness, which the log's keeper must name."""
    note: str = ""
    """The cosigned checkpoint; empty: it was not cosigned."""
    delivered: bool = False
    says: str = ""
    """Why it was not delivered."""


class Unwitnessed(WheelkeepError):
    """A cosignature that is not taken."""


async def witness(book: LogBook, log: LogReader, key: PublicKey | None) -> Witnessing:
    """Verifies a log, and cosigns and delivers its checkpoint if all is well. Raises Unanswered, WheelkeepError."""
    folder = book.files.folder / "witnessed"
    state = LogState(folder / f"{hashlib.sha256(log.url.encode()).hexdigest()}.json")
    told = Witnessing(verified=Verified(url=log.url, audit=LogAudit()))
    async for told.verified in verify(log, state, key):
        pass
    audit = told.verified.audit
    if not audit.good or audit.note is None or audit.checkpoint is None:
        return told
    own = await book.key()
    if own is None:
        raise WheelkeepError("this keep has no log of its own yet: start its server once")
    name = f"{own.name.removesuffix('/log')}/witness"
    private = await asyncio.to_thread(book.files.witness_key, name)
    told.key = str(private.public)
    place = name_of(audit.checkpoint)
    # Another address may lead to the same log: what counts is its name.
    before = await asyncio.to_thread(book.files.witnessed, place)
    if before is not None and not _follows(before[1], audit.checkpoint):
        says = f"this keep cosigned another past of it, of {before[1].size} entries, under another address"
        audit.flaws.append(Flaw(what="fork", says=says))
        return told
    note = audit.note.signed(private.sign(audit.note.text, seconds=int(time.time())))
    await asyncio.to_thread(book.files.write_witnessed, place, note)
    told.note = str(note)
    try:
        status = await log.deliver(told.note)
    except Unanswered as error:
        told.says = str(error)
    else:
        told.delivered = status == 200
        told.says = "" if told.delivered else f"the log answered {status}: its keeper must name this witness"
    return told


def name_of(checkpoint: Checkpoint) -> str:
    """Under which name a log is among those that are witnessed (c2sp.org/tlog-witness)."""
    return hashlib.sha256(checkpoint.origin.encode()).hexdigest()


def _follows(before: Checkpoint, now: Checkpoint) -> bool:
    return now.size > before.size or now == before


async def take(book: LogBook, text: str, witnesses: Sequence[PublicKey]) -> None:
    """Takes a checkpoint of our own log that known witnesses cosigned. Raises Unwitnessed, ValueError for no note."""
    note = read_note(text)
    checkpoint = read_checkpoint(note.text)
    key, found = await book.key(), await book.checkpoint()
    if key is None or found is None or checkpoint.origin != key.name or note.of(key) is None:
        raise Unwitnessed("this is not a checkpoint of this log")
    if checkpoint.size > found[1].size or not await asyncio.to_thread(_is_ours, book, checkpoint):
        raise Unwitnessed("this log never had this checkpoint")
    made = [one for witness in witnesses if (one := note.of(witness)) is not None]
    if not made:
        raise Unwitnessed("nobody among the witnesses that this log knows cosigned this")
    if any(cosigned_at(one) > time.time() + _AHEAD for one in made):
        raise Unwitnessed("a cosignature is of a time to come")
    own = [one for one in note.signatures if (one.name, one.id) == (key.name, key.id)]
    await asyncio.to_thread(book.files.add_cosigned, Note(note.text, (*own, *made)), checkpoint)


def _is_ours(book: LogBook, checkpoint: Checkpoint) -> bool:
    try:
        return merkle.root(checkpoint.size, tiles.nodes_in(book.files.hashes)) == checkpoint.root
    except LookupError:
        return False
