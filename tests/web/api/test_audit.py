"""Who fetched or published what, by the API: in pages over both books, and who has it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.api import Managed
from fakes.dists import wheel
from fakes.received import give
from wheelkeep.core.names import SourceName


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Managed]:
    """demo 1.0 fetched twice and 2.0 once, 6.0 refused."""
    folder: Path = tmp_path_factory.mktemp("audit")
    async with Managed(folder) as made:
        for version in ("1.0", "2.0", "6.0"):
            await give(made.keep, SourceName("acme"), *wheel("demo", version))
        reader = {"authorization": f"Bearer {made.tokens['reader']}", "user_agent": "pip/25.0"}
        for version in ("1.0", "2.0", "6.0", "1.0"):
            path = f"/main/files/demo/-/demo-{version}-py3-none-any.whl"
            assert (await made.get(path, **reader)).status == (302 if version == "6.0" else 200)
        await made.keep.book.close()
        yield made


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_both_books_in_pages(api: Managed) -> None:
    whole = (await api.call("GET", "/audit")).json
    assert whole["next"] is None
    kinds = [item["kind"] for item in whole["items"] if not item["kind"].startswith("token ")]
    assert sorted(kinds) == ["blocked", *["fetched"] * 3, "policy", *["published"] * 3]
    assert kinds[-4:] == [*["published"] * 3, "policy"]
    assert [item["at"] for item in whole["items"]] == sorted((i["at"] for i in whole["items"]), reverse=True)
    for limit in (1, 2, 3):
        seen, before = [], None
        while True:
            page = (
                await api.call("GET", f"/audit?limit={limit}{f'&before={before}' if before else ''}")
            ).json
            seen += page["items"]
            if (before := page["next"]) is None:
                break
        assert seen == whole["items"]


async def test_a_line(api: Managed) -> None:
    (newest,) = (await api.call("GET", "/audit?kind=fetched&limit=1")).json["items"]
    told = {name: newest[name] for name in ("who", "from", "tool", "index", "source", "version", "verdict")}
    assert told == {
        "who": "reader",
        "from": "127.0.0.1",
        "tool": "pip/25.0",
        "index": "main",
        "source": "acme",
        "version": "1.0",
        "verdict": "admitted",
    }
    (refused,) = (await api.call("GET", "/audit?kind=blocked")).json["items"]
    assert (refused["who"], refused["verdict"], refused["reason"]) == (
        "reader",
        "blocked",
        'deny: INC-1 (denied as "demo==6.*")',
    )


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("package=Demo%3C2", 3),
        ("by=reader", 4),
        ("by=nobody", 0),
        ("from=127.0.0.1", 4),
        ("index=main", 5),
        ("since=1h&kind=fetched", 3),
        ("until=2000-01-01", 0),
        ("since=2000-01-01&kind=published", 3),
    ],
)
async def test_only_what_is_meant(api: Managed, query: str, count: int) -> None:
    assert len((await api.call("GET", f"/audit?{query}")).json["items"]) == count


async def test_who_has_it(api: Managed) -> None:
    (file,) = (await api.call("GET", "/audit/holders?package=demo%3C2")).json["items"]
    (holder,) = file["holders"]
    assert (file["filename"], holder["who"], holder["from"], holder["tools"], holder["count"]) == (
        "demo-1.0-py3-none-any.whl",
        "reader",
        "127.0.0.1",
        ["pip/25.0"],
        2,
    )
    assert (await api.call("GET", "/audit/holders?package=other")).json == {"items": []}


@pytest.mark.parametrize(
    "query",
    [
        "package=a%20b",
        "since=yesterday",
        "until=7",
        "before=x",
        "before=1-2-3",
        "index=A",
        "who=1",
        "limit=0",
    ],
)
async def test_what_cannot_be_read(api: Managed, query: str) -> None:
    assert (await api.call("GET", f"/audit?{query}")).status == 400
    assert (await api.call("GET", "/audit/holders")).status == 400


async def test_nobody_but_an_admin(api: Managed) -> None:
    for by, status in (("reader", 403), ("publisher", 403), (None, 401)):
        for path in ("/audit", "/audit/holders?package=demo"):
            assert (await api.call("GET", path, by=by)).status == status
