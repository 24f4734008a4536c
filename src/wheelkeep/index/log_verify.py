"""Verifying another keep's log, once: which key is trusted, what it said before, and what is remembered of it then."""

from collections.abc import AsyncIterator

from msgspec import Struct

from wheelkeep.core.errors import Unanswered, WheelkeepError
from wheelkeep.core.notes import PLAIN, PublicKey, read_key
from wheelkeep.index.log_audit import Flaw, LogAudit, audit, seen_before
from wheelkeep.sources.log_reader import LogReader
from wheelkeep.store.log_state import KnownLog, LogState


class Verified(Struct, kw_only=True):
    """How it went."""

    url: str
    key: PublicKey | None = None
    on_trust: bool = False
    """The key is the log's own word, as nobody gave one and it was never looked at before."""
    audit: LogAudit


async def verify(log: LogReader, state: LogState, key: PublicKey | None) -> AsyncIterator[Verified]:
    """Looks at a log and, if all is well, remembers it; gives how far that is. Raises Unanswered, WheelkeepError."""
    known = state.read(log.url)
    if known is not None and key is None:
        key = _kept_key(known)
    on_trust = key is None
    if key is None:
        key = await _told_key(log)
    before = seen_before(known.checkpoint) if known is not None else None
    found = Verified(url=log.url, key=key, on_trust=on_trust, audit=LogAudit(before=before))
    async for found.audit in audit(log, key, before):
        yield found
    if found.audit.good:
        state.write(KnownLog(url=log.url, key=str(key), checkpoint=str(found.audit.note)))
    elif known is not None and await _other_key(log, key):
        says = f"its key is another one than the one that was trusted, {key}"
        found.audit.flaws.append(Flaw(what="signature", says=says))
    yield found


async def _told_key(log: LogReader) -> PublicKey:
    try:
        key = read_key(await log.text("key"))
    except ValueError as error:
        raise Unanswered(f"{log.url}/key {error}") from None
    if key.kind != PLAIN:
        raise Unanswered(f"{log.url}/key is not the key of a log")
    return key


async def _other_key(log: LogReader, key: PublicKey) -> bool:
    try:
        return await _told_key(log) != key
    except WheelkeepError:
        return False


def _kept_key(known: KnownLog) -> PublicKey:
    try:
        return read_key(known.key)
    except ValueError as error:
        raise WheelkeepError(f"the key that was kept of {known.url} {error}") from None
