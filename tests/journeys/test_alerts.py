"""Alerts reach a real receiver: signed, at least once, over restarts, and whoever wrote them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.ask import JSON
from fakes.clients import Client
from fakes.command import quickly
from fakes.dists import wheel
from fakes.hook import Hook, signed
from fakes.osv import record
from fakes.outside import Outside
from fakes.server import PATIENCE, Server

pytestmark = pytest.mark.journey

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


NAMES = ("deleted", "yanked", "suspect", "harmful")


def test_who_has_a_lock_goes_on_until_it_is_malware(
    hook: Hook, uv: Client, new_pip: Client, tmp_path: Path
) -> None:
    """After a deletion, a yank and a quarantine at the origin, in an index without a policy."""
    with Outside() as outside:
        lines = []
        for name in NAMES:
            filename, content = wheel(name, "1.0")
            listed = outside.add(filename, content)
            lines.append(f"{name}==1.0 --hash=sha256:{listed.sha256}")
        lock, harmful = tmp_path / "lock.txt", tmp_path / "harmful.txt"
        lock.write_text("\n".join(lines[:3]))
        harmful.write_text(lines[3])
        config = CONFIG.format(url=outside.url, hook=hook.url)
        with Server(tmp_path / "keep", config, env=SECRET) as server:
            held = dict.fromkeys(NAMES[:3], "1.0")
            assert uv.got(server.simple(), tmp_path / "first", "--require-hashes", "-r", str(lock)) == held
            uv.got(server.simple(), tmp_path / "second", "--require-hashes", "-r", str(harmful))
            outside.remove(wheel("deleted", "1.0")[0])
            outside.add(*wheel("yanked", "1.0"), yanked="it is broken")
            outside.projects_status["suspect"] = ("quarantined", "it phones home")
            shown: dict[str, object] = {}
            until = time.monotonic() + PATIENCE
            while shown.get("suspect") is None or shown.get("yanked") is None or '"left"' not in server.log:
                assert time.monotonic() < until, shown
                for name in NAMES[:3]:
                    (one,) = server.get(f"/main/simple/{name}/", Accept=JSON).json["files"]
                    shown[name] = one["yanked"] or None
                time.sleep(0.1)
            says = "wheelkeep: in quarantine at its origin: it phones home"
            assert shown == {"deleted": None, "yanked": "it is broken", "suspect": says}

            for client in (uv, new_pip):
                into = tmp_path / f"later {client.name}"
                assert client.got(server.simple(), into, "--require-hashes", "-r", str(lock)) == held
                # Who has no lock is not led there.
                astray = client.install(server.simple(), tmp_path / f"new {client.name}", "suspect")
                assert astray.code != 0
                if client.is_pip:
                    assert "Ignored the following yanked versions: 1.0" in astray.said
                else:
                    assert f"suspect==1.0 was yanked (reason: {says})" in astray.words
            (told,) = hook.wait(1)
            assert (told["kind"], told["project"], told["reason"]) == (
                "quarantine",
                "suspect",
                "it phones home",
            )
            assert (told["files"], told["holders"]) == ([wheel("suspect", "1.0")[0]], 1)

            (tmp_path / "mal.json").write_text(json.dumps(record("MAL-1", "harmful", vector=None, events=[])))
            done = quickly("advisories", "import", tmp_path / "mal.json", cwd=server.folder, **SECRET)
            assert done.code == 0
            for client in (uv, new_pip):
                done = client.install(
                    server.simple(), tmp_path / f"mal {client.name}", "--require-hashes", "-r", str(harmful)
                )
                assert done.code != 0
                if client.is_pip:
                    assert "==99+blocked.by.wheelkeep.advisories.mal.1.critical" in done.said
                else:
                    assert "wheelkeep: advisories: MAL-1 (critical): known against harmful 1.0" in done.words
            assert [one["kind"] for one in hook.wait(2)] == ["quarantine", "malware"]
            assert len(server.blobs()) == 4
