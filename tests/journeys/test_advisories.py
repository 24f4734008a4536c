"""Advisories with real clients: the affected versions are passed over, with their names in what is printed."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.ask import JSON
from fakes.clients import Client
from fakes.command import quickly, wheelkeep
from fakes.dists import metadata, wheel
from fakes.osv import dump, record
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
policy = "policy.toml"
"""
POLICY = """
[advisories]
severity = "high"

[cooldown]
age = "7d"
fixes = true

[[waiver]]
package = "waived==1.0"
gates = ["advisories"]
reason = "not reachable in our use"
by = "security@acme.example"
until = 2999-12-31
"""
BAD = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fixed_in": ["2.0"], "summary": "It leaks"}


@pytest.fixture(scope="module")
def world() -> Iterator[Outside]:
    with Outside() as outside:
        young = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z"
        for name in ("demo", "waived", "quiet"):
            for version in ("1.0", "2.0", "3.0"):
                filename, content = wheel(name, version)
                stamp = {"upload_time": young} if name == "demo" and version != "1.0" else {}
                outside.add(filename, content, metadata=metadata(name, version).encode(), **stamp)
        outside.add(*wheel("lost", "1.0"))
        outside.vulnerabilities = {"demo": [BAD], "waived": [BAD]}
        yield outside


@pytest.fixture(scope="module")
def server(world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("keep")
    (folder / "policy.toml").write_text(POLICY)
    with Server(folder, CONFIG.format(url=world.url)) as server:
        yield server


def test_the_version_that_mends_is_taken(installer: Client, server: Server, tmp_path: Path) -> None:
    """Though it is young: another young one is held, and the old one is affected."""
    assert installer.got(server.simple(), tmp_path / "into", "demo") == {"demo": "2.0"}


def test_an_affected_version_fails_with_the_advisory(
    installer: Client, server: Server, tmp_path: Path
) -> None:
    done = installer.install(server.simple(), tmp_path / "into", "demo==1.0")
    assert done.code != 0
    if installer.is_pip:
        words = "PYSEC-2026-1-severity-not-told-CVE-2026-1-known-against-demo-1.0"
        assert f"{server.url}/main/blocked/advisories/{words}/demo-1.0-py3-none-any.whl" in done.said
    else:
        says = "PYSEC-2026-1 (severity not told, CVE-2026-1): known against demo 1.0"
        assert f"wheelkeep: advisories: {says}" in done.words
        assert "take a version with the fix (2.0)" in done.words
    assert installer.got(server.simple(), tmp_path / "waived", "waived==1.0") == {"waived": "1.0"}


def test_what_was_deleted_is_served_until_it_is_known_as_malware(
    uv: Client, server: Server, world: Outside, tmp_path: Path
) -> None:
    filename = wheel("lost", "1.0")[0]
    assert uv.got(server.simple(), tmp_path / "before", "lost==1.0") == {"lost": "1.0"}
    world.remove(filename)
    until = time.monotonic() + PATIENCE
    while '"left"' not in server.log and time.monotonic() < until:
        server.get("/main/simple/lost/")
        time.sleep(0.2)
    assert uv.got(server.simple(), tmp_path / "deleted", "lost==1.0") == {"lost": "1.0"}
    said = quickly("explain", "lost", cwd=server.folder)
    assert (said.code, "gone at its origin with the whole project" in said.out) == (0, True)
    (tmp_path / "mal.json").write_text(json.dumps(record("MAL-2026-9", "lost", vector=None, events=[])))
    told = quickly("advisories", "import", tmp_path / "mal.json", "--json", cwd=server.folder)
    assert (told.code, told.json["alerts"], told.json["whole"]) == (0, 1, False)
    done = uv.install(server.simple(), tmp_path / "after", "lost==1.0")
    assert done.code != 0
    assert "wheelkeep: advisories: MAL-2026-9 (critical): known against lost 1.0" in done.words


def test_a_dump_that_comes_beside_the_running_server(server: Server, world: Outside, tmp_path: Path) -> None:
    def yanked() -> dict[str, str]:
        files = server.get("/main/simple/quiet/", Accept=JSON).json["files"]
        return {file["filename"].split("-")[1]: file["yanked"] for file in files if file["yanked"]}

    assert server.get("/main/simple/demo/").status == 200
    assert yanked() == {}
    assert server.get("/main/files/quiet/-/quiet-1.0-py3-none-any.whl").status == 200
    path = dump(tmp_path / "all.zip", record("GHSA-7", "Quiet"))
    told = wheelkeep("advisories", "import", path, "--json", cwd=server.folder)
    assert (told.code, told.json["alerts"]) == (0, 1)
    assert list(yanked()) == ["1.0"]
    assert "GHSA-7 (high)" in yanked()["1.0"]
    assert server.get("/main/files/quiet/-/quiet-1.0-py3-none-any.whl").status == 302
    said = quickly("explain", "quiet==1.0", cwd=server.folder)
    assert said.code == 1
    assert (
        "advisories: blocked: GHSA-7 (high): known against quiet 1.0; take a version with the fix (2.0)"
        in said.out
    )

    # What was known is used while the remote is away.
    world.stop()
    until = time.monotonic() + PATIENCE
    while "demo" not in server.log.split("source_unreachable")[-1] and time.monotonic() < until:
        server.get("/main/simple/demo/")
        time.sleep(0.2)
    page = server.get("/main/simple/demo/", Accept=JSON)
    assert page.status == 200
    assert {file["filename"].split("-")[1]: bool(file["yanked"]) for file in page.json["files"]} == {
        "1.0": True, "2.0": False, "3.0": True
    }  # fmt: skip
    world.start()
