"""The acts on a hosted source's releases, on a whole keep: what indexes show after each, and what stops a promotion."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fakes.asgi import Inside
from fakes.dists import wheel
from fakes.received import give
from wheelkeep.core.merge import Nowhere
from wheelkeep.core.model import Status
from wheelkeep.core.names import IndexName, ProjectName, SourceName
from wheelkeep.core.rules import read_rule
from wheelkeep.index.keep import Keep
from wheelkeep.index.receive import Kept, Refused
from wheelkeep.index.releases import Acted, Stopped
from wheelkeep.index.view import View

ACME, STAGE = SourceName("acme"), SourceName("stage")
DEMO = ProjectName("demo")
ONE, TWO = "demo-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"
CONFIG = """
[sources.acme]
kind = "hosted"
exclude = ["demo==6.*"]

[sources.stage]
kind = "hosted"

[sources.other]
kind = "hosted"
names = ["reserved"]

[indexes.main]
sources = ["acme"]
policy = "policy.toml"

[indexes.staging]
sources = ["stage", "acme"]
"""
POLICY = """
[deny]
packages = ["demo==5.*"]
reason = "INC-1"
"""


@pytest_asyncio.fixture
async def keep(tmp_path: Path) -> AsyncIterator[Keep]:
    (tmp_path / "policy.toml").write_text(POLICY)
    async with Inside(tmp_path, CONFIG) as inside:
        yield inside.keep


async def put(keep: Keep, source: SourceName, *versions: str, name: str = "demo") -> None:
    for version in versions:
        assert isinstance(await give(keep, source, *wheel(name, version)), Kept)


async def shown(keep: Keep, index: str = "main") -> dict[str, str | None] | None:
    """File names to why they are yanked; None: the index has no such name."""
    view = await keep.indexes[IndexName(index)].page(DEMO)
    if isinstance(view, Nowhere):
        return None
    assert isinstance(view, View)
    return {file.filename: file.yanked for file in view.judged.page.files}


async def test_a_yank_reaches_the_versions_that_are_meant(keep: Keep) -> None:
    await put(keep, ACME, "1.0", "2.0")
    assert await shown(keep) == {ONE: None, TWO: None}
    done = await keep.steward.yank(read_rule("Demo<2"), ACME, "broken", by="ada")
    assert done == Acted(files=(ONE,))
    assert await shown(keep) == {ONE: "broken", TWO: None}
    (entry,) = await keep.ledger.last("yanked")
    assert (entry.source, entry.filename, entry.detail["by"], entry.detail["reason"]) == (
        "acme",
        ONE,
        "ada",
        "broken",
    )
    again = await keep.steward.yank(read_rule("demo"), ACME, "broken", by="ada")
    assert again == Acted(files=(TWO,), same=(ONE,))
    assert await keep.steward.unyank(read_rule("demo"), ACME, by="ada") == Acted(files=(ONE, TWO))
    assert await shown(keep) == {ONE: None, TWO: None}


@pytest.mark.parametrize("act", ["yank", "unyank", "delete", "promote"])
async def test_what_means_nothing_changes_nothing(keep: Keep, act: str) -> None:
    await put(keep, ACME, "1.0")
    more: list[Any] = {"yank": ["broken"], "delete": ["broken"], "promote": [STAGE]}.get(act, [])
    stopped = await getattr(keep.steward, act)(read_rule("demo>=7"), ACME, *more, by="ada")
    assert stopped == Stopped(("acme has no file for demo>=7",))
    assert await shown(keep) == {ONE: None}


async def test_a_deleted_file_is_gone_and_its_name_is_not_free(keep: Keep) -> None:
    await put(keep, ACME, "1.0", "2.0")
    assert await keep.steward.delete(read_rule("demo==1.0"), ACME, "leak", by="ada") == Acted(files=(ONE,))
    assert await shown(keep) == {TWO: None}
    refused = await give(keep, ACME, *wheel("demo", "1.0"))
    assert isinstance(refused, Refused)
    assert "never used again" in refused.problems[0]
    last = await keep.steward.delete(read_rule("demo"), ACME, "leak", by="ada")
    assert last == Acted(files=(TWO,), emptied=True)
    assert await shown(keep) == {}


async def test_only_what_was_agreed_to_is_deleted(keep: Keep) -> None:
    await put(keep, ACME, "1.0", "2.0")
    done = await keep.steward.delete(read_rule("demo"), ACME, "leak", by="ada", only=[ONE])
    assert done == Acted(files=(ONE,))
    assert await shown(keep) == {TWO: None}


async def test_a_quarantined_project_shows_no_file_and_takes_none(keep: Keep) -> None:
    await put(keep, STAGE, "1.0")
    await put(keep, ACME, "2.0")
    status = Status("quarantined", "INC-7")
    assert await keep.steward.set_status(DEMO, STAGE, status, by="ada") == Acted()
    view = await keep.indexes[IndexName("staging")].page(DEMO)
    assert isinstance(view, View)
    assert (view.judged.page.files, view.judged.page.status) == ((), status)
    refused = await give(keep, STAGE, *wheel("demo", "3.0"))
    assert refused == Refused("closed", ("demo is quarantined (INC-7) and takes no uploads",))
    assert await keep.steward.promote(read_rule("demo"), STAGE, ACME, by="ada") == Stopped(
        ("demo is quarantined in stage",)
    )
    await keep.steward.set_status(DEMO, STAGE, Status("active"), by="ada")
    assert await shown(keep, "staging") == {ONE: None}


async def test_an_archived_project_shows_its_files_and_takes_none(keep: Keep) -> None:
    await put(keep, ACME, "1.0")
    await keep.steward.set_status(DEMO, ACME, Status("archived"), by="ada")
    assert await shown(keep) == {ONE: None}
    refused = await give(keep, ACME, *wheel("demo", "2.0"))
    assert refused == Refused("closed", ("demo is archived and takes no uploads",))
    await keep.steward.set_status(DEMO, ACME, Status("deprecated", "use other"), by="ada")
    await put(keep, ACME, "2.0")
    stopped = await keep.steward.set_status(ProjectName("nothing"), ACME, Status("archived"), by="ada")
    assert stopped == Stopped(("acme never had a file of nothing",))


async def test_a_name_is_freed_once_it_has_no_file(keep: Keep) -> None:
    await put(keep, STAGE, "1.0")
    await put(keep, ACME, "2.0")
    stopped = await keep.steward.free(DEMO, STAGE, by="ada")
    assert stopped == Stopped(
        ("stage has files of demo (1): delete them before its name is freed",),
    )
    await keep.steward.delete(read_rule("demo"), STAGE, "done", by="ada")
    assert await shown(keep, "staging") == {}
    assert await keep.steward.free(DEMO, STAGE, by="ada") == Acted()
    assert await shown(keep, "staging") == {TWO: None}
    unknown = await keep.steward.free(ProjectName("nothing"), STAGE, by="ada")
    assert unknown == Stopped(("stage never had a file of nothing",))


async def test_a_promoted_release_is_the_same_elsewhere(keep: Keep) -> None:
    await put(keep, STAGE, "1.0", "2.0")
    assert await shown(keep) is None
    (before, _) = await keep.steward.matching(read_rule("demo"), STAGE)
    done = await keep.steward.promote(read_rule("demo==1.0"), STAGE, ACME, by="ada")
    assert done == Acted(files=(ONE,))
    assert await shown(keep) == {ONE: None}
    assert await shown(keep, "staging") == {TWO: None}
    (after,) = await keep.steward.matching(read_rule("demo"), ACME)
    assert (after.sha256, after.metadata, after.upload_time) == (
        before.sha256,
        before.metadata,
        before.upload_time,
    )
    (to,), (away,) = await keep.ledger.last("promoted"), await keep.ledger.last("deleted")
    assert (to.source, to.detail["from"], to.detail["by"]) == ("acme", "stage", "ada")
    assert (away.source, away.detail["reason"]) == ("stage", "promoted to acme")


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("5.0", "the policy of main stops demo-5.0-py3-none-any.whl: deny: "),
        ("6.0", "the source acme may not offer demo 6.0"),
        ("7.0", "demo-7.0-py3-none-any.whl is in acme with the sha256 "),
        ("8.0", "demo-8.0-py3-none-any.whl was in acme once and was removed"),
    ],
)
async def test_one_file_that_may_not_move_stops_the_promotion(keep: Keep, version: str, says: str) -> None:
    await put(keep, STAGE, "1.0", version)
    if version == "7.0":
        assert isinstance(await give(keep, ACME, *wheel("demo", version, requires=["x"])), Kept)
    elif version == "8.0":
        await put(keep, ACME, version)
        await keep.steward.delete(read_rule("demo"), ACME, "leak", by="ada")
    before = (await shown(keep), await shown(keep, "staging"))
    stopped = await keep.steward.promote(read_rule("demo"), STAGE, ACME, by="ada")
    assert isinstance(stopped, Stopped)
    assert len(stopped.problems) == 1
    assert stopped.problems[0].startswith(says)
    assert (await shown(keep), await shown(keep, "staging")) == before


async def test_a_closed_or_reserved_name_stops_the_promotion(keep: Keep) -> None:
    await put(keep, STAGE, "1.0")
    await put(keep, ACME, "0.1")
    await keep.steward.set_status(DEMO, ACME, Status("archived"), by="ada")
    stopped = await keep.steward.promote(read_rule("demo"), STAGE, ACME, by="ada")
    assert stopped == Stopped(("demo is archived and takes no uploads",))
    await put(keep, SourceName("other"), "1.0", name="reserved")
    stopped = await keep.steward.promote(read_rule("reserved"), SourceName("other"), ACME, by="ada")
    assert stopped == Stopped(("the name reserved is reserved for the source other",))


async def test_an_owned_project_takes_files_of_its_owners_and_admins(keep: Keep) -> None:
    await put(keep, ACME, "1.0")
    assert await keep.steward.change_owners(DEMO, ACME, lambda _: ["ada"], by="root") == ("ada",)
    refused = await give(keep, ACME, *wheel("demo", "2.0"))
    assert isinstance(refused, Refused)
    assert (refused.why, refused.problems[0].startswith("demo is owned by ada:")) == ("owned", True)
    await keep.steward.change_owners(DEMO, ACME, lambda before: {*before, "ci"}, by="root")
    await put(keep, ACME, "2.0")
    ((listed, owners),) = await keep.steward.projects(ACME, after="", limit=9)
    assert (listed.project, listed.files, owners) == (DEMO, 2, ("ada", "ci"))
    assert await keep.owners_of(DEMO, [ACME, STAGE]) == ("ada", "ci")
    many = await keep.steward.change_owners(DEMO, ACME, lambda _: map(str, range(101)), by="root")
    assert many == Stopped(("a project has at most 100 owners",))
