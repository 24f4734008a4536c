"""A stored file that was touched on disk is never served: it is set aside and fetched anew, or an error."""

import hashlib
import re
import time
from pathlib import Path

from fakes.command import quickly
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import PATIENCE, Server

CONFIG = """
[sources.up]
kind = "remote"
url = "{url}"
[indexes.main]
sources = ["up"]
"""


def flip(path: Path) -> None:
    path.chmod(0o644)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def test_a_flipped_bit_is_healed_or_told(tmp_path: Path) -> None:
    filename, content = wheel("demo", "1.0")
    sha256 = hashlib.sha256(content).hexdigest()
    address = f"/main/files/demo/{sha256}/{filename}"
    with Outside() as outside:
        outside.add(filename, content)
        with Server(tmp_path, CONFIG.format(url=outside.url)) as server:
            assert server.get(address).body == content
            flip(server.blobs()[sha256])
            assert server.get(address).body == content
            assert hashlib.sha256(server.blobs()[sha256].read_bytes()).hexdigest() == sha256
            # Also what was damaged while nobody looked, and after the origin has gone.
            server.stop()
            flip(server.blobs()[sha256])
            outside.stop()
            server.start()
            answer = server.get(address)
            assert answer.status == 503
            assert content not in answer.body
            assert sha256 not in server.blobs()
            outside.start()
            assert server.get(address).body == content


def test_what_nobody_asked_for_is_found_by_the_scrub(tmp_path: Path) -> None:
    """Two workers, of which one reads; the other hears of nothing and serves the healed file all the same."""
    filename, content = wheel("demo", "1.0")
    sha256 = hashlib.sha256(content).hexdigest()
    with Outside() as outside:
        outside.add(filename, content)
        scrub = 'workers = 2\n[scrub]\nevery = "1s"\n'
        with Server(tmp_path, scrub + CONFIG.format(url=outside.url)) as server:
            address = f"/main/files/demo/{sha256}/{filename}"
            assert server.get(address).body == content
            flip(server.blobs()[sha256])
            until = time.monotonic() + PATIENCE
            while not re.search("wheelkeep_scrub_healed_total [1-9]", server.get("/metrics").text):
                assert time.monotonic() < until, server.log[-2000:]
                time.sleep(0.05)
            assert server.blobs()[sha256].read_bytes() == content
            for _ in range(4):
                assert server.get(address).body == content
                assert server.get(address, Range="bytes=1-3").body == content[1:4]
                assert server.get(address, "HEAD").status == 200
            told = quickly("status", "--json", cwd=tmp_path).json
            assert set(told["scrub"]) >= {"percent", "files", "damaged", "healed", "last"}
            line = quickly("audit", "--kind", "incident", "--json", cwd=tmp_path)
            assert '"blob-damaged"' in line.out and filename in line.out
