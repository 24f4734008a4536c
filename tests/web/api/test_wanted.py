"""Wanted by the API: who asked is told to approvers alone, and an answer's author is the token."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from fakes.api import Managed

SOON = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%d")
BODY = {"requirements": ["demo==6.*"], "reason": "INC-1 is over", "gates": ["deny"], "until": SOON}


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Managed]:
    async with Managed(tmp_path) as made:
        yield made


async def test_listed_approved_refused_and_taken_back(api: Managed) -> None:
    assert (await api.call("GET", "/wanted", by="approver")).json == {
        "index": "main",
        "wanted": [],
        "more": 0,
        "beyond": 0,
    }
    approved = await api.call("POST", "/wanted/approve", BODY, by="approver")
    assert approved.status == 200, approved.body
    (one,) = approved.json["answers"]
    given = one.pop("given")
    assert abs(datetime.fromisoformat(given) - datetime.now(UTC)) < timedelta(minutes=1)
    assert one == {
        "index": "main",
        "requirement": "demo==6.*",
        "answer": "approved",
        "gate": "deny",
        "reason": "INC-1 is over",
        "by": "approver",
        "until": SOON,
    }
    listed = (await api.call("GET", "/wanted/answers?index=main", by="approver")).json["answers"]
    assert listed == [one | {"given": given}]
    said = {"requirements": ["demo==6.*"], "reason": "it is not"}
    refused = (await api.call("POST", "/wanted/refuse", said)).json["answers"][0]
    assert (refused["answer"], refused["gate"], refused["by"]) == ("refused", None, "admin")
    gone = await api.call("POST", "/wanted/withdraw", said, by="approver")
    assert [each["answer"] for each in gone.json["answers"]] == ["refused"]
    assert (await api.call("POST", "/wanted/withdraw", said, by="approver")).status == 409
    written = [entry for _, entry in await api.keep.ledger.page(limit=3)]
    kinds = [(entry.kind, entry.detail["by"]) for entry in written]
    assert kinds == [("withdrawn", "approver"), ("refused", "admin"), ("approved", "approver")]


@pytest.mark.parametrize(
    "body",
    [
        BODY | {"until": None},
        BODY | {"until": "2020-01-01"},
        BODY | {"until": "soon"},
        BODY | {"gates": ["allow"]},
        BODY | {"gates": ["no-gate"]},
        BODY | {"requirements": []},
        BODY | {"requirements": ["a b"]},
        BODY | {"reason": "\n"},
        BODY | {"index": "nowhere"},
        BODY | {"by": "somebody else"},
    ],
)
async def test_what_is_no_answer(api: Managed, body: dict[str, object]) -> None:
    assert (await api.call("POST", "/wanted/approve", body, by="approver")).status == 400
    assert (await api.call("GET", "/wanted/answers", by="approver")).json == {"answers": []}
