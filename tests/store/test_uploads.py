"""A file name is given once: to one file, in whatever spelling and by whatever process, and never again."""

import asyncio

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from fakes.made import DEMO, NOW, file, sha
from fakes.stores import Store
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.facts import KnownMetadata
from wheelkeep.store.ledger import Entry
from wheelkeep.store.tables import hosted_files
from wheelkeep.store.uploads import PROVENANCE, Taken

ACME = SourceName("acme")
OWN = file(source="acme", first_seen=NOW)


async def test_all_that_comes_with_a_file_is_there_with_it(store: Store) -> None:
    metadata = KnownMetadata(sha("metadata"), b"metadata", own=True)
    entry = Entry(kind="published", at=NOW, source="acme", project="demo", filename=OWN.filename)
    assert await store.uploads.find(ACME, DEMO, OWN.filename) is None
    assert await store.uploads.add(OWN, metadata=metadata, provenance=b"{}", entries=[entry]) is None
    assert await store.uploads.find(ACME, DEMO, OWN.filename) == Taken(OWN.filename, OWN.sha256)
    assert await store.facts.hosted(ACME, DEMO) == [OWN]
    assert await store.facts.metadata(ACME, OWN.filename) == metadata
    assert await store.facts.document(ACME, PROVENANCE, OWN.filename) == (b"{}", NOW)
    assert await store.ledger.last("published") == [entry]


async def test_a_name_that_is_taken_keeps_its_file(store: Store) -> None:
    await store.uploads.add(OWN)
    other = file(source="acme", sha256=sha("other bytes"))
    entry = Entry(kind="published", at=NOW)
    assert await store.uploads.add(other, entries=[entry]) == Taken(OWN.filename, OWN.sha256)
    assert await store.facts.hosted(ACME, DEMO) == [OWN]
    assert await store.ledger.last("published") == []
    assert await store.uploads.add(file(source="elsewhere")) is None


async def test_another_spelling_is_the_same_name(store: Store) -> None:
    await store.uploads.add(file("demo-1.0-py2.py3-none-any.whl", source="acme"))
    await store.uploads.add(file("demo-1.0.tar.gz", source="acme"))
    for spelt in ("Demo-1.0-py3.py2-none-any.whl", "demo-1.0.0-py2.py3-none-any.whl", "Demo-1.0.tar.gz"):
        taken = await store.uploads.add(file(spelt, source="acme"))
        assert (taken is None) == spelt.startswith("demo-1.0.0"), spelt
    assert await store.uploads.add(file("demo-1.0-1-py2.py3-none-any.whl", source="acme")) is None


async def test_a_name_that_two_projects_could_have_is_one_name(store: Store) -> None:
    ours = file("demo-1-2.tar.gz", source="acme")
    assert ours.project == DEMO
    await store.uploads.add(ours)
    taken = await store.uploads.find(ACME, ProjectName("demo-1"), ours.filename)
    assert taken == Taken(ours.filename, ours.sha256)


async def test_a_removed_files_name_is_not_free(store: Store) -> None:
    await store.uploads.add(OWN)
    async with store.database.write() as connection:
        await connection.execute(update(hosted_files).values(file=None))
    assert await store.uploads.add(OWN) == Taken(OWN.filename, None)
    assert await store.facts.hosted(ACME, DEMO) == []


async def test_of_two_at_once_one_is_first(store: Store) -> None:
    async with Store(store.data) as other:
        files = [file(source="acme", sha256=sha(str(number))) for number in range(8)]
        tries = [(store, other)[at % 2].uploads.add(one) for at, one in enumerate(files)]
        came = await asyncio.gather(*tries)
    (winner,) = [one for one, taken in zip(files, came, strict=True) if taken is None]
    assert {taken.sha256 for taken in came if taken is not None} == {winner.sha256}
    assert await store.facts.hosted(ACME, DEMO) == [winner]


async def test_what_cannot_be_written_whole_is_not_written(store: Store) -> None:
    broken = Entry(kind=None, at=NOW)  # type: ignore[arg-type] - the table takes no entry without a kind
    with pytest.raises(IntegrityError):
        await store.uploads.add(OWN, entries=[broken])
    assert await store.uploads.find(ACME, DEMO, OWN.filename) is None
