"""``/metrics``: what happened, in numbers, and no name of anything."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from fakes.asgi import Inside
from fakes.ask import JSON
from fakes.outside import Outside
from fakes.server import PATIENCE, Server

from .conftest import CONFIG, world
from .test_files import address

pytestmark = pytest.mark.asyncio(loop_scope="session")

_LINE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? ([0-9]+)')


def numbers(text: str) -> dict[str, int]:
    found = {}
    for line in text.splitlines():
        if not line.startswith("# "):
            read = _LINE.fullmatch(line)
            assert read is not None, line
            found[read[1] + (read[2] or "")] = int(read[3])
    return found


async def test_what_is_counted(inside: Inside, outside: Outside) -> None:
    for _ in range(3):
        assert (await inside.get("/main/simple/demo/", accept=JSON)).status == 200
    good = address("main", outside, "demo-1.0-py3-none-any.whl")
    for _ in range(2):
        assert (await inside.get(good)).status == 200
    assert (await inside.get(good, range="bytes=0-3")).status == 206
    assert (await inside.get(address("main", outside, "demo-2.0-py3-none-any.whl"))).status == 302
    assert (await inside.get("/strict/files/large/-/large-1.0-py3-none-any.whl")).status == 302
    outside.stop()
    assert (await inside.get("/main/simple/nothing/")).status == 503
    reply = await inside.get("/metrics")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    told = numbers(reply.text)
    expected = {
        'wheelkeep_requests_total{kind="page",status="200"}': 3,
        'wheelkeep_requests_total{kind="page",status="503"}': 1,
        'wheelkeep_requests_total{kind="file",status="200"}': 2,
        'wheelkeep_requests_total{kind="file",status="206"}': 1,
        'wheelkeep_requests_total{kind="file",status="302"}': 2,
        'wheelkeep_blocked_total{gate="deny"}': 1,
        'wheelkeep_blocked_total{gate="allow"}': 1,
        "wheelkeep_memory_pages_total": 2,
        "wheelkeep_fetches_total": 3,
        "wheelkeep_fetches_late_total": 0,
        "wheelkeep_stored_files_total": 2,
        "wheelkeep_alerts_total": 0,
        "wheelkeep_workers": 1,
    }
    assert {name: told.get(name) for name in expected} == expected
    assert told["wheelkeep_upstream_requests_total"] >= 2
    assert told["wheelkeep_upstream_failures_total"] >= 1
    assert told["wheelkeep_resident_bytes"] > 10_000_000
    for name in ("demo", "large", "main", "outer", "house"):
        assert name not in reply.text
    assert (await inside.ask("POST", "/metrics")).status == 405
    assert (await inside.head("/metrics")).status == 200


async def test_whichever_worker_is_asked(outside: Outside, tmp_path: Path) -> None:
    config = CONFIG.format(url=outside.url, more="")

    def run() -> list[dict[str, int]]:
        with Server(world(outside, tmp_path), config, options=("--workers", "2")) as server:
            end = time.monotonic() + PATIENCE
            while numbers(server.get("/metrics").text)["wheelkeep_workers"] < 2:
                assert time.monotonic() < end, "the other worker did not come"
                time.sleep(0.05)
            for _ in range(20):
                assert server.get("/main/simple/acme-tool/", Accept=JSON).status == 200
            return [numbers(server.get("/metrics").text) for _ in range(4)]

    for told in await asyncio.to_thread(run):
        assert told['wheelkeep_requests_total{kind="page",status="200"}'] == 20
