"""Power is lost while uploads run: what was acknowledged is there and whole, and nothing half-done can be seen."""

import hashlib
import threading
from pathlib import Path

import pytest

from fakes.ask import JSON
from fakes.dists import wheel
from fakes.uploads import Publishing

pytestmark = pytest.mark.journey

UPLOADS = 200
HANDS = 4
"""How many upload at once."""


class Uploading:
    """Uploads made by several hands until all are done or nobody answers any more."""

    def __init__(self, server: Publishing) -> None:
        self.server = server
        self.made = [
            wheel("acme-crash", f"{number}.0", files={"a.bin": b"%d" % number * 5000})
            for number in range(UPLOADS)
        ]
        self.waiting = list(range(UPLOADS))
        self.begun: set[str] = set()
        self.acknowledged: dict[str, str] = {}
        self._lock = threading.Lock()

    def until(self, enough: int) -> None:
        """Uploads, and ends the server by SIGKILL, in the middle of others, once so many were acknowledged."""
        hands = [threading.Thread(target=self._work, args=(enough,)) for _ in range(HANDS)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()

    def _work(self, enough: int) -> None:
        while True:
            with self._lock:
                if not self.waiting or len(self.acknowledged) >= enough:
                    return
                number = self.waiting.pop(0)
            filename, content = self.made[number]
            self.begun.add(filename)
            try:
                reply = self.server.publish("acme-crash", f"{number}.0", filename, content)
            except OSError:
                self.waiting.append(number)
                return
            if not reply.whole:
                self.waiting.append(number)
                return
            assert reply.status == 200, reply.body
            with self._lock:
                self.acknowledged[filename] = hashlib.sha256(content).hexdigest()
                if len(self.acknowledged) == enough < UPLOADS:
                    self.server.kill()


def test_nothing_that_was_acknowledged_is_lost_to_a_crash(tmp_path: Path) -> None:
    server = Publishing(tmp_path / "keep")
    server.start()
    try:
        uploading = Uploading(server)
        for enough in (UPLOADS // 3, UPLOADS * 2 // 3):
            uploading.until(enough)
            server.start()
            look(server, uploading)
            assert not server.half_done()
        uploading.until(UPLOADS)
        assert len(look(server, uploading)) == UPLOADS
        server.stop()
    finally:
        server.kill()


def look(server: Publishing, uploading: Uploading) -> dict[str, str]:
    """What the page shows now: all that was acknowledged, and at most what each hand had begun."""
    page = server.get("/main/simple/acme-crash/", Accept=JSON).json
    shown = {file["filename"]: file["hashes"]["sha256"] for file in page["files"]}
    assert uploading.acknowledged.items() <= shown.items()
    # The answer may be what was lost, and not the upload.
    assert shown.keys() <= uploading.begun and len(shown) - len(uploading.acknowledged) <= HANDS
    contents = dict(uploading.made)
    for filename, sha256 in shown.items():
        assert hashlib.sha256(contents[filename]).hexdigest() == sha256
        assert hashlib.sha256(server.blobs()[sha256].read_bytes()).hexdigest() == sha256
    return shown
