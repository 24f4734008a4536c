"""How much one token may have under way in one source: open publishing sessions, and bytes that they announce.

Without an end to it, whoever may publish one project could fill the disk with what is never published.
"""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select

from wheelkeep.core.errors import NoRoom
from wheelkeep.core.names import SourceName
from wheelkeep.store.connection import Connection
from wheelkeep.store.tables import upload_session_files, upload_sessions

MOST_OPEN = 100
"""Open sessions of one token in one source."""
MOST_STAGED = 20_000_000_000
"""Bytes of the files in them, as they were announced; no file is taken that has more."""
_WAY_OUT = "publish or cancel an open one first"


async def need_room(connection: Connection, source: SourceName, creator: str) -> None:
    """In a transaction of somebody else's: raises NoRoom where one more session is one too many."""
    query = select(func.count()).select_from(upload_sessions).where(*_open(source, creator))
    if ((await connection.execute(query)).scalar() or 0) >= MOST_OPEN:
        raise NoRoom(
            f"{creator} has {MOST_OPEN} sessions open in {source}, as many as one token may: {_WAY_OUT}"
        )


async def need_bytes(connection: Connection, source: SourceName, creator: str, size: int) -> None:
    """The same for a file of so many bytes."""
    query = (
        select(func.sum(upload_session_files.c.size))
        .join(upload_sessions, upload_sessions.c.id == upload_session_files.c.session)
        .where(*_open(source, creator), upload_session_files.c.state != "canceled")
    )
    staged = (await connection.execute(query)).scalar() or 0
    if staged + size > MOST_STAGED:
        raise NoRoom(
            f"{size} bytes more would make {staged + size} in the open sessions of {creator} in {source}, and one "
            f"token may have {MOST_STAGED}: {_WAY_OUT}, or delete a file of it"
        )


def _open(source: SourceName, creator: str) -> tuple[ColumnElement[bool], ...]:
    now = datetime.now(UTC).timestamp()
    return (
        upload_sessions.c.source == source,
        upload_sessions.c.creator == creator,
        upload_sessions.c.state == "open",
        upload_sessions.c.expires > now,
    )
