"""``/log/``: what anybody gets, and what only those who may read every index."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import quickly
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server
from wheelkeep.core import merkle, tiles
from wheelkeep.core.checkpoint import read_signed
from wheelkeep.core.log_entries import SeenFile, read_entry
from wheelkeep.core.notes import read_key

CONFIG = """
[sources.outer]
kind = "remote"
url = "{url}"
{more}
[indexes.main]
sources = ["outer"]
read = "{read}"
"""


@pytest.fixture(scope="module")
def outer() -> Iterator[Outside]:
    with Outside() as outside:
        outside.add(*wheel("demo", "1.0"))
        yield outside


@pytest.fixture(scope="module")
def server(outer: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With an open index, and one file in its log."""
    with Server(
        tmp_path_factory.mktemp("log"), CONFIG.format(url=outer.url, more="", read="anyone")
    ) as server:
        server.get("/main/simple/demo/")
        assert quickly("log", "prove", wheel("demo", "1.0")[0], cwd=server.folder).code == 0
        yield server


def test_a_log_is_read_from_its_addresses(server: Server) -> None:
    told = server.get("/log/checkpoint")
    assert told.headers["content-type"] == "text/plain; charset=utf-8"
    assert told.headers["cache-control"] == "no-cache"
    note, checkpoint = read_signed(told.text, read_key(server.get("/log/key").text))
    assert note.signatures
    partial = f".p/{checkpoint.size}"
    tile, bundle = server.get(f"/log/tile/0/000{partial}"), server.get(f"/log/tile/entries/000{partial}")
    for reply in (tile, bundle):
        assert reply.headers["content-type"] == "application/octet-stream"
        assert "immutable" in reply.headers["cache-control"]
        assert reply.headers["x-content-type-options"] == "nosniff"
    entries = tiles.unbundle(bundle.body)
    growing = merkle.Frontier()
    for entry in entries:
        growing.add(merkle.leaf_hash(entry))
    assert growing.root() == checkpoint.root
    assert [merkle.leaf_hash(entry) for entry in entries] == tiles.split(tile.body)
    assert "demo-1.0-py3-none-any.whl" in [
        one.filename for entry in entries if isinstance(one := read_entry(entry), SeenFile)
    ]
    assert server.get("/log/checkpoint", "HEAD").body == b""


NOTHING = """
    tile tile/ tile/0 tile/0/0 tile/0/000 tile/0/000.p/255 tile/1/000.p/1 tile/entries/001 tile/0/x001/000 tile/64/000
    tile/0/../0/000.p/1 witness/abc/checkpoint cosigned witness/key checkpoint/ lock level-0
"""


@pytest.mark.parametrize("path", ["", f"witness/{'0' * 64}/checkpoint", *NOTHING.split()])
def test_nothing_else_is_there(server: Server, path: str) -> None:
    assert server.get(f"/log/{path}").status == 404


def test_it_is_only_read(server: Server) -> None:
    for path in ("checkpoint", "tile/0/000.p/1", "key"):
        assert server.get(f"/log/{path}", "POST").status == 405
    assert server.get("/log/cosignatures").status == 404
    assert server.get("/log/cosignatures", "POST").status == 422


@pytest.mark.parametrize(
    ("read", "more", "status"),
    [("anyone", "", 200), ("token", "", 401), ("anyone", '[sources.stage]\nkind = "hosted"', 401)],
)
def test_entries_are_for_those_who_may_read_everything(
    outer: Outside, tmp_path: Path, read: str, more: str, status: int
) -> None:
    with Server(tmp_path, CONFIG.format(url=outer.url, more=more, read=read)) as server:
        given = {
            scope: quickly("token", "create", "--name", scope[:5], "--scope", scope, cwd=tmp_path).out.strip()
            for scope in ("read:main", "admin", "approve")
        }
        while (told := server.get("/log/checkpoint")).status != 200 or "\n0\n" in told.text:
            pass  # the first entry comes within a second
        assert server.get("/log/tile/0/000.p/1").status == 200
        path = "/log/tile/entries/000.p/1"
        assert server.get(path).status == status
        by = {scope: server.get(path, authorization=f"Bearer {token}") for scope, token in given.items()}
        expected = {
            "read:main": 200 if not more else 403,
            "admin": 200,
            "approve": 200 if status == 200 else 403,
        }
        assert {scope: reply.status for scope, reply in by.items()} == expected
        if status != 200:
            assert "private" in by["admin"].headers["cache-control"]
