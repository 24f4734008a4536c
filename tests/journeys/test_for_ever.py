"""Snapshots of a lock and of an index: pages and files are the same bytes for ever, whatever the origin does, whatever
is cleared away, and after a restart.
"""

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from fakes.ask import HTML_V1, JSON
from fakes.command import quickly
from fakes.dists import metadata, sdist, wheel
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
"""
PROJECTS = ("deleted", "vanished", "yanked", "changed", "steady")
MADE = {name: (wheel(name, "1.0"), sdist(name, "1.0")) for name in PROJECTS}


def add(outside: Outside, name: str, **told: str) -> None:
    made, source = MADE[name]
    outside.add(*made, metadata=metadata(name, "1.0").encode(), **told)
    outside.add(*source, **told)


def turned(outside: Outside) -> None:
    """What upstreams do in the course of time."""
    outside.remove(MADE["deleted"][0][0])
    for filename, _ in MADE["vanished"]:
        outside.remove(filename)
    add(outside, "yanked", yanked="broken on Tuesdays")
    for filename, _ in MADE["changed"]:
        outside.change(filename, b"evil")
    for name in PROJECTS:
        if name != "vanished":
            outside.add(*wheel(name, "2.0"))


def everything(server: Server, snapshots: Iterable[str]) -> dict[str, bytes]:
    """Each page of each snapshot in each form, and each file on it with its metadata, by address."""
    found: dict[str, bytes] = {}

    def get(path: str, form: str = "*/*") -> bytes:
        reply = server.get(path, Accept=form)
        assert reply.status == 200, (path, reply.body)
        found[f"{path} {form}"] = reply.body
        return reply.body

    for snapshot in snapshots:
        for name in PROJECTS:
            page = f"/main@{snapshot}/simple/{name}/"
            get(page, HTML_V1)
            get(page, JSON)
            for filename, content in MADE[name]:
                path = f"/main@{snapshot}/files/{name}/{hashlib.sha256(content).hexdigest()}/{filename}"
                assert get(path) == content
                if filename.endswith(".whl"):
                    get(f"{path}.metadata")
    get("/main@locked/simple/", JSON)
    return found


def test_the_same_bytes_for_ever(outside: Outside, tmp_path: Path) -> None:
    with Server(tmp_path / "keep", CONFIG.format(url=outside.url)) as server:
        for name in PROJECTS:
            add(outside, name)
            assert server.get(f"/main/simple/{name}/").status == 200
        lock = tmp_path / "requirements.txt"
        pins = {
            name: "".join(f" --hash=sha256:{hashlib.sha256(one).hexdigest()}" for _, one in made)
            for name, made in MADE.items()
        }
        lock.write_text("".join(f"{name}==1.0{hashes}\n" for name, hashes in pins.items()))
        # Nobody asked for a file of the index yet: its snapshot has them once it is mirrored.
        for words in (
            ("snapshot", "create", "whole"),
            ("mirror", "--snapshot", "whole"),
            ("snapshot", "create", "locked", "--lock", str(lock)),
        ):
            ran = quickly("-c", server.config, *words, cwd=tmp_path)
            assert ran.code == 0, ran.err
        assert len(server.blobs()) == 2 * len(PROJECTS)
        before = everything(server, ("whole", "locked"))
        turned(outside)
        until = time.monotonic() + PATIENCE
        while any(
            "2.0" not in server.get(f"/main/simple/{name}/").text for name in PROJECTS if name != "vanished"
        ):
            assert time.monotonic() < until
            time.sleep(0.05)
        for words in ((), ("--dry-run",), ("--ahead",), ("--served-before", "2999-01-01")):
            cleared = quickly(
                "-c", server.config, "gc", "--delete", "--older-than", "1s", *words, "--json", cwd=tmp_path
            )
            assert (cleared.code, cleared.json["files"]) == (0, []), cleared.out
        assert everything(server, ("whole", "locked")) == before
        outside.stop()
        server.restart()
        assert everything(server, ("whole", "locked")) == before
