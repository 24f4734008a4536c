"""A stored file that was touched on disk is never served: it is set aside and fetched anew, or an error."""

import hashlib
from pathlib import Path

from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server

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
