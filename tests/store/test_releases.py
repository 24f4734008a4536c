"""What becomes of files once they were taken: in one transaction each, on record, and never to be undone by a name."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from fakes.made import DEMO, NOW, file, sha, versions
from fakes.stores import Store
from wheelkeep.core.errors import NotOwned
from wheelkeep.core.model import File, Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.store.changes import Changes
from wheelkeep.store.facts import KnownMetadata
from wheelkeep.store.ledger import OF_PAGES, Entry
from wheelkeep.store.owners import Owners
from wheelkeep.store.releases import Changed, Conflict
from wheelkeep.store.standing import Standing, write_standing
from wheelkeep.store.uploads import PROVENANCE, Taken

ACME, STAGE = SourceName("acme"), SourceName("stage")
ONE, TWO = versions("1.0", "2.0", source="acme")
STAGED = file(source="stage", first_seen=NOW)


def noted(kind: str) -> Any:
    return lambda file: entry(kind, file)


def entry(kind: str, about: File | None = None) -> Entry:
    return Entry(kind=kind, at=NOW, source="acme", project="demo", filename=about.filename if about else None)


def every(_: File) -> bool:
    return True


async def files(store: Store, source: SourceName = ACME) -> tuple[File, ...] | None:
    holding = await store.releases.look(source, DEMO)
    return holding.files if holding is not None else None


async def test_a_yank_is_kept_with_its_reason_and_taken_back(store: Store) -> None:
    for one in (ONE, TWO):
        await store.uploads.add(one)
    yank = store.releases.yank
    done = await yank(ACME, DEMO, lambda file: file.version == "1.0", "broken", noted("yanked"))
    assert done == Changed((ONE,), ())
    there = await files(store)
    assert there is not None
    yanked = there[0]
    assert (replace(yanked, before=()), there[1]) == (replace(ONE, yanked="broken"), TWO)
    again = await yank(ACME, DEMO, lambda file: file.version == "1.0", "broken", noted("yanked"))
    assert again == Changed((), (yanked,))
    assert await store.ledger.last("yanked") == [entry("yanked", ONE)]
    assert await yank(ACME, DEMO, every, None, noted("unyanked")) == Changed((yanked,), (TWO,))
    now = await files(store)
    assert now is not None
    assert [replace(file, before=()) for file in now] == [ONE, TWO]
    assert [was.yanked for was in now[0].before] == [None, "broken"]
    assert await yank(ACME, ProjectName("other"), every, "broken", noted("yanked")) == Changed((), ())


async def test_a_removed_file_leaves_its_name_taken_and_its_bytes_alone(store: Store) -> None:
    own = replace(ONE, sha256=await store.keep(b"its bytes"))
    await store.uploads.add(own)
    assert await store.releases.remove(ACME, DEMO, every, noted("deleted")) == (own,)
    assert await files(store) == ()
    assert await store.uploads.add(own) == Taken(own.filename, None)
    assert own.sha256 is not None and store.blobs.has(own.sha256)
    assert await store.releases.remove(ACME, DEMO, every, noted("deleted")) == ()
    assert await store.ledger.last("deleted") == [entry("deleted", own)]
    assert [one.file for one in await store.releases.removed(ACME, DEMO)] == [own]


async def test_who_is_no_owner_when_it_is_written_changes_nothing(store: Store) -> None:
    await store.uploads.add(ONE)
    owners = Owners(store.database, store.ledger)
    await owners.change(STAGE, DEMO, lambda _: ["zoe"], lambda *_: entry("owners"))
    with pytest.raises(NotOwned, match="demo is owned by zoe"):
        # Of either end.
        await store.releases.move([ONE], STAGE, [entry("promoted")], asker="ada")
    await owners.change(ACME, DEMO, lambda _: ["zoe"], lambda *_: entry("owners"))
    with pytest.raises(NotOwned):
        await store.releases.yank(ACME, DEMO, every, "broken", noted("yanked"), asker="ada")
    with pytest.raises(NotOwned):
        await store.releases.set_status(ACME, DEMO, Status("archived"), entry("status"), asker="ada")
    assert await files(store) == (ONE,)
    assert not any([await store.ledger.last(kind) for kind in ("yanked", "status", "promoted")])
    assert await store.releases.set_status(ACME, DEMO, Status("archived"), entry("status"), asker="zoe")
    assert (await store.releases.yank(ACME, DEMO, every, "broken", noted("yanked"))).files == (ONE,)


async def test_a_status_is_the_projects_until_another(store: Store) -> None:
    archived = Status("archived", "see acme-two")
    assert await store.releases.set_status(ACME, DEMO, archived, entry("status")) is None
    await store.uploads.add(ONE)
    assert await store.releases.set_status(ACME, DEMO, Status("active"), entry("status")) is False
    assert await store.releases.set_status(ACME, DEMO, archived, entry("status")) is True
    assert await store.releases.set_status(ACME, DEMO, archived, entry("status")) is False
    holding = await store.releases.look(ACME, DEMO)
    assert holding is not None and holding.standing == Standing(archived)
    assert await store.uploads.status(ACME, DEMO) == archived
    assert await store.uploads.status(STAGE, DEMO) is None
    assert await store.releases.set_status(ACME, DEMO, Status("active"), entry("status")) is True
    assert await store.uploads.status(ACME, DEMO) is None
    assert len(await store.ledger.last("status")) == 2


@pytest.mark.parametrize(
    ("word", "takes"), [("active", True), ("deprecated", True), ("archived", False), ("quarantined", False)]
)
async def test_no_upload_slips_into_a_closed_project(store: Store, word: Any, takes: bool) -> None:
    await store.uploads.add(ONE)
    await store.releases.set_status(ACME, DEMO, Status(word), entry("status"))
    outcome = await store.uploads.add(TWO)
    assert outcome == (None if takes else Status(word))
    assert await files(store) == ((ONE, TWO) if takes else (ONE,))


async def test_only_an_empty_name_is_freed_and_a_new_file_takes_it_back(store: Store) -> None:
    free = store.releases.free
    assert await free(ACME, DEMO, entry("freed")) is None
    await store.uploads.add(ONE)
    before = await free(ACME, DEMO, entry("freed"))
    assert before is not None and before.files == (ONE,)
    await store.releases.set_status(ACME, DEMO, Status("deprecated"), entry("status"))
    await store.releases.remove(ACME, DEMO, every, noted("deleted"))
    assert await store.ledger.last("freed") == []
    for _ in range(2):
        await free(ACME, DEMO, entry("freed"))
    holding = await store.releases.look(ACME, DEMO)
    assert holding is not None and holding.standing == Standing(None, freed=True)
    assert len(await store.ledger.last("freed")) == 1
    await store.uploads.add(TWO)
    await store.releases.remove(ACME, DEMO, every, noted("deleted"))
    holding = await store.releases.look(ACME, DEMO)
    assert holding is not None and holding.standing == Standing()


async def test_a_file_moves_with_all_that_is_known_of_it(store: Store) -> None:
    metadata = KnownMetadata(sha("metadata"), b"metadata", own=True)
    await store.uploads.add(STAGED, metadata=metadata, provenance=b"{}")
    entries = [entry("promoted", STAGED), entry("deleted", STAGED)]
    assert await store.releases.move([STAGED], ACME, entries) == ()
    there = await files(store)
    assert there is not None and there[0].absent is not None
    assert there == (replace(STAGED, source=ACME, absent=there[0].absent),)
    assert await files(store, STAGE) == ()
    assert await store.facts.metadata(ACME, STAGED.filename) == metadata
    assert await store.facts.document(ACME, PROVENANCE, STAGED.filename) == (b"{}", NOW)
    assert await store.ledger.last("promoted") == entries[:1]
    assert await store.ledger.last("deleted") == entries[1:]


async def test_what_is_there_with_the_same_bytes_is_no_obstacle(store: Store) -> None:
    await store.uploads.add(STAGED)
    there = replace(STAGED, source=ACME, yanked="broken")
    await store.uploads.add(there)
    assert await store.releases.move([STAGED], ACME, [entry("promoted")]) == ()
    assert (await files(store), await files(store, STAGE)) == ((there,), ())


@pytest.mark.parametrize("obstacle", ["other bytes", "removed", "changed", "archived"])
async def test_one_file_that_cannot_move_keeps_all_where_they_are(store: Store, obstacle: str) -> None:
    staged = versions("1.0", "2.0", source="stage")
    for one in staged:
        await store.uploads.add(one)
    name = staged[1].filename
    expected: Any = (Conflict(name, Taken(name, TWO.sha256)),)
    if obstacle != "changed":
        await store.uploads.add(TWO)
    if obstacle == "removed":
        await store.releases.remove(ACME, DEMO, every, noted("deleted"))
        expected = (Conflict(name, Taken(name, None)),)
    elif obstacle == "changed":
        wanted = lambda file: file.version == "2.0"  # noqa: E731
        await store.releases.yank(STAGE, DEMO, wanted, "broken", noted("yanked"))
        expected = (Conflict(name, None),)
    elif obstacle == "archived":
        await store.releases.set_status(ACME, DEMO, Status("archived"), entry("status"))
        expected = Status("archived")
    before = (await files(store), await files(store, STAGE))
    assert await store.releases.move(staged, ACME, [entry("promoted")]) == expected
    assert (await files(store), await files(store, STAGE)) == before
    assert await store.ledger.last("promoted") == []


async def test_of_two_who_promote_at_once_one_does(store: Store) -> None:
    await store.uploads.add(STAGED)
    async with Store(store.data) as other:
        moves = [each.releases.move([STAGED], ACME, [entry("promoted")]) for each in (store, other)]
        came = await asyncio.gather(*moves)
    assert sorted(map(len, came)) == [0, 1]  # type: ignore[arg-type]
    assert len(await store.ledger.last("promoted")) == 1


async def test_what_cannot_be_put_on_record_is_not_done(store: Store) -> None:
    await store.uploads.add(ONE)
    broken = Entry(kind=None, at=NOW)  # type: ignore[arg-type] - the table takes no entry without a kind
    with pytest.raises(IntegrityError):
        await store.releases.remove(ACME, DEMO, every, lambda _: broken)
    with pytest.raises(IntegrityError):
        await store.releases.set_status(ACME, DEMO, Status("archived"), broken)
    with pytest.raises(IntegrityError):
        await store.releases.move([ONE], STAGE, [broken])
    assert await files(store) == (ONE,)
    assert await store.uploads.status(ACME, DEMO) is None


async def test_other_processes_are_told_of_what_changed_and_of_nothing_else(store: Store) -> None:
    changes = Changes(store.data)
    await store.uploads.add(ONE)
    stamp = changes.stamp
    await store.releases.yank(ACME, DEMO, every, None, noted("unyanked"))
    await store.releases.free(ACME, DEMO, entry("freed"))
    assert changes.stamp == stamp
    newest = await store.ledger.newest()
    await store.releases.yank(ACME, DEMO, every, "broken", noted("yanked"))
    assert changes.stamp != stamp
    assert await store.ledger.since(OF_PAGES, newest) == ({DEMO}, newest + 1)


async def test_projects_are_listed_by_name_those_too_that_are_empty(store: Store) -> None:
    for name in ("b", "a", "c"):
        await store.uploads.add(
            replace(ONE, project=ProjectName(name), filename=f"{name}-1.0-py3-none-any.whl")
        )
    await store.uploads.add(replace(STAGED, project=ProjectName("z"), filename="z-1.0-py3-none-any.whl"))
    await store.releases.remove(ACME, ProjectName("b"), every, noted("deleted"))
    await store.releases.set_status(ACME, ProjectName("c"), Status("archived"), entry("status"))
    async with store.database.write() as connection:
        # As a session without files publishes it: nothing but the name is the source's.
        await write_standing(connection, ACME, ProjectName("d"), Standing())
    listed = await store.releases.projects(ACME, after="", limit=9)
    assert [(each.project, each.files) for each in listed] == [("a", 1), ("b", 0), ("c", 1), ("d", 0)]
    assert listed[2].standing == Standing(Status("archived"))
    (second,) = await store.releases.projects(ACME, after="a", limit=1)
    assert second.project == "b"
