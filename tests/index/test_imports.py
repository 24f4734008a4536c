"""Folders of files into a hosted source: each checked as an upload is, and begun again where it broke off."""

import hashlib
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.asgi import Inside
from fakes.dists import sdist, wheel
from wheelkeep.core.errors import WheelkeepError
from wheelkeep.core.model import Status
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.rules import read_rule
from wheelkeep.index.imports import Imported, take
from wheelkeep.index.keep import Keep

ACME = SourceName("acme")
CONFIG = """
[sources.acme]
kind = "hosted"
exclude = ["excluded"]

[indexes.main]
sources = ["acme"]
"""


@pytest_asyncio.fixture
async def keep(tmp_path: Path) -> AsyncIterator[Keep]:
    async with Inside(tmp_path / "keep", CONFIG) as inside:
        yield inside.keep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two wheels and an sdist at different depths, among other files."""
    made = tmp_path / "old"
    for below, (name, content) in {
        ".": wheel("demo", "1.0"),
        "aa/bb/0123": wheel("demo", "2.0"),
        "root/+f": sdist("other", "1.0"),
    }.items():
        (made / below).mkdir(parents=True, exist_ok=True)
        (made / below / name).write_bytes(content)
    (made / "index.html").write_text("<html>")
    return made


async def run(keep: Keep, *paths: Path) -> Imported:
    state = None
    async for state in take(keep.receiver, ACME, paths, by="import"):
        assert state.done <= state.files
    assert state is not None and state.done == state.files
    return state


async def test_all_below_a_folder_is_taken_and_then_there(keep: Keep, folder: Path) -> None:
    report = await run(keep, folder)
    assert [Path(path).name for path in report.taken] == [
        "demo-2.0-py3-none-any.whl",
        "demo-1.0-py3-none-any.whl",
        "other-1.0.tar.gz",
    ]
    assert (report.there, report.refused, report.others) == ([], [], 1)
    files = await keep.steward.matching(read_rule("demo"), ACME)
    assert [file.version for file in files] == ["1.0", "2.0"]
    assert all(file.sha256 is not None and keep.blobs.has(file.sha256) for file in files)
    assert (await keep.ledger.last("published"))[0].detail["by"] == "import"
    again = await run(keep, folder, folder / "demo-1.0-py3-none-any.whl")
    assert (again.taken, sorted(again.there), again.refused) == ([], sorted(report.taken), [])


async def test_an_import_that_broke_off_goes_on(keep: Keep, folder: Path) -> None:
    steps = take(keep.receiver, ACME, [folder], by="import")
    async for state in steps:
        if state.done == 1:
            break
    await steps.aclose()  # type: ignore[attr-defined]
    report = await run(keep, folder)
    assert (len(report.there), len(report.taken)) == (1, 2)


async def test_what_an_upload_may_not_be_is_refused_one_by_one(keep: Keep, folder: Path) -> None:
    _, content = wheel("demo", "3.0")
    (folder / "demo-3.1-py3-none-any.whl").write_bytes(content)
    (folder / "demo-4.0.zip").write_bytes(b"PK")
    (folder / "broken-1.0-py3-none-any.whl").write_bytes(b"no archive")
    excluded, its_content = wheel("excluded", "1.0")
    (folder / excluded).write_bytes(its_content)
    report = await run(keep, folder)
    refused = {Path(left.path).name: left for left in report.refused}
    assert len(report.taken) == 3
    assert set(refused) == {
        "demo-3.1-py3-none-any.whl",
        "demo-4.0.zip",
        "broken-1.0-py3-none-any.whl",
        excluded,
    }
    assert "is not that of demo 3.1" in refused["demo-3.1-py3-none-any.whl"].why[0]
    assert "no .tar.gz" in refused["demo-4.0.zip"].why[0]
    assert "include and exclude" in refused[excluded].why[0]
    assert {name for name, left in refused.items() if left.only_old} == {"demo-4.0.zip"}


async def test_a_name_with_other_bytes_stays_what_it_was(keep: Keep, folder: Path, tmp_path: Path) -> None:
    await run(keep, folder)
    before = await keep.steward.matching(read_rule("demo"), ACME)
    other = tmp_path / "other"
    other.mkdir()
    name, content = wheel("demo", "1.0", requires=["x"])
    (other / name).write_bytes(content)
    report = await run(keep, other)
    assert "File already exists" in report.refused[0].why[0]
    assert report.refused[0].only_old is None
    assert await keep.steward.matching(read_rule("demo"), ACME) == before


async def test_a_record_that_is_not_perfect_is_refused_as_perhaps_only_old(
    keep: Keep, tmp_path: Path
) -> None:
    name, content = wheel("demo", "1.0")
    (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / name, "a") as archive:
        archive.writestr("unlisted.py", "")
    (left,) = (await run(keep, tmp_path / name)).refused
    assert "its RECORD does not list" in left.why[0]
    assert left.only_old is not None and "directory" in left.only_old


async def test_a_closed_project_takes_nothing_new(keep: Keep, folder: Path) -> None:
    await run(keep, folder)
    await keep.steward.set_status(ProjectName("demo"), ACME, Status("archived"), by="ada")
    name, content = wheel("demo", "3.0")
    (folder / name).write_bytes(content)
    report = await run(keep, folder)
    assert [left.why for left in report.refused] == [("demo is archived and takes no uploads",)]
    assert len(report.there) == 3


async def test_what_is_not_there_or_no_distribution(keep: Keep, folder: Path) -> None:
    with pytest.raises(WheelkeepError, match="there is no"):
        await run(keep, folder / "nothing")
    report = await run(keep, folder / "index.html")
    assert "is not the name of a wheel or sdist" in report.refused[0].why[0]


async def test_a_disk_that_does_not_take_it_ends_the_import(
    keep: Keep, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(WheelkeepError, match=r"No space left on device; the same command goes on"):
        await run(keep, folder)
    monkeypatch.undo()
    assert len((await run(keep, folder)).taken) == 3


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """What devpi-export writes: one good release, one whose bytes are others, and what is no release."""
    made = tmp_path / "export"
    (made / "alice/dev").mkdir(parents=True)
    files = []
    for version in ("1.0", "2.0", "3.0"):
        name, content = wheel("demo", version)
        (made / "alice/dev" / name).write_bytes(content)
        stated = {"1.0": {"sha256": hashlib.sha256(content).hexdigest()}, "2.0": {"sha256": "00" * 32}}
        entry = {"hashes": stated.get(version, {}), "md5": "00" * 16 if version == "3.0" else None}
        files.append({"type": "releasefile", "relpath": f"alice/dev/{name}", "entrymapping": entry})
    name, content = wheel("mirrored", "1.0")
    (made / "alice/dev" / name).write_bytes(content)
    indexes = {"alice/dev": {"indexconfig": {"type": "stage"}, "files": files}}
    (made / "dataindex.json").write_text(json.dumps({"dumpversion": "2", "indexes": indexes}))
    return made


async def test_of_a_devpi_export_the_releases_are_taken_with_the_hashes_stated(
    keep: Keep, export: Path
) -> None:
    report = await run(keep, export)
    assert [Path(path).name for path in report.taken] == ["demo-1.0-py3-none-any.whl"]
    assert report.others == 2  # the list itself, and what it does not name
    why = {Path(left.path).name: " ".join(left.why) for left in report.refused}
    assert "was stated for it" in why["demo-2.0-py3-none-any.whl"]
    assert "md5" in why["demo-3.0-py3-none-any.whl"]


async def test_an_export_that_lacks_a_file_is_not_begun(keep: Keep, export: Path) -> None:
    (export / "alice/dev/demo-1.0-py3-none-any.whl").unlink()
    with pytest.raises(WheelkeepError, match="export it again"):
        await run(keep, export)
