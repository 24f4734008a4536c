"""``serve``: says when it is ready, and says plainly why it cannot be."""

import threading
import time

import pytest

from fakes.faults import Answer
from fakes.outside import Outside
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
