"""Answers in the database: the later one counts, the ledger has every one, and other processes hear of each."""

from core.test_answers import answer
from fakes.made import NOW
from fakes.stores import Store
from wheelkeep.core.answers import REFUSED, Answer
from wheelkeep.core.names import IndexName
from wheelkeep.store.answers import AnswerBook
from wheelkeep.store.changes import Changes
from wheelkeep.store.ledger import Entry


def entry(kind: str) -> Entry:
    return Entry(kind=kind, at=NOW, project="demo", detail={})


async def test_the_later_answer_takes_the_place_of_the_earlier(store: Store) -> None:
    changes = Changes(store.data)
    book = AnswerBook(store.database, store.ledger, changes)

    async def put(*new: Answer) -> list[Answer]:
        stamp = changes.stamp
        await book.put(new, [entry("approved")])
        assert changes.stamp != stamp
        return await book.all()

    allow, held = answer("demo"), answer("demo", "cooldown", until="2026-12-31")
    assert await put(allow, held) == [allow, held]
    again = answer("demo", reason="again")
    assert await put(again) == [held, again]
    refused = answer("demo", REFUSED)
    assert await put(refused) == [refused]
    other = answer("demo<2")
    assert await put(allow, other) == [allow, other]
    assert (await store.ledger.counts())["approved"] == 4

    stamp = changes.stamp
    main = IndexName("main")
    assert await book.take_back(main, ["nothing"], lambda gone: [entry("withdrawn")]) == []
    assert await book.take_back(IndexName("other"), ["demo"], lambda gone: [entry("withdrawn")]) == []
    assert changes.stamp == stamp
    assert await book.take_back(main, ["demo"], lambda gone: [entry("withdrawn") for _ in gone]) == [allow]
    assert changes.stamp != stamp
    assert await book.all() == [other]
    assert (await store.ledger.counts())["withdrawn"] == 1
