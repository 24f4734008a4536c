"""Projects by the API: lists in pages, what a project is made of, and how it stands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from fakes.api import HELD, Managed
from fakes.dists import sdist, wheel
from fakes.received import give
from wheelkeep.core.names import SourceName
from wheelkeep.core.rules import read_rule

ACME = SourceName("acme")
ONE, TWO = "demo-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Managed]:
    async with Managed(tmp_path) as made:
        for name in ("alpha", "beta", "demo"):
            await give(made.keep, ACME, *wheel(name, "1.0"))
        await give(made.keep, ACME, *sdist("demo", "1.0"))
        await give(made.keep, ACME, *wheel("demo", "10.0"))
        await give(made.keep, ACME, *wheel("demo", "2.0"))
        await made.keep.steward.delete(read_rule("beta"), ACME, "leak", by="ada")
        yield made


async def test_projects_in_pages(api: Managed) -> None:
    first = (await api.call("GET", "/sources/acme/projects?limit=2")).json
    assert first == {
        "items": [
            {
                "project": name,
                "files": files,
                "status": "active",
                "reason": None,
                "owners": [],
                "freed": False,
            }
            for name, files in (("alpha", 1), ("beta", 0))
        ],
        "next": "beta",
    }
    rest = (await api.call("GET", "/sources/acme/projects?limit=2&after=beta")).json
    assert ([item["project"] for item in rest["items"]], rest["next"]) == (["demo"], None)
    assert (await api.call("GET", "/sources/stage/projects")).json == {"items": [], "next": None}


async def test_a_project(api: Managed) -> None:
    await api.call("POST", f"{HELD}/yank", {"versions": "2.0", "reason": "x"})
    await api.call("PATCH", f"{HELD}/owners", {"add": ["ada"]})
    shown = (await api.call("GET", HELD)).json
    assert shown == {
        "source": "acme",
        "project": "demo",
        "status": "active",
        "reason": None,
        "owners": ["ada"],
        "freed": False,
        "versions": [
            {"version": "10.0", "files": 1, "yanked": False},
            {"version": "2.0", "files": 1, "yanked": True},
            {"version": "1.0", "files": 2, "yanked": False},
        ],
    }
    head = await api.call("HEAD", HELD)
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "application/json")
    assert (await api.call("GET", "/sources/acme/projects/nothing")).status == 404


async def test_files_in_pages_with_who_brought_them(api: Managed) -> None:
    first = (await api.call("GET", f"{HELD}/files?limit=1&versions=%3E%3D1%2C%3C3")).json
    (file,) = first["items"]
    assert (file["filename"], file["version"], file["kind"], file["uploaded_by"]) == (
        ONE,
        "1.0",
        "wheel",
        "ci",
    )
    assert len(file["hashes"]["sha256"]) == 64
    assert file["uploaded"].endswith("Z")
    assert (file["yanked"], file["attested"]) == (None, False)
    rest = (await api.call("GET", f"{HELD}/files?versions=%3E%3D1%2C%3C3&after={first['next']}")).json
    assert [file["filename"] for file in rest["items"]] == ["demo-1.0.tar.gz", TWO]
    assert rest["next"] is None


async def test_status(api: Managed) -> None:
    done = await api.call(
        "PUT", f"{HELD}/status", {"status": "archived", "reason": "see other"}, by="publisher"
    )
    assert done.json == {"source": "acme", "project": "demo", "status": "archived", "reason": "see other"}
    assert (await api.page())["project-status"] == {"status": "archived", "reason": "see other"}
    wrong = await api.call("PUT", f"{HELD}/status", {"status": "archive"})
    assert (wrong.status, "at `$.status`" in wrong.detail) == (400, True)
    assert (
        await api.call("PUT", "/sources/acme/projects/nothing/status", {"status": "archived"})
    ).status == 404


async def test_only_an_admin_quarantines_and_ends_it(api: Managed) -> None:
    stop, go = {"status": "quarantined", "reason": "INC-7"}, {"status": "active"}
    refused = await api.call("PUT", f"{HELD}/status", stop, by="publisher")
    assert (refused.status, refused.json["scope"]) == (403, "admin")
    assert (await api.call("PUT", f"{HELD}/status", stop)).status == 200
    assert (await api.page())["files"] == []
    assert (await api.call("PUT", f"{HELD}/status", go, by="publisher")).status == 403
    assert (await api.call("PUT", f"{HELD}/status", go)).status == 200
    assert len((await api.page())["files"]) == 4
