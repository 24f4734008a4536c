"""Alerts reach a real receiver: signed, at least once, over restarts, and whoever wrote them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.dists import wheel
from fakes.hook import Hook, signed
from fakes.osv import record
from fakes.outside import Outside
from fakes.server import Server

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1s"
[indexes.main]
sources = ["outer"]
[alerts]
webhook = "{hook}"
secret = "env:HOOK_SECRET"
"""
SECRET = {"HOOK_SECRET": "0123456789abcdef"}


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook


def test_alerts_of_a_command_reach_the_receiver_over_an_outage_and_a_restart(
    hook: Hook, tmp_path: Path
) -> None:
    with Outside() as outside:
        filename, content = wheel("demo", "1.0")
        outside.add(filename, content)
        config = CONFIG.format(url=outside.url, hook=hook.url)
        with Server(tmp_path, config, env=SECRET, options=("--workers", "2")) as server:
            assert server.get(f"/main/files/demo/-/{filename}").body == content
            hook.says = lambda _: 500
            (tmp_path / "one.json").write_text(json.dumps(record("GHSA-7", "demo")))
            done = quickly("advisories", "import", tmp_path / "one.json", "--json", cwd=tmp_path, **SECRET)
            assert (done.code, done.json["alerts"]) == (0, 1)
            (first,) = {one["id"]: one for one in hook.wait(1)}.values()
            assert (first["kind"], first["advisory"], first["severity"]) == ("advisory", "GHSA-7", "high")
            assert (first["filename"], first["holders"]) == (filename, 1)
            told = quickly("status", "--json", cwd=tmp_path, **SECRET).json["alerts"]
            assert (told["waiting"], told["webhook"]) == (1, f"http://127.0.0.1:{hook.port}")
            assert told["reason"].endswith("HTTP 500")
            assert "hunter2" not in quickly("status", cwd=tmp_path, **SECRET).out
            checked = quickly("check", cwd=tmp_path, **SECRET)
            assert (checked.code, "alerts.webhook: nothing was taken since" in checked.out) == (0, True)
            assert b"wheelkeep_alerts_waiting 1\n" in server.get("/metrics").body
            server.stop()
            # Meanwhile another one comes, and nobody is there to tell it.
            (tmp_path / "two.json").write_text(json.dumps(record("GHSA-8", "demo")))
            assert quickly("advisories", "import", tmp_path / "two.json", cwd=tmp_path, **SECRET).code == 0
            hook.says = lambda _: 204
            before = len(hook.came)
            server.start()
            last = hook.wait(before + 2)
            assert [one["advisory"] for one in last[before:]] == ["GHSA-7", "GHSA-8"]
            for path, headers, body in hook.came:
                assert path == "/hooks/hunter2?of=keep"
                assert headers["Wheelkeep-Signature"] == signed(body, SECRET["HOOK_SECRET"])
            assert "hunter2" not in server.log
