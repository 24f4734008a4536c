"""What was asked for and blocked, by whom and how often: a table with an end, whoever fills it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, literal_column, or_, select
from sqlalchemy.dialects.sqlite import insert

from wheelkeep.core.names import IndexName
from wheelkeep.core.wanted import Ask, Asker, Tally, Wanted, asker
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.tables import wanted

MOST = 100_000
"""Lines that an index has at most, or a little more."""
MOST_EACH = 1_000
"""Lines that one asker has at most in an index, or a little more."""
_SLACK = 10
"""After how many new lines, as a part of the most, it is looked whether there are too many."""
_MOST_GROUPS = 10_000
_CHUNK = 500
_ROW: ColumnElement[int] = literal_column("wanted.rowid")


class WantedList:
    """Where there are too many lines, those asked for least and longest ago go; their number is kept."""

    def __init__(self, database: Database, *, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._database = database
        self._most, self._most_each = most, most_each
        self._since: Counter[tuple[IndexName, str | None]] = Counter()

    async def add(self, counted: Mapping[Ask, Tally]) -> None:
        """Adds counts, in one commit."""
        if not counted:
            return
        async with self._database.write() as connection:
            await _write(connection, counted)
            for index, who in self._to_look_at(counted):
                most = self._most if who is None else self._most_each
                await _trim(connection, index, who, most)

    def _to_look_at(self, counted: Iterable[Ask]) -> list[tuple[IndexName, str | None]]:
        if len(self._since) > self._most:
            self._since.clear()
        for ask in counted:
            self._since[ask.index, None] += 1
            if ask.who:
                self._since[ask.index, ask.who] += 1
        due = [
            key
            for key, lines in self._since.items()
            if lines * _SLACK >= (self._most if key[1] is None else self._most_each)
        ]
        for key in due:
            del self._since[key]
        return due

    async def most_asked(self, index: IndexName, *, gate: str | None = None) -> list[Wanted]:
        """What was asked for, the most often first: 10,000 at most, without those who asked."""
        keys = (wanted.c.project, wanted.c.version, wanted.c.gate)
        often = func.sum(wanted.c.count)
        query = (
            select(
                *keys,
                often.label("often"),
                func.count().label("askers"),
                func.min(wanted.c.first).label("first"),
                func.max(wanted.c.last).label("last"),
                func.max(wanted.c.free).label("free"),
            )
            .where(wanted.c.index_name == index, wanted.c.project != "")
            .group_by(*keys)
            .order_by(often.desc(), *keys)
            .limit(_MOST_GROUPS)
        )
        if gate is not None:
            query = query.where(wanted.c.gate == gate)
        async with self._database.read() as connection:
            return [
                Wanted(
                    index=index,
                    project=row.project,
                    version=row.version or None,
                    gate=row.gate,
                    code="",
                    sentence="",
                    filename=None,
                    count=row.often,
                    askers=row.askers,
                    first=_moment(row.first),
                    last=_moment(row.last),
                    free=_moment(row.free) if row.free is not None else None,
                )
                for row in await connection.execute(query)
            ]

    async def askers(
        self, index: IndexName, projects: Sequence[str], *, most: int
    ) -> dict[tuple[str, str, str], list[tuple[Asker, Tally]]]:
        """By project, version and gate those who asked most often, with the words of their last time."""
        keys = (wanted.c.project, wanted.c.version, wanted.c.gate)
        place = func.row_number().over(partition_by=keys, order_by=(wanted.c.count.desc(), wanted.c.who))
        found: dict[tuple[str, str, str], list[tuple[Asker, Tally]]] = {}
        async with self._database.read() as connection:
            for start in range(0, len(projects), _CHUNK):
                some = projects[start : start + _CHUNK]
                ranked = (
                    select(wanted, place.label("place"))
                    .where(wanted.c.index_name == index, wanted.c.project.in_(some))
                    .subquery()
                )
                query = select(ranked).where(ranked.c.place <= most).order_by(ranked.c.place)
                for row in await connection.execute(query):
                    tally = _tally(row)
                    found.setdefault((row.project, row.version, row.gate), []).append(
                        (asker(row.who, tally), tally)
                    )
        return found

    async def beyond(self, index: IndexName) -> int:
        """How many asks there were that are not told apart any more."""
        query = select(func.sum(wanted.c.count)).where(wanted.c.index_name == index, wanted.c.project == "")
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar() or 0


async def _write(connection: Connection, counted: Mapping[Ask, Tally]) -> None:
    statement = insert(wanted)
    new = statement.excluded
    words = {name: new[name] for name in ("free", "code", "sentence", "filename", "agent")}
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["index_name", "project", "version", "gate", "who"],
            set_={
                "count": wanted.c.count + new["count"],
                "first": func.min(wanted.c.first, new["first"]),
                "last": func.max(wanted.c.last, new["last"]),
                **words,
            },
        ),
        [_row(ask, tally) for ask, tally in counted.items()],
    )


async def _trim(connection: Connection, index: IndexName, who: str | None, most: int) -> None:
    """Puts what is too much together with what is not told apart: of one asker, or (None) of the whole index."""
    told_apart: ColumnElement[bool] = or_(wanted.c.project != "", wanted.c.who != "")
    lines = and_(wanted.c.index_name == index, told_apart)
    if who is not None:
        lines = and_(wanted.c.index_name == index, wanted.c.who == who, wanted.c.project != "")
    there = (await connection.execute(select(func.count()).select_from(wanted).where(lines))).scalar() or 0
    if there <= most:
        return
    least = (
        select(_ROW.label("row"), wanted.c.count, wanted.c.first, wanted.c.last)
        .where(lines)
        .order_by(wanted.c.count, wanted.c.last, _ROW)
        .limit(there - most)
        .subquery()
    )
    query = select(func.sum(least.c.count), func.min(least.c.first), func.max(least.c.last))
    count, first, last = (await connection.execute(query)).one()
    await connection.execute(delete(wanted).where(_ROW.in_(select(least.c.row))))
    gone = Tally(count=count, first=_moment(first), last=_moment(last))
    await _write(connection, {Ask(index, "", "", "", who or ""): gone})


def _row(ask: Ask, tally: Tally) -> dict[str, Any]:
    return {
        "index_name": ask.index,
        "project": ask.project,
        "version": ask.version,
        "gate": ask.gate,
        "who": ask.who,
        "count": tally.count,
        "first": tally.first.timestamp(),
        "last": tally.last.timestamp(),
        "free": tally.free.timestamp() if tally.free is not None else None,
        "code": tally.code,
        "sentence": tally.sentence,
        "filename": tally.filename,
        "agent": tally.agent,
    }


def _tally(row: Any) -> Tally:
    return Tally(
        count=row.count,
        first=_moment(row.first),
        last=_moment(row.last),
        code=row.code,
        sentence=row.sentence,
        filename=row.filename,
        agent=row.agent,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
