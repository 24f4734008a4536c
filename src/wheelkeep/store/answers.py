"""What people answered to what was wanted: each change one commit with its line in the ledger, and told to all."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from wheelkeep.core.answers import REFUSED, Answer
from wheelkeep.core.names import IndexName
from wheelkeep.store.changes import Changes
from wheelkeep.store.connection import Connection
from wheelkeep.store.database import Database
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.tables import answers


class AnswerBook:
    def __init__(self, database: Database, ledger: Ledger, changes: Changes) -> None:
        self._database = database
        self._ledger = ledger
        self._changes = changes

    async def all(self) -> list[Answer]:
        """Every answer that was not taken back, the oldest first."""
        async with self._database.read() as connection:
            return await _found(connection)

    async def put(self, new: Sequence[Answer], entries: list[Entry]) -> None:
        """Adds answers. A later one to the same question takes the place of the earlier: a refusal that of all
        approvals, an approval that of the refusal and of the one for the same gate."""
        async with self._database.write() as connection:
            for answer in new:
                same = delete(answers).where(
                    answers.c.index_name == answer.index, answers.c.requirement == answer.requirement
                )
                if answer.gate != REFUSED:
                    same = same.where(answers.c.gate.in_((REFUSED, answer.gate)))
                await connection.execute(same)
                await connection.execute(insert(answers).values(**_row(answer)))
            await self._ledger.write(connection, entries)
        self._changes.mark()

    async def take_back(
        self,
        index: IndexName,
        requirements: Sequence[str],
        entries: Callable[[Sequence[Answer]], list[Entry]],
    ) -> list[Answer]:
        """Ends the answers to requirements in normal form, and gives what was ended; ``entries``: its lines."""
        meant = [answers.c.index_name == index, answers.c.requirement.in_(requirements)]
        async with self._database.write() as connection:
            gone = await _found(connection, *meant)
            if gone:
                await connection.execute(delete(answers).where(*meant))
                await self._ledger.write(connection, entries(gone))
        if gone:
            self._changes.mark()
        return gone


async def _found(connection: Connection, *where: object) -> list[Answer]:
    query = select(answers).where(*where).order_by(answers.c.id)  # type: ignore[arg-type]
    return [
        Answer(
            index=IndexName(row.index_name),
            requirement=row.requirement,
            gate=row.gate,
            reason=row.reason,
            by=row.by,
            given=datetime.fromtimestamp(row.given, UTC),
            until=row.until,
        )
        for row in await connection.execute(query)
    ]


def _row(answer: Answer) -> dict[str, object]:
    return {
        "index_name": answer.index,
        "requirement": answer.requirement,
        "gate": answer.gate,
        "reason": answer.reason,
        "by": answer.by,
        "given": answer.given.timestamp(),
        "until": answer.until,
    }
