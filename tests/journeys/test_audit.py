"""Who got what survives a kill at any moment, over several workers, with real clients."""

import hashlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fakes.clients import Client
from fakes.command import quickly, wheelkeep
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import PATIENCE, Server
from fakes.uploads import CONFIG as PUBLISHING
from fakes.uploads import Publishing

pytestmark = pytest.mark.journey

MADE = [wheel("demo", f"{number}.0", files={"a.txt": b"%d" % number * 20_000}) for number in range(12)]


def config(outside: Outside) -> str:
    return f'[sources.outer]\nkind = "remote"\nurl = "{outside.url}"\n[indexes.main]\nsources = ["outer"]\n'


def fetched(folder: Path) -> list[str]:
    told = quickly("audit", "--kind", "fetched", "--json", cwd=folder)
    return [json.loads(line)["filename"] for line in told.out.splitlines()]


def test_a_byte_that_arrived_has_its_line_whatever_ends_the_server(outside: Outside, tmp_path: Path) -> None:
    for made in MADE:
        outside.add(*made)
    with Server(tmp_path, config(outside), options=("--workers", "2")) as server:
        split = urlsplit(server.url)
        for filename, content in MADE[:2]:
            sha256 = hashlib.sha256(content).hexdigest()
            with socket.create_connection((split.hostname, split.port), timeout=PATIENCE) as wire:
                ask = f"GET /main/files/demo/{sha256}/{filename} HTTP/1.1\r\nHost: keep\r\n\r\n"
                wire.sendall(ask.encode())
                assert wire.recv(1) == b"H"
                server.kill()
            assert filename in fetched(tmp_path)
            server.start()

        def get(made: tuple[str, bytes]) -> bytes:
            return server.get(f"/main/files/demo/-/{made[0]}").body

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(get, MADE * 4)) == [content for _, content in MADE * 4]
        # Both workers wrote, at the same time, into one book.
        told = fetched(tmp_path)
        assert len(told) == 2 + 4 * len(MADE)
        assert all(told.count(filename) == 4 + (at < 2) for at, (filename, _) in enumerate(MADE))


def test_who_published_and_who_installed(new_pip: Client, tmp_path: Path) -> None:
    made = wheel("acme-demo", "1.0")
    with Publishing(tmp_path / "keep", PUBLISHING + 'read = "token"\n') as server:
        assert server.publish("acme-demo", "1.0", *made).status == 200
        reader = server.make_token("read:silent")
        index = server.simple("silent").replace("://", f"://__token__:{reader}@")
        assert new_pip.got(index, tmp_path / "into", "acme-demo") == {"acme-demo": "1.0"}
        told = wheelkeep("audit", "--package", "acme-demo", "--json", cwd=tmp_path / "keep")
    got, published = (json.loads(line) for line in told.out.splitlines())
    assert (published["kind"], published["from"]) == ("published", "127.0.0.1")
    assert (got["kind"], got["index"], got["who"]) == ("fetched", "silent", "for ('read:silent',)")
    assert got["tool"].startswith("pip/")
