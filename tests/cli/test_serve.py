"""``serve``: says when it is ready, and says plainly why it cannot be."""

import threading
import time
from pathlib import Path

import pytest

from fakes.command import quickly, wheelkeep
from fakes.faults import Answer
from fakes.outside import Outside
from fakes.server import Server
from wheelkeep.server import announce


def test_nothing_is_done_beside_the_forking_of_workers(capfd: pytest.CaptureFixture[str]) -> None:
    """What another thread held at that moment, a module's import lock say, a worker would wait for in vain."""
    with Outside() as outside:
        outside.bodies["/healthz"] = Answer(200, {"Content-Type": "text/plain"}, b"ok\n")
        forked = threading.Event()
        thread = threading.Thread(target=announce, args=(forked.is_set, "127.0.0.1", outside.port))
        thread.start()
        time.sleep(0.2)
        assert outside.connections == 0
        forked.set()
        thread.join(30)
        assert capfd.readouterr().err == f"wheelkeep: ready on {outside.origin}\n"


GOOD = '[sources.house]\nkind = "hosted"\n[indexes.main]\nsources = ["house"]\n'


def test_ready_and_then_gone(tmp_path: Path) -> None:
    with Server(tmp_path, GOOD) as server:
        assert server.log.count("wheelkeep: ready on http://127.0.0.1:") == 1
        assert server.get("/healthz").status == 200
        # The port is taken: said in one line, before anything is touched.
        second = wheelkeep("serve", "--listen", server.url.removeprefix("http://"), cwd=tmp_path)
        assert second.code == 2
        assert "cannot be listened on" in second.err
        assert len(second.err.splitlines()) == 1
        assert server.get("/healthz").status == 200
    with pytest.raises(OSError, match="refused"):
        server.get("/healthz")


def test_what_listens_openly_is_warned_of(tmp_path: Path) -> None:
    server = Server(tmp_path, GOOD)
    server.url = "http://0.0.0.0:0"
    server.start()
    try:
        assert server.url.startswith("http://0.0.0.0:")
        assert "is open to other machines" in server.log
        server.url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert server.get("/healthz").status == 200
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("config", "policy", "word"),
    [
        (GOOD + 'policy = "policy.toml"\n', "[deny\n", "policy.toml:1: "),
        (GOOD + 'policy = "policy.toml"\n', '[deny]\nsources = ["nobody"]\n', "policy.toml:2: deny.sources"),
        (GOOD + 'policy = "other.toml"\n', "", "wheelkeep.toml:5: indexes.main.policy: "),
        (GOOD.replace("kind", "knd"), "", "wheelkeep.toml:"),
        (GOOD + "\n[indexes.simple]\nsources = []\n", "", "is not free for an index"),
    ],
)
def test_a_broken_policy_or_configuration_is_exit_code_2(
    tmp_path: Path, config: str, policy: str, word: str
) -> None:
    (tmp_path / "wheelkeep.toml").write_text(config)
    (tmp_path / "policy.toml").write_text(policy)
    ran = quickly("serve", "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert ran.code == 2
    assert word in ran.err
    assert all(line.startswith("wheelkeep: ") for line in ran.err.splitlines())
    assert not (tmp_path / "wheelkeep-data").exists()


def test_what_cannot_be_listened_on_and_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "wheelkeep.toml").write_text(GOOD)
    for listen in ("8080", "127.0.0.1:", "127.0.0.1:99999", "no such host:80"):
        assert quickly("serve", "--listen", listen, cwd=tmp_path).code == 2
    (tmp_path / "file").write_text("")
    (tmp_path / "wheelkeep.toml").write_text('data = "file/data"\n' + GOOD)
    ran = quickly("serve", "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert ran.code == 2
    assert "file/data cannot be used" in ran.err
