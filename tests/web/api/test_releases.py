"""Acts on releases by the API: what is done, who may, and that pages show it at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fakes.api import HELD, Managed
from fakes.dists import wheel
from fakes.received import give
from wheelkeep.core.names import ProjectName, SourceName
from wheelkeep.core.rules import Rule
from wheelkeep.index.receive import Kept

ACME, STAGE = SourceName("acme"), SourceName("stage")
ONE, TWO = "demo-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Managed]:
    """``acme`` has demo 1.0 and 2.0, ``stage`` has demo 3.0 and 6.0."""
    async with Managed(tmp_path) as made:
        for source, version in ((ACME, "1.0"), (ACME, "2.0"), (STAGE, "3.0"), (STAGE, "6.0")):
            assert isinstance(await give(made.keep, source, *wheel("demo", version)), Kept)
        yield made


async def yanked(api: Managed) -> dict[str, Any]:
    return {file["filename"]: file["yanked"] for file in (await api.page())["files"]}


async def test_yank_and_back(api: Managed) -> None:
    before = await yanked(api)
    assert before[ONE] is False
    done = await api.call(
        "POST",
        f"{HELD.replace('demo', 'DeMo')}/yank",
        {"versions": "1.0", "reason": "broken"},
        by="publisher",
    )
    assert (done.status, done.headers["cache-control"]) == (200, "private, no-store")
    assert done.json == {"source": "acme", "project": "demo", "files": [ONE], "same": [], "emptied": False}
    assert (await yanked(api))[ONE] == "broken"
    (entry,) = await api.keep.ledger.last("yanked")
    assert entry.detail["by"] == "publisher"
    again = await api.call("POST", f"{HELD}/yank", {"versions": "*", "reason": "broken"})
    assert (again.json["files"], again.json["same"]) == ([TWO], [ONE])
    back = await api.call("POST", f"{HELD}/unyank", {"versions": ">=1,<3"})
    assert back.json["files"] == [ONE, TWO]
    assert await yanked(api) == before


async def test_delete_and_free(api: Managed) -> None:
    stopped = await api.call("POST", f"{HELD}/free")
    assert (stopped.status, stopped.detail) == (
        409,
        "acme has files of demo (2): delete them before its name is freed",
    )
    some = await api.call(
        "POST", f"{HELD}/delete", {"versions": "*", "reason": "leak", "only": [ONE, "other"]}
    )
    assert (some.json["files"], some.json["emptied"]) == ([ONE], False)
    rest = await api.call("POST", f"{HELD}/delete", {"versions": "*", "reason": "leak"})
    assert (rest.json["files"], rest.json["emptied"]) == ([TWO], True)
    gone = await api.call("POST", f"{HELD}/delete", {"versions": "*", "reason": "leak"})
    assert (gone.status, gone.detail) == (404, "acme has no file for demo")
    assert (await api.call("POST", f"{HELD}/free")).json == {"source": "acme", "project": "demo"}
    assert (await api.call("GET", HELD)).json["freed"] is True


async def test_promote_needs_both_ends_and_every_policy(api: Managed) -> None:
    path = "/sources/stage/projects/demo/promote"
    lacks = await api.call(
        "POST", "/sources/acme/projects/demo/promote", {"versions": "*", "to": "stage"}, by="demo-only"
    )
    assert (lacks.status, lacks.json["scope"]) == (403, "publish:stage:demo")
    blocked = await api.call("POST", path, {"versions": "*", "to": "acme"}, by="publisher")
    assert blocked.status == 409
    assert "the policy of main stops demo-6.0-py3-none-any.whl: deny: " in blocked.detail
    moved = await api.call("POST", path, {"versions": "3", "to": "acme"}, by="publisher")
    assert moved.json["files"] == ["demo-3.0-py3-none-any.whl"]
    shown = await api.get(
        "/main/simple/demo/",
        accept="application/vnd.pypi.simple.v1+json",
        authorization=f"Bearer {api.tokens['reader']}",
    )
    assert "demo-3.0-py3-none-any.whl" in shown.text
    for to, status in (("stage", 400), ("wheels", 404), ("nothing", 404), ("No/thing", 400)):
        assert (await api.call("POST", path, {"versions": "*", "to": to})).status == status, to


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"versions": "1.0"}, "missing required field `reason`"),
        ({"versions": "1.0", "reason": 7}, "Expected `str`, got `int` - at `$.reason`"),
        (
            {"versions": "1.0", "reasn": "x"},
            'the body has "reasn", which is not known: did you mean "reason"?',
        ),
        ({"versions": "1.0", "reason": "a\nb"}, "reason: a reason is one line"),
        ({"versions": "1.0", "reason": " "}, "reason: a reason is one line"),
        ({"versions": "one", "reason": "x"}, 'versions: "one" is no version'),
        ({"versions": "", "reason": "x"}, 'versions: "" is no version'),
        ({"versions": "-other>1", "reason": "x"}, "is no version"),
        ({"versions": "==1.0; x", "reason": "x"}, "has a marker"),
        ({"versions": "<" + "1" * 300, "reason": "x"}, "at `$.versions`"),
        ([], "the body must be a JSON object"),
    ],
)
async def test_a_mistake_is_named_and_does_nothing(api: Managed, body: Any, says: str) -> None:
    before = await yanked(api)
    reply = await api.call("POST", f"{HELD}/yank", body)
    assert (reply.status, says in reply.detail) == (400, True), reply.detail
    assert await yanked(api) == before


async def test_what_is_not_there(api: Managed) -> None:
    body = {"versions": "*", "reason": "x"}
    for path in (
        "/sources/acme/projects/nothing/yank",
        "/sources/nothing/projects/demo/yank",
        "/sources/wheels/projects/demo/yank",
        "/sources/acme/projects/-demo-/yank",
        "/sources/acme/projects/demo/yank/",
        "/sources/acme/projects//yank",
    ):
        assert (await api.call("POST", path, body)).status == 404, path
    missed = await api.call("POST", f"{HELD}/yank", {"versions": "9.9", "reason": "x"})
    assert (missed.status, missed.detail) == (404, "acme has no file for demo==9.9")


async def test_owners_keep_other_publishers_away(api: Managed) -> None:
    assert (await api.call("PUT", f"{HELD}/owners", {"owners": ["demo-only", "Ada L."]})).status == 200
    for act, body in (
        ("yank", {"versions": "*", "reason": "x"}),
        ("unyank", {"versions": "*"}),
        ("promote", {"versions": "*", "to": "stage"}),
    ):
        reply = await api.call("POST", f"{HELD}/{act}", body, by="publisher")
        assert (reply.status, reply.json["title"]) == (403, "Owned by others"), act
        assert "demo is owned by Ada L., demo-only" in reply.detail
    into = await api.call(
        "POST", "/sources/stage/projects/demo/promote", {"versions": "3", "to": "acme"}, by="publisher"
    )
    assert into.status == 403
    assert (await api.call("PUT", f"{HELD}/status", {"status": "archived"}, by="publisher")).status == 403
    own = await api.call("POST", f"{HELD}/yank", {"versions": "1.0", "reason": "x"}, by="demo-only")
    assert own.status == 200
    assert (await api.call("POST", f"{HELD}/unyank", {"versions": "*"}, by="admin")).status == 200


async def test_an_owner_who_is_named_meanwhile_counts(api: Managed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first look and the act: it is asked again where the act is written."""
    steward = api.keep.steward
    looked = steward.matching

    async def slowly(rule: Rule, source: SourceName) -> Any:
        found = await looked(rule, source)
        await steward.change_owners(ProjectName(rule.name), source, lambda _: ["zoe"], by="admin")
        return found

    monkeypatch.setattr(steward, "matching", slowly)
    reply = await api.call("POST", f"{HELD}/yank", {"versions": "==1.0", "reason": "broken"}, by="publisher")
    assert (reply.status, reply.json["title"]) == (403, "Owned by others")
    assert await api.keep.ledger.last("yanked") == []
