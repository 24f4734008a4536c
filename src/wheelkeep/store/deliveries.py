"""How far the alerts in the ledger were delivered to the webhook: one number, and the few that were refused."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.ledger import ALERTS
from wheelkeep.store.tables import ledger, webhook, webhook_refused

_ROW = 1


class Delivery(Struct, frozen=True, kw_only=True):
    """How delivering stands."""

    waiting: int
    """Alerts that were not taken yet, refused ones among them."""
    refused: int
    """Those that the receiver refused, and that are tried again now and then."""
    taken: datetime | None
    """When it last took one; None: never yet."""
    failing: datetime | None
    """Since when it takes none; None: it does, or was not asked yet."""
    tries: int
    """How often it was tried in vain since then."""
    reason: str | None
    """Why the last try was in vain."""


class Deliveries:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def done(self, *, since: datetime) -> int:
        """The number up to which the ledger's entries were dealt with. The first time it is chosen, and kept, so that
        entries from ``since`` on are still to be delivered."""
        older = select(func.max(ledger.c.id)).where(
            ledger.c.kind.in_(ALERTS), ledger.c.at < since.timestamp()
        )
        async with self._database.read() as connection:
            known = (await connection.execute(select(webhook.c.done))).scalar()
        if known is not None:
            return int(known)
        async with self._database.write() as connection:
            first = (await connection.execute(older)).scalar() or 0
            row = insert(webhook).values(id=_ROW, done=first, tries=0)
            await connection.execute(row.on_conflict_do_nothing())
        return int(first)

    async def due(self, now: datetime) -> int | None:
        """The refused entry whose turn it is to be tried again, if there is one."""
        query = (
            select(webhook_refused.c.entry)
            .where(webhook_refused.c.next <= now.timestamp())
            .order_by(webhook_refused.c.next, webhook_refused.c.entry)
            .limit(1)
        )
        async with self._database.read() as connection:
            found: int | None = (await connection.execute(query)).scalar()
            return found

    async def refusals(self, entry: int) -> int:
        """How often an entry was refused since it was set aside."""
        query = select(webhook_refused.c.tries).where(webhook_refused.c.entry == entry)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar() or 0

    async def took(self, entry: int, now: datetime) -> None:
        """The receiver took an entry."""
        async with self._database.write() as connection:
            await connection.execute(delete(webhook_refused).where(webhook_refused.c.entry == entry))
            await _reached(connection, entry)
            healthy = {"taken": now.timestamp(), "failing": None, "tries": 0, "reason": None}
            await connection.execute(update(webhook).values(healthy))

    async def failed(self, reason: str, now: datetime) -> None:
        """A try was in vain."""
        async with self._database.write() as connection:
            await _failed(connection, reason, now)

    async def refused(self, entry: int, reason: str, again: datetime, now: datetime) -> None:
        """The receiver refuses this very entry: it is set aside until then, and those behind it have their turn."""
        values = {"next": again.timestamp(), "reason": reason}
        row = insert(webhook_refused).values(entry=entry, tries=1, **values)
        more = row.on_conflict_do_update(
            index_elements=["entry"], set_={**values, "tries": webhook_refused.c.tries + 1}
        )
        async with self._database.write() as connection:
            await connection.execute(more)
            await _reached(connection, entry)
            await _failed(connection, reason, now)

    async def standing(self) -> Delivery:
        """How delivering stands; before it ever began, every alert waits."""
        aside = select(func.count()).select_from(webhook_refused)
        async with self._database.read() as connection:
            row = (await connection.execute(select(webhook))).first()
            refused = (await connection.execute(aside)).scalar() or 0
            done = row.done if row is not None else 0
            new = select(func.count()).where(ledger.c.kind.in_(ALERTS), ledger.c.id > done)
            waiting = (await connection.execute(new)).scalar() or 0
        return Delivery(
            waiting=waiting + refused,
            refused=refused,
            taken=_moment(row.taken) if row is not None else None,
            failing=_moment(row.failing) if row is not None else None,
            tries=row.tries if row is not None else 0,
            reason=row.reason if row is not None else None,
        )


def failing(data: Path) -> tuple[datetime, str] | None:
    """Since when the webhook takes nothing, and why; asked without making a data folder, and without an engine."""
    try:
        with closing(sqlite3.connect(f"file:{data / 'wheelkeep.sqlite'}?mode=ro", uri=True)) as connection:
            query = "SELECT failing, reason FROM webhook WHERE failing IS NOT NULL"
            row = connection.execute(query).fetchone()
    except sqlite3.Error:
        return None
    return (datetime.fromtimestamp(row[0], UTC), row[1]) if row is not None else None


async def _reached(connection: Connection, entry: int) -> None:
    await connection.execute(update(webhook).where(webhook.c.done < entry).values(done=entry))


async def _failed(connection: Connection, reason: str, now: datetime) -> None:
    since = func.coalesce(webhook.c.failing, now.timestamp())
    values = {"failing": since, "tries": webhook.c.tries + 1, "reason": reason}
    await connection.execute(update(webhook).values(values))


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
