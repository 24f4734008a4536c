"""What was kept is on record until it is removed on purpose."""

from fakes.stores import Store
from wheelkeep.store.kept import KeptBlobs
from wheelkeep.store.progress import Progress


async def test_what_is_kept_is_noted_once_and_forgotten_on_purpose(store: Store) -> None:
    kept = KeptBlobs(store.database)
    await kept.add([])
    await kept.add(["aa", "bb"])
    await kept.add(["bb", "cc"])
    assert sorted([one async for one in kept.all()]) == ["aa", "bb", "cc"]
    await kept.drop(["aa", "cc", "dd"])
    assert [one async for one in kept.all()] == ["bb"]


async def test_a_disk_that_takes_nothing_is_told(store: Store) -> None:
    async with store.database.write() as connection:
        await connection.exec_driver_sql("PRAGMA query_only=ON")
    assert not await KeptBlobs(store.database).add(["aa"])


def test_a_place_that_cannot_be_read_is_none(store: Store) -> None:
    progress = Progress(store.data, "verify")
    assert progress.read() == {}
    progress.write({"last": {"files": 1}})
    assert Progress(store.data, "verify").read() == {"last": {"files": 1}}
    for text in ("{", "[]"):
        (store.data / "verify.json").write_text(text)
        assert progress.read() == {}
