"""``audit``: who fetched or published what, and who has it, while nothing runs or a server does."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.blank import blank
from fakes.command import quickly
from fakes.made import sha
from wheelkeep.store.database import Database
from wheelkeep.store.fetches import Fetch, Fetches, Waived
from wheelkeep.store.ledger import Entry, Ledger
from wheelkeep.store.prepare import prepare

NOW = datetime.now(UTC)
CONFIG = '[sources.acme]\nkind = "hosted"\n[indexes.main]\nsources = ["acme"]\n[indexes.other]\nsources = ["acme"]\n'


def fetch(version: str, who: str | None, address: str, *, hours: float, **told: Any) -> Fetch:
    return Fetch(
        at=NOW - timedelta(hours=hours),
        source="acme",
        project="demo",
        version=version,
        filename=f"demo-{version}-py3-none-any.whl",
        sha256=sha(version),
        who=who,
        address=address,
        **{"index": "main", "tool": "pip/25.0"} | told,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """demo 1.0 came ten days ago; ci had it twice, nobody in particular once; 2.0 was refused to eve."""
    made = tmp_path_factory.mktemp("audit")
    (made / "wheelkeep.toml").write_text(CONFIG)
    data = made / "wheelkeep-data"
    blank(data)
    waived = Waived(gate="cooldown", code="c", package="demo", reason="CVE-1", by="ada", until="2099-12-31")
    refused = {"index": "main", "gate": "deny", "code": "deny-listed", "sentence": "INC-42", "by": "eve"}

    async def write() -> None:
        database = Database(prepare(data))
        entries = [
            Entry(
                kind="published",
                at=NOW - timedelta(days=10),
                source="acme",
                project="demo",
                filename="demo-1.0-py3-none-any.whl",
                detail={"by": "release", "version": "1.0", "sha256": sha("1.0"), "from": "10.0.0.7"},
            ),
            Entry(
                kind="blocked",
                at=NOW - timedelta(hours=1),
                source="acme",
                project="demo",
                filename="demo-2.0-py3-none-any.whl",
                detail=refused | {"from": "10.0.0.3", "tool": "uv/0.9"},
            ),
        ]
        await Ledger(database).append(entries)
        await database.close()
        book = Fetches(data)
        book.append(
            [
                fetch("1.0", "ci", "10.0.0.1", hours=50, tool="uv/0.9"),
                fetch("1.0", "ci", "10.0.0.1", hours=3, waived=(waived,)),
                fetch("1.0", None, "10.0.0.2", hours=2, index="other", partial=True),
            ]
        )
        await book.close()

    asyncio.run(write())
    return made


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_all_that_happened_the_newest_first(folder: Path) -> None:
    told = quickly("audit", cwd=folder)
    assert told.code == 0
    said = [line.split(" ", 1)[1] for line in told.out.splitlines()]
    assert said == [
        "blocked demo-2.0-py3-none-any.whl (main/acme) by eve from 10.0.0.3 with uv/0.9: blocked: deny: INC-42",
        "fetched demo-1.0-py3-none-any.whl (other/acme) from 10.0.0.2 with pip/25.0, a part: admitted",
        "fetched demo-1.0-py3-none-any.whl (main/acme) by ci from 10.0.0.1 with pip/25.0: admitted: "
        "cooldown waived until 2099-12-31 by ada: CVE-1",
        "fetched demo-1.0-py3-none-any.whl (main/acme) by ci from 10.0.0.1 with uv/0.9: admitted",
        "published demo-1.0-py3-none-any.whl (acme) by release from 10.0.0.7",
    ]


def test_one_document_a_line_with_stable_keys(folder: Path) -> None:
    told = lines(quickly("audit", "--json", cwd=folder).out)
    assert [line["kind"] for line in told] == ["blocked", "fetched", "fetched", "fetched", "published"]
    keys = "book id at kind index source project version filename sha256 who from tool verdict reason partial"
    assert all(list(line) == [*keys.split(), "count", "detail"] for line in told)
    assert told[1]["partial"] is True and told[1]["who"] is None
    assert (told[0]["version"], told[0]["detail"]) == (
        "2.0",
        {"gate": "deny", "code": "deny-listed", "sentence": "INC-42"},
    )


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ("--by ci", 2),
        ("--package Demo", 5),
        ("--package demo==2.*", 1),
        ("--package demo>=3", 0),
        ("--package other", 0),
        ("--since 7d", 4),
        ("--since 150m", 2),
        ("--since 7d --until 90m", 3),
        ("--until 2000-01-01", 0),
        ("--since 2000-01-01T00:00:00Z", 5),
        ("--index other", 1),
        ("--kind fetched", 3),
        ("--kind published", 1),
        ("--kind nothing", 0),
        ("--from 10.0.0.1", 2),
        ("--from 10.0.0.7", 1),
        ("--limit 2", 2),
        ("--by ci --since 4h --kind fetched --package demo --index main --from 10.0.0.1", 1),
    ],
)
def test_only_what_is_meant(folder: Path, options: str, count: int) -> None:
    told = quickly("audit", "--json", *options.split(), cwd=folder)
    assert (told.code, len(lines(told.out))) == (0 if count else 1, count)


def test_who_has_it(folder: Path) -> None:
    told = quickly("audit", "--who", "--package", "demo==1.0", cwd=folder)
    assert told.code == 0
    head, nobody, ci = told.out.splitlines()
    assert head == f"demo-1.0-py3-none-any.whl  from acme, sha256 {sha('1.0')}"
    assert nobody.startswith("    from 10.0.0.2: once, ")
    assert ci.startswith("    ci from 10.0.0.1: 2 times, ")
    assert ci.endswith(" with pip/25.0, uv/0.9")
    (file,) = lines(quickly("audit", "--who", "--json", cwd=folder).out)
    assert [(one["who"], one["from"], one["count"]) for one in file["holders"]] == [
        (None, "10.0.0.2", 1),
        ("ci", "10.0.0.1", 2),
    ]
    assert quickly("audit", "--who", "--package", "demo>=2", cwd=folder).code == 1
    (mine,) = lines(quickly("audit", "--who", "--by", "ci", "--since", "4h", "--json", cwd=folder).out)
    assert [one["count"] for one in mine["holders"]] == [1]


@pytest.mark.parametrize(
    "options",
    [
        "--package a,b",
        "--package acme-*",
        "--since yesterday",
        "--until 2026-02-30",
        "--index nothing",
        "--limit 0",
        "--who --kind published",
        "--what",
    ],
)
def test_wrong_usage(folder: Path, options: str) -> None:
    told = quickly("audit", *options.split(), cwd=folder)
    assert (told.code, told.out) == (2, "")


def test_of_a_keep_that_nobody_asked_yet(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(CONFIG)
    for options in ([], ["--who"], ["--json"]):
        told = quickly("audit", *options, cwd=tmp_path)
        assert (told.code, told.out) == (1, "")
