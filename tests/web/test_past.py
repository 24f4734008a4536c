"""``/{index}@{when}/``: the index as it was, its files too, under the policy of now."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.asgi import Inside
from fakes.ask import JSON
from fakes.dists import wheel
from fakes.outside import Outside

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1s"

[indexes.main]
sources = ["outer"]
policy = "policy.toml"

[indexes.closed]
sources = ["outer"]
read = "token"
"""
POLICY = '[deny]\npackages = ["story==2.0"]\n[cooldown]\nage = "7d"\n'


def time(day: str) -> str:
    return f"{day}T12:00:00Z"


def keep(outside: Outside, folder: Path) -> Inside:
    for version, day in (("1.0", "2020-01-10"), ("2.0", "2020-02-10"), ("3.0", "2020-03-10")):
        outside.add(*wheel("story", version), upload_time=time(day))
    outside.add(*wheel("story", "4.0"), upload_time=None)
    (folder / "policy.toml").write_text(POLICY)
    return Inside(folder, CONFIG.format(url=outside.url))


async def versions(inside: Inside, when: str) -> dict[str, str | bool]:
    reply = await inside.get(f"/main@{when}/simple/story/", accept=JSON)
    assert reply.status == 200, reply.body
    return {one["filename"].split("-")[1]: one["yanked"] for one in reply.json["files"]}


async def test_a_page_as_it_was(outside: Outside, tmp_path: Path) -> None:
    async with keep(outside, tmp_path) as inside:
        assert await versions(inside, "2020-01-09") == {}
        young = "wheelkeep: cooldown: it was younger than 7d at 2020-01-12 00:00 UTC"
        assert await versions(inside, "2020-01-12T00:00:00Z") == {"1.0": young}
        assert await versions(inside, "2020-01-20T00:00:00+01:00") == {"1.0": False}
        denied = "wheelkeep: deny: "
        then = await versions(inside, "2020-12-31")
        assert (then.keys(), then["1.0"], then["3.0"]) == ({"1.0", "2.0", "3.0"}, False, False)
        assert str(then["2.0"]).startswith(denied)
        today = await versions(inside, f"{datetime.now(UTC):%Y-%m-%d}")
        assert today.keys() == {"1.0", "2.0", "3.0", "4.0"}
        page = (await inside.get("/main@2020-12-31/simple/story/", accept=JSON)).json
        assert "1 file not shown: no page tells" in page["project-status"]["reason"]


async def test_its_files_are_below_the_same_address(outside: Outside, tmp_path: Path) -> None:
    async with keep(outside, tmp_path) as inside:
        at = "/main@2020-02-01"
        page = (await inside.get(f"{at}/simple/story/", accept=JSON)).json
        [one] = page["files"]
        assert one["url"].startswith("../../files/story/")
        path = one["url"].removeprefix("../../")
        reply = await inside.get(f"{at}/{path}")
        assert (reply.status, reply.body) == (200, wheel("story", "1.0")[1])
        assert (await inside.get(f"{at}/{path}.metadata")).status == 200
        assert (await inside.get(f"/main@2020-01-01/{path}")).status == 404
        json = (await inside.get(f"{at}/pypi/story/json")).json
        assert list(json["releases"]) == ["1.0"]
        assert json["urls"][0]["url"].endswith(path)
        assert (await inside.get(f"{at}/simple/")).status == 200


@pytest.mark.parametrize("when", ["tomorrow", "2999-01-01", "2020-13-01", "", "2020-01-01T00:00:00"])
async def test_what_is_no_moment_of_the_past_is_not_found(
    outside: Outside, tmp_path: Path, when: str
) -> None:
    async with keep(outside, tmp_path) as inside:
        reply = await inside.get(f"/main@{when}/simple/story/")
        assert reply.status == 404
        assert reply.json["detail"]
        assert (await inside.get("/other@2020-01-01/simple/story/")).status == 404
        assert (await inside.get("/main@2020-01-01/project/story/")).status == 404
        assert (await inside.ask("POST", "/main@2020-01-01/legacy/")).status == 405
        assert (await inside.get("/closed@2020-01-01/simple/story/")).status == 401


async def test_yanks_and_departures_as_they_were_seen(outside: Outside, tmp_path: Path) -> None:
    async with keep(outside, tmp_path) as inside:
        page = (await inside.get("/main/simple/story/", accept=JSON)).json
        one = next(each for each in page["files"] if "-3.0-" in each["filename"])
        assert (await inside.get(f"/main/{one['url'].removeprefix('../../')}")).status == 200
        before = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        outside.add(*wheel("story", "1.0"), upload_time=time("2020-01-10"), yanked="bad")
        outside.remove(one["filename"])
        source = inside.keep.sources["outer"]  # type: ignore[index]
        source._now = lambda: datetime.now(UTC) + timedelta(minutes=1)  # type: ignore[attr-defined]
        await source.page("story", patience=10)  # type: ignore[arg-type]
        inside.keep.indexes["main"].forget(None)  # type: ignore[index]
        now = (await inside.get("/main/simple/story/", accept=JSON)).json
        assert {each["filename"].split("-")[1]: each["yanked"] for each in now["files"]}["1.0"] == "bad"
        then = await versions(inside, before)
        assert (then["1.0"], then["3.0"]) == (False, False)
