"""Notices: each key is always there, and one sentence says what happened."""

from typing import Any

import msgspec
import pytest

from fakes.made import NOW
from wheelkeep.core.notice import Notice, notice

WHEEL = "demo-1.0-py3-none-any.whl"


def made(detail: dict[str, Any], *, incident: bool = False, filename: str | None = WHEEL) -> Notice:
    return notice(
        7,
        incident=incident,
        at=NOW,
        source="outer",
        project="demo",
        version="1.0",
        filename=filename,
        detail=detail,
        keep="https://packages.acme.example",
    )


def test_an_advisory() -> None:
    told = made(
        {
            "advisory": "GHSA-7",
            "aliases": "CVE-1, PYSEC-2",
            "severity": "high",
            "fixed": "2.0, 1.5.1",
            "sha256": "ab",
            "holders": 2,
            "whom": "ci from 10.0.0.1, dev",
        }
    )
    assert msgspec.json.decode(msgspec.json.encode(told)) == {
        "id": 7,
        "kind": "advisory",
        "at": "2026-11-22T12:00:00Z",
        "text": f"wheelkeep: GHSA-7 (high) is about {WHEEL} from outer, which is kept here; 2 have it",
        "keep": "https://packages.acme.example",
        "source": "outer",
        "project": "demo",
        "version": "1.0",
        "filename": WHEEL,
        "files": [WHEEL],
        "sha256": "ab",
        "advisory": "GHSA-7",
        "aliases": ["CVE-1", "PYSEC-2"],
        "severity": "high",
        "fixed": ["2.0", "1.5.1"],
        "stands": None,
        "came": None,
        "reason": None,
        "holders": 2,
        "whom": ["ci from 10.0.0.1", "dev"],
    }


@pytest.mark.parametrize(
    ("detail", "kind", "text"),
    [
        (
            {"advisory": "MAL-1", "severity": "critical", "holders": 0, "whom": ""},
            "malware",
            f"wheelkeep: MAL-1 (critical) is about {WHEEL} from outer, which is kept here; nobody was given it",
        ),
        (
            {"advisory": "GHSA-1", "severity": "", "holders": 1},
            "advisory",
            f"wheelkeep: GHSA-1 (severity not told) is about {WHEEL} from outer, which is kept here; 1 has it",
        ),
    ],
)
def test_sentences(detail: dict[str, Any], kind: str, text: str) -> None:
    told = made(detail)
    assert (told.kind, told.text) == (kind, text)


def test_a_quarantine() -> None:
    detail = {
        "what": "quarantine",
        "reason": "it phones home",
        "files": f"{WHEEL}, demo-1.0.tar.gz",
        "holders": 3,
    }
    told = made(detail, filename=None)
    assert (told.kind, told.filename, told.files) == ("quarantine", None, (WHEEL, "demo-1.0.tar.gz"))
    assert (
        told.text == "wheelkeep: demo from outer is in quarantine at its origin (it phones home); 3 have it"
    )


def test_an_incident() -> None:
    told = made({"what": "hash-changed", "stands": "ab", "came": "cd"}, incident=True)
    assert (told.kind, told.sha256, told.stands, told.came) == ("hash-changed", "ab", "ab", "cd")
    assert told.text == f"wheelkeep: hash changed: {WHEEL} from outer: ab stands, cd came"
    # Whatever else is called an incident one day is told of too.
    odd = made({"what": "disk-odd"}, incident=True, filename=None)
    assert odd.text == "wheelkeep: disk odd: demo from outer"


def test_a_broken_log() -> None:
    found = made({"what": "log-broken", "reason": "the entry 7 is missing"}, incident=True, filename=None)
    assert found.kind == "log-broken"
    assert found.text.endswith("nothing is signed: the entry 7 is missing")
