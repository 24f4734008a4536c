"""``verify``, ``gc`` and ``status``: every kept byte read again; damage found, told, and mended from the origin."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import quickly, wheelkeep
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server

DEMO, OTHER = wheel("demo", "1.0"), wheel("other", "1.0")


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as outside:
        outside.add(*DEMO)
        outside.add(*OTHER)
        yield outside


def flip(path: Path) -> None:
    """One bit of one byte, as a bad disk does."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_flipped_bit_is_found_told_and_mended(outside: Outside, tmp_path: Path) -> None:
    config = f'[sources.outer]\nkind = "remote"\nurl = "{outside.url}"\n[indexes.main]\nsources = ["outer"]\n'
    with Server(tmp_path, config) as server:
        pages = {
            name: server.get(f"/main/simple/{name}/?format=application/vnd.pypi.simple.v1%2Bjson")
            for name in ("demo", "other")
        }
        hashes = {name: page.json["files"][0]["hashes"]["sha256"] for name, page in pages.items()}
        paths = {
            name: f"/main/files/{name}/{sha256}/{name}-1.0-py3-none-any.whl"
            for name, sha256 in hashes.items()
        }
        for path in paths.values():
            assert server.get(path).status == 200
        assert set(server.blobs()) == set(hashes.values())

        # While the server runs, too.
        good = wheelkeep("verify", cwd=tmp_path)
        assert (good.code, good.out.splitlines()[-1].split(",")[0]) == (0, "2 files")

        flip(server.blobs()[hashes["demo"]])
        bad = quickly("verify", "--json", cwd=tmp_path)
        assert bad.code == 1
        assert bad.json["files"] == 2
        damage = bad.json["damaged"]
        assert [(one["sha256"], one["file"], one["repaired"]) for one in damage] == [
            (hashes["demo"], DEMO[0], False)
        ]
        assert damage[0]["found"] not in (hashes["demo"], "")
        assert quickly("verify", cwd=tmp_path).out.startswith(f"damaged: {hashes['demo']} ({DEMO[0]})")

        # With nobody to fetch it from, it is taken out of service at least: an error is better than wrong bytes.
        outside.stop()
        lost = quickly("verify", "--repair", cwd=tmp_path)
        assert lost.code == 1
        assert "could not be fetched again" in lost.out
        assert hashes["demo"] not in server.blobs()
        assert server.get(paths["demo"]).status == 503
        assert server.get(paths["other"]).body == OTHER[1]

        outside.start()
        assert server.get(paths["demo"]).body == DEMO[1]
        flip(server.blobs()[hashes["demo"]])
        mended = quickly("verify", "--repair", cwd=tmp_path)
        assert mended.code == 0
        assert "fetched again from outer" in mended.out
        assert server.blobs()[hashes["demo"]].read_bytes() == DEMO[1]
        assert server.get(paths["demo"]).body == DEMO[1]

        told = quickly("status", "--json", cwd=tmp_path).json
        assert (told["files"], told["bytes"]) == (2, len(DEMO[1]) + len(OTHER[1]))
        assert [(source["name"], source["kind"], source["pages"]) for source in told["sources"]] == [
            ("outer", "remote", 2)
        ]
        assert "2 pages, last answered 20" in quickly("status", cwd=tmp_path).out


def test_an_empty_keep_is_whole(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text('[sources.house]\nkind = "hosted"\n')
    for command in ("verify", "status"):
        assert quickly(command, cwd=tmp_path).code == 0


def test_what_nothing_needs_is_told_and_goes_when_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text('[sources.house]\nkind = "hosted"\n')
    assert quickly("gc", cwd=tmp_path).out == "0 B would be freed; nothing was removed: --delete does it\n"
    content = b"an upload that nobody finished"
    sha256 = hashlib.sha256(content).hexdigest()
    lies = tmp_path / "wheelkeep-data" / "blobs" / "sha256" / sha256[:2] / sha256
    lies.parent.mkdir()
    lies.write_bytes(content)
    assert quickly("gc", "--delete", cwd=tmp_path).out == "0 B freed\n"
    for options in ((), ("--dry-run", "--delete")):
        told = quickly("gc", "--older-than", "1s", *options, "--json", cwd=tmp_path)
        assert told.json["deleted"] is False
    assert lies.exists()
    for wrong in (("--older-than", "soon"), ("--served-before", "soon")):
        assert quickly("gc", *wrong, cwd=tmp_path).code == 2
    assert quickly("verify", "--rate", "fast", cwd=tmp_path).code == 2


def test_where_no_backup_is_the_answer_is_no(tmp_path: Path) -> None:
    for more in ((), ("--list",), ("--configuration", "new")):
        ran = quickly("restore", "nowhere", *more, cwd=tmp_path)
        assert (ran.code, ran.out) == (1, "")
        assert "there is no backup in" in ran.err
