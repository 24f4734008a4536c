"""A running server's log, verified from outside: what is changed, forked or rolled back is found; what is true is
cosigned by a second keep.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fakes.command import Ran, quickly, wheelkeep
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import Server

pytestmark = pytest.mark.journey
CONFIG = (
    '[sources.outer]\nkind = "remote"\nurl = "{url}"\nfresh = "1s"\n[indexes.main]\nsources = ["outer"]\n'
)


def verify(server: Server, folder: Path) -> Ran:
    """From outside: with an address, and what was kept of an earlier look."""
    return quickly("log", "verify", server.url, "--state", folder / "state.json", "--json", cwd=folder)


def flaws(ran: Ran) -> list[str]:
    assert ran.code == 1, ran.out + ran.err
    return [flaw["what"] for flaw in ran.json["flaws"]]


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def test_what_is_done_to_a_log_behind_its_back_is_found(outside: Outside, tmp_path: Path) -> None:
    for name in ("demo", "other"):
        outside.add(*wheel(name, "1.0"))
    server, away = Server(tmp_path / "keep", CONFIG.format(url=outside.url)), tmp_path / "away"
    away.mkdir()
    filename, content = wheel("demo", "1.0")
    with server:
        assert server.get(f"/main/files/demo/-/{filename}").body == content
        proven = wheelkeep("log", "prove", filename, "--json", cwd=server.folder)
        assert proven.code == 0, proven.err
        first = verify(server, away)
        assert (first.code, first.json["on_trust"]) == (0, True), first.out + first.err
        assert first.json["entries"] == first.json["leaves"] == first.json["size"] > 0
    copy = tmp_path / "copy"
    shutil.copytree(server.data, copy)

    # A proof is verified by whoever has it, without the keep.
    (away / "proof.json").write_text(proven.out)
    key = first.json["key"]
    offline = wheelkeep("log", "verify", "--proof", "proof.json", "--key", key, "--json", cwd=away)
    assert (offline.code, offline.json["proofs"][0]["good"]) == (0, True)
    (away / "proof.json").write_text(proven.out.replace("demo-1.0", "demo-1.1"))
    assert quickly("log", "verify", "--proof", "proof.json", "--key", key, cwd=away).code == 1
    (away / filename).write_bytes(content)
    assert quickly("log", "prove", away / filename, cwd=server.folder).code == 0
    (away / filename).write_bytes(b"forged")
    assert quickly("log", "prove", away / filename, cwd=server.folder).code == 1
    assert quickly("log", "prove", "other-1.0.tar.gz", cwd=server.folder).code == 1

    # It goes on, and what was seen before is its beginning.
    with server:
        server.get("/main/simple/other/")
        assert quickly("log", "prove", wheel("other", "1.0")[0], cwd=server.folder).code == 0
        second = verify(server, away)
        assert (second.code, second.json["on_trust"]) == (0, False), second.out + second.err
        assert second.json["size"] > second.json["before"] == first.json["size"]
    inside = quickly("log", "verify", "--json", cwd=server.folder)
    assert (inside.code, inside.json["findings"]) == (0, []), inside.out

    # An older copy that is put back, and one that then goes its own way.
    ahead = tmp_path / "ahead"
    shutil.move(server.data, ahead)
    shutil.copytree(copy, server.data)
    outside.add(*wheel("third", "1.0"))
    with server:
        assert flaws(verify(server, away)) == ["rollback"]
        for name in ("third", "demo"):
            server.get(f"/main/simple/{name}/")
        files = [wheel(f"more{number}", "1.0") for number in range(4)]
        for made in files:
            outside.add(*made)
            server.get(f"/main/simple/{made[0].split('-')[0]}/")
        assert quickly("log", "prove", files[-1][0], cwd=server.folder).code == 0
        assert flaws(verify(server, away)) == ["fork"]

    # Changes behind the back of a keep that does not run.
    for path, statement in (
        ("fetches.sqlite", "UPDATE fetched_by SET address = '10.0.0.9'"),
        ("fetches.sqlite", "DELETE FROM fetches"),
        ("wheelkeep.sqlite", "UPDATE leaves SET sha256 = zeroblob(32) WHERE heads IS NULL"),
        ("wheelkeep.sqlite", "DELETE FROM leaves WHERE id = 1"),
    ):
        shutil.rmtree(server.data)
        shutil.copytree(ahead, server.data)
        change(server.data / path, statement)
        assert quickly("log", "verify", cwd=server.folder).code == 1, statement
    with server:
        # An entry that the server tells otherwise than its hash does.
        assert flaws(verify(server, away)) == ["entries"]


def test_a_second_keep_cosigns_what_continues_what_it_saw(outside: Outside, tmp_path: Path) -> None:
    outside.add(*wheel("demo", "1.0"))
    filename = wheel("demo", "1.0")[0]
    with (
        Server(tmp_path / "other", CONFIG.format(url=outside.url)) as other,
        Server(tmp_path / "keep", CONFIG.format(url=outside.url)) as server,
    ):
        server.get("/main/simple/demo/")
        assert quickly("log", "prove", filename, cwd=server.folder).code == 0
        first = wheelkeep("log", "witness", server.url, "--json", cwd=other.folder)
        assert (first.code, first.json["cosigned"], first.json["delivered"]) == (0, True, False), first.err
        witness = first.json["witness"]
        assert other.get("/log/witness/key").text.strip() == witness

        config = f'{CONFIG.format(url=outside.url)}[log]\nwitnesses = ["{witness}"]\n'
        server.config.write_text(config)
        server.restart()
        again = quickly("log", "witness", server.url, "--json", cwd=other.folder)
        assert (again.code, again.json["delivered"], again.json["says"]) == (0, True, "")
        shown = server.get("/log/cosigned").text
        assert shown == again.json["note"]
        name = witness.partition("+")[0]
        assert f"\u2014 {name} " in shown
        kept = [path.name for path in (other.data / "log" / "witnessed").glob("*") if len(path.name) == 64]
        assert other.get(f"/log/witness/{kept[0]}/checkpoint").text == shown

        # What is not cosigned by a known witness, or is not the log's own, is not taken.
        for body, status in (
            (first.json["note"].rsplit("\u2014", 1)[0], 403),
            ("nothing", 422),
            (shown, 200),
        ):
            assert post(server, body) == status
        assert server.get("/log/cosigned").text == shown

        # The log loses its memory, and begins again under its old name.
        server.stop()
        for path in ("level-0", "checkpoint"):
            (server.data / "log" / path).unlink()
        change(server.data / "wheelkeep.sqlite", "UPDATE leaves SET salt = zeroblob(16)")
        server.start()
        refused = quickly("log", "witness", server.url, "--json", cwd=other.folder)
        assert refused.code == 1
        assert refused.json["flaws"][0]["what"] in ("fork", "rollback")
        assert not refused.json["cosigned"]
        assert other.get(f"/log/witness/{kept[0]}/checkpoint").text == shown


def post(server: Server, body: str) -> int:
    import http.client

    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    try:
        connection.request("POST", "/log/cosignatures", body.encode())
        return connection.getresponse().status
    finally:
        connection.close()


def test_who_cannot_be_asked_is_not_verified(tmp_path: Path) -> None:
    ran = quickly("log", "verify", "http://127.0.0.1:9", "--state", "state.json", cwd=tmp_path)
    assert (ran.code, (tmp_path / "state.json").exists()) == (1, False)
    assert json.dumps(ran.err)
    for words in (
        ("not a url",),
        ("http://127.0.0.1:9", "--key", "x"),
        ("--state", "x"),
        ("http://x", "--proof", "y"),
    ):
        assert quickly("log", "verify", *words, cwd=tmp_path).code == 2
