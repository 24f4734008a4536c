"""An origin that hangs at every stage, resets, breaks off and lies about lengths, and one that comes back."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from keep import CONFIG, World, at_once, until, world
from scene import Scene, Watch

from fakes.ask import JSON
from fakes.uploads import Publishing

FAULTS = (
    "hang",
    "hang-head",
    "hang-body",
    "reset",
    "refuse",
    "truncate",
    "endless",
    "not-http",
    "error",
    "down",
)
LONGEST = 20.0
"""Seconds within which a client has an answer, whatever the origin does."""


def hangs(scene: Scene) -> None:
    """Each fault for pages and for files: those who ask are told, and what is known is served meanwhile."""
    faults = FAULTS[:3] if scene.smoke else FAULTS
    with world(scene, files=2 + 2 * len(faults), fresh="1s") as made:
        made.fetch("cold0")
        longest, stored = 0.0, 0.0
        for turn, fault in enumerate(faults):
            for at, name in (
                (f"/simple/cold{2 + 2 * turn}", f"cold{2 + 2 * turn}"),
                ("/files/", f"cold{3 + 2 * turn}"),
            ):
                made.outside.faults = {at: fault, "/simple/cold0": fault}
                asking = threading.Thread(target=made.fetch, args=(name,))
                began = time.monotonic()
                asking.start()
                stored = max(stored, _stored(made))
                asking.join()
                longest = max(longest, time.monotonic() - began)
            made.outside.faults = {}
        assert longest < LONGEST, f"an answer took {longest:.1f} s"
        scene.tell("faults of an origin", f"{', '.join(faults)}: for pages and for files")
        scene.tell("longest until a client had an answer", f"{longest:.1f} s")
        scene.tell("longest for what was stored, meanwhile", f"{stored:.2f} s")
        scene.tell("requests", made.counted)
        until(lambda: _all(made), "the origin is asked again once it is back")
        scene.tell("after the origin is back", "every file is had")
        made.prove()


def _stored(made: World) -> float:
    """The longest of three requests for a file and its page that are here."""
    longest = 0.0
    for _ in range(3):
        began = time.monotonic()
        reply = made.fetch("cold0")
        assert reply is not None and reply.status == 200, reply
        assert made.keep.get("/main/simple/cold0/", Accept=JSON).status == 200
        longest = max(longest, time.monotonic() - began)
    return longest


def _all(made: World) -> bool:
    replies = [made.fetch(name) for name in made.files]
    return all(reply is not None and reply.status == 200 for reply in replies)


def connecting(scene: Scene) -> None:
    """An origin to which no connection comes about, and one that takes them and never speaks TLS."""
    for words, listening, scheme in (
        ("takes no connection", _full(), "http"),
        ("never speaks TLS", _silent(), "https"),
    ):
        with listening as port:
            config = CONFIG.format(url=f"{scheme}://127.0.0.1:{port}/simple/", fresh="10m")
            keep = Publishing(scene.folder / words.replace(" ", "-"), config)
            try:
                keep.start()
                with Watch(scene, lambda keep=keep: keep.processes):  # type: ignore[misc]
                    began = time.monotonic()
                    at_once(20, [lambda keep=keep: _told(keep)] * 20)  # type: ignore[misc]
                    took = time.monotonic() - began
                assert took < LONGEST, f"{took:.1f} s"
                scene.tell(
                    f"an origin that {words}", f"20 clients at once are told (503) within {took:.1f} s"
                )
                keep.stop()
            finally:
                keep.kill()


def _told(keep: Publishing) -> None:
    reply = keep.get("/main/simple/demo/", Accept=JSON)
    assert reply.status == 503 and reply.detail, reply.status


@contextmanager
def _full() -> Iterator[int]:
    """A port whose queue is full: the system answers nothing to who would connect."""
    with socket.socket() as listening, contextlib.ExitStack() as stack:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filling.connect(listening.getsockname())
        yield listening.getsockname()[1]


@contextmanager
def _silent() -> Iterator[int]:
    """A port that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield listening.getsockname()[1]
