"""A keep is backed up while clients upload and fetch; the backup is killed half-way; what is restored is the same."""

import hashlib
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.ask import JSON
from fakes.command import quickly, wheelkeep
from fakes.dists import wheel
from fakes.server import environment, program
from fakes.uploads import CONFIG, Publishing

pytestmark = pytest.mark.journey


class Publisher:
    """Uploads one version after the other, and fetches each, until it is told to stop."""

    def __init__(self, server: Publishing) -> None:
        self.server = server
        self.acknowledged: dict[str, str] = {}
        self.contents: dict[str, bytes] = {}
        self._stop = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        hand = threading.Thread(target=self._work)
        hand.start()
        try:
            yield
        finally:
            self._stop.set()
            hand.join()
            self._stop.clear()

    def _work(self) -> None:
        while not self._stop.is_set():
            self.one()

    def one(self) -> None:
        version = f"{len(self.acknowledged)}.0"
        filename, content = wheel("acme-lib", version, files={"a.bin": random.randbytes(30_000)})
        assert self.server.publish("acme-lib", version, filename, content).status == 200
        sha256 = hashlib.sha256(content).hexdigest()
        assert self.server.get(f"/main/files/acme-lib/{sha256}/{filename}").body == content
        self.contents[filename] = content
        self.acknowledged[filename] = sha256

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + 60
        while len(self.acknowledged) < count:
            assert time.monotonic() < until
            time.sleep(0.01)


def page(server: Publishing) -> bytes:
    return server.get("/main/simple/acme-lib/", Accept=JSON).body


def test_a_backup_of_a_busy_keep_is_one_moment_and_serves_the_same_bytes(tmp_path: Path) -> None:
    place = tmp_path / "backups"
    server = Publishing(tmp_path / "keep")
    with server:
        publisher = Publisher(server)
        with publisher.at_work():
            publisher.wait_for(5)
            before = dict(publisher.acknowledged)
            made = wheelkeep("-c", server.config, "backup", place, "--json")
            assert made.code == 0, made.err
            after = dict(publisher.acknowledged)
        first = made.json["generation"]
        publisher.one()
        # Killed in the middle, as often as that takes; the next run ends what they began.
        for wait in (0.2, 0.4, 0.6):
            kill_a_backup(server, place, wait)
        made = quickly("-c", server.config, "backup", place, "--json", cwd=tmp_path)
        assert made.code == 0, made.err
        assert 0 < made.json["new_bytes"] < made.json["bytes"]
        shown = page(server)
        listed = quickly("restore", place, "--list", "--json", cwd=tmp_path).json["generations"]
        assert {first, made.json["generation"]} <= {one["generation"] for one in listed}

        refused = quickly("-c", server.config, "restore", place, cwd=tmp_path)
        assert refused.code == 2 and "not empty" in refused.err

    # A machine that has nothing but the backup.
    new = tmp_path / "new"
    assert quickly("restore", place, "--configuration", new, cwd=tmp_path).code == 0
    assert (new / "wheelkeep.toml").read_text() == CONFIG
    assert quickly("-c", new / "wheelkeep.toml", "restore", place, cwd=tmp_path).code == 0
    back = Publishing(new, token=server.token)
    with back:
        assert page(back) == shown
        for filename, sha256 in publisher.acknowledged.items():
            reply = back.get(f"/main/files/acme-lib/{sha256}/{filename}")
            assert reply.body == publisher.contents[filename]
        assert back.publish("acme-lib", "0.0", *wheel("acme-lib", "0.0")).status == 400

    # The first one has all that was acknowledged when it began, nothing that came after it, and all bytes of it.
    shutil.rmtree(new / "wheelkeep-data")
    done = quickly(
        "-c", new / "wheelkeep.toml", "restore", place, "--generation", first, "--json", cwd=tmp_path
    )
    assert done.code == 0, done.err
    assert done.json["restored"]["used_names"] > 0
    with back:
        told = back.get("/main/simple/acme-lib/", Accept=JSON).json["files"]
        files = {one["filename"]: one["hashes"]["sha256"] for one in told}
        assert before.items() <= files.items() <= (after | publisher.acknowledged).items()
        assert len(files) < len(publisher.acknowledged)
        for filename, sha256 in files.items():
            assert back.get(f"/main/files/acme-lib/{sha256}/{filename}").body == publisher.contents[filename]
        lost = next(name for name in publisher.acknowledged if name not in files)
        again = back.publish(
            "acme-lib", lost.split("-")[1], lost, publisher.contents[lost], token=server.token
        )
        assert again.status == 400


def kill_a_backup(server: Publishing, place: Path, wait: float) -> None:
    command = [program(), "-c", str(server.config), "backup", str(place), "--check", "--rate", "200KB"]
    run = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(wait)
    run.send_signal(signal.SIGKILL)
    run.wait()
