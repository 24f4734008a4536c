"""A wheelhouse: what lies in the folder is seen without a restart, and what was seen once stays what it was."""

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.dists import metadata, sdist, wheel
from fakes.made import DEMO
from fakes.stores import Store
from wheelkeep.core.errors import FileMissing, Unanswered
from wheelkeep.core.model import Absent, Answer, File, Found, Unreachable
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.pins import Incident
from wheelkeep.sources import directory as module
from wheelkeep.sources import folder_ground
from wheelkeep.sources.directory import Directory
from wheelkeep.sources.folder_ground import FolderGround
from wheelkeep.sources.source import Source
from wheelkeep.store.hashing import hash_file

NAME, BYTES = wheel("demo", "1.0", requires_python=">=3.8")
SDIST, SDIST_BYTES = sdist("demo", "2.0")
SOURCE = SourceName("wheels")


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class House:
    """A folder, and a source that looks at it more often than usual."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.changed: list[ProjectName | None] = []
        self.incidents: list[Incident] = []
        self.source = Directory(
            SOURCE,
            FolderGround(folder),
            facts=store.facts,
            pages=store.pages,
            changed=self.changed.append,
            incident=lambda _source, _project, incident: self.incidents.append(incident),
        )

    def put(self, name: str, content: bytes, *, under: str = "") -> Path:
        path = self.folder / under / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    async def start(self) -> None:
        await self.source.start()
        while not await self.source.ready():
            await asyncio.sleep(0.005)

    async def page(self, project: str = "demo") -> Answer:
        return await self.source.page(ProjectName(project))

    async def files(self, project: str = "demo") -> list[File]:
        answer = await self.page(project)
        return list(answer.page.files) if isinstance(answer, Found) else []

    async def until(self, told: Callable[[Answer], bool], project: str = "demo") -> Answer:
        """Waits until the source says so of a name."""
        while not told(answer := await self.page(project)):
            await asyncio.sleep(0.01)
        return answer

    async def until_listed(self, *names: str, project: str = "demo") -> None:
        await self.until(
            lambda answer: (
                (isinstance(answer, Found) and {one.filename for one in answer.page.files} == set(names))
                or (isinstance(answer, Absent) and not names)
            ),
            project,
        )


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FolderGround, "pause", 0.02)
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.02)
    monkeypatch.setattr(module, "_REST", 1)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "data") as opened:
        yield opened


@pytest_asyncio.fixture
async def house_of(tmp_path: Path, store: Store) -> AsyncIterator[Callable[..., House]]:
    """Sources on the same folder and data, each as after a restart."""
    made: list[House] = []

    def make(folder: Path | None = None) -> House:
        made.append(House(folder or tmp_path / "house", store))
        return made[-1]

    yield make
    for one in made:
        await one.source.close()


@pytest.fixture
def house(house_of: Callable[..., House], tmp_path: Path) -> House:
    (tmp_path / "house").mkdir()
    return house_of()


async def test_wheels_and_sdists_are_listed_with_what_they_say(house: House) -> None:
    path = house.put(NAME, BYTES)
    os.utime(path, (1_580_601_600, 1_580_601_600.5))
    house.put(SDIST, SDIST_BYTES)
    await house.start()
    source: Source = house.source
    assert (source.name, source.remote) == (SOURCE, False)
    answer = await house.page()
    assert isinstance(answer, Found)
    assert (answer.good_until, answer.stale, answer.claims) == (None, None, False)
    one, other = answer.page.files
    text = metadata("demo", "1.0", requires_python=">=3.8").encode()
    assert one == File(
        filename=NAME,
        project=DEMO,
        kind="wheel",
        version="1.0",
        source=SOURCE,
        url=NAME,
        sha256=sha256(BYTES),
        size=len(BYTES),
        upload_time="2020-02-02T00:00:00.500000Z",
        requires_python=">=3.8",
        metadata=sha256(text),
        first_seen=one.first_seen,
    )
    assert (other.kind, other.version, other.sha256) == ("sdist", "2.0", sha256(SDIST_BYTES))
    known = await house.store.facts.metadata(SOURCE, NAME)
    assert known is not None
    assert (known.body, known.own) == (text, True)


async def test_subfolders_are_searched(house: House) -> None:
    house.put(NAME, BYTES, under="a/b")
    house.put(SDIST, SDIST_BYTES, under="c")
    house.put(*wheel("Other.Name", "1.0"))
    await house.start()
    assert [one.url for one in await house.files()] == [f"a/b/{NAME}", f"c/{SDIST}"]
    assert await house.source.names() == ["demo", "other-name"]
    async with house.source.open((await house.files())[0]) as stream:
        assert b"".join([piece async for piece in stream.chunks()]) == BYTES


async def test_a_name_that_is_not_there_is_absent(house: House) -> None:
    await house.start()
    assert await house.page() == Absent(source=SOURCE)
    assert await house.source.known(DEMO) is None
    assert await house.source.names() == []


async def test_changes_are_seen_without_a_restart(house: House) -> None:
    await house.start()
    house.changed.clear()
    house.put(NAME, BYTES)
    await house.until_listed(NAME)
    house.put(SDIST, SDIST_BYTES, under="new")
    await house.until_listed(NAME, SDIST)
    (house.folder / NAME).unlink()
    await house.until_listed(SDIST)
    (house.folder / "new" / SDIST).unlink()
    await house.until_listed()
    assert house.changed == [DEMO] * 4
    assert house.incidents == []


async def test_a_file_that_is_still_being_written_is_not_taken(house: House) -> None:
    """The hash that is seen first stands for ever, so it must not be that of half a file."""
    await house.start()
    with (house.folder / SDIST).open("wb", buffering=0) as file:
        for at in range(0, len(SDIST_BYTES), 100):
            file.write(SDIST_BYTES[at : at + 100])
            await asyncio.sleep(0.01)
            assert {one.sha256 for one in await house.files()} <= {sha256(SDIST_BYTES)}
    await house.until_listed(SDIST)
    assert [one.sha256 for one in await house.files()] == [sha256(SDIST_BYTES)]
    assert house.incidents == []


async def test_nor_at_the_start(house: House) -> None:
    house.put(NAME, BYTES)
    half = house.put(SDIST, SDIST_BYTES[:100])
    starting = asyncio.create_task(house.start())
    size = 100
    while not starting.done():
        size += 1
        half.write_bytes(SDIST_BYTES[: 100 + size % 500])
        await asyncio.sleep(0)
    assert [one.filename for one in await house.files()] == [NAME]
    half.write_bytes(SDIST_BYTES)
    await house.until_listed(NAME, SDIST)
    assert sha256(SDIST_BYTES) in {one.sha256 for one in await house.files()}


async def test_changed_bytes_keep_the_first_hash(house: House) -> None:
    house.put(NAME, BYTES)
    await house.start()
    (first,) = await house.files()
    other = wheel("demo", "1.0", requires=["evil"])[1]
    house.put(NAME, other)
    while not house.incidents:
        await asyncio.sleep(0.01)
    assert house.incidents == [
        Incident(kind="hash-changed", filename=NAME, first=sha256(BYTES), told=sha256(other))
    ]
    (now,) = await house.files()
    assert (now.sha256, now.size, now.changed) == (first.sha256, first.size, sha256(other))
    # And what is offered as its metadata is that of the first bytes.
    assert now.metadata == first.metadata
    known = await house.store.facts.metadata(SOURCE, NAME)
    assert known is not None
    assert known.sha256 == first.metadata


async def test_a_file_that_came_back_as_another_is_an_incident(house: House) -> None:
    path = house.put(NAME, BYTES)
    await house.start()
    path.unlink()
    await house.until_listed()
    house.put(NAME, b"other bytes")
    await house.until_listed(NAME)
    assert [one.sha256 for one in await house.files()] == [sha256(BYTES)]
    assert len(house.incidents) == 1


async def test_of_two_files_of_one_name_the_first_path_counts(house: House) -> None:
    other = wheel("demo", "1.0", requires=["other"])[1]
    house.put(NAME, BYTES, under="a")
    house.put(NAME, other, under="b")
    await house.start()
    (one,) = await house.files()
    assert (one.url, one.sha256) == (f"a/{NAME}", sha256(BYTES))
    known = await house.store.facts.metadata(SOURCE, NAME)
    assert known is not None
    assert known.sha256 == one.metadata


async def test_hashes_are_computed_once_across_restarts(
    house: House, house_of: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(path: Path) -> tuple[str, int]:
        read.append(path.name)
        return hash_file(path)

    monkeypatch.setattr(folder_ground, "hash_file", counted)
    house.put(NAME, BYTES)
    house.put(SDIST, SDIST_BYTES)
    await house.start()
    first = await house.files()
    await house.source.close()
    again = house_of()
    await again.start()
    assert await again.files() == first
    assert sorted(read) == sorted([NAME, SDIST])
    await again.source.close()
    (house.folder / SDIST).unlink()
    house.put(*sdist("demo", "3.0"))
    third = house_of()
    await third.start()
    assert [one.version for one in await third.files()] == ["1.0", "3.0"]
    assert len(read) == 3


async def test_links_that_lead_out_are_not_followed(house: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / NAME).write_bytes(BYTES)
    (house.folder / NAME).symlink_to(out / NAME)
    (house.folder / "sub").symlink_to(out)
    (house.folder / "loop").symlink_to(house.folder / "loop")
    (house.folder / "around").symlink_to(house.folder)
    (house.folder / "nowhere-1.0.tar.gz").symlink_to(house.folder / "not-there")
    house.put(SDIST, SDIST_BYTES, under="real")
    (house.folder / "link").mkdir()
    (house.folder / "link" / SDIST).symlink_to(house.folder / "real" / SDIST)
    await house.start()
    assert [one.url for one in await house.files()] == [f"link/{SDIST}"]
    assert await house.source.names() == ["demo"]


async def test_a_file_that_became_a_link_that_leads_out_is_not_given(house: House, tmp_path: Path) -> None:
    path = house.put(NAME, BYTES)
    await house.start()
    (one,) = await house.files()
    secret = tmp_path / "secret"
    secret.write_bytes(BYTES)
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(FileMissing):
        async with house.source.open(one):
            pass


async def test_hidden_files_and_what_is_no_distribution_are_passed_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(module.log, "warning", lambda event, **told: said.append(told["file"]))
    for name in (
        "README.txt",
        "demo-1.0.exe",
        ".demo-1.0.tar.gz",
        "nodash.tar.gz",
        "demo-one.whl",
        "ünï-1.tar.gz",
    ):
        house.put(name, b"x")
    house.put(NAME, BYTES, under=".hidden")
    os.mkfifo(house.folder / "pipe-1.0.tar.gz")
    await house.start()
    house.put(*wheel("other", "1.0"))
    await house.until_listed("other-1.0-py3-none-any.whl", project="other")
    assert await house.source.names() == ["other"]
    # Once each, however often the folder is looked at.
    assert sorted(said) == ["demo-one.whl", "nodash.tar.gz", "ünï-1.tar.gz"]


async def test_a_wheel_that_cannot_be_read_is_listed_without_metadata(house: House) -> None:
    house.put(NAME, b"no zip at all")
    await house.start()
    (one,) = await house.files()
    assert (one.metadata, one.requires_python) == (False, None)
    assert await house.store.facts.metadata(SOURCE, NAME) is None


async def test_a_time_that_no_calendar_has_is_left_out(house: House) -> None:
    path = house.put(SDIST, SDIST_BYTES)
    os.utime(path, (1e12, 1e12))
    await house.start()
    (one,) = await house.files()
    assert one.upload_time is None or one.upload_time.endswith("Z")
    assert module._moment(1e15) is None
    assert module._moment(-1) == "1969-12-31T23:59:59.000000Z"
    assert module._moment(-6e10) == "0068-09-03T13:20:00.000000Z"


async def test_a_folder_that_is_not_there_is_an_outage(house: House) -> None:
    house.put(NAME, BYTES)
    await house.start()
    house.changed.clear()
    house.folder.rename(house.folder.with_name("moved"))
    answer = await house.until(lambda answer: isinstance(answer, Unreachable))
    assert isinstance(answer, Unreachable)
    assert "cannot be read" in answer.reason
    assert None in house.changed
    assert isinstance(await house.page("never-had"), Unreachable)
    house.folder.with_name("moved").rename(house.folder)
    await house.until_listed(NAME)
    assert isinstance(await house.page("never-had"), Absent)
    assert house.incidents == []


async def test_nothing_is_absent_before_the_whole_folder_was_seen_once(
    house: House, house_of: Callable[..., House]
) -> None:
    """A folder that is mounted late, after a restart, must not read as one that has nothing."""
    house.put(NAME, BYTES)
    await house.start()
    await house.source.close()
    house.folder.rename(house.folder.with_name("unmounted"))
    again = house_of()
    await again.start()
    assert isinstance(await again.page(), Unreachable)
    house.folder.with_name("unmounted").rename(house.folder)
    answer = await again.until(lambda answer: not isinstance(answer, Unreachable))
    assert isinstance(answer, Found)
    assert [one.filename for one in answer.page.files] == [NAME]


@pytest.mark.parametrize("below", ["", "sub"])
async def test_a_folder_that_may_not_be_read_is_an_outage(
    house: House, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    house.put(NAME, BYTES, under="sub")
    await house.start()
    closed = house.folder / below
    scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied")
        return scan(path)

    with monkeypatch.context() as patched:
        patched.setattr(folder_ground.os, "scandir", refuse)
        answer = await house.until(lambda answer: isinstance(answer, Unreachable))
    assert answer == Unreachable(source=SOURCE, reason="its folder cannot be read: Permission denied")
    await house.until_listed(NAME)


async def test_what_fails_half_way_is_seen_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.start()
    change = house.store.pages.change
    failures = [RuntimeError("the database is away")]

    async def failing(*told: object) -> object:
        if failures:
            raise failures.pop()
        return await change(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(house.store.pages, "change", failing)
    monkeypatch.setattr(module.log, "exception", lambda *_, **__: None)
    house.put(NAME, BYTES)
    await house.until_listed(NAME)
    assert failures == []


async def test_an_sdist_tells_its_own_metadata_and_that_of_no_other_bytes(house: House) -> None:
    told = sdist("demo", "3.0", told="License-Expression: MIT\n")
    house.put(*told)
    house.put("demo-4.0.tar.gz", b"no archive")
    await house.start()
    files = {one.version: one for one in await house.files()}
    assert b"License-Expression: MIT" in (await house.source.metadata(files["3.0"]) or b"")
    assert await house.source.metadata(files["4.0"]) is None
    (house.folder / told[0]).write_bytes(SDIST_BYTES)
    with pytest.raises(Unanswered, match="has other bytes now"):
        await house.source.metadata(files["3.0"])
    (house.folder / told[0]).unlink()
    with pytest.raises(FileMissing):
        await house.source.metadata(files["3.0"])


async def test_a_file_s_bytes(house: House) -> None:
    path = house.put(NAME, BYTES)
    await house.start()
    (one,) = await house.files()
    async with house.source.open(one) as stream:
        assert stream.length == len(BYTES)
        path.write_bytes(BYTES[:10])
        with pytest.raises(Unanswered):
            [piece async for piece in stream.chunks()]
    path.unlink()
    with pytest.raises(FileMissing):
        async with house.source.open(one):
            pass
    assert await house.source.metadata(one) is None
    assert await house.source.piece(one, 0, 10) is None
    assert await house.source.document("json", "demo") is None


def test_a_mark_is_size_time_and_inode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a")
    os.utime(path, ns=(5, 5))
    first = folder_ground._mark(path.stat())
    path.chmod(stat.S_IRUSR)
    assert folder_ground._mark(path.stat()).stamp == first.stamp == f"1:5:{path.stat().st_ino}"
