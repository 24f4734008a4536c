"""The description: valid OpenAPI, the same operations as are answered, and a page that runs nothing."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fakes.api import Managed
from fakes.ask import BROWSER
from wheelkeep.web.api.describe import describe
from wheelkeep.web.api.router import OPERATIONS

REFERENCE = Path(__file__).parents[3] / "docs/reference/api.md"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(OPERATIONS, None)


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Managed]:
    async with Managed(tmp_path) as made:
        yield made


async def test_it_is_valid_and_everybody_may_read_it(api: Managed) -> None:
    for caller in (None, "admin", "idle", "revoked"):
        reply = await api.call("GET", "/openapi.json", by=caller)
        assert (reply.status, reply.kind) == (200, "application/json")
    # It takes seconds to import: every worker would, to collect the tests.
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert list(OpenAPIV31SpecValidator(reply.json).iter_errors()) == []
    assert reply.json == json.loads(json.dumps(describe(OPERATIONS, None)))
    for name in ("acme", "stage", "main", "wheels"):
        assert f'"{name}"' not in reply.text
    assert (await api.call("HEAD", "/openapi.json", by=None)).body == b""
    assert (await api.call("POST", "/openapi.json", by=None)).headers["allow"] == "GET, HEAD"


def test_every_operation_is_described_and_nothing_else(document: dict[str, Any]) -> None:
    told = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert told == {(operation.method, operation.path) for operation in OPERATIONS}
    assert describe(OPERATIONS, "https://keep.example")["servers"] == [{"url": "https://keep.example"}]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = re.findall(r"'\$ref': '#/([^']+)'", repr(document))
    assert references
    for reference in references:
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
    used = {reference.rpartition("/")[2] for reference in references}
    assert set(document["components"]["schemas"]) <= used


def test_every_operation_tells_its_refusals(document: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        told = document["paths"][f"/api/v1{operation.path}"][operation.method.lower()]
        codes = set(told["responses"])
        assert {str(operation.status), "401", "403", "405", "429", "503"} <= codes
        assert ("404" in codes) == ("{" in operation.path)
        assert ({"400", "413", "415"} <= codes) == (operation.takes is not None)
        assert told["security"] and told["summary"].endswith(".")
        for name in re.findall(r"{(\w+)}", operation.path):
            assert name in [parameter["name"] for parameter in told["parameters"]]


async def test_the_page_shows_all_and_runs_nothing(api: Managed) -> None:
    reply = await api.get("/api/docs", accept=BROWSER)
    assert (reply.status, reply.kind) == (200, "text/html")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    html = reply.text
    assert html.startswith("<!DOCTYPE html>") and "`" not in html
    assert not re.search(r"<script|<img|<iframe|\son\w+=|style=|https?://", html)
    assert re.findall(r'<link [^>]*href="([^"]+)"', html) == ["../static/wheelkeep.css"]
    for operation in OPERATIONS:
        assert f'<h2 id="{operation.name}">{operation.method} /api/v1{operation.path}</h2>' in html
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert targets <= set(re.findall(r'id="([^"]+)"', html))
    assert (await api.head("/api/docs")).body == b""


def test_the_reference_lists_every_operation() -> None:
    listed = re.findall(r"^\| `(\w+) (/\S+)` \| (.+?) \| (.+?) \|$", REFERENCE.read_text(), re.MULTILINE)
    assert listed == [
        (operation.method, operation.path, operation.needs.text, operation.says) for operation in OPERATIONS
    ]
