"""From an sdist to a wheel that pip takes from the keep: built in a sandbox, twice, with what the policy lets in."""

import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from fakes import tools, workshop
from fakes.clients import Client, versions
from fakes.command import Ran, quickly
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import PATIENCE, Server, environment, program
from wheelkeep.core.notes import read_key
from wheelkeep.core.statement import Envelope, verify

pytestmark = pytest.mark.journey

CONFIG = """
[sources.built]
kind = "hosted"

[sources.outer]
kind = "remote"
url = "{url}"
fresh = "1s"

[indexes.main]
sources = [["built", "outer"]]
policy = "policy.toml"
"""


@pytest.fixture(autouse=True)
def sandbox() -> None:
    tools.sandbox()


@pytest.fixture
def keep(outside: Outside, tmp_path: Path) -> Server:
    outside.add(*workshop.tool())
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "policy.toml").write_text('[deny]\npackages = ["wk-tool==2.0"]\nreason = "INC-9"\n')
    return Server(tmp_path / "keep", CONFIG.format(url=outside.url))


def run(keep: Server, *words: str | Path) -> Ran:
    return quickly(*words, cwd=keep.folder)


def test_what_is_built_is_installed_and_says_of_what(
    keep: Server, outside: Outside, new_pip: Client, tmp_path: Path
) -> None:
    outside.add(*workshop.source("app"))
    with keep:
        ran = run(keep, "build", "app", "--into", "built", "--json")
        assert ran.code == 0, ran.out + ran.err
        (made,) = ran.json["built"]
        assert (made["published"], made["reproducible"]) == ("new", "yes")
        assert [one["filename"] for one in made["requirements"]] == [workshop.tool()[0]]
        done = new_pip.install(keep.simple(), tmp_path / "to", "--only-binary", ":all:", "app")
        assert (done.code, versions(tmp_path / "to")) == (0, {"app": "1.0"}), done.said

        stated = keep.get(f"/main/built/app/{made['sha256']}/{made['filename']}")
        key = read_key(keep.get("/log/key").body.decode())
        statement = verify(msgspec.json.decode(stated.body, type=Envelope), key)
        assert statement["subject"] == [{"name": made["filename"], "digest": {"sha256": made["sha256"]}}]
        again = run(keep, "build", "app", "--into", "built")
        assert (again.code, again.out) == (0, again.out), again.err
        assert "nothing to build" in again.out
    audited = run(keep, "audit", "--json")
    lines = [json.loads(line) for line in audited.out.splitlines()]
    told = {(line["kind"], line["filename"]): line for line in lines}
    published = told["published", made["filename"]]
    assert (published["who"], published["detail"]["sdist_sha256"]) == ("build", made["sdist_sha256"])
    fetched = told["fetched", workshop.tool()[0]]
    assert fetched["who"] == "build of app 1.0"


def test_what_cannot_be_built_is_said_and_the_rest_is_there(keep: Server, outside: Outside) -> None:
    outside.add(*workshop.tool("2.0"))
    outside.add(*workshop.source("blocked", requires="wk-tool>=2"))
    outside.add(*workshop.source("broken", files={"fails": b"last words\x1b[2J"}))
    outside.add(*workshop.source("unsteady", files={"unsteady": b""}))
    words = ["build", "blocked", "broken", "unsteady", "--into", "built", "--jobs", "3"]
    ran = run(keep, *words, "--json")
    assert ran.code == 1, ran.out + ran.err
    failed = {one["sdist"]: one for one in ran.json["failed"]}
    assert failed.keys() == {"blocked-1.0.tar.gz", "broken-1.0.tar.gz"}
    assert "INC-9" in failed["blocked-1.0.tar.gz"]["said"]
    assert "last words" in failed["broken-1.0.tar.gz"]["said"]
    assert "\x1b" not in ran.json["failed"][0]["said"] + ran.json["failed"][1]["said"]
    (made,) = ran.json["built"]
    assert (made["filename"], made["reproducible"]) == ("unsteady-1.0-py3-none-any.whl", "no")
    assert [one for one in made["differences"] if one.startswith("unsteady differs")]
    # Once more, and the bytes are others: what was published stays as it was.
    anew = run(keep, "build", "unsteady", "--into", "built", "--anew", "--once")
    assert (anew.code, "never gets other bytes" in anew.out) == (1, True), anew.out + anew.err


def test_a_run_that_was_killed_leaves_nothing_and_goes_on(keep: Server, outside: Outside) -> None:
    outside.add(*workshop.source("app"))
    outside.faults["/files/wk-tool/"] = "hang"
    command = [program(), "-c", str(keep.config), "build", "app", "--into", "built"]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE)
    until = time.monotonic() + PATIENCE
    while not outside.asked("/files/wk-tool/"):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    outside.faults.clear()
    assert run(keep, "verify").code == 0
    ran = run(keep, "build", "app", "--into", "built", "--once", "--json")
    assert (ran.code, ran.json["built"][0]["published"]) == (0, "new"), ran.err


def test_a_wheelhouse_of_wheels_alone(
    keep: Server, outside: Outside, new_pip: Client, tmp_path: Path
) -> None:
    name, content = workshop.source("app")
    outside.add(name, content)
    outside.add(*wheel("ready", "1.0"))
    lock, house = tmp_path / "requirements.txt", tmp_path / "house"
    words = ["export", "wheelhouse", house, "-r", lock]
    assert run(keep, "lock", "app", "ready", "-o", lock).code == 0
    ran = run(keep, *words, "--build", "--once", "--json")
    assert (ran.code, ran.json["built"]) == (0, ["app-1.0-py3-none-any.whl"]), ran.err
    assert not list(house.glob("*.tar.gz"))
    told = (house / "requirements.txt").read_text()
    assert f"# built here from {name} sha256:{hashlib.sha256(content).hexdigest()}" in told
    outside.stop()
    again = run(keep, *words, "--build", "--once", "--json")
    assert (again.code, again.json["written"], again.json["there"]) == (0, 0, 2), again.err
    assert (house / "requirements.txt").read_text() == told
    names = ["--require-hashes", "-r", str(house / "requirements.txt")]
    found = [
        "--no-index",
        "--find-links",
        str(house),
        "--only-binary",
        ":all:",
        "--target",
        str(tmp_path / "to"),
    ]
    done = new_pip.run("install", *found, *names)
    assert (done.code, versions(tmp_path / "to")) == (0, {"app": "1.0", "ready": "1.0"}), done.said
    assert run(keep, *words, "--build", "--platform", "win_amd64").code == 2
