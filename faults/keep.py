"""The server under fault, an origin before it, and the proof afterwards: what must hold whatever happened."""

import contextlib
import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from scene import MIB, MOST_MEMORY, Scene, Watch

from fakes.ask import JSON, Reply
from fakes.command import Ran
from fakes.dists import wheel
from fakes.outside import Outside
from fakes.server import environment, program
from fakes.uploads import Publishing

CONFIG = """
[sources.acme]
kind = "hosted"
names = ["acme-*"]

[sources.outer]
kind = "remote"
url = "{url}"
fresh = "{fresh}"

[indexes.main]
sources = ["acme", "outer"]
publish = "acme"
"""
PATIENCE = 60.0


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def noise(seed: int, size: int) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return hashlib.shake_256(seed.to_bytes(8, "big")).digest(size)


class World:
    """An origin with files of many sizes, and a keep before it. Whatever a client was given whole is written down."""

    def __init__(
        self,
        scene: Scene,
        *,
        files: int,
        size: int = 60_000,
        fresh: str = "10m",
        at: str = "keep",
        **more: object,
    ) -> None:
        self.scene = scene
        self.outside = Outside(formats=("json",))
        self.files: dict[str, tuple[str, bytes]] = {}
        """By project: the one file that the origin has of it."""
        for number in range(files):
            project = f"cold{number}"
            made = wheel(project, "1.0", files={"noise.bin": noise(scene.seed + number, size)})
            self.files[project] = made
            self.outside.add(*made)
        self.outside.start()
        config = CONFIG.format(url=self.outside.url, fresh=fresh)
        self.keep = Publishing(scene.folder / at, config, **more)
        self.given: dict[str, str] = {}
        """What was served whole, with a right hash: file name to sha256."""
        self.published: dict[str, str] = {}
        """What was acknowledged: file name to sha256."""
        self.answers: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, what: str) -> None:
        with self._lock:
            self.answers[what] = self.answers.get(what, 0) + 1

    @property
    def counted(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in sorted(self.answers.items()))

    def fetch(self, project: str, *, timeout: float = PATIENCE) -> Reply | None:
        """One client's download of an origin's file; None where nobody answered. Wrong bytes end the suite."""
        filename, content = self.files[project]
        try:
            reply = self.keep.get(f"/main/files/{project}/{sha(content)}/{filename}", timeout=timeout)
        except OSError:
            self.count("fetches without an answer")
            return None
        if reply.status == 200 and reply.whole:
            assert reply.body == content, (
                f"{filename}: other bytes than the origin's were given as a whole file"
            )
            self.count("fetches whole")
            with self._lock:
                self.given[filename] = sha(content)
        elif reply.status == 200:
            self.count("fetches cut off")
        else:
            assert reply.status == 503, (reply.status, reply.body[:300])
            assert "retry-after" in reply.headers and reply.detail
            self.count("fetches told to come again (503)")
        return reply

    def publish(self, number: int, *, size: int = 40_000) -> Reply | None:
        """One client's upload; None where nobody answered."""
        filename, content = wheel(
            "acme-up", f"{number}.0", files={"a.bin": noise(self.scene.seed + 1_000_000 + number, size)}
        )
        try:
            reply = self.keep.publish("acme-up", f"{number}.0", filename, content)
        except OSError:
            self.count("uploads without an answer")
            return None
        if not reply.whole:
            self.count("uploads without an answer")
        elif reply.status == 200:
            self.count("uploads acknowledged")
            with self._lock:
                self.published[filename] = sha(content)
        else:
            assert reply.status in (503, 507), (reply.status, reply.body[:300])
            assert reply.detail
            self.count(f"uploads refused with a reason ({reply.status})")
        return reply

    def command(self, *words: str) -> Ran:
        """A command in a process of its own, beside the server or without one."""
        ran = subprocess.run(
            [program(), "-c", str(self.keep.config), *words],
            cwd=self.keep.folder,
            env=environment(NO_COLOR="1") | self.keep.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    # The proof.

    def prove(self) -> None:
        """All that must be true of a keep that runs, whatever was done to it. Raises AssertionError."""
        assert self.keep.get("/healthz").status == 200
        self._prove_blobs()
        self._prove_given()
        self._prove_published()
        self._prove_ledger()
        found = self.command("verify", "--json")
        assert found.code == 0, found.out + found.err
        memory = self.scene.memory // MIB
        assert memory < MOST_MEMORY, f"{memory} MiB in memory"

    def _prove_blobs(self) -> None:
        for name, path in self.keep.blobs().items():
            with contextlib.suppress(FileNotFoundError):
                assert sha(path.read_bytes()) == name, f"{name} holds other bytes"

    def _prove_given(self) -> None:
        """What was served once is served again, the same, and without the origin where it was kept."""
        contents = dict(self.files.values())
        for project, (filename, _) in self.files.items():
            if filename in self.given:
                reply = self.keep.get(f"/main/files/{project}/{self.given[filename]}/{filename}")
                assert reply.status == 200 and reply.body == contents[filename], (filename, reply.status)

    def _prove_published(self) -> None:
        if not self.published:
            return
        page = self.keep.get("/main/simple/acme-up/", Accept=JSON).json
        shown = {file["filename"]: file["hashes"]["sha256"] for file in page["files"]}
        lost = self.published.items() - shown.items()
        assert not lost, f"acknowledged, and not there: {sorted(lost)[:3]}"
        for filename, sha256 in shown.items():
            reply = self.keep.get(f"/main/files/acme-up/{sha256}/{filename}")
            assert reply.status == 200 and sha(reply.body) == sha256, filename

    def _prove_ledger(self) -> None:
        """Who was given a file is on record, and so is every upload that was acknowledged. A line that could not be
        written when its file was given is written a few seconds later."""
        if self.given or self.published:
            until(lambda: not self._unrecorded(), "who was given what is on record", 30.0)

    def _unrecorded(self) -> set[str]:
        said = self.command("audit", "--json")
        lines = [json.loads(line) for line in said.out.splitlines()]
        fetched = {line["filename"] for line in lines if line["kind"] == "fetched"}
        published = {line["filename"] for line in lines if line["kind"] == "published"}
        return (self.given.keys() - fetched) | (self.published.keys() - published)

    def forgive(self) -> None:
        """What is served while no line can be written need not be on record (it is said in the log how many)."""
        self.given.clear()


@contextmanager
def world(scene: Scene, **more: object) -> Iterator[World]:
    """A world that runs, with its memory watched; ended whatever happens."""
    made = World(scene, **more)  # type: ignore[arg-type]
    try:
        made.keep.start()
        with Watch(scene, lambda: made.keep.processes):
            yield made
    finally:
        made.keep.kill()
        made.outside.stop()


def at_once(hands: int, jobs: list[Callable[[], object]]) -> None:
    """Does all jobs with so many hands; the first error is raised when all are done."""
    with ThreadPoolExecutor(hands) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()


def until(what: Callable[[], bool], words: str, patience: float = PATIENCE) -> float:
    """Waits for something to become so; gives the seconds that it took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < patience, f"it did not come to be so: {words}"
        time.sleep(0.02)
    return time.monotonic() - began


def flip(path: Path, at: int | None = None) -> None:
    """Turns one bit of a file, in its middle or at a place, without touching its size."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(size // 2 if at is None else at)
        was = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([was[0] ^ 1]))
