"""``/{index}@NAME/``: what was pinned, whatever the outside does since; and what a policy blocks all the same."""

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urljoin

import pytest

from fakes.asgi import Inside
from fakes.ask import JSON
from fakes.dists import wheel
from fakes.osv import record
from fakes.outside import Outside
from wheelkeep.core.lockfiles import read_lock
from wheelkeep.core.names import IndexName
from wheelkeep.core.read_advisories import read_osv
from wheelkeep.core.snapshot import Ref
from wheelkeep.index import snapshots
from wheelkeep.index.snapshots import Unmakeable
from wheelkeep.store.snapshots import Overtaken, Snapshot

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1s"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"

[indexes.other]
sources = ["outer"]
"""
MAIN = IndexName("main")


def hash_of(version: str) -> str:
    return hashlib.sha256(wheel("story", version)[1]).hexdigest()


def line(version: str, sha256: str | None = None) -> str:
    return f"story=={version} --hash=sha256:{sha256 or hash_of(version)}\n"


async def pinned(inside: Inside, name: str, text: str | None = None) -> Snapshot:
    index = inside.keep.indexes[MAIN]
    proposed = await (
        snapshots.of_lock(inside.keep, index, read_lock("requirements.txt", lambda _: text.encode()))
        if text is not None
        else snapshots.of_index(inside.keep, index)
    )
    before = await inside.keep.views.snapshots.find(Ref(name))
    return await snapshots.make(inside.keep, name, proposed, "somebody", before)


def world(outside: Outside, folder: Path) -> Inside:
    for version in ("1.0", "2.0", "3.0"):
        outside.add(*wheel("story", version))
    (folder / "policy.toml").write_text('[deny]\npackages = ["story==3.0"]\n')
    return Inside(folder, CONFIG.format(url=outside.url))


async def page(inside: Inside, at: str) -> bytes:
    reply = await inside.get(f"/{at}/simple/story/", accept=JSON)
    assert reply.status == 200, reply.body
    return reply.body


async def test_a_lock_is_served_for_ever(outside: Outside, tmp_path: Path) -> None:
    """Byte by byte, when the outside deletes, yanks, changes and vanishes, and after a restart."""
    filename, content = wheel("story", "1.0")
    path = f"files/story/{hash_of('1.0')}/{filename}"
    async with world(outside, tmp_path) as inside:
        made = await pinned(inside, "release", line("1.0"))
        assert (made.number, made.kind, made.projects, made.files, made.here) == (1, "lock", 1, 1, 1)
        before = await page(inside, "main@release")
        metadata = await inside.get(f"/main@release/{path}.metadata")
        assert (await inside.get("/main@release/simple/", accept=JSON)).json["projects"] == [
            {"name": "story"}
        ]
        assert (await inside.get("/main@release/simple/other/")).status == 404
        assert (await inside.get("/other@release/simple/story/")).status == 404
        assert (await inside.get("/main@nothing/simple/story/")).status == 404
    outside.change(filename, b"other bytes")
    outside.add(*wheel("story", "1.1"), yanked="bad")
    async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
        await page(inside, "main")
        outside.remove(filename)
        outside.stop()
        assert await page(inside, "main@release") == before
        reply = await inside.get(f"/main@release/{path}")
        assert (reply.status, reply.body) == (200, content)
        assert (await inside.get(f"/main@release/{path}.metadata")).body == metadata.body
        assert (await inside.get("/main@release/pypi/story/json")).json["info"]["version"] == "1.0"


async def test_a_new_state_keeps_the_old_one(outside: Outside, tmp_path: Path) -> None:
    async with world(outside, tmp_path) as inside:
        await pinned(inside, "release", line("1.0"))
        before = await page(inside, "main@release")
        assert (await pinned(inside, "release", line("2.0"))).number == 2
        after = await page(inside, "main@release")
        assert b"story-2.0" in after and b"story-1.0" not in after
        assert await page(inside, "main@release~1") == before
        assert (await inside.get("/main@release~3/simple/story/")).status == 404
        store = inside.keep.views.snapshots
        assert await store.needed() == {hash_of("1.0"), hash_of("2.0")}
        first = await store.find(Ref("release", 1))
        assert first is not None
        for seen in (first, None):
            with pytest.raises(Overtaken, match="another was quicker with release"):
                await store.add(first, {}, seen)
        assert len(await store.all()) == 2
        found = await snapshots.since(inside.keep, first, await snapshots.now(inside.keep, first))
        assert [(one.kind, one.before, one.after) for one in found.changed] == [("upgraded", "1.0", "2.0")]
        assert await store.delete("release", "somebody", first.at) == 2
        assert (await inside.get("/main@release/simple/story/")).status == 404
        assert await store.needed() == set()
        assert (await pinned(inside, "release", line("1.0"))).number == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (line("3.0"), "story-3.0-py3-none-any.whl: wheelkeep: deny:"),
        (line("1.0", "a" * 64), "no file of story in the index main has the sha256"),
        (f"absent==1.0 --hash=sha256:{'a' * 64}\n", "absent: no source of the index main has it"),
    ],
)
async def test_what_cannot_be_had_makes_no_snapshot(
    outside: Outside, tmp_path: Path, text: str, says: str
) -> None:
    async with world(outside, tmp_path) as inside:
        with pytest.raises(Unmakeable, match=says):
            await pinned(inside, "release", line("2.0") + text)
        assert await inside.keep.views.snapshots.all() == []


async def test_a_denial_reaches_what_was_pinned(outside: Outside, tmp_path: Path) -> None:
    async with world(outside, tmp_path) as inside:
        await pinned(inside, "release", line("1.0"))
    (tmp_path / "policy.toml").write_text('[deny]\npackages = ["story"]\nreason = "INC-7"\n')
    async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
        [one] = (await inside.get("/main@release/simple/story/", accept=JSON)).json["files"]
        assert one["yanked"].startswith("wheelkeep: deny: INC-7")
        reply = await inside.get(f"/main@release/{one['url'].removeprefix('../../')}")
        assert reply.status == 302


@pytest.mark.parametrize("by", ["deny", "malware"])
async def test_no_past_and_no_snapshot_is_a_way_round(outside: Outside, tmp_path: Path, by: str) -> None:
    """What is blocked since is blocked at every address of its bytes, though they are here and were given."""
    filename, _ = wheel("story", "1.0")
    views = ("main@release", "main@whole", "main@2020-12-31")
    path = f"files/story/{hash_of('1.0')}/{filename}"
    async with world(outside, tmp_path) as inside:
        await page(inside, "main")
        await pinned(inside, "release", line("1.0"))
        await pinned(inside, "whole")
        for view in views:
            assert (await inside.get(f"/{view}/{path}")).status == 200
            assert (await inside.get(f"/{view}/{path}.metadata")).status == 200
        if by == "malware":
            told = record("MAL-2026-9", "story", events=[], vector=None, versions=["1.0"])
            await inside.keep.advisor.rows.take([read_osv(told)])
            await inside.keep.advised({})
            await asserted_blocked(inside, views, path, "wheelkeep: advisories: MAL-2026-9")
    if by == "deny":
        (tmp_path / "policy.toml").write_text('[deny]\npackages = ["story==1.0"]\nreason = "INC-7"\n')
        async with Inside(tmp_path, CONFIG.format(url=outside.url)) as inside:
            await asserted_blocked(inside, views, path, "wheelkeep: deny: INC-7")


async def asserted_blocked(inside: Inside, views: Iterable[str], path: str, says: str) -> None:
    filename = path.rpartition("/")[2]
    for view in views:
        files = (await inside.get(f"/{view}/simple/story/", accept=JSON)).json["files"]
        assert [says in str(one["yanked"]) for one in files if one["filename"] == filename] == [True], view
        urls = (await inside.get(f"/{view}/pypi/story/1.0/json")).json["urls"]
        assert [one["yanked"] for one in urls] == [True], view
        for each in (path, f"files/story/-/{filename}"):
            reply = await inside.get(f"/{view}/{each}")
            assert reply.status in (302, 403), (view, each)
            if reply.status == 302:
                reply = await inside.get(urljoin(f"/{view}/{each}", reply.headers["location"]))
                assert (reply.status, says in reply.detail) == (403, True), (view, each)


async def test_an_index_is_as_it_was_when_it_was_named(outside: Outside, tmp_path: Path) -> None:
    """A project of which nothing was known then is pinned once it is asked for."""
    outside.add(*wheel("late", "1.0"))
    async with world(outside, tmp_path) as inside:
        await page(inside, "main")
        made = await pinned(inside, "release")
        assert (made.kind, made.projects, made.files, made.here) == ("index", 1, 3, 0)
        before = await page(inside, "main@release")
        late = (await inside.get("/main@release/simple/late/", accept=JSON)).body
        outside.add(*wheel("story", "4.0"), upload_time="2020-03-03T00:00:00Z")
        outside.add(*wheel("late", "2.0"), upload_time="2020-03-03T00:00:00Z")
        await asyncio.sleep(1.1)
        now = await page(inside, "main")
        assert b"story-4.0" in now and b"story-4.0" not in before
        assert await page(inside, "main@release") == before
        assert (await inside.get("/main@release/simple/late/", accept=JSON)).body == late
        assert b"late-1.0" in late
        filename, content = wheel("story", "1.0")
        reply = await inside.get(f"/main@release/files/story/{hash_of('1.0')}/{filename}")
        assert (reply.status, reply.body) == (200, content)


async def test_a_name_that_became_private_is_asked_of_nobody(outside: Outside, tmp_path: Path) -> None:
    """What a snapshot has of it stays where its bytes are here; the rest of it is not fetched from anywhere."""
    filename, content = wheel("story", "1.0")
    async with world(outside, tmp_path) as inside:
        await page(inside, "main")
        assert (await inside.get(f"/main/files/story/-/{filename}")).body == content
        await pinned(inside, "release")
    (tmp_path / "policy.toml").write_text(
        '[advisories]\nseverity = "any"\n[licences]\nunknown = "admit"\nallow = ["MIT"]\n'
    )
    private = '[sources.own]\nkind = "hosted"\nnames = ["story"]\n'
    config = CONFIG.replace('sources = ["outer"]', 'sources = ["own", "outer"]') + private
    outside.log.clear()
    async with Inside(tmp_path, config.format(url=outside.url)) as inside:
        [one] = (await inside.get("/main@release/simple/story/", accept=JSON)).json["files"]
        assert one["filename"] == filename
        for gone in (
            "files/story/-/story-2.0-py3-none-any.whl",
            "files/story/-/story-2.0-py3-none-any.whl.metadata",
        ):
            assert (await inside.get(f"/main@release/{gone}")).status == 404
        assert (await inside.get("/main@release/pypi/story/json")).status == 200
        assert (await inside.get(f"/main@release/files/story/-/{filename}.metadata")).status == 200
        (inside.keep.blobs.path(hash_of("1.0"))).unlink()
        assert (await inside.get(f"/main@release/files/story/-/{filename}")).status in (302, 404)
        assert outside.asked() == []


async def test_a_quarantine_reaches_a_snapshot_that_alone_is_used(outside: Outside, tmp_path: Path) -> None:
    async with world(outside, tmp_path) as inside:
        await pinned(inside, "release", line("1.0"))
        assert b"story-1.0" in await page(inside, "main@release")
        outside.projects_status["story"] = ("quarantined", "INC-8")
        async with asyncio.timeout(60):
            while b"quarantined" not in await page(inside, "main@release"):
                await asyncio.sleep(0.1)
